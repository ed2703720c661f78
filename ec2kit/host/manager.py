"""
A network device may have a manager: a program that takes off what other programs have put on.

The manager is found by what it has written down itself; no manager is asked, except NetworkManager if its folder in
/run says that it manages the device.

Source: systemd.network(5), NetworkManager(8), netplan(5), dhclient(8), amazon-ec2-net-utils.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.settings import Settings

NETWORKD, NETPLAN, NET_UTILS = "systemd-networkd", "netplan with systemd-networkd", "amazon-ec2-net-utils"
NETWORK_MANAGER, DHCLIENT = "NetworkManager", "dhclient"

_TAKES = {
    NETWORKD: "its restart (as at an upgrade of systemd), a reload after any change, or networkctl reconfigure takes",
    NETPLAN: "netplan apply, and any networkctl reload after a daemon-reload, takes",
    NET_UTILS: "an address assigned to the ENI, or a metadata service that is silent for a moment, takes",
    NETWORK_MANAGER: "6 s without a carrier, connection up, or device reapply takes",
    DHCLIENT: "the end of its lease takes",
}
"""Manager → the events, as the beginning of a sentence."""

_FAR = {"unmanaged", ""}
"""States of a device in which systemd-networkd leaves it alone."""

_YES = {"1", "yes", "y", "true", "t", "on"}

_FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
"""Where systemd looks for its files, the most important one first."""

_LARGEST = 100_000


class Manager(NamedTuple):
    """
    The manager of a device, and what it keeps.

    Attributes:
        name: One of the names above.
        file: The .network file that systemd-networkd uses for the device; "" for other managers.
        keeps: True: addresses that other programs have put on stay.
        sources: The blocks for which its files have a rule, "10.1.0.10/32", which it puts on again by itself.
        pending: True: a file that changes this is there, and was not loaded yet.
    """

    name: str
    file: str = ""
    keeps: bool = False
    sources: tuple[str, ...] = ()
    pending: bool = False

    @property
    def takes(self) -> str:
        """Return by which events it takes an address off: "6 s without a carrier … takes"."""
        return _TAKES[self.name]

    @property
    def is_networkd(self) -> bool:
        """Tell whether it is systemd-networkd, whoever wrote the files."""
        return bool(self.file)


def manager_of(device: str, settings: Settings, deadline: Deadline) -> Manager | None:
    """Return the manager of a device, None if none is seen; never raises."""
    index = _first_line(os.path.join(settings.net_dir, device, "ifindex"))
    if not index.isdigit():
        return None
    return (
        _networkd(device, index, settings)
        or _network_manager(device, index, settings, deadline)
        or _dhclient(device, settings)
    )


def name_of(device: str, settings: Settings, deadline: Deadline) -> str:
    """Return the manager's name for a message, "no manager that ec2kit knows" if there is none."""
    found = manager_of(device, settings, deadline)
    return "no manager that ec2kit knows" if found is None else found.name


# -- systemd-networkd, by its own hand, by netplan's, by amazon-ec2-net-utils ---------------------------------


def _networkd(device: str, index: str, settings: Settings) -> Manager | None:
    state = _assignments(_text(_place(settings, "run/systemd/netif/links", index)))
    file = state.get("NETWORK_FILE", "")
    if state.get("ADMIN_STATE", "") in _FAR or not file:
        return None
    there = drop_ins(file, settings)
    sections = [each for path in (file, *there) for each in _sections(_text(_place(settings, path)))]
    loaded = state.get("NETWORK_FILE_DROPINS")
    pending = loaded is not None and any(path not in loaded for path in there)
    return Manager(_author(device, file, settings), file, _keeps(sections), _sources(sections), pending)


def _author(device: str, file: str, settings: Settings) -> str:
    if os.path.basename(file).startswith("10-netplan-"):
        return NETPLAN
    folder = _place(settings, "run/systemd/network", f"70-{device}.network.d")
    with suppress(OSError):
        if any(name.startswith("ec2net_") for name in os.listdir(folder)):
            return NET_UTILS
    return NETWORKD


def drop_ins(file: str, settings: Settings) -> list[str]:
    """
    Return the drop-ins of a .network file, in the order in which systemd reads them.

    Source: systemd.network(5): of two files with one name the one in the more important folder counts.
    """
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        place = f"/{folder}/systemd/network/{os.path.basename(file)}.d"
        with suppress(OSError):
            for name in os.listdir(_place(settings, place)):
                if name.endswith(".conf"):
                    found.setdefault(name, f"{place}/{name}")
    return [found[name] for name in sorted(found)]


_Section = tuple[str, dict[str, str]]


def _sections(text: str) -> Iterator[_Section]:
    """Yield the sections of a file: name, and name → value."""
    name, values = "", dict[str, str]()
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            yield name, values
            name, values = line[1:-1], {}
        elif "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            values[key.strip()] = value.strip()
    yield name, values


def _keeps(sections: list[_Section]) -> bool:
    """Tell whether the files let foreign addresses stay; the last word counts, and the newer setting goes first."""
    keep = critical = ""
    for section, values in sections:
        if section == "Network":
            keep = values.get("KeepConfiguration", keep).lower()
        if section in ("Network", "DHCP", "DHCPv4"):
            critical = values.get("CriticalConnection", critical).lower()
    return keep == "static" or keep in _YES or (not keep and critical in _YES)


def _sources(sections: list[_Section]) -> tuple[str, ...]:
    rules = [values["From"] for name, values in sections if name == "RoutingPolicyRule" and "From" in values]
    return tuple(each if "/" in each else f"{each}/32" for each in rules)


# -- the others -----------------------------------------------------------------------------------------------


def _network_manager(device: str, index: str, settings: Settings, deadline: Deadline) -> Manager | None:
    state = _text(_place(settings, "run/NetworkManager/devices", index))
    if _assignments(state).get("managed", "").lower() not in _YES:
        return None
    from ec2kit.host.command import run

    with suppress(LocalCommandFailed):
        words = ["nmcli", "-t", "-f", "DEVICE,STATE", "device"]
        done = run(words, deadline.within(5.0), environment={"PATH": settings.path, "LC_ALL": "C"})
        if f"{device}:unmanaged" in done.stdout.splitlines():
            return None
    return Manager(NETWORK_MANAGER)


def _dhclient(device: str, settings: Settings) -> Manager | None:
    """Look for a process that has the device among its words."""
    folder = _place(settings, "proc")
    with suppress(OSError):
        for each in filter(str.isdigit, os.listdir(folder)):
            words = _text(os.path.join(folder, each, "cmdline")).split("\0")
            if os.path.basename(words[0]) == "dhclient" and device in words[1:]:
                return Manager(DHCLIENT)
    return None


# -- reading --------------------------------------------------------------------------------------------------


def reverse_path_filter(device: str, settings: Settings) -> int:
    """
    Return the filter that holds for a device: the larger one of its own and that for all; 0 if neither can be read.

    Source: Linux, Documentation/networking/ip-sysctl.rst, rp_filter.
    """
    place = "proc/sys/net/ipv4/conf"
    told = [_first_line(_place(settings, place, each, "rp_filter")) for each in ("all", device)]
    return max(int(each) if each.isdigit() else 0 for each in told)


def _place(settings: Settings, *parts: str) -> str:
    """Return a path below the root of this server's files."""
    return os.path.join(settings.system_root, *(each.lstrip("/") for each in parts))


def _assignments(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip().strip('"') for name, value in pairs}


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read(_LARGEST)
    return ""


def _first_line(path: str) -> str:
    return _text(path).partition("\n")[0].strip()
