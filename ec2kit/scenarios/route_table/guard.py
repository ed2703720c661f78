"""A route that is moved must not be a server's own way to EC2, and another route may win over it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.ec2.answers import Route, SubnetTable
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.resource import hosts
from ec2kit.scenarios import effective
from ec2kit.scenarios.route_table import objects
from ec2kit.scenarios.route_table.look import place_of, questions

if TYPE_CHECKING:
    from ec2kit.scenarios.scenario import Ground

NAME = "own way to ec2"

_PUBLIC = "192.0.2.1"
"""Stands for the public address of EC2 where a program on this server (loopback) hides it. Source: RFC 5737."""


class Way(NamedTuple):
    """
    The way from one ENI of this server to EC2.

    Attributes:
        moves: True: the route that leads there is one of those that the resource moves.
    """

    network_interface_id: str
    route_table_id: str
    destination: str
    moves: bool

    def __str__(self) -> str:
        return f"{self.network_interface_id} by {self.destination} of {self.route_table_id}"


def findings(ground: Ground) -> Findings:
    """
    Tell whether this server reaches EC2 without a route that the resource moves, and which routes win over those.

    Only blocks and prefix lists can lead there or be won over, so nothing is asked for single addresses.
    """
    blocks = [each for each in ground.resource.addresses if not hosts(each)]
    if not blocks:
        return
    ec2 = ground.ec2
    lists = {each: ec2.prefix_list_entries(each) for each in blocks if each.startswith("pl-")}
    seen = ground.seen
    moved = {place_of(ground.resource, each) for each in (*objects(seen), *seen.without_route)}
    tables, subnets = all_tables(ground), ec2.subnets_of(ground.server.instance_id)
    yield _judged([ways(tables, subnets, each, moved, lists) for each in ec2.first_hops() or ("",)])
    for found in winners(tables, moved, lists):
        advice = "take that route away if its addresses are to come to the active server, too"
        yield Finding("routes that win", Outcome.WARN, found, advice)


def all_tables(ground: Ground) -> list[SubnetTable]:
    """Return all tables of the VPC, as the roles together see them."""
    found: dict[str, SubnetTable] = {}
    for role in dict.fromkeys(role for role, _ in questions(ground.resource.own)):
        seen = ground.ec2.under(role).subnet_tables(ground.resource.vpc_id)
        found |= {each.route_table_id: each for each in seen}
    return list(found.values())


def _judged(by_address: Sequence[Sequence[Way]]) -> Finding:
    """
    Judge the ways to each address to which requests may go.

    One address that is lost is a failure: the next request may go there.
    """
    lost = next((found for found in by_address if found and all(each.moves for each in found)), None)
    if lost is None:
        free = next((each for found in by_address for each in found if not each.moves), None)
        if free is None:
            return Finding(NAME, Outcome.OK, "no route of the VPC leads there that the resource could move")
        return Finding(NAME, Outcome.OK, f"{free}, which the resource does not move")
    advice = (
        "do not choose the route tables of the servers' own subnets, or give the servers another way: an interface "
        "endpoint of EC2 in the VPC, or a second network interface in a subnet with a way of its own"
    )
    return Finding(NAME, Outcome.FAILED, f"only {'; '.join(map(str, lost))}, which the resource moves", advice)


def ways(
    tables: Sequence[SubnetTable],
    subnets: Mapping[str, str],
    peer: str,
    moved: Iterable[tuple[str, str]],
    lists: Mapping[str, Sequence[str]],
) -> list[Way]:
    """
    Return the ways from the ENIs of a server to EC2, by their subnets' effective route tables; a pure function.

    Args:
        subnets: ENI → subnet.
        peer: The address that requests go to; "" or one of loopback: any public one.
        moved: Table and destination of each route that is moved.
        lists: Prefix list → its blocks, for those that are moved.
    """
    address = ipaddress.ip_address(peer.partition("%")[0] or _PUBLIC)
    if address.is_loopback:
        address = ipaddress.ip_address(_PUBLIC)
    found = []
    for eni, subnet in sorted(subnets.items()):
        table = effective.table_of(tables, subnet)
        destination = effective.destination_for(table, address, lists) if table is not None else ""
        if table is not None and destination:
            is_moved = (table.route_table_id, destination) in {*moved}
            found.append(Way(eni, table.route_table_id, destination, is_moved))
    return found


def winners(
    tables: Sequence[SubnetTable], moved: Iterable[tuple[str, str]], lists: Mapping[str, Sequence[str]]
) -> list[str]:
    """
    Return each route that takes a part of the addresses of a moved one, with its target; a pure function.

    Left out are the local routes of the VPC, and all that wins over a default route, which is there for the rest.

    Args:
        moved, lists: The same as of `ways`.
    """
    places = {*moved}
    return [
        f"{route.destination} of {name} wins over {destination}: it points at {route.text}{_maker(route)}"
        for table in tables
        for name, destination in sorted(places)
        if name == table.route_table_id
        for route in table.routes
        if (name, route.destination) not in places and route.target != "local" and _wins(route, destination, lists)
    ]


def _maker(route: Route) -> str:
    return "" if route.is_static else f" by {route.origin}"


def _wins(route: Route, destination: str, lists: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether a route takes a part of the addresses of a destination; another prefix list is not looked into."""
    if route.destination.startswith("pl-"):
        return False
    block = ipaddress.ip_network(route.destination, strict=False)
    is_list = destination.startswith("pl-")
    for each in lists.get(destination, ()) if is_list else (destination,):
        ours = ipaddress.ip_network(each, strict=False)
        is_longer = block.prefixlen > ours.prefixlen or (is_list and block.prefixlen == ours.prefixlen)
        if ours.prefixlen and is_longer and block.version == ours.version and block.network_address in ours:
            return True
    return False
