"""
What EC2 said, reduced to what the kit needs; `aws` gives these, the scenarios read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ec2kit.errors import Ec2KitError


class Route(NamedTuple):
    """
    One route.

    Attributes:
        target: What it points at: an ENI's id if it has one, else the gateway's or other id, else None.
        active: False when EC2 calls it a blackhole.
    """

    destination_cidr_block: str
    target: str | None
    active: bool

    @property
    def text(self) -> str:
        """The target for a person: "eni-1", "eni-1 (blackhole)", "nothing"."""
        return (self.target or "nothing") + ("" if self.active else " (blackhole)")


class RouteTable(NamedTuple):
    """One route table with those of its routes that were asked for."""

    route_table_id: str
    routes: tuple[Route, ...]


class RouteTables(NamedTuple):
    """
    The route tables of a VPC, as far as EC2 told.

    Attributes:
        unknown: Why later pages are missing; what earlier pages said still counts.
    """

    tables: tuple[RouteTable, ...]
    unknown: Ec2KitError | None = None


class Address(NamedTuple):
    """One Elastic IP; the last three are None while it is associated with nothing."""

    public_ip: str
    allocation_id: str
    association_id: str | None = None
    network_interface_id: str | None = None
    private_ip_address: str | None = None


class NetworkInterface(NamedTuple):
    """One ENI, as far as the checks look at it."""

    network_interface_id: str
    instance_id: str | None
    source_dest_check: bool


class Receipt(NamedTuple):
    """
    That EC2 carried out a request.

    Attributes:
        attempts: How often it was sent or tried to be sent; 1 is the rule.
        milliseconds: From the first attempt to the answer.
    """

    request_id: str
    attempts: int
    milliseconds: float


# -- reading what the SDK gives; KeyError, IndexError, TypeError or ValueError where something is missing --


def _text(value: Any) -> str:
    """A field that has one value; the SDK gives a list where the answer has several, as one that lost a part may."""
    if not isinstance(value, str):
        raise TypeError("a field with one value")
    return value


def _text_or_none(value: Any) -> str | None:
    return _text(value) if value else None


def route_tables(page: Any) -> list[RouteTable]:
    """One page of DescribeRouteTables, IPv4 routes only."""
    _text_or_none(page.get("NextToken"))
    return [
        RouteTable(_text(table["RouteTableId"]), tuple(_route(each) for each in table["Routes"] if _is_ipv4(each)))
        for table in page["RouteTables"]
    ]


def _is_ipv4(route: Any) -> bool:
    return "DestinationCidrBlock" in route


_TARGETS = (
    "NetworkInterfaceId",
    "InstanceId",
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)


def _route(route: Any) -> Route:
    target = next((_text(route[name]) for name in _TARGETS if route.get(name)), None)
    return Route(_text(route["DestinationCidrBlock"]), target, active=_text(route["State"]) == "active")


def holding(tables: Iterable[RouteTable], *destination_cidr_blocks: str) -> tuple[RouteTable, ...]:
    """The tables with just the routes that were asked for; a near miss that a filter let through is left out."""
    found = {
        table.route_table_id: tuple(
            route for route in table.routes if route.destination_cidr_block in destination_cidr_blocks
        )
        for table in tables
    }
    return tuple(RouteTable(name, routes) for name, routes in found.items() if routes)


def addresses(answer: Any) -> tuple[Address, ...]:
    """The answer to DescribeAddresses."""
    return tuple(
        Address(
            public_ip=_text(each.get("PublicIp") or each.get("CarrierIp") or ""),
            allocation_id=_text(each["AllocationId"]),
            association_id=_text_or_none(each.get("AssociationId")),
            network_interface_id=_text_or_none(each.get("NetworkInterfaceId")),
            private_ip_address=_text_or_none(each.get("PrivateIpAddress")),
        )
        for each in answer["Addresses"]
        if each.get("Domain") != "standard"  # of EC2-Classic; it has no allocation and is none of ours
    )


def network_interface(answer: Any) -> NetworkInterface:
    """The answer to DescribeNetworkInterfaces for one ENI."""
    (each,) = answer["NetworkInterfaces"]
    instance_id = (each.get("Attachment") or {}).get("InstanceId")
    return NetworkInterface(
        _text(each["NetworkInterfaceId"]), _text_or_none(instance_id), bool(each["SourceDestCheck"])
    )


def automatic_recovery(answer: Any) -> str:
    """The answer to DescribeInstances for one instance: "default" or "disabled"."""
    options = answer["Reservations"][0]["Instances"][0].get("MaintenanceOptions") or {}
    return str(options.get("AutoRecovery", "default"))
