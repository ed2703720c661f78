"""LifeKeeper's IP resource of a virtual IP: it puts the address on the device, and depends on the EC2 resource."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ec2kit.errors import ArgumentInvalid
from ec2kit.lifekeeper import IP_TYPE, Instance, LifeKeeper

_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


@dataclass(frozen=True)
class IpResource:
    """
    Attributes:
        address: "10.1.0.10"; "" where none can be found in what LifeKeeper keeps of it, as with IPv6.
    """

    tag: str
    address: str
    is_in_service: bool


def find(lifekeeper: LifeKeeper, tag: str) -> IpResource:
    """
    Raises:
        ArgumentInvalid: There is no IP resource of this tag on this server, or it has no IPv4 address.
        LifeKeeperFailed: LifeKeeper does not tell.
    """
    instance = lifekeeper.instance(tag)
    if instance is None or instance.type != IP_TYPE:
        known = ", ".join(each.tag for each in lifekeeper.instances(kind=IP_TYPE)) or "none"
        raise ArgumentInvalid(name="ip-resource", reason=f"{tag[:60]!a} is no IP resource of this server ({known})")
    found = _ip_resource(instance)
    if not found.address:
        raise ArgumentInvalid(name="ip-resource", reason=f"{tag} has no IPv4 address")
    return found


def usable(lifekeeper: LifeKeeper) -> list[IpResource]:
    """The IP resources of this server that can be protected now: in service, and IPv4."""
    found = (_ip_resource(each) for each in lifekeeper.instances(kind=IP_TYPE))
    return [each for each in found if each.address and each.is_in_service]


def _ip_resource(instance: Instance) -> IpResource:
    """The address stands in the id or in the info; how, no public page says, so it is looked for."""
    words = [*re.split(r"[\s\x01,=/-]+", instance.id), *re.split(r"[\s\x01,=/]+", instance.info)]
    addresses = [each for each in words if _ADDRESS.fullmatch(each) and not _is_netmask(each)]
    return IpResource(instance.tag, addresses[0] if addresses else "", instance.is_in_service)


def _is_netmask(text: str) -> bool:
    try:
        number = int(ipaddress.IPv4Address(text))
    except ValueError:
        return True  # no address at all
    return number >= 0xFF000000 and (~number & 0xFFFFFFFF) & ((~number & 0xFFFFFFFF) + 1) == 0
