"""This server's own network devices: addresses, links, and which device a reply would leave by."""

from __future__ import annotations

import os

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, StateUnusable
from ec2kit.settings import Settings

_IFF_UP = 0x1
_IP_SECONDS = 10.0


class Nic:
    """
    One network device of this server.

    Args:
        device: "eth1".

    Source: Linux, Documentation/ABI/testing/sysfs-class-net.
    """

    def __init__(self, device: str, settings: Settings) -> None:
        self.device = device
        self._folder = os.path.join(settings.net_dir, device)
        self._path = settings.path

    @property
    def mac(self) -> str | None:
        """Its MAC address, "06:…" in lower case; None if there is no such device."""
        text = self._read("address")
        return text.lower() if text else None

    @property
    def link_is_up(self) -> bool:
        """
        Whether the device is there, switched on, and has a carrier.

        Raises:
            StateUnusable: It cannot be read, which says nothing.
        """
        state = self._read("operstate")
        if state == "unknown":
            return bool(int(self._read("flags") or "0", 16) & _IFF_UP)
        return state == "up"

    def set_up(self, deadline: Deadline) -> None:
        """
        Switch the device on.

        Raises:
            LocalCommandFailed: `ip` could not.
        """
        self._ip(["link", "set", "dev", self.device, "up"], deadline)

    def has(self, address: str, deadline: Deadline) -> bool:
        """
        Whether the device carries the IPv4 address; a device that is not there carries none.

        Raises:
            LocalCommandFailed: `ip` could not tell.
            StateUnusable: Whether there is such a device cannot be said.
        """
        return bool(self._carried(address, deadline))

    def put_on(self, address: str, deadline: Deadline, *, label: str = "") -> bool:
        """
        Let the device carry an address as a host address; False if it did already.

        Args:
            label: "eth1:vip", as old tools show it.

        Raises:
            LocalCommandFailed: `ip` could not.
        """
        if self.has(address, deadline):
            return False
        words = ["label", label] if label else []
        self._ip(["addr", "add", f"{address}/32", "dev", self.device, *words], deadline)
        return True

    def take_off(self, address: str, deadline: Deadline) -> bool:
        """
        Let the device carry the address no more, whatever its prefix; False if it did not.

        Raises:
            LocalCommandFailed: `ip` could not.
            StateUnusable: Whether there is such a device cannot be said.
        """
        carried = self._carried(address, deadline)
        for each in carried:
            self._ip(["addr", "del", each, "dev", self.device], deadline)
        return bool(carried)

    def _carried(self, address: str, deadline: Deadline) -> list[str]:
        """The address as the device carries it, "10.1.0.10/32"."""
        if self.mac is None:
            return []
        lines = self._ip(["-4", "-o", "addr", "show", "dev", self.device], deadline).splitlines()
        shown = [line.split() for line in lines]
        carried = [words[words.index("inet") + 1] for words in shown if "inet" in words[:-1]]
        return [each for each in carried if each.partition("/")[0] == address]

    def device_for(self, private_ip_address: str, destination: str, deadline: Deadline) -> str | None:
        """
        The device by which a packet from the address leaves; None if `ip` does not say.

        Raises:
            LocalCommandFailed: `ip` could not tell.
        """
        words = self._ip(["route", "get", destination, "from", private_ip_address], deadline).split()
        return words[words.index("dev") + 1] if "dev" in words[:-1] else None

    def _ip(self, arguments: list[str], deadline: Deadline) -> str:
        from ec2kit.command import run

        command = ["ip", *arguments]
        done = run(command, deadline.within(_IP_SECONDS), environment={"PATH": self._path, "LC_ALL": "C"})
        if done.status:
            reason = done.stderr.strip() or f"exit status {done.status}"
            raise LocalCommandFailed(command=" ".join(command), reason=reason)
        return done.stdout

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


def devices(settings: Settings) -> list[str]:
    """
    The names of this server's network devices.

    Raises:
        StateUnusable: The folder cannot be read.
    """
    try:
        return sorted(os.listdir(settings.net_dir))
    except OSError as error:
        raise StateUnusable(path=settings.net_dir, reason=error.strerror or str(error)) from error
