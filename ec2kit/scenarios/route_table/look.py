"""The definition of a resource of routes is read here, and EC2's routes to its destinations are looked at."""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.resource import hosts, is_ipv4, stored_text, stored_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from ec2kit.ec2.answers import Route, RouteTables
    from ec2kit.ec2.snapshot import Sharing
    from ec2kit.errors import Ec2KitError
    from ec2kit.holding import Holdings
    from ec2kit.resource import Resource, Server
    from ec2kit.role import Role
    from ec2kit.scenarios.route_table.role import Roles
    from ec2kit.settings import Settings

    class Source(Protocol):
        """The source of an observation: EC2, or an answer of EC2 that the checks share."""

        def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables: ...

        def under(self, role: Role | None) -> Source: ...

        def together(self, looks: Sequence[Callable[[], RouteTables]]) -> list[RouteTables | Exception]: ...


# -- the definition ------------------------------------------------------------------------------------------


class Own(NamedTuple):
    """
    The part of a definition that only routes have.

    Attributes:
        route_table_ids, route_table_tag: The chosen tables, the only ones that count: those that are listed, and
            those that have the tag "KEY=VALUE" now. Both empty: all tables of the VPC that have the route.
        role_arn, external_id: The roles under which the tables are looked at and changed, as `role.read` reads them,
            and the word that their trust policies want. "": none; the tables belong to the account of the servers.
    """

    route_table_ids: tuple[str, ...] = ()
    route_table_tag: str = ""
    role_arn: str = ""
    external_id: str = ""

    @property
    def chooses(self) -> bool:
        """Tell whether only chosen tables count."""
        return bool(self.route_table_ids or self.route_table_tag)

    @property
    def roles(self) -> Roles | None:
        """Return the roles; None: each table is looked at and changed by the server's own credentials."""
        if not self.role_arn:
            return None
        from ec2kit.scenarios.route_table.role import read

        return read(self.role_arn, self.external_id)

    def role_of(self, route_table_id: str) -> Role | None:
        """Return the role under which a table is looked at and changed, None if there is none."""
        roles = self.roles
        return roles.of(route_table_id) if roles else None


def own(stored: Mapping[str, Any]) -> Own:
    """Read `Own` from the stored form of a definition; raises ValueError, also if the address does not fit."""
    texts = ("route_table_tag", "role_arn", "external_id")
    found = Own(stored_texts(stored, "route_table_ids"), *(stored_text({each: "", **stored}, each) for each in texts))
    if found.role_arn or found.external_id:
        must_be_roles(found)
    if found.route_table_tag and not is_tag_of_aws(found.route_table_tag):
        raise ValueError("its tag of route tables is not KEY=VALUE")
    must_fit(stored_text(stored, "address"), found)
    return found


def must_be_roles(own: Own) -> None:
    """Refuse roles that a resource cannot have, as one of a table that is not listed; raises ValueError."""
    from ec2kit.scenarios.route_table.role import read, text_of

    found = read(own.role_arn, own.external_id)
    others = [each for each in found.of_tables if each not in own.route_table_ids]
    if others:
        raise ValueError(f"{others[0]} has a role, and is not among its listed route tables")
    if text_of(found) != own.role_arn:
        raise ValueError("its roles are not in their usual form")


def must_fit(address: str, own: Own) -> None:
    """
    Refuse addresses that a resource cannot have.

    Raises:
        ValueError: One is no destination of a route in its usual form, stands there twice, or is a block or a prefix
            list although no tables are chosen.
    """
    several = address.split(",")
    wrong = [each for each in several if not each or usual_form(each) != each]
    if wrong or len(set(several)) < len(several):
        raise ValueError("its address is not one of IPv4 or IPv6, nor another destination of a route")
    if len(hosts(address)) < len(several) and not own.chooses:
        raise ValueError("a block or a prefix list is a destination in chosen tables only")


def usual_form(text: str) -> str:
    """
    Return a destination in the form of a definition: "10.1.0.10", "2001:db8::1", "10.1.0.0/16", "::/0", "pl-0a1b".

    Returns:
        "" if the text is no destination; a block has no bits behind its length.
    """
    if is_ipv4(text):
        return text
    if text.startswith("pl-"):
        return text if _PREFIX_LIST.fullmatch(text) else ""
    import ipaddress

    try:
        if "%" in text:
            return ""
        block = ipaddress.ip_network(text)
        return str(block.network_address if block.prefixlen == block.max_prefixlen else block)
    except ValueError:
        return ""


_PREFIX_LIST = re.compile("pl-[0-9a-f]{1,40}")


def is_tag_of_aws(text: str) -> bool:
    """
    Tell whether a text is "KEY=VALUE" with a key and a value that a tag may have; the first "=" ends the key.

    Source: Amazon EC2 user guide, "Tag restrictions".
    """
    key, equals, value = text.partition("=")
    return bool(key and equals) and len(key) <= 128 and len(value) <= 256 and text.isprintable()


def roles(resource: Resource) -> tuple[str, ...]:
    """Return the ARNs of the roles under which tables are looked at and changed."""
    return tuple(dict.fromkeys(role.role_arn for role, _ in questions(resource.own) if role is not None))


def destinations(resource: Resource) -> tuple[str, ...]:
    """Return the destinations of the routes, "10.1.0.10/32" for a virtual IP."""
    return tuple(map(destination, resource.addresses))


def destination(address: str) -> str:
    """Return the destination of the routes to one address of a definition."""
    if not hosts(address):
        return address
    return f"{address}/128" if ":" in address else f"{address}/32"


def subject(resource: Resource) -> str:
    """Return the address, with the chosen tables if there are any: "10.1.0.10@rtb-1,rtb-2,tag:KEY=VALUE"."""
    tag = resource.own.route_table_tag
    places = [*resource.own.route_table_ids, *([f"tag:{tag}"] if tag else [])]
    return resource.address + (f"@{','.join(places)}" if places else "")


def holdings(resource: Resource) -> Holdings:
    """Return the route to each destination, in the chosen tables or in all of the VPC."""
    from ec2kit.holding import Holding

    own: Own = resource.own
    places = (*own.route_table_ids, *([own.route_table_tag] if own.route_table_tag else []))
    return tuple(Holding(f"route {each} of {resource.vpc_id}", places) for each in destinations(resource))


# -- looking -------------------------------------------------------------------------------------------------


class Observed(NamedTuple):
    """
    EC2's answer about the destinations.

    Attributes:
        routes: Object → the static route, which EC2 uses whatever other routes to the destination the table has. The
            object is the table's id, with several destinations "rtb-1 10.1.0.10/32".
        unknown: The error because of which some tables may be missing.
        of_others: Object → the route, where only another mechanism made one.
        tagged: The tables that have the tag of the definition now.
    """

    resource: Resource
    server: Server
    routes: Mapping[str, Route]
    unknown: Ec2KitError | None = None
    of_others: Mapping[str, Route] = MappingProxyType({})
    tagged: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the chosen tables, each of which has to have the routes."""
        return tuple(dict.fromkeys((*self.resource.own.route_table_ids, *self.tagged)))

    @property
    def without_route(self) -> tuple[str, ...]:
        """Return the objects that the chosen tables lack; none if tables may be missing in the answer."""
        if self.unknown is not None:
            return ()
        wanted = [
            object_of(self.resource, table, each) for table in self.chosen for each in destinations(self.resource)
        ]
        return tuple(each for each in wanted if each not in self.routes)


def object_of(resource: Resource, route_table_id: str, destination: str) -> str:
    """Return the name of a route in plans and log lines."""
    return f"{route_table_id} {destination}" if len(resource.addresses) > 1 else route_table_id


def place_of(resource: Resource, name: str) -> tuple[str, str]:
    """Return the table and the destination of a route by its name."""
    table, _, destination = name.partition(" ")
    return table, destination or destinations(resource)[0]


def questions(own: Own) -> tuple[tuple[Role | None, str], ...]:
    """
    Return what has to be asked to see all tables: under which role, and by which tag; "": by the destinations.

    A table that is listed is seen by a question by the destinations under its role. A tag, and the tables of a
    resource that chooses none, are looked for under the role for all tables.
    """
    tag, roles = own.route_table_tag, own.roles
    default = roles.default if roles else None
    by_role = [own.role_of(each) for each in own.route_table_ids] or ([] if tag else [default])
    by_tag = [(default, tag)] if tag else []
    return tuple(dict.fromkeys((*by_tag, *((each, "") for each in by_role))))


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at the routes, under each role side by side.

    Raises:
        Ec2KitError: EC2 gave no usable answer. If only a part is missing, the observation has the rest.
    """
    own: Own = resource.own
    asked = questions(own)
    answers = _answers(source, resource, asked)
    seen = [
        (tag, table)
        for (role, tag), answer in zip(asked, answers, strict=True)
        for table in answer.tables
        if own.role_of(table.route_table_id) == role
    ]
    tables = {table.route_table_id: table for _, table in seen}
    errors = [each.unknown for each in answers if each.unknown is not None]
    unknown = max(errors, key=lambda each: getattr(each, "trouble", True), default=None)  # what a person has to end
    if unknown is not None and not tables:
        raise unknown
    with_tag = tuple(table.route_table_id for tag, table in seen if tag)
    chosen = {*own.route_table_ids, *with_tag} if own.chooses else {*tables}
    routes: dict[str, Route] = {}
    of_others: dict[str, Route] = {}
    for table in (table for name, table in tables.items() if name in chosen):
        for route in reversed(table.routes):  # the first of several counts
            of_its_kind = routes if route.is_static else of_others
            of_its_kind[object_of(resource, table.route_table_id, route.destination)] = route
    of_others = {target: route for target, route in of_others.items() if target not in routes}
    return Observed(resource, server, routes, unknown, of_others, with_tag)


def _answers(source: Source, resource: Resource, asked: Sequence[tuple[Role | None, str]]) -> Sequence[RouteTables]:
    """Return EC2's answer to each question; of one that does not come in time all pages are missing."""
    from ec2kit.ec2.answers import RouteTables
    from ec2kit.errors import DeadlinePassed

    vpc_id, blocks = resource.vpc_id, destinations(resource)
    looks = [
        partial(source.under(role).route_tables, vpc_id=vpc_id, destinations=blocks, tag=tag) for role, tag in asked
    ]
    if len(looks) == 1:
        return [looks[0]()]
    found: list[RouteTables] = []
    for each in source.together(looks):
        if isinstance(each, Exception) and not isinstance(each, DeadlinePassed):
            raise each
        found.append(RouteTables((), each) if isinstance(each, DeadlinePassed) else each)
    return found


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Source:
    """
    Return the tables as the checks of this server share them.

    One check asks for all resources of the VPC that are looked at under the same role.
    """
    from ec2kit.scenarios.route_table.sharing import SharedTables

    mine = (resource.scenario, resource.vpc_id)

    def neighbours(role: Role | None, tag: str) -> list[str]:
        found = [each for each in others() if (each.scenario, each.vpc_id) == mine]
        return [block for each in found if (role, tag) in questions(each.own) for block in destinations(each)]

    return SharedTables(sharing, neighbours)
