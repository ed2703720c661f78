"""A situation says what EC2 shows of the routes to a virtual IP."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ec2kit.ec2.answers import ACTIVE, STATIC, Route, RouteTable, RouteTables
from ec2kit.errors import Unknown
from ec2kit.messages.catalogue import SHARED_UNKNOWN
from ec2kit.resource import Resource
from ec2kit.scenarios.route_table import Own
from ec2kit.scenarios.situation.lines import Fields, Line, field, keyed, listed, meant, shown

_ROUTE = re.compile(r"(\S+)(?: \((\S+)\))?(?: by (\S+))?")


@dataclass(frozen=True)
class RouteTableShown:
    """
    EC2 shows the tables that hold the virtual IP.

        EC2 shows:
          rtb-1: eni-a
          rtb-2: igw-1 (blackhole)
          rtb-3: none
          rtb-4: vgw-1 by EnableVgwRoutePropagation and eni-a
        unknown: no answer from EC2 …

    Attributes:
        targets: Table id → its routes in EC2's order: what each points at, its state, and its origin.
        unknown: Why further tables may be missing.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("route_table_ids", "unknown")

    targets: Mapping[str, tuple[tuple[str | None, str, str], ...]]
    unknown: str | None = None

    @classmethod
    def read_own(cls, fields: Fields) -> Own:
        return Own(tuple(each.text for each in fields.optional_entries("route_table_ids")))

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        tables = resource.own.route_table_ids
        return listed("route_table_ids", tables) if tables else []

    @classmethod
    def read(cls, fields: Fields) -> RouteTableShown:
        targets = {table: _read_routes(line) for table, line in keyed(fields.entries("EC2 shows")).items()}
        return cls(targets, fields.optional_value("unknown"))

    def lines(self) -> list[str]:
        entries = [f"{table}: {_AND.join(map(_written, routes))}" for table, routes in self.targets.items()]
        return listed("EC2 shows", entries) + (field("unknown", self.unknown) if self.unknown else [])

    def prepare(self, root: Path, device: str) -> Mapping[str, object]:
        return {}

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """Answer as `Ec2.route_tables`."""
        tables = tuple(
            RouteTable(table, tuple(Route(destinations[0], *each) for each in routes))
            for table, routes in self.targets.items()
        )
        return RouteTables(tables, Unknown(SHARED_UNKNOWN, reason=self.unknown) if self.unknown else None)


_AND = " and "


def _read_routes(line: Line) -> tuple[tuple[str | None, str, str], ...]:
    return tuple(_read_route(line, each) for each in line.text.split(_AND))


def _read_route(line: Line, text: str) -> tuple[str | None, str, str]:
    found = _ROUTE.fullmatch(text)
    if found is None:
        raise line.wrong(f"{text!r} is not of the form 'TARGET (STATE) by ORIGIN'")
    return meant(found[1]), found[2] or ACTIVE, found[3] or STATIC


def _written(route: tuple[str | None, str, str]) -> str:
    target, state, origin = route
    return shown(target) + ("" if state == ACTIVE else f" ({state})") + ("" if origin == STATIC else f" by {origin}")
