"""LifeKeeper's IP resource puts the virtual IP on the device, and depends on the EC2 resource."""

from __future__ import annotations

import ipaddress
import re

_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


def address_in(identifier: str, info: str) -> str:
    """
    Find the address "10.1.0.10" of an IP resource in its id or in its info; "" if there is none, as with IPv6.

    No public page documents how LifeKeeper writes the address there, so this function searches for it.
    """
    words = [*re.split(r"[\s\x01,=/-]+", identifier), *re.split(r"[\s\x01,=/]+", info)]
    addresses = [each for each in words if _ADDRESS.fullmatch(each) and not _is_netmask(each)]
    return addresses[0] if addresses else ""


def _is_netmask(text: str) -> bool:
    try:
        number = int(ipaddress.IPv4Address(text))
    except ValueError:
        return True  # no address at all
    return number >= 0xFF000000 and (~number & 0xFFFFFFFF) & ((~number & 0xFFFFFFFF) + 1) == 0
