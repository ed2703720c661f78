"""Resources of private addresses are made, checked, tried and shown by what is here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ec2kit.errors import ArgumentInvalid
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.resource import Resource, Server, is_ipv4
from ec2kit.scenarios.secondary_ip import Own, canonical
from ec2kit.scenarios.wish import IP_RESOURCE, Field, Found, Given, Offered, without_ip_resources

if TYPE_CHECKING:
    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.holding import Holdings
    from ec2kit.host.instance import Interface
    from ec2kit.scenarios.scenario import Check, Grant, Ground
    from ec2kit.scenarios.secondary_ip import Observed
    from ec2kit.status import Change

# -- create --------------------------------------------------------------------------------------------------


def checked(name: str, text: str) -> str:
    """Return a private address in its usual form; raises ArgumentInvalid."""
    try:
        return canonical(text)
    except ValueError as error:
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is not an address of a subnet") from error


FIELDS: tuple[Field, ...] = (
    IP_RESOURCE,
    Field(
        "private_ip",
        "--private-ip",
        "ADDRESS",
        "private address of a secondary-ip resource, of IPv4 or IPv6, in the servers' subnet",
        "Private address",
        checked=checked,
        asked=without_ip_resources,
        names_it=True,
    ),
)


def understood(given: Given, address_of: Callable[[str], str] | None) -> Given:
    """
    Return the given fields with the private address; under LifeKeeper it is the address of an IP resource.

    An IPv6 address needs no IP resource, because an IP resource that ec2kit can read has an IPv4 address.

    Raises:
        ArgumentInvalid: The private address is missing, or is not the address of the IP resource.
    """
    tag, private_ip = given.get("ip_resource"), given.get("private_ip")
    if address_of is None and tag:
        raise ArgumentInvalid(name="ip-resource", reason="only LifeKeeper has IP resources; use --private-ip")
    if not tag:
        if private_ip and (address_of is None or ":" in private_ip):
            return given
        named = "--private-ip" if address_of is None else "--ip-resource, the IP resource of the private address"
        name = "private-ip" if address_of is None else "ip-resource"
        raise ArgumentInvalid(name=name, reason=f"a secondary-ip resource needs {named}")
    address = address_of(tag) if address_of is not None else ""
    if private_ip not in (None, address):
        raise ArgumentInvalid(name="private-ip", reason=f"{private_ip[:60]!a} is not the address of {tag}")
    return {**given, "private_ip": address}


def find(given: Given, ec2: Ec2) -> Found:
    """Return the private address; nothing has to be looked up."""
    return Found(given["private_ip"], Own(), given.get("ip_resource", ""))


def preparations(given: Given, observed: Any) -> tuple[Change, ...]:
    """Return nothing: restore assigns the address."""
    return ()


def offers(ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
    """Return the IP resources of LifeKeeper."""
    return {"ip_resources": ip_resources}


# -- checks --------------------------------------------------------------------------------------------------

LOOK = "DescribeNetworkInterfaces"

ONE_VPC = True

DIFFERENT_ZONES = False
"""A subnet is in one zone, so the servers are, too."""


def displaces(ground: Ground) -> Holdings:
    """Return nothing: an ENI has several private addresses."""
    return ()


def interface_findings(ground: Ground, eni: NetworkInterface) -> Findings:
    """Tell whether the other servers' ENIs are in this one's subnet: an address never leaves its subnet."""
    name, others = "one subnet", [each for each in ground.resource.servers if each.name != ground.server.name]
    elsewhere: list[str] = []
    for each in others:
        subnet_id = ground.ec2.network_interface(each.network_interface_id).subnet_id
        if subnet_id != eni.subnet_id:
            elsewhere.append(f"{each.network_interface_id} of {each.name} is in {subnet_id}")
    if elsewhere:
        found = f"{eni.network_interface_id} is in {eni.subnet_id}, and {', '.join(elsewhere)}"
        yield Finding(name, Outcome.FAILED, found, "use a network interface in the same subnet on each server")
    elif others:
        yield Finding(name, Outcome.OK, f"the ENIs of all servers are in {eni.subnet_id}")


def replies_to(interface: Interface) -> str:
    """Return an address in the VPC, where the clients of a private address are."""
    vpc = ipaddress.IPv4Network(interface.vpc_cidr_blocks[0])
    return str(vpc.network_address + 2)


_RESERVED = 4
"""The number of first addresses of a subnet that AWS keeps for itself, as it keeps the last one."""


def _in_the_subnet(ground: Ground) -> Findings:
    """
    Tell whether the address is one of the subnet, and none that AWS keeps for itself.

    Source: Amazon VPC user guide, "Subnet CIDR blocks": the first four addresses and the last one are reserved.
    """
    name, blocks = "address in the subnet", ground.interface.subnet_cidr_blocks
    address = ipaddress.ip_address(ground.resource.address)
    own = next((each for each in map(ipaddress.ip_network, blocks) if address in each), None)
    if own is None:
        found = f"{address} is outside {', '.join(blocks) or 'the subnet'}, the subnet of {ground.server.device}"
        yield Finding(name, Outcome.FAILED, found, "choose an address of the subnet that all servers share")
    elif int(address) - int(own.network_address) < _RESERVED or address == own.broadcast_address:
        yield Finding(name, Outcome.FAILED, f"AWS keeps {address} of {own} for itself", "choose another address")
    else:
        yield Finding(name, Outcome.OK, f"{address} is in {own}")


def _holder(ground: Ground) -> Findings:
    """Tell which ENI has the address, and whether it can be taken from there."""
    seen: Observed = ground.seen
    name, holder, where = "address holder", seen.holder, f"{seen.address} is on {seen.shown_place}"
    if holder is None:
        advice = "reserve it (create-subnet-cidr-reservation), otherwise EC2 may give it to another network interface"
        yield Finding(name, Outcome.NOTE, f"no network interface has {seen.address}", advice)
    elif holder.is_primary:
        advice = "choose an address that is primary on no network interface"
        yield Finding(name, Outcome.FAILED, f"{where}, as its primary address, which EC2 never moves", advice)
    elif holder.service:
        advice = "choose another address"
        yield Finding(name, Outcome.FAILED, f"{where}, which AWS manages for {holder.service}", advice)
    elif ground.resource.find_holder(holder.network_interface_id) is None:
        advice = "make sure that no other program uses it: restore takes it from there"
        yield Finding(name, Outcome.WARN, f"{where}, which is no server of the resource", advice)
    else:
        yield Finding(name, Outcome.OK, where)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("address in the subnet", _in_the_subnet),
    ("address holder", _holder),
)

ON_DEMAND: tuple[tuple[str, Check], ...] = ()


def grants(resource: Resource, observed: Any) -> tuple[Grant, ...]:
    """Return the permissions for the ENIs of the servers; IAM knows no single address."""
    from ec2kit.scenarios.scenario import Grant

    family = "PrivateIp" if is_ipv4(resource.address) else "Ipv6"
    enis = tuple(f"network-interface/{each.network_interface_id}" for each in resource.servers)
    actions = (f"ec2:Assign{family}Addresses", f"ec2:Unassign{family}Addresses")
    return (
        Grant("LookAtInterfaces", ("ec2:DescribeNetworkInterfaces",)),
        Grant(f"Move{family}Address", actions, enis),
    )


# -- trying and showing --------------------------------------------------------------------------------------

NOT_PROVED_BY_PING = ""

WHEN_SILENT = (
    "whether the address is on the device, the security group, the rule for replies (`ip rule`) and rp_filter"
)


def packets_to(resource: Resource, holder: Server | None) -> tuple[str, ...]:
    """Return the private address."""
    return (resource.address,)


def shown(resource: Resource) -> str:
    """Return the private address."""
    return resource.address


IN_VENDORS_KIT = False
