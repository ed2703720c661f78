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
    from ec2kit.settings import Settings

    class Source(Protocol):
        """The source of an observation: EC2, or an answer of EC2 that the checks share."""

        def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables: ...


# -- the definition ------------------------------------------------------------------------------------------


class Own(NamedTuple):
    """
    The part of a definition that only routes have.

    Attributes:
        route_table_ids, route_table_tag: The chosen tables, the only ones that count: those that are listed, and
            those that have the tag "KEY=VALUE" now. Both empty: all tables of the VPC that have the route.
        role_arn, external_id: The role under which the tables are looked at and changed, and the word that its trust
            policy wants. "": none; the tables belong to the account of the servers.
    """

    route_table_ids: tuple[str, ...] = ()
    route_table_tag: str = ""
    role_arn: str = ""
    external_id: str = ""

    @property
    def chooses(self) -> bool:
        """Tell whether only chosen tables count."""
        return bool(self.route_table_ids or self.route_table_tag)


def own(stored: Mapping[str, Any]) -> Own:
    """Read `Own` from the stored form of a definition; raises ValueError, also if the address does not fit."""
    texts = ("route_table_tag", "role_arn", "external_id")
    found = Own(stored_texts(stored, "route_table_ids"), *(stored_text({each: "", **stored}, each) for each in texts))
    if found.role_arn or found.external_id:
        _must_be_a_role(found)
    if found.route_table_tag and not is_tag_of_aws(found.route_table_tag):
        raise ValueError("its tag of route tables is not KEY=VALUE")
    must_fit(stored_text(stored, "address"), found)
    return found


def _must_be_a_role(own: Own) -> None:
    from ec2kit.role import is_external_id, is_role_arn

    if not own.role_arn:
        raise ValueError("its external id belongs to a role, and it has none")
    if not is_role_arn(own.role_arn):
        raise ValueError("its role is not the ARN of a role")
    if own.external_id and not is_external_id(own.external_id):
        raise ValueError("its external id is none")


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


def role(resource: Resource) -> Role | None:
    """Return the role under which the tables are looked at and changed, None if there is none."""
    if not resource.own.role_arn:
        return None
    from ec2kit.role import Role

    return Role(resource.own.role_arn, resource.own.external_id)


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


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at the routes.

    Raises:
        Ec2KitError: EC2 gave no usable answer. If only later pages are missing, the observation has the earlier ones.
    """
    listed, tag = resource.own.route_table_ids, resource.own.route_table_tag
    ask = partial(source.route_tables, vpc_id=resource.vpc_id, destinations=destinations(resource))
    tagged = ask(tag=tag) if tag else None
    by_route = ask() if listed or not tag else None
    answers = [each for each in (tagged, by_route) if each is not None]
    tables = {table.route_table_id: table for each in answers for table in each.tables}
    unknown = next((each.unknown for each in answers if each.unknown is not None), None)
    if unknown is not None and not tables:
        raise unknown
    with_tag = tuple(table.route_table_id for table in tagged.tables) if tagged is not None else ()
    chosen = {*listed, *with_tag} if resource.own.chooses else {*tables}
    routes: dict[str, Route] = {}
    of_others: dict[str, Route] = {}
    for table in (table for name, table in tables.items() if name in chosen):
        for route in reversed(table.routes):  # the first of several counts
            of_its_kind = routes if route.is_static else of_others
            of_its_kind[object_of(resource, table.route_table_id, route.destination)] = route
    of_others = {target: route for target, route in of_others.items() if target not in routes}
    return Observed(resource, server, routes, unknown, of_others, with_tag)


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Source:
    """
    Return the tables as the checks of this server share them.

    One check asks for all resources of the VPC that are looked at under the same role.
    """
    from ec2kit.scenarios.route_table.sharing import SharedTables

    mine, under = (resource.scenario, resource.vpc_id), role(resource)

    def neighbours(tag: str) -> list[str]:
        found = [each for each in others() if (each.scenario, each.vpc_id) == mine and role(each) == under]
        return [block for each in found if tag in _asked_by(each.own) for block in destinations(each)]

    return SharedTables(sharing, neighbours)


def _asked_by(own: Own) -> tuple[str, ...]:
    """Return the tags by which a resource asks for its tables; "" stands for the question by destinations."""
    by_route = ("",) if own.route_table_ids or not own.route_table_tag else ()
    return (*by_route, own.route_table_tag) if own.route_table_tag else by_route
