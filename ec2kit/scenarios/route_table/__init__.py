"""The scenario route-table: `<VIP>/32` routes, of the VPC or of chosen tables, point at the active server's ENI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.ec2.answers import ACTIVE, DEAD, DESTINATIONS, TARGETS, Receipt, Route, kind_of, kind_of_target
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.messages.statement import Reason, Reasons
from ec2kit.scenarios.route_table.look import (
    Observed,
    Own,
    destination,
    destinations,
    holdings,
    object_of,
    observe,
    own,
    place_of,
    questions,
    roles,
    shared,
    subject,
)
from ec2kit.status import ABSENT, UNSEEN, Change, Plan, Status, Verdict, Wanted, combine, gather

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.operations import Ec2
    from ec2kit.resource import Resource, Server
    from ec2kit.role import Role
    from ec2kit.scenarios.parameter import Agent
    from ec2kit.scenarios.scenario import Companion, Making, Permission
    from ec2kit.scenarios.situation.shown import Shown
    from ec2kit.settings import Settings

__all__ = ["Observed", "Own", "holdings", "observe", "own", "roles", "shared", "subject"]

_NO_TABLE, _NO_ROUTE, _NO_ENI = "rtb-00000000000000000", "192.0.2.1/32", "eni-00000000000000000"

ON_THE_DEVICE = True

_TRIES = 2
"""Maximum writes to one table; if another writer changes the route after the last one, it stays contested."""


def judge(observed: Observed) -> Verdict:
    """Tell whether every route is active and points at this server's ENI."""
    found = combine(verdicts(observed).values())
    return found._replace(reasons=tuple({str(each): each for each in found.reasons}.values()))


def verdicts(observed: Observed) -> Mapping[str, Verdict]:
    """Return address → verdict on its routes alone."""
    return {each: _judge_one(observed, destination(each)) for each in observed.resource.addresses}


def _judge_one(observed: Observed, block: str) -> Verdict:
    """Judge the routes to one destination."""
    routes = {name: route for name, route in observed.routes.items() if route.destination == block}
    lacking = [each for each in observed.without_route if place_of(observed.resource, each)[1] == block]
    found = _judge_routes(observed, routes) if routes else []
    if lacking:
        why = {each: _lacking(observed, each) for each in lacking}
        found.append(Verdict(Status.OUT_OF_SERVICE, gather(why)))
    if observed.unknown is not None:
        found.append(Verdict(Status.UNKNOWN, (observed.unknown,)))
    if not found:
        why = _nowhere(observed, block)
        others = _of_others(observed, block)
        found.append(Verdict(Status.OUT_OF_SERVICE, gather(why) if others else tuple(why.values())))
    return combine(found)


def _judge_routes(observed: Observed, routes: Mapping[str, Route]) -> list[Verdict]:
    """Return in service, or the verdicts on the routes that are wrong and on those in a state that is not known."""
    wrong: dict[str, Reason] = {}
    strange: dict[str, Reason] = {}
    for table, route in routes.items():
        shown = {"cidr": route.destination, "target": _show(observed, route)}
        if _is_here(observed, route) and route.state not in DEAD and not route.active:
            strange[table] = Reason.of(catalogue.ROUTE_STATE_UNKNOWN, **shown)
        elif not _is_right(observed, route):
            wrong[table] = Reason.of(catalogue.ROUTE_ELSEWHERE, **shown)
    verdicts = [Verdict(Status.OUT_OF_SERVICE, gather(wrong))] if wrong else []
    verdicts += [Verdict(Status.UNKNOWN, gather(strange))] if strange else []
    return verdicts or [Verdict(Status.IN_SERVICE)]


def _nowhere(observed: Observed, block: str) -> dict[str, Reason]:
    """Return why there is no route to move: for each table that has only another mechanism's, else for the VPC."""
    others = _of_others(observed, block)
    if others:
        return {each: _of_another(observed, each) for each in others}
    vpc_id, tag = observed.resource.vpc_id, observed.resource.own.route_table_tag
    if tag:
        return {vpc_id: Reason.of(catalogue.NO_TABLE_TAGGED, vpc_id=vpc_id, tag=tag)}
    name = object_of(observed.resource, vpc_id, block)
    return {name: Reason.of(catalogue.NO_ROUTE, vpc_id=vpc_id, cidr=block)}


def _of_others(observed: Observed, block: str) -> list[str]:
    return [name for name, route in observed.of_others.items() if route.destination == block]


def _of_another(observed: Observed, table: str) -> Reason:
    route = observed.of_others[table]
    fields = {"cidr": route.destination, "target": _show(observed, route), "origin": route.origin}
    return Reason.of(catalogue.ROUTE_OF_ANOTHER, **fields)


def _lacking(observed: Observed, name: str) -> Reason:
    if name in observed.of_others:
        return _of_another(observed, name)
    return Reason.of(catalogue.ROUTE_LACKING, cidr=place_of(observed.resource, name)[1])


def _show(observed: Observed, route: Route) -> str:
    return observed.resource.with_names(route.text)


def _is_right(observed: Observed, route: Route) -> bool:
    return route.active and _is_here(observed, route)


def _is_here(observed: Observed, route: Route) -> bool:
    return route.target == observed.server.network_interface_id


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    Return the routes still to move.

    For NOT_HERE the plan is empty: the next server's restore moves the routes.

    Args:
        made: Table id → the changes that EC2 has accepted, or that may have been carried out.
        conditional: Without meaning here, because ReplaceRoute has no conditional form.
    """
    if wanted is Wanted.NOT_HERE:
        return Plan()
    known = {*observed.routes, *made, *observed.without_route}
    nowhere = {*destinations(observed.resource)} - {place_of(observed.resource, each)[1] for each in known}
    changes: list[Change] = []
    gone = {*made} - {*observed.routes} - {*_without_the_tag(observed, made)}
    pending = {table: Reason.of(catalogue.ROUTE_GONE) for table in sorted(gone)}
    impossible = {table: _lacking(observed, table) for table in observed.without_route if table not in made}
    for block in sorted(nowhere):
        impossible |= _nowhere(observed, block)
    for table, route in observed.routes.items():
        if _is_right(observed, route):
            continue
        before = made.get(table, ())
        if _is_here(observed, route):
            pending[table] = Reason.of(catalogue.BLACKHOLE_HERE, target=_show(observed, route))
        elif any(route.target == change.old for change in before):
            late = Reason.of(catalogue.STILL_ELSEWHERE, target=_show(observed, route))
            pending[table] = late if len(before) < _TRIES else _contested(observed, route)
        elif len(before) < _TRIES:
            changes.append(_replace(observed.resource, table, route.target, observed.server.network_interface_id))
        else:
            impossible[table] = _contested(observed, route)
    return Plan(tuple(changes), pending, impossible)


def foreseen(observed: Observed, change: Change) -> Observed:
    """Return the routes after a change; EC2 refuses to replace a route that does not exist."""
    route = observed.routes.get(change.target)
    if change.operation == "CreateRoute" and route is None:
        route = Route(place_of(observed.resource, change.target)[1], None)
    if route is None:
        return observed
    moved = route._replace(target=change.new, state=ACTIVE)
    of_others = {name: each for name, each in observed.of_others.items() if name != change.target}
    return observed._replace(routes={**observed.routes, change.target: moved}, of_others=of_others)


def ahead(resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
    """
    Return a write to each remembered route in a table that is listed, or of the VPC if none is chosen.

    Which tables have the tag of a definition only a look can tell.
    """
    listed = resource.own.route_table_ids if resource.own.chooses else None
    blocks, target = destinations(resource), server.network_interface_id
    places = {name: place_of(resource, name) for name in remembered}
    known = [
        name
        for name, (table, block) in places.items()
        if (listed is None or table in listed) and block in blocks and name == object_of(resource, table, block)
    ]
    return tuple(_replace(resource, name, UNSEEN, target) for name in known)


def _contested(observed: Observed, route: Route) -> Reason:
    """Return the reason after the last write: another writer had made that write necessary."""
    return Reason.of(catalogue.ROUTE_CONTESTED, target=_show(observed, route))


def _replace(resource: Resource, name: str, old: str | None, target: str) -> Change:
    table, block = place_of(resource, name)
    arguments = {"route_table_id": table, kind_of(block): block, kind_of_target(target): target}
    return Change("ReplaceRoute", name, old=old, new=target, arguments=arguments, role=resource.own.role_of(table))


def creation(observed: Observed, name: str) -> Change:
    """Return the change that makes a route that a chosen table lacks, to this server."""
    table, block = place_of(observed.resource, name)
    target = observed.server.network_interface_id
    arguments = {"route_table_id": table, kind_of(block): block, kind_of_target(target): target}
    role = observed.resource.own.role_of(table)
    return Change("CreateRoute", name, old=None, new=target, arguments=arguments, role=role)


def deletion(observed: Observed, name: str) -> Change:
    """Return the change that takes a route away again that create has made."""
    table, block = place_of(observed.resource, name)
    arguments = {"route_table_id": table, kind_of(block): block}
    here, role = observed.server.network_interface_id, observed.resource.own.role_of(table)
    return Change("DeleteRoute", name, old=here, new=None, arguments=arguments, role=role)


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what the operation raises. Only create makes and deletes routes."""
    named, ec2 = {name: str(value) for name, value in change.arguments.items()}, ec2.under(change.role)
    if change.operation == "ReplaceRoute":
        return ec2.replace_route(target=change.target, **named)
    if change.operation == "CreateRoute":
        return ec2.create_route(target=change.target, **named)
    return ec2.delete_route(target=change.target, **named)


def patience(settings: Settings) -> float:
    """Return EC2_VERIFY_TIMEOUT."""
    return settings.verify_timeout


def companion(ec2: Ec2, server: Server) -> Companion:
    """Return the ENI's source/destination check, which has to be off."""
    from ec2kit.scenarios.source_dest_check import SourceDestCheck

    return SourceDestCheck(ec2, server)


def left_by_remove(settings: Settings) -> bool:
    """Return True: remove leaves the routes, and the next server's restore moves them."""
    return True


def message(change: Change) -> Notice:
    """Return the message of a route that was moved, made or deleted."""
    return _MESSAGES[change.operation], {"cidr": _destination(change)}


_MESSAGES = {
    "ReplaceRoute": catalogue.ROUTE_REPLACED,
    "CreateRoute": catalogue.ROUTE_CREATED,
    "DeleteRoute": catalogue.ROUTE_DELETED,
}


def _destination(change: Change) -> str:
    return next(str(value) for name, value in change.arguments.items() if name in DESTINATIONS)


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Return table id → the ENI that the active route points at; None for a blackhole."""
    return {table: route.target if route.active else None for table, route in observed.routes.items()}


def claimants(observed: Observed, target: str) -> tuple[str, ...]:
    """Return the owner of an object, which the object itself tells."""
    owner = owners(observed).get(target)
    return (owner,) if owner else ()


def objects(observed: Observed) -> tuple[str, ...]:
    """Return the objects that hold the address: the ids of the tables."""
    return tuple(observed.routes)


def remembered(observed: Observed, before: Collection[str] = ()) -> tuple[str, ...]:
    """Return the routes; without this, a check would not miss a table that has lost its route."""
    left = _without_the_tag(observed, before)
    return tuple(sorted({*before, *observed.routes} - {*left}))


def news(observed: Observed, before: Collection[str]) -> tuple[Notice, ...]:
    """Return a notice for each table that has lost its route, and for each that joined or left by its tag."""
    left = _without_the_tag(observed, before)
    came = {*observed.routes} - {*before} if before and observed.resource.own.route_table_tag else set()
    gone = {*before} - {*observed.routes} - {*left}
    turned = ((catalogue.TABLE_LOST_ROUTE, gone), (catalogue.TABLE_JOINED, came), (catalogue.TABLE_LEFT, left))
    return tuple((message, _turned(observed, each)) for message, names in turned for each in sorted(names))


def _turned(observed: Observed, name: str) -> dict[str, object]:
    table, block = place_of(observed.resource, name)
    return {"route_table_id": table, "cidr": block, "tag": observed.resource.own.route_table_tag}


def _without_the_tag(observed: Observed, before: Collection[str]) -> set[str]:
    """Return the routes in tables that were chosen by the tag before, and are not chosen now."""
    if not observed.resource.own.route_table_tag:
        return set()
    return {each for each in before if place_of(observed.resource, each)[0] not in observed.chosen}


def notices(observed: Observed) -> tuple[Notice, ...]:
    """Return nothing: a route displaces nothing."""
    return ()


def left_alone(observed: Observed) -> Reasons:
    """Return the tables in which only another mechanism made a route to the address."""
    return gather({table: _of_another(observed, table) for table in observed.of_others})


def permissions(observed: Observed | None) -> tuple[Permission, ...]:
    """
    Return the permissions to look and to move routes, of each role under which that is done.

    The question about ReplaceRoute names the target that the route has now, so that it changes nothing where an
    endpoint ignores DryRun. IAM looks at the table alone.

    Source: Service Authorization Reference, Amazon EC2, ReplaceRoute.
    """
    from ec2kit.scenarios.scenario import Permission

    found: list[Permission] = []
    for role in dict.fromkeys(role for role, _ in questions(observed.resource.own)) if observed else (None,):
        found.append(Permission("DescribeRouteTables", {}, role=role))
        found.append(Permission("ReplaceRoute", _question(observed, role), role=role))
    return tuple(found)


def _question(observed: Observed | None, role: Role | None) -> Mapping[str, object] | None:
    """Return the arguments of a ReplaceRoute that changes nothing; None if no route has a target to name."""
    routes = {
        name: route
        for name, route in (observed.routes if observed else {}).items()
        if observed and observed.resource.own.role_of(place_of(observed.resource, name)[0]) == role
    }
    if observed is None or not routes:
        return {"RouteTableId": _NO_TABLE, "DestinationCidrBlock": _NO_ROUTE, "NetworkInterfaceId": _NO_ENI}
    for name, route in routes.items():
        if kind := kind_of_target(route.target or ""):
            block, table = DESTINATIONS[kind_of(route.destination)], place_of(observed.resource, name)[0]
            return {"RouteTableId": table, block: route.destination, TARGETS[kind]: route.target}
    return None


def origin(observed: Observed) -> dict[str, str]:
    """Return for `undo` table id → the present target of its route, or ""."""
    return {table: route.target or "" for table, route in observed.routes.items()}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """Return the changes that point the routes back to their targets before."""
    changes: list[Change] = []
    impossible: dict[str, Reason] = {}
    for table, target in before.items():
        route = observed.routes.get(table)
        if route is None or route.target != observed.server.network_interface_id or target == route.target:
            continue
        if target == ABSENT:
            changes.append(deletion(observed, table))
        elif kind_of_target(target):
            changes.append(_replace(observed.resource, table, route.target, target))
        else:
            impossible[table] = Reason.of(catalogue.WAS_NO_ENI, target=target or "nothing")
    return Plan(tuple(changes), impossible=impossible)


def making() -> Making:
    """Return the module by which resources of routes are made, checked, tried and shown."""
    from ec2kit.scenarios.route_table import create

    return create


def agent() -> Agent:
    """Return the OCF agent of routes."""
    from ec2kit.scenarios.route_table.parameters import AGENT

    return AGENT


def recorded() -> type[Shown]:
    """Return the class that writes and reads what is shown of routes."""
    from ec2kit.scenarios.route_table.situation import RouteTableShown

    return RouteTableShown
