"""Pictures in text show the topology in boxes, and the holders of addresses before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stage import ELASTIC_IP, Place, Truth

_ZONE, _VPC = 44, 94


@dataclass(frozen=True)
class Cell:
    """Hold one field of a table."""

    text: str
    changed: bool = False


# -- the topology --------------------------------------------------------------------------------------------


def topology(description: dict[str, Any], truth: Truth) -> list[str]:
    """Return the VPC with its zones, servers, ENIs, route tables and addresses."""
    nodes, tables = description["nodes"].items(), description["route_table_ids"]
    vip, address = description["vip"], description["elastic_ip"]
    routes = [(table, f"{vip}/32 → {truth[table, f'{vip}/32']}") for table in tables]
    zones = [_zone(name, node, *route) for (name, node), route in zip(nodes, routes, strict=False)]
    title = f"VPC {description['vpc_id']}  {description['vpc_cidr_block']}"
    return [
        f"  clients on the Internet ···▶ Elastic IP {address}: associated with {truth[ELASTIC_IP, address]}",
        *_boxed(title, [*_beside(*zones), "", *_lodgers(description)], _VPC),
        f"  clients in the VPC ···▶ VIP {vip}, outside of the VPC's block: only routes know where it is",
        f"  another VPC, {description['other_vpc_id']}, has a {vip} of its own",
    ]


def _zone(name: str, node: dict[str, Any], table: str, route: str) -> list[str]:
    interfaces = [
        f"{device}  {each['private_ip_address']:<10}  {each['network_interface_id']}"
        for device, each in node["interfaces"].items()
    ]
    lines = [f"{name}  {node['instance_id']}", *interfaces, f"route table       {table}", f"  {route}"]
    return _boxed(node["availability_zone"], lines, _ZONE)


def _lodgers(description: dict[str, Any]) -> list[str]:
    neighbours = ", ".join(description["neighbours"])
    return [
        f"neighbours in the same route tables: {neighbours}",
        f"bystander, no server of ours: {description['foreign_network_interface_id']}, "
        f"Elastic IP {description['foreign_elastic_ip']}",
    ]


def _boxed(title: str, lines: Sequence[str], width: int) -> list[str]:
    inner = width - 4
    top = f"┌─ {title} ".ljust(width - 1, "─") + "┐"
    return [top, *(f"│ {line:<{inner}} │" for line in lines), "└" + "─" * (width - 2) + "┘"]


def _beside(*boxes: Sequence[str]) -> list[str]:
    return ["  ".join(row) for row in zip(*boxes, strict=True)]


# -- before and after ----------------------------------------------------------------------------------------


def holders(description: dict[str, Any], place: Place, before: Truth, after: Truth) -> list[list[Cell]]:
    """Return the table that shows a place among its neighbours, with "old → new" if a holder changed."""
    if place[0] == ELASTIC_IP:
        return _addresses(description, before, after)
    return _routes(description, before, after)


def _addresses(description: dict[str, Any], before: Truth, after: Truth) -> list[list[Cell]]:
    ours = description["elastic_ip"]
    addresses = [ours, *sorted(place[1] for place in after if place[0] == ELASTIC_IP and place[1] != ours)]
    rows = [[Cell(each), _change((ELASTIC_IP, each), before, after)] for each in addresses]
    return [[Cell(ELASTIC_IP), Cell("associated with")], *rows]


def _routes(description: dict[str, Any], before: Truth, after: Truth) -> list[list[Cell]]:
    tables = [*description["route_table_ids"], description["other_route_table_id"]]
    destinations = [f"{each}/32" for each in (description["vip"], *description["neighbours"])]
    rows = [
        [Cell(destination), *(_change((table, destination), before, after) for table in tables)]
        for destination in destinations
    ]
    return [[Cell("route"), *(Cell(each) for each in tables[:-1]), Cell("another VPC")], *rows]


def _change(place: Place, before: Truth, after: Truth) -> Cell:
    old, new = before.get(place, "–"), after.get(place, "–")
    return Cell(new) if old == new else Cell(f"{old} → {new}", changed=True)
