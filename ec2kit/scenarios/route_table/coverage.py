"""The coverage of an address: the subnets of the VPC that reach it, as one route decides for each subnet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.resource import hosts
from ec2kit.scenarios import effective
from ec2kit.scenarios.route_table import objects
from ec2kit.scenarios.route_table.guard import all_tables
from ec2kit.scenarios.route_table.look import place_of

if TYPE_CHECKING:
    from ec2kit.ec2.answers import SubnetTable
    from ec2kit.scenarios.scenario import Ground

NAME = "coverage"

_MANY = 6
"""The most subnets of a table that are named."""


def findings(ground: Ground) -> Findings:
    """Tell which subnets of the VPC reach each address by a route of the resource; blocks have other checks."""
    addresses = hosts(ground.resource.address)
    if not addresses:
        return
    moved = {place_of(ground.resource, each) for each in objects(ground.seen)}
    tables = all_tables(ground)
    for each in addresses:
        yield from judged(each, tables, moved)


def judged(address: str, tables: Sequence[SubnetTable], moved: Iterable[tuple[str, str]]) -> Findings:
    """
    Judge the route tables of a VPC for one address; a pure function.

    A table without subnets, such as that of a gateway, is the way of none.

    Args:
        moved: Table and destination of each route that the resource moves.
    """
    places, covered = {*moved}, 0
    used = [each for each in tables if each.is_main or each.subnet_ids]
    for table in used:
        destination = effective.destination_for(table, ipaddress.ip_address(address), {})
        who = f"{_subnets(table)} ({table.route_table_id})"
        if (table.route_table_id, destination) in places:
            covered += 1
        elif any(name == table.route_table_id for name, _ in places):
            found = f"{who}: {destination} wins over the route to {address}, and {_led(table, destination)}"
            yield Finding(NAME, Outcome.WARN, found, "take that route away if these subnets are to use the address")
        else:
            by = f"{destination} decides, and {_led(table, destination)}" if destination else "no route leads there"
            advice = f"create a route to {address} there if these subnets use it"
            yield Finding(NAME, Outcome.NOTE, f"{who}: {address} is not reached: {by}", advice)
    yield Finding(NAME, Outcome.OK, f"{address} is reached by {covered} of {len(used)} route tables with subnets")


def _subnets(table: SubnetTable) -> str:
    more = len(table.subnet_ids) - _MANY
    named = ", ".join(table.subnet_ids[:_MANY]) + (f" and {more} more" if more > 0 else "")
    return " and ".join(
        [*([named] if named else []), *(["subnets without a table of their own"] if table.is_main else [])]
    )


def _led(table: SubnetTable, destination: str) -> str:
    """Return where the deciding route leads; of several to one destination, the static one counts."""
    routes = sorted(
        (each for each in table.routes if each.destination == destination), key=lambda it: not it.is_static
    )
    origin = "" if routes[0].is_static else f" by {routes[0].origin}"
    return f"leads to {routes[0].text}{origin}"
