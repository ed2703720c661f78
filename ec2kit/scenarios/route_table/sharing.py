"""The checks of one server share the route tables of a VPC: one question asks for the routes of all resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ec2kit.ec2.answers import Route, RouteTable, RouteTables, kind_of

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.state.file import Content


class SharedTables:
    """
    The shared answer of DescribeRouteTables, in the form of `Ec2.route_tables`.

    Args:
        neighbours: Returns the destinations of this server's other resources in the VPC that look for their tables by
            this tag, or by none ("10.1.0.20/32"); one question asks for all of them.
    """

    def __init__(self, sharing: Sharing, neighbours: Callable[[str], Sequence[str]]) -> None:
        self._sharing = sharing
        self._neighbours = neighbours

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """Return the route tables, as `Ec2.route_tables` does."""

        def ask(ec2: Ec2, before: Content) -> Asked:
            told = before if before.get("tag", "") == tag else {}
            blocks = self._blocks(destinations, told.get("routes"), tag)
            answer = ec2.route_tables(vpc_id=vpc_id, destinations=blocks, tag=tag)
            return _packed(blocks, answer.tables, tag), answer.unknown

        def read(told: Content) -> tuple[RouteTable, ...] | None:
            if told.get("tag", "") != tag or any(each not in told["routes"] for each in destinations):
                return None
            return _unpacked(told, destinations, others_too=bool(tag))

        return RouteTables(*self._sharing.shared(_name(vpc_id, tag), ask, read))

    def _blocks(self, mine: Sequence[str], before: Any, tag: str) -> list[str]:
        """
        Return the destinations to ask for: those of this server's resources, and those that other checks asked for.

        The latter only fill up the last request of each kind, because the registry may have no such resource any
        more. A question by a tag is one request for any number of destinations.
        """
        from ec2kit.ec2.operations import MOST_VALUES

        ours = sorted({*mine, *self._neighbours(tag)})
        known = sorted(before.keys() - {*ours}) if isinstance(before, dict) else []
        found = list(ours)
        for kind in sorted(set(map(kind_of, ours))):
            alike = [each for each in known if kind_of(each) == kind]
            found += alike[: -sum(kind_of(each) == kind for each in ours) % MOST_VALUES]
        return found


def _name(vpc_id: str, tag: str) -> str:
    """Return the subject of the question; tags with one checksum displace, and never read, each other's answers."""
    if not tag:
        return f"route-tables.{vpc_id}"
    from zlib import crc32

    return f"route-tables.{vpc_id}.tag-{crc32(tag.encode(errors='replace')):08x}"


def _packed(blocks: Sequence[str], tables: Sequence[RouteTable], tag: str) -> Content:
    """
    Return the form that is kept: each check reads its own destinations, and alike tables of one share one entry.

    Returns:
        `{"tables": ["rtb-1", "rtb-2"], "routes": {"10.1.0.10/32": [[[["eni-1", "active", "CreateRoute"]], "0 1"]]}}`:
        destination → entries of the routes in a table, without it, and the places of the tables in the list. An
        answer about tables with a tag has `"tag": "KEY=VALUE"`.
    """
    routes: dict[str, dict[tuple[Any, ...], list[str]]] = {each: {} for each in blocks}
    for place, table in enumerate(tables):
        for block in {each.destination for each in table.routes}:
            alike = tuple(each[1:] for each in table.routes if each.destination == block)
            routes[block].setdefault(alike, []).append(str(place))
    entries = {block: [[alike, " ".join(places)] for alike, places in each.items()] for block, each in routes.items()}
    content: Content = {"tables": [each.route_table_id for each in tables], "routes": entries}
    return {**content, "tag": tag} if tag else content


def _unpacked(kept: Content, blocks: Sequence[str], *, others_too: bool) -> tuple[RouteTable, ...]:
    """Return the tables that have a route to one of the destinations, or all tables, in EC2's order."""
    found: dict[int, tuple[Route, ...]] = dict.fromkeys(range(len(kept["tables"])), ()) if others_too else {}
    for block in blocks:
        for alike, places in kept["routes"][block]:
            routes = tuple(Route(block, *each) for each in alike)
            found.update((int(place), (*found.get(int(place), ()), *routes)) for place in places.split())
    return tuple(RouteTable(kept["tables"][place], found[place]) for place in sorted(found))
