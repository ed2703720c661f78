"""The SDK's own settings are brought together here: what it shall find in its environment, and what comes of that."""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ec2kit import endpoints, sdk_profile
from ec2kit.endpoints import Endpoint
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice


class SdkSettings(NamedTuple):
    """
    Hold what the SDK is told, and what the kit has to know of it.

    Attributes:
        variables: The variables that have to be another way in the environment; "": the SDK must not find it.
        metadata_url: The instance metadata service that the SDK asks for credentials, "http://169.254.169.254".
        over_tls: False: each endpoint of EC2 that is set, for the kit or for the SDK, is plain HTTP.
        ca_bundle: The file of certificate authorities that the SDK is told to trust; "": those that come with it.
        origin: A checksum of the endpoint that is asked and of the credentials that are used, without secrets in it.
    """

    variables: Mapping[str, str]
    metadata_url: str
    over_tls: bool
    ca_bundle: str
    origin: str
    findings: tuple[Notice, ...]


def sdk_settings(
    environment: Mapping[str, str],
    from_file: Mapping[str, str],
    *,
    file_first: bool,
    endpoint_url: str,
    listed: Sequence[Endpoint] = (),
) -> SdkSettings:
    """
    Bring together the variables of the environment, those of the settings file, and the profile of the SDK's files.

    Args:
        file_first: The file takes precedence over the environment.
        endpoint_url: EC2's endpoint that the kit itself was given; it comes before those of the SDK. "": none.
        listed: The list of endpoints that the kit was given; it comes before all others. (): none.
    """
    findings: list[Notice] = []
    told = _told(environment, from_file, file_first=file_first)
    try:
        profile = sdk_profile.profile(told)
    except TimeoutError as error:
        profile = {}
        findings.append((catalogue.SETTINGS_UNREADABLE, {"path": sdk_profile.config_file(told), "reason": error}))
    metadata_url = _metadata_url(told, profile)
    told |= {"AWS_EC2_METADATA_V1_DISABLED": "true", **_direct(told, metadata_url)}
    asked = [each.url for each in listed] or [endpoint_url or _endpoint(told, profile)]
    of_services = [*(("EC2", each) for each in asked), *_endpoints_of_others(told, profile).items()]
    findings += [
        (catalogue.ENDPOINT_IN_CLEAR, {"service": service, "endpoint": url})
        for service, url in of_services
        if _is_in_clear(url)
    ]
    over_tls = not all(each.lower().startswith("http:") for each in asked)
    if over_tls and (not listed or any(each.proxy is None for each in listed)):
        findings += _unused_proxy(told)
    names = {name for name in {*environment, *told} if _SDK_NAME.fullmatch(name)}
    return SdkSettings(
        variables={name: told.get(name, "") for name in names if told.get(name) != environment.get(name)},
        metadata_url=metadata_url,
        over_tls=over_tls,
        ca_bundle=told.get("AWS_CA_BUNDLE") or profile.get("ca_bundle") or told.get("REQUESTS_CA_BUNDLE", ""),
        origin=_origin({**told, "EC2_ENDPOINT_URL": endpoint_url, "EC2_ENDPOINTS": endpoints.names(listed)}),
        findings=tuple(findings),
    )


def is_heeded(name: str) -> bool:
    """Tell whether the SDK looks at a variable of this name."""
    return _SDK_NAME.fullmatch(name) is not None


# -- the variables -------------------------------------------------------------------------------------------------

_SDK_NAME = re.compile(r"AWS_[A-Z0-9_]+|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|(REQUESTS|CURL)_CA_BUNDLE")

_TOGETHER = (
    (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        "AWS_CREDENTIAL_EXPIRATION",
    ),
    ("AWS_DEFAULT_PROFILE", "AWS_PROFILE"),
    ("HTTPS_PROXY", "https_proxy"),
    ("HTTP_PROXY", "http_proxy"),
    ("ALL_PROXY", "all_proxy"),
    ("NO_PROXY", "no_proxy"),
)
"""Names that mean something only together: a token of one place makes keys of another invalid."""


def _told(environment: Mapping[str, str], from_file: Mapping[str, str], *, file_first: bool) -> dict[str, str]:
    """Return the environment with the SDK's variables as it shall find them; an empty one counts as not set."""
    places = (from_file, environment) if file_first else (environment, from_file)
    told = {name: value for name, value in environment.items() if not is_heeded(name)}
    for name in filter(is_heeded, {*environment, *from_file}):
        together = next((names for names in _TOGETHER if name in names), (name,))
        place = next((each for each in places if any(_set(each, other) for other in together)), {})
        if value := _set(place, name):
            told[name] = value
    return told


def _set(place: Mapping[str, str], name: str) -> str:
    """
    Return the value that a name has in one place, "" if it is not set.

    An empty proxy in lower case also switches off the one in capitals.

    Source: Python, urllib.request.getproxies_environment.
    """
    is_off = name.endswith("_PROXY") and place.get(name.lower()) == ""
    return "" if is_off else place.get(name, "")


_SECRET = re.compile(r".*(SECRET|BEARER).*|.*_TOKEN")


def _origin(told: Mapping[str, str]) -> str:
    """Return a checksum of all that decides whom the SDK asks, and with which identity; its files are below HOME."""
    names = {name for name in told if is_heeded(name) and not _SECRET.fullmatch(name)}
    names |= {"EC2_ENDPOINT_URL", "EC2_ENDPOINTS", "HOME"} & set(told)
    text = "\n".join(f"{name}={told[name]}" for name in sorted(names))
    return f"{crc32(text.encode(errors='replace')):08x}"


def _is_true(text: str) -> bool:
    """Tell what the SDK makes of a text that is a switch; source: botocore, ensure_boolean."""
    return text.lower() == "true"


# -- the metadata service and proxies ------------------------------------------------------------------------------

_METADATA_HOSTS = ("169.254.169.254", "fd00:ec2::254", "[fd00:ec2::254]")
_IPV4_URL, _IPV6_URL = "http://169.254.169.254", "http://[fd00:ec2::254]"


def _metadata_url(told: Mapping[str, str], profile: Mapping[str, str]) -> str:
    """
    Return the metadata service that the SDK asks.

    Source: botocore, IMDSFetcher._select_base_url and resolve_imds_endpoint_mode.
    """

    def value(option: str) -> str:
        return told.get(f"AWS_{option.upper()}") or profile.get(option, "")

    if url := value("ec2_metadata_service_endpoint").strip():
        return url
    mode = value("ec2_metadata_service_endpoint_mode").lower()
    is_ipv6 = mode == "ipv6" if mode else _is_true(value("imds_use_ipv6"))
    return _IPV6_URL if is_ipv6 else _IPV4_URL


def _direct(told: Mapping[str, str], metadata_url: str) -> dict[str, str]:
    """
    Return the variables by which the SDK asks the metadata service without the proxies that are set.

    Python compares an entry with the host as the URL has it, an IPv6 address with its brackets. `*` alone stands for
    all hosts, and in a list for none.

    Source: Python, urllib.request.proxy_bypass_environment; botocore, should_bypass_proxies.
    """
    listed = told.get("no_proxy") or told.get("NO_PROXY", "")
    if listed == "*" or not any(_proxy(told, scheme) for scheme in ("http", "https", "all")):
        return {}
    own = () if metadata_url in (_IPV4_URL, _IPV6_URL) else _hosts(metadata_url)
    present = {"", *(each.strip().lower() for each in listed.split(","))}
    missing = [each for each in dict.fromkeys((*_METADATA_HOSTS, *own)) if each not in present]
    listed = ",".join(filter(None, (listed, *missing)))
    return {"NO_PROXY": listed, "no_proxy": listed}


def _proxy(told: Mapping[str, str], scheme: str) -> str:
    return told.get(f"{scheme}_proxy") or told.get(f"{scheme.upper()}_PROXY", "")


def _unused_proxy(told: Mapping[str, str]) -> list[Notice]:
    """
    Return a notice if a proxy is set that the SDK does not ask on its way to an endpoint over TLS.

    Source: botocore, ProxyConfiguration.proxy_url_for, which looks for the scheme of the URL.
    """
    if not _proxy(told, "all") or _proxy(told, "https"):
        return []
    name = "all_proxy" if told.get("all_proxy") else "ALL_PROXY"
    return [(catalogue.PROXY_UNUSED, {"name": name})]


# -- endpoints -------------------------------------------------------------------------------------------------------


def _endpoint(told: Mapping[str, str], profile: Mapping[str, str], service: str = "ec2") -> str:
    """
    Return the endpoint of a service that is set for the SDK, "" for AWS's own.

    Source: AWS SDKs and Tools, "Service-specific endpoints"; botocore, ConfiguredEndpointProvider.
    """
    if _ignores_endpoints(told, profile):
        return ""
    by_variable = told.get(f"AWS_ENDPOINT_URL_{service.upper()}") or told.get("AWS_ENDPOINT_URL")
    return by_variable or profile.get(f"services.{service}.endpoint_url") or profile.get("endpoint_url", "")


def _ignores_endpoints(told: Mapping[str, str], profile: Mapping[str, str]) -> bool:
    ignored = told.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or profile.get("ignore_configured_endpoint_urls", "")
    return _is_true(ignored)


_GIVE_CREDENTIALS = {"sts": "role_arn", "sso": "sso_account_id", "sso_oidc": "sso_session"}
"""Service that gives credentials → the option of a profile that lets the SDK ask it."""

_ROUTE_53 = "AWS_ENDPOINT_URL_ROUTE_53"


def _endpoints_of_others(told: Mapping[str, str], profile: Mapping[str, str]) -> dict[str, str]:
    """Return other services → endpoints: those that are set, or at which those that give credentials are asked."""
    found = {}
    if _ROUTE_53 in told:
        found["Route 53"] = _endpoint(told, profile, "route_53")
    for service, option in _GIVE_CREDENTIALS.items():
        own = f"AWS_ENDPOINT_URL_{service.upper()}" in told or f"services.{service}.endpoint_url" in profile
        if own or option in profile or f"AWS_{option.upper()}" in told:
            found[service.upper().replace("_", " ")] = _endpoint(told, profile, service)
    return found


def _is_in_clear(url: str) -> bool:
    """Tell whether requests to a URL leave this machine without encryption."""
    if not url.lower().startswith("http:") or re.fullmatch(_PLAINLY_LOOPBACK, url):
        return False
    return not any(map(_is_loopback, _hosts(url)[:1]))


_PLAINLY_LOOPBACK = r"http://(localhost|127\.0\.0\.1)(:[0-9]+)?/?"
"""Loopback URLs that are recognized without the libraries that parse URLs and addresses and take long to load."""


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(url: str) -> tuple[str, ...]:
    """Return the host of a URL, alone and as the URL has it with user and port; () if it has none or is no URL."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    if not parts.hostname:
        return ()
    whole = parts.netloc.lower()
    without_port = re.sub(r":[0-9]*$", "", whole) if not whole.endswith("]") else whole
    return tuple(dict.fromkeys((parts.hostname, without_port)))
