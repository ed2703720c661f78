"""The tunables come from defaults, /etc/default/LifeKeeper and the environment, as one frozen, checked record."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ec2kit import assignments, endpoints, sdk_settings
from ec2kit.endpoints import Endpoint
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice

DEFAULTS_FILE = "/etc/default/LifeKeeper"

INSTALLED = "lkadm/subsys/comm/ec2/ec2kit.json"
"""
The list of what `ec2kit install` installed, below $LKROOT. If it is there, LifeKeeper is this server's framework.
"""


def _any(text: str) -> bool:
    """Return True: most texts may have any form."""
    return True


class Tunable(NamedTuple):
    """
    Describe one name that can be set: how its text becomes a value, and which values are valid.

    Attributes:
        form: The valid texts in words, if not every text is valid.
        is_valid: Tells whether a text has that form.
    """

    name: str
    default: float | bool | str | None
    low: float = 0
    high: float = 0
    meaning: str = ""
    form: str = ""
    is_valid: Callable[[str], bool] = _any

    @property
    def expected(self) -> str:
        if isinstance(self.default, bool):
            return "0 or 1"
        return self.form or f"a number from {self.low:g} to {self.high:g}"

    def value(self, text: str) -> float | bool | str | None:
        """
        Return the value that the text stands for.

        Raises:
            ValueError: The text is not of the expected form.
        """
        if isinstance(self.default, bool):
            return {"0": False, "1": True}[text] if text in ("0", "1") else _reject(text)
        if isinstance(self.default, str) or not self.high:
            return text if self.is_valid(text) else _reject(text)
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            _reject(text)
        number = float(text)
        return number if self.low <= number <= self.high else _reject(text)


def _reject(text: str) -> Any:
    raise ValueError(text)


_DECLARED: list[Tunable] = []
"""The tunables in the order of the fields of Settings, whose first fields they are."""


def _declared(tunable: Tunable) -> Any:
    """Declare a tunable, and return the default of its field."""
    _DECLARED.append(tunable)
    return tunable.default


def _seconds(name: str, default: float, low: float, high: float, meaning: str) -> Any:
    return _declared(Tunable(name, default, low, high, meaning))


def _count(name: str, default: float | None, low: float, high: float, meaning: str) -> Any:
    return _declared(Tunable(name, default, low, high, meaning))


def _switch(name: str, meaning: str, *, default: bool = False) -> Any:
    return _declared(Tunable(name, default, meaning=meaning))


def _text(name: str, default: str, meaning: str) -> Any:
    return _declared(Tunable(name, default, meaning=meaning))


def _word(name: str, default: str, form: str, is_valid: Callable[[str], bool], meaning: str) -> Any:
    return _declared(Tunable(name, default, meaning=meaning, form=form, is_valid=is_valid))


def _is_probe(text: str) -> bool:
    found = re.fullmatch(r"off|icmp|tcp:([0-9]{1,5})|command:/.+", text)
    return found is not None and (found[1] is None or 1 <= int(found[1]) <= 65535)


def _listing(name: str, meaning: str) -> Any:
    """Declare a tunable whose text is a list, which `load` reads; return the default of its field."""
    _declared(Tunable(name, "", meaning=meaning))
    return ()


class Settings(NamedTuple):
    """
    Hold all settings, checked; an invalid one is noted in `findings`, and its default is used.

    Attributes:
        lifekeeper: True if LifeKeeper is the framework here: its database is the registry, and the file takes
            precedence over the environment.
        metadata_url: The service that the SDK asks, however that is set: the same for all resources.
        sdk: The SDK's variables that have to be another way in the environment; "": the SDK must not find it.
        endpoints: The endpoints of EC2 in the order in which they are tried; (): only the one that is set otherwise.
        over_tls: False: each endpoint that is set, for the kit or for the SDK, is plain HTTP.
        ca_bundle: The file of certificate authorities that the SDK is told to trust; "": those that come with it.
        origin: A checksum of the endpoint that is asked and of the credentials that are used, without secrets in it.
        only_looks: True: not even what only helps later is noted in EC2KIT_RUN_DIR, as of a plan.
    """

    restore_timeout: float = _seconds("EC2_RESTORE_TIMEOUT", 300.0, 1, 3600, "deadline of restore, create and extend")
    remove_timeout: float = _seconds("EC2_REMOVE_TIMEOUT", 300.0, 1, 3600, "deadline of remove")
    recover_timeout: float = _seconds("EC2_RECOVER_TIMEOUT", 300.0, 1, 3600, "deadline of recover")
    quickcheck_timeout: float = _seconds(
        "EC2_QUICKCHECK_TIMEOUT", 100.0, 1, 3600, "deadline of quickCheck; past it UNKNOWN"
    )
    verify_timeout: float = _seconds("EC2_VERIFY_TIMEOUT", 30.0, 1, 3600, "time in which a write must be seen")
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
    write_beside_look: bool = _switch(
        "EC2_WRITE_BESIDE_LOOK", "restore writes beside its first look what this server remembers", default=True
    )
    snapshot_max_age: float = _seconds(
        "EC2_SNAPSHOT_MAX_AGE", 5.0, 0, 3600, "greatest age of an answer that quickChecks share; 0: never share"
    )
    eip_keep_on_remove: bool = _switch("EC2_EIP_KEEP_ON_REMOVE", "remove leaves the Elastic IP associated")
    eip_exclusive: bool = _switch(
        "EC2_EIP_EXCLUSIVE", "clear all other Elastic IPs off the ENI, as the original does"
    )
    nolinkcheck: bool = _switch("EC2_NOLINKCHECK", "do not look at the link (Elastic IP)")
    recover_take_from_peer: bool = _switch(
        "EC2_RECOVER_TAKE_FROM_PEER", "recover takes the address from another server in any case"
    )
    no_local_repair: bool = _switch(
        "EC2_NO_LOCAL_REPAIR",
        "checks do not look at address, rule and route on this server, and put none of them back",
    )
    probe: str = _word(
        "EC2_PROBE",
        "off",
        "off, icmp, tcp:PORT or command:/PATH",
        _is_probe,
        "by what other servers try after restore whether packets arrive: off, icmp, tcp:PORT, command:/PATH",
    )
    probe_from: str = _text("EC2_PROBE_FROM", "", "servers that try it; unset: the other servers of the resource")
    probe_timeout: float = _seconds(
        "EC2_PROBE_TIMEOUT", 10.0, 1, 60, "time in which a packet has to be answered; restore does not wait for it"
    )
    metrics_dir: str = _text(
        "EC2_METRICS_DIR", "", "folder for metrics in files of node_exporter's textfile collector; unset: none"
    )
    notice_lead: float = _seconds(
        "EC2_NOTICE_LEAD", 3600.0, 0, 604800, "time before a scheduled event at which this server leaves"
    )
    notice_calm: float = _seconds(
        "EC2_NOTICE_CALM", 300.0, 0, 86400, "time without an announcement after which this server comes back"
    )
    notice_rebalance: bool = _switch("EC2_NOTICE_REBALANCE", "leave for a rebalance recommendation, too")
    history_size: float | None = _count(
        "EC2_HISTORY_SIZE", 2000.0, 0, 100000, "kilobytes for this server's history of decisions; 0: none is kept"
    )
    endpoint_url: str = _text(
        "EC2_ENDPOINT_URL", "", "EC2 endpoint, before AWS_ENDPOINT_URL_EC2 and AWS_ENDPOINT_URL"
    )
    endpoints: tuple[Endpoint, ...] = _listing(
        "EC2_ENDPOINTS", "ways to EC2, tried in this order; in place of EC2_ENDPOINT_URL"
    )
    remote_command: str = _text("EC2_REMOTE_COMMAND", "ssh -o BatchMode=yes", "command that reaches another server")
    lkroot: str = _text("LKROOT", "/opt/LifeKeeper", "LifeKeeper's folder")
    lkcheckinterval: float = _seconds("LKCHECKINTERVAL", 120.0, 0, 86400, "LifeKeeper's interval between checks")
    nobcastping: float = _count("NOBCASTPING", 0.0, 0, 1, "LifeKeeper's switch for the broadcast ping")
    resrvrectimeout: float = _seconds("RESRVRECTIMEOUT", 60.0, 0, 86400, "LifeKeeper's wait for a reserved resource")
    lksyslogselector: str = _text("LKSYSLOGSELECTOR", "local6", "syslog facility of LifeKeeper's log")
    path: str = _text("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "folders of commands")
    server: str = _text("EC2KIT_SERVER", "", "this server's name; default `uname -n`")
    state_dir: str = _text("EC2KIT_STATE_DIR", "/var/lib/ec2kit", "registry")
    run_dir: str = _text("EC2KIT_RUN_DIR", "/run/ec2kit", "locks, intentions, memory of this boot")
    net_dir: str = _text("EC2KIT_NET_DIR", "/sys/class/net", "this server's network devices")
    system_root: str = _text("EC2KIT_SYSTEM_ROOT", "/", "root of /etc, /run and /proc, as network managers use them")
    log_file: str = _text("EC2KIT_LOG_FILE", "", "log; unset: syslog; -: stderr")
    metadata_url: str = _text(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254", "instance metadata service"
    )
    lifekeeper: bool = False
    sdk: Mapping[str, str] = MappingProxyType({})
    over_tls: bool = True
    ca_bundle: str = ""
    origin: str = ""
    findings: tuple[Notice, ...] = ()
    only_looks: bool = False


TUNABLES: dict[str, Tunable] = dict(zip(Settings._fields, _DECLARED, strict=False))
"""Field of Settings → its tunable."""


def load(environment: Mapping[str, str], *, tag: str = "") -> Settings:
    """
    Read the settings for one resource, or for none.

    Under LifeKeeper the environment is inherited and old, so the file takes precedence; only LKROOT comes from the
    environment first, in which the hooks put the place of their installation.
    """
    findings: list[Notice] = []
    path = environment.get("EC2KIT_DEFAULTS") or DEFAULTS_FILE
    from_file = assignments.in_file(path, environment, findings, heeded=_is_heeded)
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
    for place in ("state_dir", "run_dir", "net_dir", "system_root"):
        values[place] = os.path.abspath(values.get(place) or str(TUNABLES[place].default))
    listed = _listed(str(values.get("endpoints", "")), findings)
    sdk = sdk_settings.sdk_settings(
        environment,
        from_file,
        file_first=lifekeeper,
        endpoint_url=str(values.get("endpoint_url", "")),
        listed=listed,
    )
    values |= {"metadata_url": sdk.metadata_url, "sdk": sdk.variables, "origin": sdk.origin}
    values |= {"endpoints": listed, "over_tls": sdk.over_tls, "ca_bundle": sdk.ca_bundle}
    return Settings(**values, lifekeeper=lifekeeper, findings=(*findings, *sdk.findings))


def _listed(text: str, findings: list[Notice]) -> tuple[Endpoint, ...]:
    """Return the endpoints of the list, and note its entries that cannot be used."""
    if not text:
        return ()
    found, unusable = endpoints.read(text)
    for each in unusable:
        fields: dict[str, object] = {"name": "EC2_ENDPOINTS", "entry": each.entry[:100], "reason": each.reason[:200]}
        findings.append((catalogue.ENDPOINT_UNUSABLE, fields))
    return found


def _is_heeded(name: str) -> bool:
    """Tell whether an assignment of this name has a meaning here, for all resources or for one."""
    return sdk_settings.is_heeded(name) or any(
        name == each.name or name.startswith(f"{each.name}_") for each in TUNABLES.values()
    )


def _candidates(name: str, tag: str, sources: list[tuple[str, Mapping[str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Yield (source, name, text) in order of precedence; an empty value means "not set"."""
    names = ([f"{name}_{re.sub('[^A-Za-z0-9_]', '_', tag)}"] if tag else []) + [name]
    for source, values in sources:
        for each in names:
            if values.get(each):
                yield source, each, values[each].strip()


def _invalid(tunable: Tunable, *, source: str, name: str, text: str) -> Notice:
    default = "no limit" if tunable.default is None else str(tunable.default)
    if isinstance(tunable.default, int | float):
        default = f"{float(tunable.default):g}"
    fields_ = {"source": source, "name": name, "value": text[:40], "expected": tunable.expected, "default": default}
    return catalogue.SETTING_INVALID, dict(fields_)
