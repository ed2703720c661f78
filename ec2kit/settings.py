"""The tunables: defaults, then /etc/default/LifeKeeper, then the environment, as one frozen, checked record."""

from __future__ import annotations

import os
import re
import stat
from binascii import crc32
from collections import ChainMap
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ec2kit import messages
from ec2kit.messages import Notice

DEFAULTS_FILE = "/etc/default/LifeKeeper"

INSTALLED = "lkadm/subsys/comm/ec2/ec2kit.json"
"""Below $LKROOT: what `ec2kit install` put there. Where it is, LifeKeeper is this server's framework."""


class Tunable(NamedTuple):
    """One name that can be set: how its text becomes a value, and what it may be."""

    name: str
    default: float | bool | str | None
    low: float = 0
    high: float = 0
    meaning: str = ""

    @property
    def expected(self) -> str:
        if isinstance(self.default, bool):
            return "0 or 1"
        return f"a number from {self.low:g} to {self.high:g}"

    def value(self, text: str) -> float | bool | str | None:
        """
        Raises:
            ValueError: The text is not what is expected.
        """
        if isinstance(self.default, bool):
            return {"0": False, "1": True}[text] if text in ("0", "1") else _reject(text)
        if isinstance(self.default, str) or not self.high:
            return text
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            _reject(text)
        number = float(text)
        return number if self.low <= number <= self.high else _reject(text)


def _reject(text: str) -> Any:
    raise ValueError(text)


_DECLARED: list[Tunable] = []
"""The tunables in the order of the fields of Settings, whose first fields they are."""


def _declared(tunable: Tunable) -> Any:
    """The default of a field that is a tunable."""
    _DECLARED.append(tunable)
    return tunable.default


def _seconds(name: str, default: float, low: float, high: float, meaning: str) -> Any:
    return _declared(Tunable(name, default, low, high, meaning))


def _count(name: str, default: float | None, low: float, high: float, meaning: str) -> Any:
    return _declared(Tunable(name, default, low, high, meaning))


def _switch(name: str, meaning: str) -> Any:
    return _declared(Tunable(name, False, meaning=meaning))


def _text(name: str, default: str, meaning: str) -> Any:
    return _declared(Tunable(name, default, meaning=meaning))


class Settings(NamedTuple):
    """
    All that can be set, checked; what was wrong stands in `findings` and its default is used.

    Attributes:
        lifekeeper: LifeKeeper is the framework here: its database is the registry, its file counts before the
            environment.
        sdk: What the SDK should find in its environment.
        origin: Which endpoint is asked, and with whose credentials; a checksum, without secrets in it.
    """

    restore_timeout: float = _seconds("EC2_RESTORE_TIMEOUT", 300.0, 1, 3600, "deadline of restore, create and extend")
    remove_timeout: float = _seconds("EC2_REMOVE_TIMEOUT", 300.0, 1, 3600, "deadline of remove")
    recover_timeout: float = _seconds("EC2_RECOVER_TIMEOUT", 300.0, 1, 3600, "deadline of recover")
    quickcheck_timeout: float = _seconds(
        "EC2_QUICKCHECK_TIMEOUT", 100.0, 1, 3600, "deadline of quickCheck; past it UNKNOWN"
    )
    verify_timeout: float = _seconds("EC2_VERIFY_TIMEOUT", 30.0, 1, 3600, "how long a write may take to be seen")
    confirm_interval: float = _seconds(
        "EC2_CONFIRM_INTERVAL", 2.0, 0, 60, "pause before the second look that confirms OUT_OF_SERVICE"
    )
    max_retry: float | None = _count(
        "EC2_MAX_RETRY", None, 0, 100, "retries of one updating request; unset: as many as fit into the deadline"
    )
    connect_timeout: float = _seconds("AWSCLI_CONNECT_TIMEOUT", 2.0, 1, 300, "connection time-out of each request")
    read_timeout: float = _seconds(
        "AWSCLI_READ_TIMEOUT", 5.0, 1, 300, "time for the answer of each request; twice, four times that when retried"
    )
    write_burst: float = _count("EC2_WRITE_BURST", 50.0, 0, 1000, "updating requests at once")
    write_rate: float = _count("EC2_WRITE_RATE", 5.0, 0, 1000, "further updating requests per second; 0: no limit")
    snapshot_max_age: float = _seconds(
        "EC2_SNAPSHOT_MAX_AGE", 5.0, 0, 3600, "how old an answer shared by quickChecks may be; 0: never share"
    )
    eip_keep_on_remove: bool = _switch("EC2_EIP_KEEP_ON_REMOVE", "remove leaves the Elastic IP associated")
    eip_exclusive: bool = _switch(
        "EC2_EIP_EXCLUSIVE", "clear all other Elastic IPs off the ENI, as the original does"
    )
    nolinkcheck: bool = _switch("EC2_NOLINKCHECK", "do not look at the link (Elastic IP)")
    recover_take_from_peer: bool = _switch(
        "EC2_RECOVER_TAKE_FROM_PEER", "recover takes the address from another server in any case"
    )
    endpoint_url: str = _text(
        "EC2_ENDPOINT_URL", "", "EC2 endpoint, before AWS_ENDPOINT_URL_EC2 and AWS_ENDPOINT_URL"
    )
    remote_command: str = _text("EC2_REMOTE_COMMAND", "ssh -o BatchMode=yes", "how another server is asked")
    lkroot: str = _text("LKROOT", "/opt/LifeKeeper", "where LifeKeeper is")
    lkcheckinterval: float = _seconds("LKCHECKINTERVAL", 120.0, 0, 86400, "LifeKeeper's interval between checks")
    nobcastping: float = _count("NOBCASTPING", 0.0, 0, 1, "LifeKeeper's switch for the broadcast ping")
    resrvrectimeout: float = _seconds("RESRVRECTIMEOUT", 60.0, 0, 86400, "LifeKeeper's wait for a reserved resource")
    lksyslogselector: str = _text("LKSYSLOGSELECTOR", "local6", "syslog facility of LifeKeeper's log")
    path: str = _text("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "where commands are found")
    server: str = _text("EC2KIT_SERVER", "", "this server's name; default `uname -n`")
    state_dir: str = _text("EC2KIT_STATE_DIR", "/var/lib/ec2kit", "registry")
    run_dir: str = _text("EC2KIT_RUN_DIR", "/run/ec2kit", "locks, intentions, memory of this boot")
    net_dir: str = _text("EC2KIT_NET_DIR", "/sys/class/net", "this server's network devices")
    log_file: str = _text("EC2KIT_LOG_FILE", "", "log; unset: syslog; -: stderr")
    metadata_url: str = _text(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254", "instance metadata service"
    )
    lifekeeper: bool = False
    sdk: Mapping[str, str] = MappingProxyType({})
    origin: str = ""
    findings: tuple[Notice, ...] = ()


TUNABLES: dict[str, Tunable] = dict(zip(Settings._fields, _DECLARED, strict=False))
"""Field of Settings → its tunable."""


def load(environment: Mapping[str, str], *, tag: str = "") -> Settings:
    """
    Read the settings for one resource, or for none.

    Under LifeKeeper the environment is inherited and old, so the file counts more; only LKROOT itself comes from the
    environment first, where the hooks put the place that they are installed in.
    """
    findings: list[Notice] = []
    path = environment.get("EC2KIT_DEFAULTS") or DEFAULTS_FILE
    from_file = _read(path, environment, findings)
    lkroot = os.path.abspath(environment.get("LKROOT") or from_file.get("LKROOT") or str(TUNABLES["lkroot"].default))
    lifekeeper = os.path.isfile(os.path.join(lkroot, INSTALLED))
    sources = [("environment", environment), (path, from_file)]
    if lifekeeper:
        sources.reverse()
    values: dict[str, Any] = {}
    for attribute, tunable in TUNABLES.items():
        for source, name, text in _candidates(tunable.name, tag, sources):
            try:
                values[attribute] = tunable.value(text)
            except ValueError:
                findings.append(_invalid(tunable, source=source, name=name, text=text))
            break
    values["lkroot"] = lkroot
    values["server"] = values.get("server") or os.uname().nodename
    for place in ("state_dir", "run_dir", "net_dir"):
        values[place] = os.path.abspath(values.get(place) or str(TUNABLES[place].default))
    sdk = _for_the_sdk(environment, from_file, file_first=lifekeeper)
    told = {**environment, **sdk}
    endpoint = _endpoint(str(values.get("endpoint_url", "")), told)
    if _is_in_clear(endpoint):
        findings.append((messages.ENDPOINT_IN_CLEAR, {"endpoint": endpoint}))
    origin = _origin({**told, "EC2_ENDPOINT_URL": str(values.get("endpoint_url", ""))})
    return Settings(**values, lifekeeper=lifekeeper, sdk=sdk, origin=origin, findings=tuple(findings))


def _candidates(name: str, tag: str, sources: list[tuple[str, Mapping[str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Yield (source, name, text) in order of precedence; an empty value means "not set"."""
    names = ([f"{name}_{re.sub('[^A-Za-z0-9_]', '_', tag)}"] if tag else []) + [name]
    for source, values in sources:
        for each in names:
            if values.get(each):
                yield source, each, values[each].strip()


def _invalid(tunable: Tunable, *, source: str, name: str, text: str) -> Notice:
    default = "no limit" if tunable.default is None else f"{tunable.default:g}"
    if isinstance(tunable.default, bool):
        default = str(int(tunable.default))
    fields_ = {"source": source, "name": name, "value": text[:40], "expected": tunable.expected, "default": default}
    return messages.SETTING_INVALID, dict(fields_)


# -- the SDK's variables -----------------------------------------------------------------------------------

_SDK_NAME = re.compile(r"AWS_[A-Z0-9_]+|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|(REQUESTS|CURL)_CA_BUNDLE")
_METADATA_HOSTS = ("169.254.169.254", "fd00:ec2::254")
_METADATA = "AWS_EC2_METADATA_SERVICE_ENDPOINT"


def _for_the_sdk(environment: Mapping[str, str], from_file: Mapping[str, str], *, file_first: bool) -> dict[str, str]:
    """What the SDK should find in its environment, beyond or instead of what is there."""
    added = {
        name: value
        for name, value in from_file.items()
        if _SDK_NAME.fullmatch(name) and value and (file_first or not environment.get(name))
    }
    merged = {**environment, **added}
    added["AWS_EC2_METADATA_V1_DISABLED"] = "true"
    if any(merged.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        own = _host(merged.get(_METADATA, ""))
        listed = ",".join(filter(None, [merged.get("no_proxy") or merged.get("NO_PROXY"), *_METADATA_HOSTS, own]))
        added["NO_PROXY"] = added["no_proxy"] = listed
    return added


_SECRET = re.compile(r".*(SECRET|BEARER).*|.*_TOKEN")


def _origin(environment: Mapping[str, str]) -> str:
    """A checksum over all that decides whom the SDK asks, and as whom; its files are below HOME."""
    names = {name for name in environment if _SDK_NAME.fullmatch(name) and not _SECRET.fullmatch(name)}
    names |= {"EC2_ENDPOINT_URL", "HOME"} & set(environment)
    told = "\n".join(f"{name}={environment[name]}" for name in sorted(names))
    return f"{crc32(told.encode(errors='replace')):08x}"


def _endpoint(own: str, sdk: Mapping[str, str]) -> str:
    """
    The EC2 endpoint that is set, "" for AWS's own.

    Source: AWS SDKs and Tools, "Service-specific endpoints".
    """
    ignored = sdk.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    return own or ("" if ignored else sdk.get("AWS_ENDPOINT_URL_EC2") or sdk.get("AWS_ENDPOINT_URL") or "")


def _is_in_clear(url: str) -> bool:
    """Whether what is asked and answered there leaves this machine without encryption."""
    if not url.lower().startswith("http:") or re.fullmatch(_PLAINLY_LOOPBACK, url):
        return False
    return not _is_loopback(_host(url))


_PLAINLY_LOOPBACK = r"http://(localhost|127\.0\.0\.1)(:[0-9]+)?/?"
"""What can be seen without the libraries that take URLs and addresses apart, and take long to load."""


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    """The host of a URL, "" where it has none or is none."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


# -- the file: shell assignments, read and never executed -----------------------------------------------------


_LARGEST = 1_000_000


def _read(path: str, environment: Mapping[str, str], findings: list[Notice]) -> dict[str, str]:
    if path == os.devnull:
        return {}
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not be waited for
        with open(descriptor, encoding="utf-8", errors="replace", newline="\n") as file:
            unsafe = _unsafe(os.fstat(file.fileno()))
            if unsafe:
                findings.append((messages.SETTINGS_UNSAFE, {"path": path, "reason": unsafe}))
                return {}
            text = file.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                findings.append((messages.SETTINGS_UNREADABLE, {"path": path, "reason": "it is larger than 1 MB"}))
                return {}
            return assignments(text, environment)
    except FileNotFoundError:
        return {}
    except OSError as error:
        findings.append((messages.SETTINGS_UNREADABLE, {"path": path, "reason": error.strerror or str(error)}))
        return {}


def _unsafe(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {status.st_uid}"
    if status.st_mode & 0o022:
        return "others can write it"
    return ""


_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=")
_WORD = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|(?P<plain>[^\s'"\\;&|<>()]+)""", re.DOTALL
)
_DOLLAR = re.compile(
    r"""\\(?P<escaped>[\\"$`])|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})|[`$]""", re.ASCII
)


def assignments(text: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Read `NAME=value` lines of a shell file; the last one wins, whatever is not an assignment is skipped.

    Quotes, `export`, comments and `$NAME` of an earlier line or of the environment are understood; a value with
    a command in it, or with a quote that is not closed, is skipped; so is a line with a NUL, which no value can have.
    """
    found: dict[str, str] = {}
    known = ChainMap(found, dict(environment or {}))
    for line in text.split("\n"):
        start = _ASSIGNMENT.match(line)
        if start and "\0" not in line:
            value = _value(line, start.end(), known)
            if value is not None:
                found[start[1]] = value
    return found


def _value(line: str, position: int, known: Mapping[str, str]) -> str | None:
    """The shell word that begins at the position; None where only a shell could tell."""
    parts: list[str] = []
    while piece := _WORD.match(line, position):
        position = piece.end()
        if piece["single"] is not None:
            parts.append(piece["single"])
        elif piece["escaped"] is not None:
            parts.append(piece["escaped"])
        else:
            part = _expanded(piece["plain"] or piece["double"] or "", known)
            if part is None:
                return None
            parts.append(part)
    return "".join(parts) if _ends_the_command(line, position) else None


def _expanded(text: str, known: Mapping[str, str]) -> str | None:
    """The text with its references replaced; None if it has a command or another expansion in it."""
    if any(each[0] in "`$" for each in _DOLLAR.finditer(text)):
        return None
    return _DOLLAR.sub(lambda found: found["escaped"] or known.get(found["name"] or found["braced"], ""), text)


def _ends_the_command(line: str, position: int) -> bool:
    """Whether nothing but a comment or another command follows: `A=1 command` sets A for that command only."""
    rest = line[position:].lstrip()
    if not rest or rest[0] == ";":
        return True
    return rest[0] == "#" and line[position].isspace()
