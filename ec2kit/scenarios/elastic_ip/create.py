"""Resources of Elastic IPs are made, checked, tried and shown by what is here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ec2kit.errors import ArgumentInvalid, Ec2KitError, PermissionMissing
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.messages import catalogue
from ec2kit.resource import Resource, Server, checked_ipv4
from ec2kit.scenarios import effective
from ec2kit.scenarios.elastic_ip import Own, cleared, itself, notices
from ec2kit.scenarios.wish import Field, Found, Given, Offered

if TYPE_CHECKING:
    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.holding import Holdings
    from ec2kit.host.instance import Interface
    from ec2kit.scenarios.scenario import Check, Grant, Ground
    from ec2kit.status import Change

_SOMEWHERE_OUTSIDE = "192.0.2.1"
"""An address in TEST-NET-1 (RFC 5737) stands for a client on the Internet; only the local routing table is asked."""

# -- create --------------------------------------------------------------------------------------------------


def _address_or_allocation(name: str, text: str) -> str:
    return text if text.startswith("eipalloc-") else checked_ipv4(name, text)


FIELDS: tuple[Field, ...] = (
    Field(
        "elastic_ip",
        "--elastic-ip",
        "ADDRESS|eipalloc-…",
        "Elastic IP of an elastic-ip resource, or its allocation id",
        "Elastic IP",
        checked=_address_or_allocation,
        offered="elastic_ips",
        after_device=True,
        names_it=True,
    ),
)


def understood(given: Given, address_of: Callable[[str], str] | None) -> Given:
    """Return the given fields; raises ArgumentInvalid if the Elastic IP is missing."""
    if not given.get("elastic_ip"):
        raise ArgumentInvalid(name="elastic-ip", reason="an elastic-ip resource needs --elastic-ip")
    return given


def find(given: Given, ec2: Ec2) -> Found:
    """
    Look up the Elastic IP by its address or its allocation id.

    Raises:
        Ec2KitError: There is no such Elastic IP, or EC2 gave no usable answer.
    """
    wanted = given["elastic_ip"]
    for each in ec2.addresses():
        if wanted in (each.public_ip, each.allocation_id):
            return Found(each.public_ip, Own(each.allocation_id))
    raise Ec2KitError(catalogue.ADDRESS_MISSING, public_ip=ascii(wanted), allocation_id="allocation unknown")


def preparations(given: Given, observed: Any) -> tuple[Change, ...]:
    """Return nothing: an Elastic IP is never allocated here."""
    return ()


def offers(ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
    """Return the Elastic IPs of the account, each with its place, without those that AWS manages for a service."""
    try:
        listed = ec2.addresses() if ec2 is not None else ()
    except Ec2KitError:
        listed = ()
    places = {
        each.public_ip: f"{each.allocation_id} on {each.network_interface_id or 'nothing'}"
        for each in listed
        if not each.service_managed
    }
    return {"elastic_ips": places}


# -- checks --------------------------------------------------------------------------------------------------

LOOK = "DescribeAddresses"

ONE_VPC = False

DIFFERENT_ZONES = True


def displaces(ground: Ground) -> Holdings:
    """Return the Elastic IPs that lose their place when this one comes here."""
    seen = ground.seen
    displaced = (str(fields["public_ip"]) for _, fields in notices(seen))
    return tuple(map(itself, dict.fromkeys((*displaced, *(each.public_ip for each in cleared(seen))))))


def interface_findings(ground: Ground, eni: NetworkInterface) -> Findings:
    """Yield nothing: an Elastic IP needs no property of the ENI."""
    yield from ()


def replies_to(interface: Interface) -> str:
    """Return an address on the Internet, where the clients of an Elastic IP are."""
    return _SOMEWHERE_OUTSIDE


def _exists(ground: Ground) -> Findings:
    """Tell whether the Elastic IP exists, and which others are in its way."""
    seen, name = ground.seen, "elastic ip"
    where = f"{ground.resource.address} ({ground.resource.own.allocation_id})"
    if seen.address is None:
        yield Finding(name, Outcome.FAILED, f"{where} does not exist here", "allocate it, or correct the region")
        return
    if seen.service:
        advice = "use another Elastic IP, or take this one out of the service first"
        found = f"{where} belongs to {seen.service}: AWS manages it, and ec2kit never takes it"
        yield Finding(name, Outcome.FAILED, found, advice)
        return
    yield Finding(name, Outcome.OK, f"{where} exists")
    for _, fields in notices(seen):
        found = f"{fields['public_ip']} is on {ground.server.private_ip_address}, too"
        yield Finding(name, Outcome.WARN, found, "EC2 displaces it when this address comes here")
    if cleared(seen):
        others = ", ".join(each.public_ip for each in cleared(seen))
        advice = "with EC2_EIP_EXCLUSIVE=1, restore takes them off when this address comes here"
        yield Finding(name, Outcome.WARN, f"{others} on {ground.server.network_interface_id}, too", advice)


def _public_path(ground: Ground) -> Findings:
    """
    Tell whether packets of the Internet find the way between the address and this server's ENI.

    Source: VPC user guide, "Internet gateways": the subnet's table has to lead there.
    """
    name, eni = "public path", ground.server.network_interface_id
    try:
        tables = ground.ec2.subnet_tables(ground.interface.vpc_id)
        subnet = ground.ec2.subnets_of(ground.server.instance_id).get(eni, "")
    except PermissionMissing as error:
        yield Finding(name, Outcome.NOTE, f"not looked at: {error}", "grant it to have this looked at")
        return
    table = effective.table_of(tables, subnet)
    outside = ipaddress.ip_address(_SOMEWHERE_OUTSIDE)
    destination = effective.destination_for(table, outside, {}) if table is not None else ""
    targets = [each.target for each in table.routes if each.destination == destination] if table is not None else []
    where = (
        f"{subnet} by {table.route_table_id}" if table is not None else f"{subnet or eni}, which has no route table"
    )
    if any(str(each).startswith("igw-") for each in targets):
        yield Finding(name, Outcome.OK, f"{where}: {destination} leads to {', '.join(map(str, targets))}")
    else:
        led = f"{destination} leads to {', '.join(map(str, targets))}" if destination else "no route leads out"
        advice = "let the default route of that table lead to an Internet gateway, or use another network interface"
        yield Finding(
            name, Outcome.FAILED, f"{where}: {led}, so the Internet does not reach {ground.resource.address}", advice
        )


CHECKS: tuple[tuple[str, Check], ...] = (("elastic ip", _exists),)

ON_DEMAND: tuple[tuple[str, Check], ...] = (("public path", _public_path),)


def grants(resource: Resource, observed: Any) -> tuple[Grant, ...]:
    """Return the permissions for the one address, and for the servers that may get it."""
    from ec2kit.scenarios.scenario import Grant

    address = f"elastic-ip/{resource.own.allocation_id}"
    enis = tuple(f"network-interface/{each.network_interface_id}" for each in resource.servers)
    instances = tuple(f"instance/{each.instance_id}" for each in resource.servers)
    return (
        Grant("LookAtAddresses", ("ec2:DescribeAddresses",)),
        Grant("MoveAddress", ("ec2:AssociateAddress",), (address, *enis, *instances)),
        Grant("TakeAddressOff", ("ec2:DisassociateAddress",), (address, *enis)),
        Grant("LookAtPublicPath", ("ec2:DescribeRouteTables",), is_optional=True),
    )


# -- trying and showing --------------------------------------------------------------------------------------

NOT_PROVED_BY_PING = "this proves only the path inside AWS: test the address from the Internet, too"


WHEN_SILENT = (
    "the security group and the network ACL, VPC Block Public Access, the default route of the subnet to an Internet "
    "gateway, the rule for replies (`ip rule`) and rp_filter"
)


def packets_to(resource: Resource, holder: Server | None) -> tuple[str, ...]:
    """Return the Elastic IP, which leads to the server also from inside AWS."""
    return (resource.address,)


def shown(resource: Resource) -> str:
    """Return the Elastic IP and its allocation."""
    return f"{resource.address} ({resource.own.allocation_id})"


IN_VENDORS_KIT = True
