"""The kernel's addresses, rules and routes are shown and changed by `ip`, which is run here and nowhere else."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.settings import Settings

_SECONDS = 10.0

_IN_BITS = 32


def run_ip(words: list[str], settings: Settings, deadline: Deadline) -> str:
    """
    Run `ip`, and return its output.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    from ec2kit.host.command import run

    command = ["ip", *words]
    done = run(command, deadline.within(_SECONDS), environment={"PATH": settings.path, "LC_ALL": "C"})
    if done.status:
        reason = done.stderr.strip() or f"exit status {done.status}"
        raise LocalCommandFailed(command=" ".join(command), reason=reason)
    return done.stdout


def shown(words: list[str], settings: Settings, deadline: Deadline) -> list[dict[str, Any]]:
    """
    Return the objects that `ip -j -4` shows; empty ones, which stand for what did not match, are left out.

    Raises:
        LocalCommandFailed: `ip` failed, or its output is no list of objects.
    """
    import json

    words = ["-j", "-4", *words]
    text = run_ip(words, settings, deadline)
    try:
        found = json.loads(text or "[]")
    except ValueError as error:
        raise LocalCommandFailed(
            command=f"ip {' '.join(words)}", reason=f"its output is not JSON: {error}"
        ) from error
    if not isinstance(found, list):
        raise LocalCommandFailed(command=f"ip {' '.join(words)}", reason="its output is not a list")
    return [each for each in found if isinstance(each, dict) and each]


class Carried(NamedTuple):
    """An IPv4 address that a device of this server carries, with the length of its prefix."""

    device: str
    address: str
    length: int

    @property
    def first_host(self) -> str:
        """Return the first address of the subnet, at which a VPC has its router."""
        return dotted((number(self.address) & mask(self.length)) + 1)


def carried(settings: Settings, deadline: Deadline) -> list[Carried]:
    """
    Return all IPv4 addresses of this server.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    return [
        Carried(str(device.get("ifname")), str(each["local"]), int(each.get("prefixlen", _IN_BITS)))
        for device in shown(["addr", "show"], settings, deadline)
        for each in device.get("addr_info", ())
        if each.get("local")
    ]


def carried_ipv6(settings: Settings) -> dict[str, str]:
    """
    Return each IPv6 address of this server in its usual form → its device; none if that cannot be seen.

    Source: Linux, net/ipv6/addrconf.c, if6_seq_show: "20010db8000000000000000000000001 02 80 00 80 eth0".
    """
    import ipaddress

    found: dict[str, str] = {}
    try:
        with open(os.path.join(settings.system_root, "proc/net/if_inet6"), encoding="ascii") as file:
            for fields in map(str.split, file):
                found[str(ipaddress.IPv6Address(int(fields[0], 16)))] = fields[5]
    except (OSError, ValueError, IndexError):
        return {}
    return found


def number(address: str) -> int:
    """Return an IPv4 address as the number that it is, "10.1.0.10" is 167837706."""
    first, second, third, fourth = map(int, address.split("."))
    return (first << 24) | (second << 16) | (third << 8) | fourth


def dotted(value: int) -> str:
    """Return the IPv4 address of a number."""
    return ".".join(str(value >> shift & 0xFF) for shift in (24, 16, 8, 0))


def mask(length: int) -> int:
    """Return the mask of a prefix with that length, as a number."""
    return (1 << _IN_BITS) - (1 << (_IN_BITS - length))


def is_in(address: str, block: str) -> bool:
    """Tell whether an address is in a block, "10.0.0.0/16"; a block without a length is one address."""
    base, _, length = block.partition("/")
    return not (number(address) ^ number(base)) & mask(int(length or _IN_BITS))
