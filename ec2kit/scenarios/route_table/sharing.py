"""The checks of one server share the route tables of a VPC: one question asks for the routes of all resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ec2kit.ec2.answers import Route, RouteTable, RouteTables, kind_of

Found = TypeVar("Found")

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.role import Role
    from ec2kit.state.file import Content

    Neighbours = Callable[[Role | None, str], Sequence[str]]


class SharedTables:
    """
    The shared answer of DescribeRouteTables, in the form of `Ec2.route_tables`.

    Args:
        neighbours: Returns the destinations of this server's other resources in the VPC that look for their tables
            under this role and by this tag, or by none ("10.1.0.20/32"); one question asks for all of them.
        role: The role under which EC2 is asked; an answer to one is none to another.
    """

    def __init__(self, sharing: Sharing, neighbours: Neighbours, role: Role | None = None) -> None:
        self._sharing = sharing
        self._neighbours = neighbours
        self._role = role

    def under(self, role: Role | None) -> SharedTables:
        """Return the tables as the checks share them that look under this role."""
        return SharedTables(self._sharing, self._neighbours, role)

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found | Exception]:
        """Do looks side by side, as `Ec2.together` does."""
        return self._sharing.together(looks)

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """Return the route tables, as `Ec2.route_tables` does."""
        role = self._role

        def is_about_it(told: Content) -> bool:
            return (told.get("tag", ""), told.get("role", "")) == (tag, _key(role))

        def ask(ec2: Ec2, before: Content) -> Asked:
            told = before if is_about_it(before) else {}
            blocks = self._blocks(destinations, told.get("routes"), tag)
            answer = ec2.under(role).route_tables(vpc_id=vpc_id, destinations=blocks, tag=tag)
            return _packed(blocks, answer.tables, tag, role), answer.unknown

        def read(told: Content) -> tuple[RouteTable, ...] | None:
            if not is_about_it(told) or any(each not in told["routes"] for each in destinations):
                return None
            return _unpacked(told, destinations, others_too=bool(tag))

        return RouteTables(*self._sharing.shared(_name(vpc_id, tag, role), ask, read))

    def _blocks(self, mine: Sequence[str], before: Any, tag: str) -> list[str]:
        """
        Return the destinations to ask for: those of this server's resources, and those that other checks asked for.

        The latter only fill up the last request of each kind, because the registry may have no such resource any
        more. A question by a tag is one request for any number of destinations.
        """
        from ec2kit.ec2.operations import MOST_VALUES

        ours = sorted({*mine, *self._neighbours(self._role, tag)})
        known = sorted(before.keys() - {*ours}) if isinstance(before, dict) else []
        found = list(ours)
        for kind in sorted(set(map(kind_of, ours))):
            alike = [each for each in known if kind_of(each) == kind]
            found += alike[: -sum(kind_of(each) == kind for each in ours) % MOST_VALUES]
        return found


def _key(role: Role | None) -> str:
    return role.key if role is not None else ""


def _name(vpc_id: str, tag: str, role: Role | None) -> str:
    """
    Return the subject of the question.

    Tags, and roles, with one checksum displace, and never read, each other's answers.
    """
    name = f"route-tables.{vpc_id}"
    if tag or role:
        from zlib import crc32

        for kind, text in (("tag", tag), ("role", _key(role))):
            name += f".{kind}-{crc32(text.encode(errors='replace')):08x}" if text else ""
    return name


def _packed(blocks: Sequence[str], tables: Sequence[RouteTable], tag: str, role: Role | None) -> Content:
    """
    Return the form that is kept: each check reads its own destinations, and alike tables of one share one entry.

    Returns:
        `{"tables": ["rtb-1", "rtb-2"], "routes": {"10.1.0.10/32": [[[["eni-1", "active", "CreateRoute"]], "0 1"]]}}`:
        destination → entries of the routes in a table, without it, and the places of the tables in the list. An
        answer about tables with a tag has `"tag": "KEY=VALUE"`, one under a role `"role": "arn:… EXTERNAL-ID"`.
    """
    routes: dict[str, dict[tuple[Any, ...], list[str]]] = {each: {} for each in blocks}
    for place, table in enumerate(tables):
        for block in {each.destination for each in table.routes}:
            alike = tuple(each[1:] for each in table.routes if each.destination == block)
            routes[block].setdefault(alike, []).append(str(place))
    entries = {block: [[alike, " ".join(places)] for alike, places in each.items()] for block, each in routes.items()}
    content: Content = {"tables": [each.route_table_id for each in tables], "routes": entries}
    return {**content, **({"tag": tag} if tag else {}), **({"role": role.key} if role else {})}


def _unpacked(kept: Content, blocks: Sequence[str], *, others_too: bool) -> tuple[RouteTable, ...]:
    """Return the tables that have a route to one of the destinations, or all tables, in EC2's order."""
    found: dict[int, tuple[Route, ...]] = dict.fromkeys(range(len(kept["tables"])), ()) if others_too else {}
    for block in blocks:
        for alike, places in kept["routes"][block]:
            routes = tuple(Route(block, *each) for each in alike)
            found.update((int(place), (*found.get(int(place), ()), *routes)) for place in places.split())
    return tuple(RouteTable(kept["tables"][place], found[place]) for place in sorted(found))
