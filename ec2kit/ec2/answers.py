"""EC2's answers are reduced to what the kit needs; `Ec2` and `Snapshot` return them, the scenarios read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ec2kit.errors import Ec2KitError


ACTIVE = "active"

DEAD = frozenset({"blackhole", "filtered"})
"""The states in which a route takes no packets. Source: EC2 API, Route, State."""

STATIC = "CreateRoute"
"""The origin of a route that ReplaceRoute can change. Source: EC2 API, Route, Origin."""


DESTINATIONS = {
    "destination_cidr_block": "DestinationCidrBlock",
    "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
}
"""Kind of a route's destination → the member of EC2's API. Source: EC2 API, Route."""


def kind_of(destination: str) -> str:
    """Return the kind of a destination by its form, a key of DESTINATIONS."""
    if destination.startswith("pl-"):
        return "destination_prefix_list_id"
    return "destination_ipv6_cidr_block" if ":" in destination else "destination_cidr_block"


TARGETS = {
    "network_interface_id": "NetworkInterfaceId",
    "instance_id": "InstanceId",
    "gateway_id": "GatewayId",
    "nat_gateway_id": "NatGatewayId",
    "transit_gateway_id": "TransitGatewayId",
    "vpc_peering_connection_id": "VpcPeeringConnectionId",
    "local_gateway_id": "LocalGatewayId",
    "carrier_gateway_id": "CarrierGatewayId",
    "egress_only_internet_gateway_id": "EgressOnlyInternetGatewayId",
    "vpc_endpoint_id": "VpcEndpointId",
}
"""Kind of a route's target → the parameter of EC2's API. Source: EC2 API, ReplaceRoute."""

_BEGINNINGS = {
    "eni-": "network_interface_id",
    "i-": "instance_id",
    "igw-": "gateway_id",
    "vgw-": "gateway_id",
    "nat-": "nat_gateway_id",
    "tgw-": "transit_gateway_id",
    "pcx-": "vpc_peering_connection_id",
    "lgw-": "local_gateway_id",
    "cagw-": "carrier_gateway_id",
    "eigw-": "egress_only_internet_gateway_id",
    "vpce-": "vpc_endpoint_id",
}


def kind_of_target(target: str) -> str:
    """Return the kind of a route's target by the beginning of its id, a key of TARGETS; "" if that is not known."""
    return next((kind for beginning, kind in _BEGINNINGS.items() if target.startswith(beginning)), "")


class Route(NamedTuple):
    """
    One route of a route table; a table may have several to one destination, of which the static one counts in EC2.

    Attributes:
        destination: "10.1.0.10/32", a block of IPv6, or a managed prefix list, "pl-1".
        target: The id of the ENI if it points at one, otherwise of the gateway or other target, otherwise None.
        state: "active", one of DEAD, or a state that is newer than this version.
        origin: STATIC, "CreateRouteTable", "EnableVgwRoutePropagation", "Advertisement" (VPC Route Server), or newer.

    Source: EC2 API, Route; VPC user guide, "How route priority works".
    """

    destination: str
    target: str | None
    state: str = ACTIVE
    origin: str = STATIC

    @property
    def active(self) -> bool:
        return self.state == ACTIVE

    @property
    def is_static(self) -> bool:
        """Tell whether the route was made by CreateRoute; another mechanism makes, changes and deletes all others."""
        return self.origin == STATIC

    @property
    def text(self) -> str:
        """Return the target for a person: "eni-1", "eni-1 (blackhole)", "nothing"."""
        return (self.target or "nothing") + ("" if self.active else f" ({self.state})")


class RouteTable(NamedTuple):
    """One route table with those of its routes that were asked for."""

    route_table_id: str
    routes: tuple[Route, ...]


class SubnetTable(NamedTuple):
    """
    One route table with all its routes, and the subnets whose way it is.

    Attributes:
        subnet_ids: The subnets that are associated with it.
        is_main: True: it is also the table of the VPC's subnets that are associated with none.
    """

    route_table_id: str
    routes: tuple[Route, ...]
    subnet_ids: tuple[str, ...]
    is_main: bool


class RouteTables(NamedTuple):
    """
    The route tables of a VPC, as far as EC2 answered.

    Attributes:
        unknown: The error because of which later pages are missing; earlier pages still count.
    """

    tables: tuple[RouteTable, ...]
    unknown: Ec2KitError | None = None


class Address(NamedTuple):
    """
    One Elastic IP.

    Attributes:
        association_id, network_interface_id, private_ip_address: None while it is associated with nothing.
        instance_id: None also if its ENI is attached to no instance, as the ENIs of AWS's services are.
        service_managed: The service for which AWS manages it ("alb", "nlb", "rnat", …); None: it is the account's.
    """

    public_ip: str
    allocation_id: str
    association_id: str | None = None
    network_interface_id: str | None = None
    private_ip_address: str | None = None
    instance_id: str | None = None
    service_managed: str | None = None


_OF_THE_ACCOUNT = frozenset({"", "interface", "efa", "efa-only", "trunk", "branch"})


class NetworkInterface(NamedTuple):
    """
    One ENI, with what the checks look at.

    Attributes:
        interface_type: "interface", "nat_gateway", "network_load_balancer", …; "" if EC2 does not say.
        requester_managed: True: a service of AWS made it and manages it.
        addresses: Its private IPv4 addresses, and the public ones that are associated with them.
        subnet_id: "" if EC2 does not say.
    """

    network_interface_id: str
    instance_id: str | None
    source_dest_check: bool
    interface_type: str = ""
    requester_managed: bool = False
    addresses: tuple[str, ...] = ()
    subnet_id: str = ""

    @property
    def service(self) -> str | None:
        """Return the kind of service that the ENI belongs to, "nat_gateway"; None: it is the account's own."""
        if self.interface_type not in _OF_THE_ACCOUNT:
            return self.interface_type
        return "a service of AWS" if self.requester_managed else None


class Holder(NamedTuple):
    """
    One private address of a VPC, and the ENI that has it.

    Attributes:
        address: "10.0.11.50", or an IPv6 address in its short form.
        is_primary: True: the address stays with its ENI as long as the ENI exists.
        service: The service of AWS that the ENI belongs to, "lambda"; None: the ENI is the account's own.
    """

    address: str
    network_interface_id: str
    is_primary: bool = False
    service: str | None = None


class Receipt(NamedTuple):
    """
    Confirm that EC2 carried out a request.

    Attributes:
        attempts: The number of times that it was sent or tried to be sent; usually 1.
        milliseconds: From the first attempt to the answer.
    """

    request_id: str
    attempts: int
    milliseconds: float


# -- reading what the SDK gives; KeyError, IndexError, TypeError or ValueError if something is missing ------


def _text(value: Any) -> str:
    """
    Return a field that has one value.

    Raises:
        TypeError: It has several: the SDK gives a list, for instance for an answer that lost a part.
    """
    if not isinstance(value, str):
        raise TypeError("a field with one value")
    return value


def _text_or_none(value: Any) -> str | None:
    return _text(value) if value else None


def route_tables(page: Any) -> list[RouteTable]:
    """Return the route tables of one page of DescribeRouteTables, with their routes."""
    _text_or_none(page.get("NextToken"))
    return [
        RouteTable(
            _text(table["RouteTableId"]), tuple(_route(each) for each in table["Routes"] if _destination(each))
        )
        for table in page["RouteTables"]
    ]


def _destination(route: Any) -> Any:
    """Return the destination, None if it is of a kind that is newer than this version."""
    return next((route[name] for name in DESTINATIONS.values() if route.get(name)), None)


_SHOWN_TARGETS = (
    "NetworkInterfaceId",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "IpAddress",
)


def _route(route: Any) -> Route:
    target = next((_text(route[name]) for name in _SHOWN_TARGETS if route.get(name)), None)
    origin = _text_or_none(route.get("Origin")) or STATIC  # EC2 names it always; emulators know no other
    return Route(_text(_destination(route)), target, _text(route["State"]), origin)


def holding(
    tables: Iterable[RouteTable], destinations: Collection[str], *, others_too: bool = False
) -> tuple[RouteTable, ...]:
    """
    Return the tables with just the routes that were asked for; a near miss that a filter let through is left out.

    Args:
        others_too: True: the tables without such a route are returned, too.
    """
    found = {
        table.route_table_id: tuple(route for route in table.routes if route.destination in destinations)
        for table in tables
    }
    return tuple(RouteTable(name, routes) for name, routes in found.items() if routes or others_too)


def together(parts: Sequence[RouteTables]) -> RouteTables:
    """Return the answers to several questions, each about other routes of the VPC, as one answer."""
    routes: dict[str, tuple[Route, ...]] = {}
    for table in (each for part in parts for each in part.tables):
        routes[table.route_table_id] = (*routes.get(table.route_table_id, ()), *table.routes)
    unknown = next((each.unknown for each in parts if each.unknown is not None), None)
    return RouteTables(tuple(RouteTable(*each) for each in routes.items()), unknown)


def subnet_tables(page: Any) -> list[SubnetTable]:
    """Return the route tables of one page of DescribeRouteTables, with their associations."""
    found = []
    for table, each in zip(page["RouteTables"], route_tables(page), strict=True):
        associations = table.get("Associations") or ()
        subnets = tuple(_text(one["SubnetId"]) for one in associations if one.get("SubnetId"))
        found.append(SubnetTable(*each, subnets, any(one.get("Main") for one in associations)))
    return found


def subnets(page: Any) -> list[tuple[str, str]]:
    """Return each ENI in a page of DescribeNetworkInterfaces, and its subnet."""
    return [(_text(each["NetworkInterfaceId"]), _text(each["SubnetId"])) for each in page["NetworkInterfaces"]]


def prefix_list_entries(page: Any) -> list[str]:
    """Return the blocks in a page of GetManagedPrefixListEntries."""
    return [_text(each["Cidr"]) for each in page["Entries"]]


def addresses(answer: Any) -> tuple[Address, ...]:
    """Return the addresses in the answer to DescribeAddresses."""
    return tuple(
        Address(
            public_ip=_text(each.get("PublicIp") or each.get("CarrierIp") or ""),
            allocation_id=_text(each["AllocationId"]),
            association_id=_text_or_none(each.get("AssociationId")),
            network_interface_id=_text_or_none(each.get("NetworkInterfaceId")),
            private_ip_address=_text_or_none(each.get("PrivateIpAddress")),
            instance_id=_text_or_none(each.get("InstanceId")),
            service_managed=_text_or_none(each.get("ServiceManaged")),
        )
        for each in answer["Addresses"]
        if each.get("Domain") != "standard"  # EC2-Classic: it has no allocation and is never the kit's
    )


def network_interface(answer: Any) -> NetworkInterface:
    """Return the ENI in the answer to DescribeNetworkInterfaces for one ENI."""
    (each,) = answer["NetworkInterfaces"]
    return _network_interface(each)


def _network_interface(each: Any) -> NetworkInterface:
    instance_id = (each.get("Attachment") or {}).get("InstanceId")
    return NetworkInterface(
        _text(each["NetworkInterfaceId"]),
        _text_or_none(instance_id),
        bool(each["SourceDestCheck"]),
        _text_or_none(each.get("InterfaceType")) or "",
        bool(each.get("RequesterManaged")),
        tuple(_addresses_of(each)),
        _text_or_none(each.get("SubnetId")) or "",
    )


def holders(page: Any) -> list[Holder]:
    """Return the private addresses, of IPv4 and of IPv6, in one page of DescribeNetworkInterfaces."""
    _text_or_none(page.get("NextToken"))
    return [holder for each in page["NetworkInterfaces"] for holder in _holders(each)]


def _holders(interface: Any) -> Iterator[Holder]:
    eni = _network_interface(interface)
    for each in interface["PrivateIpAddresses"]:
        yield Holder(
            _text(each["PrivateIpAddress"]), eni.network_interface_id, bool(each.get("Primary")), eni.service
        )
    for each in interface.get("Ipv6Addresses") or ():
        address, is_primary = _text(each["Ipv6Address"]), bool(each.get("IsPrimaryIpv6"))
        yield Holder(address, eni.network_interface_id, is_primary, eni.service)


def _addresses_of(interface: Any) -> Iterator[str]:
    for each in interface.get("PrivateIpAddresses") or ():
        yield _text(each["PrivateIpAddress"])
        if public_ip := (each.get("Association") or {}).get("PublicIp"):
            yield _text(public_ip)


def automatic_recovery(answer: Any) -> str:
    """Return "default" or "disabled" from the answer to DescribeInstances for one instance."""
    options = answer["Reservations"][0]["Instances"][0].get("MaintenanceOptions") or {}
    return str(options.get("AutoRecovery", "default"))


def nothing(answer: Any) -> None:
    """Read nothing from an answer of which only the arrival counts."""
