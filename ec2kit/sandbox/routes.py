"""moto's routes are made, pointed at other targets and deleted here, with the errors that EC2 documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.ec2.models.route_tables import Route

from ec2kit.sandbox.call import Refused

MOST = 500
"""
Routes of one family that a table takes; a prefix list counts with the most entries that it may have.

Source: Amazon VPC quotas, "Routes per route table"; "Prefix lists and quotas".
"""

_DESTINATIONS = {
    "DestinationCidrBlock": "destination_cidr_block",
    "DestinationIpv6CidrBlock": "destination_ipv6_cidr_block",
    "DestinationPrefixListId": "destination_prefix_list_id",
}

_Find = Callable[[Any, str], Any]


def _gateway(backend: Any, name: str) -> Any:
    if name.startswith("vgw-"):
        return backend.get_vpn_gateway(name)
    return backend.get_internet_gateway(name)


_OTHER_TARGETS: dict[str, tuple[str, _Find]] = {
    "GatewayId": ("gateway", _gateway),
    "NatGatewayId": ("nat_gateway", lambda backend, name: backend.nat_gateways.get(name)),
    "EgressOnlyInternetGatewayId": ("egress_only_igw", lambda backend, name: backend.get_egress_only_igw(name)),
    "TransitGatewayId": ("transit_gateway", lambda backend, name: backend.transit_gateways.get(name)),
    "VpcPeeringConnectionId": ("vpc_pcx", lambda backend, name: backend.get_vpc_peering_connection(name)),
}
"""Parameter → moto's attribute of a route, and how its object is found."""


def destination(params: Mapping[str, Any]) -> str:
    """Return the one destination of a request."""
    given = [params[name] for name in _DESTINATIONS if params.get(name)]
    if not given:
        raise Refused("MissingParameter", "The request must contain the parameter destinationCidrBlock")
    if len(given) > 1:
        raise Refused("InvalidParameterCombination", "The request must contain exactly one destination of the route.")
    return str(given[0])


def found(table: Any, block: str) -> Any:
    """Return a route of a table by its destination, None if there is none."""
    return next((each for each in table.routes if _block(each) == block), None)


def _block(route: Any) -> str:
    return str(next(filter(None, (getattr(route, name) for name in _DESTINATIONS.values())), ""))


def point(backend: Any, route: Any, params: Mapping[str, Any], interface: Any) -> bool:
    """Point a route at the target of a request; return False if the target is of a kind that is left to moto."""
    name = next((each for each in _OTHER_TARGETS if params.get(each)), None)
    if interface is None and name is None:
        return False
    other = _OTHER_TARGETS[name][1](backend, params[name]) if name is not None else None
    for attribute, _ in _OTHER_TARGETS.values():
        setattr(route, attribute, None)
    route.instance, route.interface = None, interface
    if name is not None:
        setattr(route, _OTHER_TARGETS[name][0], other)
    return True


def create(backend: Any, table: Any, params: Mapping[str, Any], interface: Any) -> bool:
    """
    Add a route to a table; return False if its target is of a kind that is left to moto.

    Source: EC2 API, CreateRoute; "Error codes", RouteAlreadyExists, RouteLimitExceeded, InvalidPrefixListID.NotFound.
    """
    block = destination(params)
    if found(table, block) is not None:
        raise Refused("RouteAlreadyExists", f"The route identified by {block} already exists.")
    lists = backend.managed_prefix_lists
    if block.startswith("pl-") and block not in lists:
        raise no_prefix_list(block)
    route = Route(table, params.get("DestinationCidrBlock"), params.get("DestinationIpv6CidrBlock"), lists.get(block))
    if sum(map(_size, table.routes)) + _size(route) > MOST:
        raise Refused("RouteLimitExceeded", f"The maximum number of routes ({MOST}) has been reached.")
    if not point(backend, route, params, interface):
        return False
    table._routes[route.id] = route  # noqa: SLF001  # moto has no other way for these destinations
    return True


def _size(route: Any) -> int:
    prefix_list = route.destination_prefix_list
    return 1 if prefix_list is None else int(prefix_list.max_entries or 1)


def delete(table: Any, params: Mapping[str, Any]) -> None:
    """
    Take a route out of a table.

    Source: EC2 API, DeleteRoute; "Error codes", InvalidRoute.NotFound.
    """
    block = destination(params)
    route = found(table, block)
    if route is None:
        raise Refused(
            "InvalidRoute.NotFound", f"no route with destination-cidr-block {block} in route table {table.id}"
        )
    if route.local:
        raise Refused("InvalidParameterValue", f"cannot remove local route {block} in route table {table.id}")
    del table._routes[route.id]  # noqa: SLF001


def no_prefix_list(prefix_list_id: str) -> Refused:
    """Return the refusal of a prefix list that does not exist."""
    return Refused("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist")
