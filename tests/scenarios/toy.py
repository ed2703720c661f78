"""
A third kind of address, made of the protocol alone: a subnet behind the active server, by its route in one table.

It differs from both that ship in what might be taken for granted: its address is a block, several of its fields are
its own, remove gives the route to another ENI, servers may share a zone, nothing answers a ping, and one of its
permissions cannot be asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.ec2.answers import Receipt, Route
from ec2kit.errors import ArgumentInvalid, Ec2KitError
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.holding import Holding, Holdings
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.messages.statement import Reason, Reasons
from ec2kit.resource import Resource, Server, stored_text, stored_texts
from ec2kit.scenarios.parameter import PROFILE, REGION, REPAIR, Agent, Parameter, anything, device
from ec2kit.scenarios.scenario import Check, Grant, Ground, Making, Permission
from ec2kit.scenarios.source_dest_check import SourceDestCheck
from ec2kit.scenarios.wish import Field, Found, Given, Offered
from ec2kit.status import Change, Plan, Status, Verdict, Wanted, gather

if TYPE_CHECKING:
    from ec2kit.deadline import Deadline
    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.host.instance import Interface
    from ec2kit.settings import Settings

# -- its definition ----------------------------------------------------------------------------------------------


class Own(NamedTuple):
    """
    Attributes:
        route_table_id: The table, "rtb-1".
        parked_at: ENIs that the route may be given to when no server has it; the first is.
    """

    route_table_id: str
    parked_at: tuple[str, ...]


def own(stored: Mapping[str, Any]) -> Own:
    block(stored_text(stored, "address"))
    return Own(stored_text(stored, "route_table_id"), stored_texts(stored, "parked_at"))


def block(text: str) -> str:
    return str(ipaddress.IPv4Network(text))


# -- looking and deciding ----------------------------------------------------------------------------------------


class Observed(NamedTuple):
    resource: Resource
    server: Server
    route: Route | None
    unknown: Ec2KitError | None = None

    @property
    def is_right(self) -> bool:
        route = self.route
        return route is not None and route.active and route.target == self.server.network_interface_id

    @property
    def target(self) -> str:
        return self.resource.with_names(self.route.text if self.route else "nothing")


def observe(source: Any, resource: Resource, server: Server, settings: Settings) -> Observed:
    answer = source.route_tables(vpc_id=resource.vpc_id, destinations=[resource.address])
    tables = {each.route_table_id: each.routes[0] for each in answer.tables}
    return Observed(resource, server, tables.get(resource.own.route_table_id), answer.unknown)


class Shared(NamedTuple):
    sharing: Sharing

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> Any:
        """One table and one block are asked for; there is no other check to serve."""
        from ec2kit.ec2.answers import RouteTable, RouteTables

        def ask(ec2: Ec2, before: Mapping[str, Any]) -> Asked:
            answer = ec2.route_tables(vpc_id=vpc_id, destinations=destinations)
            return {each.route_table_id: each.routes[0]._asdict() for each in answer.tables}, answer.unknown

        def read(told: Mapping[str, Any]) -> tuple[RouteTable, ...]:
            tables = {name: route for name, route in told.items() if name.startswith("rtb-")}
            return tuple(RouteTable(name, (Route(**route),)) for name, route in tables.items())

        return RouteTables(*self.sharing.shared(f"toy.{vpc_id}.{destinations[0]}", ask, read))


def subject(resource: Resource) -> str:
    return resource.address


def holdings(resource: Resource) -> Holdings:
    return (Holding(f"route {resource.address}", (resource.own.route_table_id,)),)


def roles(resource: Resource) -> tuple[str, ...]:
    """The table belongs to the account of the servers."""
    return ()


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Shared:
    return Shared(sharing)


def judge(observed: Observed) -> Verdict:
    if observed.is_right:
        return Verdict(Status.IN_SERVICE)
    if observed.route is None and observed.unknown is not None:
        return Verdict(Status.UNKNOWN, (observed.unknown,))
    why = Reason.of(catalogue.ROUTE_ELSEWHERE, cidr=observed.resource.address, target=observed.target)
    return Verdict(Status.OUT_OF_SERVICE, gather({observed.resource.own.route_table_id: why}))


def verdicts(observed: Observed) -> Mapping[str, Verdict]:
    return {observed.resource.address: judge(observed)}


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    table = observed.resource.own.route_table_id
    if observed.route is None:
        lacking = Reason.of(catalogue.ROUTE_LACKING, cidr=observed.resource.address)
        return Plan(impossible={table: lacking} if wanted is Wanted.HERE else {})
    if (wanted is Wanted.HERE) is observed.is_right:
        return Plan()
    if table in made:
        return Plan(pending={table: Reason.of(catalogue.STILL_ELSEWHERE, target=observed.target)})
    parked_at = observed.resource.own.parked_at[0]
    return Plan((_replace(observed, observed.server.network_interface_id if wanted is Wanted.HERE else parked_at),))


def _replace(observed: Observed, target: str) -> Change:
    table, old = observed.resource.own.route_table_id, observed.route.target if observed.route else None
    arguments = {"destination_cidr_block": observed.resource.address, "network_interface_id": target}
    return Change("ReplaceRoute", table, old=old, new=target, arguments={"route_table_id": table, **arguments})


def foreseen(observed: Observed, change: Change) -> Observed:
    return observed._replace(route=observed.route and observed.route._replace(target=change.new, state="active"))


def ahead(resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
    """Nothing: this kind always looks first."""
    return ()


def origin(observed: Observed) -> dict[str, str]:
    return {} if observed.route is None else {observed.resource.own.route_table_id: observed.route.target or ""}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    target = before.get(observed.resource.own.route_table_id)
    if not target or not observed.is_right or target == observed.server.network_interface_id:
        return Plan()
    return Plan((_replace(observed, target),))


# -- changing ----------------------------------------------------------------------------------------------------


def permissions(observed: Observed | None) -> tuple[Permission, ...]:
    return (
        Permission("DescribeRouteTables", {}),
        Permission("ChangeResourceRecordSets", None, service="route53"),
    )


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    return ec2.replace_route(**{name: str(value) for name, value in change.arguments.items()})


def patience(settings: Settings) -> float:
    return settings.verify_timeout


def companion(ec2: Ec2, server: Server) -> SourceDestCheck:
    return SourceDestCheck(ec2, server)


def left_by_remove(settings: Settings) -> bool:
    return False


# -- telling -----------------------------------------------------------------------------------------------------


def owners(observed: Observed) -> dict[str, str | None]:
    return {} if observed.route is None else {observed.resource.own.route_table_id: observed.route.target}


def claimants(observed: Observed, target: str) -> tuple[str, ...]:
    owner = owners(observed).get(target)
    return (owner,) if owner else ()


def objects(observed: Observed) -> tuple[str, ...]:
    return tuple(owners(observed))


def remembered(observed: Observed, before: Collection[str] = ()) -> tuple[str, ...]:
    return ()


def news(observed: Observed, before: Collection[str]) -> tuple[Notice, ...]:
    return ()


def message(change: Change) -> Notice:
    return catalogue.ROUTE_REPLACED, {"cidr": change.arguments["destination_cidr_block"]}


def notices(observed: Observed) -> tuple[Notice, ...]:
    return ()


def left_alone(observed: Observed) -> Reasons:
    return Reasons()


# -- making ------------------------------------------------------------------------------------------------------


def _checked_block(name: str, text: str) -> str:
    try:
        return block(text)
    except ValueError as error:
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is no block of addresses") from error


FIELDS: tuple[Field, ...] = (
    Field("subnet", "--subnet", "BLOCK", "of a subnet-route resource", "Subnet", _checked_block, names_it=True),
    Field("table", "--table", "rtb-…", "the table that has the route", "Route table"),
    Field("parked_at", "--parked-at", "ENI", "where the route points when no server has it", "Parked at"),
)


def understood(given: Given, address_of: Callable[[str], str] | None) -> Given:
    for each in FIELDS:
        if each.name not in given:
            raise ArgumentInvalid(name=each.word, reason=f"a subnet-route resource needs {each.option}")
    return given


def find(given: Given, ec2: Ec2) -> Found:
    return Found(given["subnet"], Own(given["table"], (given["parked_at"],)))


def preparations(given: Given, observed: Any) -> tuple[Change, ...]:
    return ()


def offers(ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
    return {}


LOOK = "DescribeRouteTables"
ONE_VPC = True
DIFFERENT_ZONES = False
ON_THE_DEVICE = False


def interface_findings(ground: Ground, eni: NetworkInterface) -> Findings:
    yield Finding("toy's interface", Outcome.NOTE, f"{eni.network_interface_id} was looked at")


def displaces(ground: Ground) -> Holdings:
    return ()


def replies_to(interface: Interface) -> str:
    return "192.0.2.1"


def _route(ground: Ground) -> Findings:
    seen: Observed = ground.seen
    outcome = Outcome.OK if seen.route is not None else Outcome.FAILED
    yield Finding("subnet route", outcome, f"{ground.resource.address} points at {seen.target}")


CHECKS: tuple[tuple[str, Check], ...] = (("subnet route", _route),)

ON_DEMAND: tuple[tuple[str, Check], ...] = ()


def grants(resource: Resource, observed: Observed) -> tuple[Grant, ...]:
    return (Grant("MoveRoutes", ("ec2:ReplaceRoute",), tuple(f"route-table/{each}" for each in objects(observed))),)


NOT_PROVED_BY_PING = ""
WHEN_SILENT = ""


def packets_to(resource: Resource, holder: Server | None) -> tuple[str, ...]:
    return ()


def shown(resource: Resource) -> str:
    return f"{resource.address} in {resource.own.route_table_id}"


IN_VENDORS_KIT = False


def making() -> Making:
    from . import toy  # noqa: PLW0406  # one module is both parts

    return toy


def agent() -> Agent:
    parameters = (
        Parameter("subnet", "subnet", "The subnet.", anything, "address", required=True, needed_to_stop=True),
        Parameter("table", "table", "The table.", anything, "route_table_id", needed_to_stop=True),
        Parameter("parked_at", "parked at", "An ENI.", lambda name, text: (text,), "parked_at", needed_to_stop=True),
        Parameter("interface", "interface", "The interface.", device, "device", needed_to_stop=True),
    )
    return Agent("moves a subnet", "Moves a subnet.", (*parameters, REPAIR, REGION, PROFILE))


def recorded() -> None:
    """Nothing: no situation of this kind is recorded."""
