"""This server's network devices show their addresses, their links, and the device by which a reply would leave."""

from __future__ import annotations

import os

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, StateUnusable
from ec2kit.resource import Server
from ec2kit.settings import Settings

_IFF_UP = 0x1

ABSENT = "something else took it off"
"""Why an address that was put on accepts no packets, if it is not there."""


class Device:
    """
    One network device of this server.

    Args:
        name: "eth1".

    Source: Linux, Documentation/ABI/testing/sysfs-class-net.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._folder = os.path.join(settings.net_dir, name)
        self._settings = settings

    @property
    def mac(self) -> str | None:
        """Return the MAC address, "06:…" in lower case, None if there is no such device."""
        text = self._read("address")
        return text.lower() if text else None

    @property
    def link_is_up(self) -> bool:
        """
        Tell whether the device is switched on, and has a carrier.

        Raises:
            StateUnusable: The state cannot be read, or there is no such device, which says nothing about a link.
        """
        state = self._read("operstate")
        if state is None:
            raise StateUnusable(path=self._folder, reason="there is no such device")
        if state == "unknown":
            return bool(int(self._read("flags") or "0", 16) & _IFF_UP)
        return state == "up"

    @property
    def is_hardware(self) -> bool:
        """Tell whether the kernel has a bus device behind it, as behind the device of an ENI."""
        return os.path.exists(os.path.join(self._folder, "device"))

    @property
    def stands_on_another(self) -> bool:
        """Tell whether this is a bridge, a bond, a VLAN or the like, which may have a lower device's MAC address."""
        names = _names_in(self._folder)
        return any(each in ("bridge", "bonding") or each.startswith("lower_") for each in names)

    def set_up(self, deadline: Deadline) -> None:
        """
        Switch the device on.

        Raises:
            LocalCommandFailed: `ip` failed.
        """
        self._ip(["link", "set", "dev", self.name, "up"], deadline)

    def has(self, address: str, deadline: Deadline) -> bool:
        """
        Tell whether the device carries the address; a device that is not there carries none.

        Raises:
            LocalCommandFailed: `ip` failed.
            StateUnusable: It is not known whether there is such a device.
        """
        return bool(self._carried(address, deadline))

    def put_on(self, address: str, deadline: Deadline, *, label: str = "") -> bool:
        """
        Put an address on the device as a host address, and return True; return False if it is there already.

        An IPv6 address is used at once (nodad): no other host of the subnet may have one that routes lead here.

        Args:
            label: "eth1:vip", as old tools show it; IPv6 has no labels.

        Raises:
            LocalCommandFailed: `ip` failed.
            StateUnusable: It is not known whether there is such a device.
        """
        if self.has(address, deadline):
            return False
        if ":" in address:
            self._ip(["-6", "addr", "add", f"{address}/128", "dev", self.name, "nodad"], deadline)
        else:
            words = ["label", label] if label else []
            self._ip(["addr", "add", f"{address}/32", "dev", self.name, *words], deadline)
        return True

    def take_off(self, address: str, deadline: Deadline) -> bool:
        """
        Take the address off the device, whatever its prefix, and return True; return False if it is not there.

        Raises:
            LocalCommandFailed: `ip` failed.
            StateUnusable: It is not known whether there is such a device.
        """
        carried = self._carried(address, deadline)
        for each, _ in carried:
            try:
                self._ip([*_family(address), "addr", "del", each, "dev", self.name], deadline)
            except LocalCommandFailed:
                if self.has(address, deadline):  # otherwise another program was quicker
                    raise
        return bool(carried)

    def trouble_with(self, address: str, deadline: Deadline) -> str:
        """
        Return why the kernel accepts no packets to the address on this device; "" if it does.

        Raises:
            LocalCommandFailed: `ip` failed.
            StateUnusable: It is not known whether there is such a device, or its link cannot be read.

        Source: ip-address(8): tentative, dadfailed.
        """
        carried = self._carried(address, deadline)
        if not carried:
            return ABSENT
        if any("dadfailed" in words for _, words in carried):
            return "another host has it, by duplicate address detection (dadfailed)"
        if any("tentative" in words for _, words in carried):
            return "the kernel still looks for another host that has it (tentative)"
        return "" if self._settings.nolinkcheck or self.link_is_up else "the link is down"

    def _carried(self, address: str, deadline: Deadline) -> list[tuple[str, list[str]]]:
        """Return each form in which the device carries the address, "10.1.0.10/32", with all words of its line."""
        if self.mac is None:
            return []
        family, word = ("-6", "inet6") if ":" in address else ("-4", "inet")
        lines = self._ip([family, "-o", "addr", "show", "dev", self.name], deadline).splitlines()
        shown = [line.split() for line in lines]
        carried = [(words[words.index(word) + 1], words) for words in shown if word in words[:-1]]
        return [(each, words) for each, words in carried if each.partition("/")[0] == address]

    def device_for(self, private_ip_address: str, destination: str, deadline: Deadline) -> str | None:
        """
        Return the device by which a packet from the address leaves, None if `ip` names none.

        Raises:
            LocalCommandFailed: `ip` failed.
        """
        words = self._ip(["route", "get", destination, "from", private_ip_address], deadline).split()
        return words[words.index("dev") + 1] if "dev" in words[:-1] else None

    def _ip(self, arguments: list[str], deadline: Deadline) -> str:
        from ec2kit.host.ip import run_ip

        return run_ip(arguments, self._settings, deadline)

    def _read(self, name: str) -> str | None:
        path = os.path.join(self._folder, name)
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                return file.read(100).strip()
        except (FileNotFoundError, NotADirectoryError) as error:
            if os.path.isdir(os.path.dirname(self._folder)):
                return None
            raise StateUnusable(path=os.path.dirname(self._folder), reason="there is no such folder") from error
        except OSError as error:
            raise StateUnusable(path=path, reason=error.strerror or str(error)) from error


def _family(address: str) -> list[str]:
    return ["-6"] if ":" in address else []


def gateway_to(destination: str, settings: Settings, deadline: Deadline) -> str | None:
    """
    Return the gateway to which packets for an address leave first, None if they leave without one.

    Raises:
        LocalCommandFailed: `ip` failed, as where there is no route.
    """
    from ec2kit.host.ip import run_ip

    words = run_ip(["route", "get", destination], settings, deadline).split()
    return words[words.index("via") + 1] if "via" in words[:-1] else None


def present_device(server: Server, settings: Settings) -> Device | None:
    """
    Return the device that this server's ENI has now, under any name; None if the ENI has no device here.

    A definition without the MAC address has only the name.

    Raises:
        StateUnusable: The devices cannot be read.
    """
    named = Device(server.device, settings)
    if not server.mac_address or named.mac == server.mac_address:
        return named
    return device_with(server.mac_address, settings)


def device_with(mac_address: str, settings: Settings) -> Device | None:
    """
    Return the device of the ENI with this MAC address, None if there is none.

    A bridge, a bond or a VLAN that has the same MAC address is taken only where the ENI's own device is not seen.

    Raises:
        StateUnusable: The devices cannot be read.
    """
    same = [each for name in devices(settings) if (each := Device(name, settings)).mac == mac_address]
    return min(same, key=_likeness, default=None)


def own_devices(settings: Settings) -> list[Device]:
    """
    Return the devices of this server, one for each MAC address, as `device_with` chooses it.

    Raises:
        StateUnusable: The devices cannot be read.
    """
    same: dict[str, list[Device]] = {}
    for each in (Device(name, settings) for name in devices(settings)):
        if mac := each.mac:
            same.setdefault(mac, []).append(each)
    return [min(each, key=_likeness) for each in same.values()]


def _likeness(device: Device) -> tuple[bool, bool]:
    """Return a key that is the smaller, the more a device is like that of an ENI."""
    return not device.is_hardware, device.stands_on_another


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def devices(settings: Settings) -> list[str]:
    """
    Return the names of this server's network devices.

    Raises:
        StateUnusable: The folder cannot be read.
    """
    try:
        return sorted(os.listdir(settings.net_dir))
    except OSError as error:
        raise StateUnusable(path=settings.net_dir, reason=error.strerror or str(error)) from error
