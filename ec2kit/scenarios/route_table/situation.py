"""A situation says what EC2 shows of the routes to a virtual IP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from ec2kit.ec2.answers import ACTIVE, STATIC, Route, RouteTable, RouteTables
from ec2kit.errors import Unknown
from ec2kit.messages.catalogue import SHARED_UNKNOWN
from ec2kit.resource import Resource, Server
from ec2kit.role import Role
from ec2kit.scenarios.route_table import Observed, Own
from ec2kit.scenarios.situation.lines import Fields, Line, field, keyed, listed, meant, shown

Found = TypeVar("Found")

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
        targets: Table id, "rtb-1 10.1.0.10/32" with several destinations → its routes in EC2's order: what each
            points at, its state, and its origin.
        unknown: Why further tables may be missing.
        tagged: The tables that have the tag of the definition.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("route_table_ids", "route_table_tag", "unknown", "tagged")
    TUNABLES: ClassVar[tuple[str, ...]] = ()

    targets: Mapping[str, tuple[tuple[str | None, str, str], ...]]
    unknown: str | None = None
    tagged: tuple[str, ...] = ()

    @classmethod
    def of(cls, observed: Observed) -> RouteTableShown:
        routes = {**observed.of_others, **observed.routes}
        targets = {name: ((each.target, each.state, each.origin),) for name, each in routes.items()}
        unknown = str(observed.unknown) if observed.unknown is not None else None
        return cls(targets, unknown, observed.tagged)

    @classmethod
    def silent(cls, reason: str) -> RouteTableShown:
        return cls({}, reason)

    @classmethod
    def essential(cls, own: Own) -> Own:
        return Own(own.route_table_ids, own.route_table_tag)

    @classmethod
    def read_own(cls, fields: Fields) -> Own:
        tables = tuple(each.text for each in fields.optional_entries("route_table_ids"))
        return Own(tables, fields.optional_value("route_table_tag") or "")

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        tables, tag = resource.own.route_table_ids, resource.own.route_table_tag
        return [
            *(listed("route_table_ids", tables) if tables else []),
            *(field("route_table_tag", tag) if tag else []),
        ]

    @classmethod
    def read(cls, fields: Fields) -> RouteTableShown:
        targets = {table: _read_routes(line) for table, line in keyed(fields.entries("EC2 shows")).items()}
        tagged = tuple(each.text for each in fields.optional_entries("tagged"))
        return cls(targets, fields.optional_value("unknown"), tagged)

    def lines(self) -> list[str]:
        entries = [f"{table}: {_AND.join(map(_written, routes))}" for table, routes in self.targets.items()]
        return [
            *listed("EC2 shows", entries),
            *(field("unknown", self.unknown) if self.unknown else []),
            *(listed("tagged", self.tagged) if self.tagged else []),
        ]

    def completed(self, observed: Observed) -> Observed:
        return observed

    def prepare(self, root: Path, server: Server) -> Mapping[str, object]:
        return {}

    def under(self, role: Role | None) -> RouteTableShown:
        """Answer as `Ec2.under`; what is shown is that of all accounts."""
        return self

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found]:
        """Answer as `Ec2.together`."""
        return [each() for each in looks]

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """Answer as `Ec2.route_tables`; `observe` reads the routes of a table from the last to the first."""
        found: dict[str, list[Route]] = {table: [] for table in self.tagged} if tag else {}
        for name, routes in self.targets.items():
            table, _, destination = name.partition(" ")
            if not tag or table in self.tagged:
                to_it = [Route(destination or destinations[0], *each) for each in routes]
                found[table] = to_it + found.get(table, [])
        tables = tuple(RouteTable(table, tuple(routes)) for table, routes in found.items())
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
