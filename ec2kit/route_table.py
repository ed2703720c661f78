"""Route table scenario: every `<VIP>/32` route, of the VPC or of listed tables, points at the active server's ENI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ec2kit import messages
from ec2kit.answers import Receipt, Route
from ec2kit.errors import Ec2KitError
from ec2kit.messages import Message, Notice
from ec2kit.resource import Resource, Server
from ec2kit.status import Change, Plan, Status, Verdict, Wanted, combine, gather

if TYPE_CHECKING:
    from ec2kit.aws import Ec2
    from ec2kit.deadline import Deadline
    from ec2kit.scenario import Permission, Source
    from ec2kit.settings import Settings

_NO_TABLE = "rtb-00000000000000000"

_TRIES = 2
"""Writes to one table: if somebody else points it elsewhere after ours, once more, then it is contested."""


class Observed(NamedTuple):
    """
    What EC2 says of the address.

    Attributes:
        routes: Table id → its route to the virtual IP.
        unknown: Why some tables may be missing.
    """

    resource: Resource
    server: Server
    routes: Mapping[str, Route]
    unknown: Ec2KitError | None = None

    @property
    def without_route(self) -> tuple[str, ...]:
        """The tables that are listed and do not have the route, as far as that can be said."""
        listed = self.resource.route_table_ids if self.unknown is None else ()
        return tuple(each for each in listed if each not in self.routes)


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at the routes.

    Raises:
        Ec2KitError: EC2 told nothing; what it told before it fell silent is kept.
    """
    answer = source.route_tables(vpc_id=resource.vpc_id, destination_cidr_block=resource.cidr)
    if answer.unknown is not None and not answer.tables:
        raise answer.unknown
    listed = resource.route_table_ids
    tables = [table for table in answer.tables if not listed or table.route_table_id in listed]
    routes = {table.route_table_id: table.routes[0] for table in tables}
    return Observed(resource, server, routes, answer.unknown)


def judge(observed: Observed) -> Verdict:
    """Tell whether every route is active and points at this server's ENI."""
    verdicts = [_judge_routes(observed)] if observed.routes else []
    if observed.without_route:
        lacking = {table: _lacking(observed) for table in observed.without_route}
        verdicts.append(Verdict(Status.OUT_OF_SERVICE, gather(lacking)))
    if observed.unknown is not None:
        verdicts.append(Verdict(Status.UNKNOWN, (str(observed.unknown),)))
    if not verdicts:
        text = messages.NO_ROUTE.render(vpc_id=observed.resource.vpc_id, cidr=observed.resource.cidr)
        verdicts.append(Verdict(Status.OUT_OF_SERVICE, (text,)))
    return combine(verdicts)


def _judge_routes(observed: Observed) -> Verdict:
    wrong = {
        table: f"{observed.resource.cidr} points at {_show(observed, route)}"
        for table, route in observed.routes.items()
        if not _is_right(observed, route)
    }
    return Verdict(Status.OUT_OF_SERVICE, gather(wrong)) if wrong else Verdict(Status.IN_SERVICE)


def _lacking(observed: Observed) -> str:
    return f"no route {observed.resource.cidr}"


def _show(observed: Observed, route: Route) -> str:
    return observed.resource.with_names(route.text)


def _is_right(observed: Observed, route: Route) -> bool:
    return route.active and route.target == observed.server.network_interface_id


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    The routes still to move.

    Moving them off a server is the next server's restore, so for NOT_HERE there is nothing to do.

    Args:
        made: Table id → the changes that EC2 has accepted, or that may have been carried out.
        conditional: Without meaning here, ReplaceRoute has no conditional form.
    """
    if wanted is Wanted.NOT_HERE:
        return Plan()
    if not observed.routes and not made and not observed.without_route:
        text = messages.NO_ROUTE.render(vpc_id=observed.resource.vpc_id, cidr=observed.resource.cidr)
        return Plan(impossible={observed.resource.vpc_id: text})
    changes: list[Change] = []
    pending = {table: "the route is gone" for table in made if table not in observed.routes}
    impossible = {table: _lacking(observed) for table in observed.without_route if table not in made}
    for table, route in observed.routes.items():
        if _is_right(observed, route):
            continue
        before = made.get(table, ())
        if route.target == observed.server.network_interface_id:
            pending[table] = f"points at {_show(observed, route)}: is the ENI attached to a running instance?"
        elif any(route.target == change.old for change in before):
            late = f"still points at {_show(observed, route)}"
            pending[table] = late if len(before) < _TRIES else _contested(observed, route)
        elif len(before) < _TRIES:
            changes.append(_replace(observed, table, route, observed.server.network_interface_id))
        else:
            impossible[table] = _contested(observed, route)
    return Plan(tuple(changes), pending, impossible)


def _contested(observed: Observed, route: Route) -> str:
    """Said after the last write only: what made it necessary was another hand."""
    return f"contested: somebody else points it at {_show(observed, route)}"


def _replace(observed: Observed, table: str, route: Route, target: str) -> Change:
    return Change(
        "ReplaceRoute",
        table,
        old=route.target,
        new=target,
        arguments={
            "route_table_id": table,
            "destination_cidr_block": observed.resource.cidr,
            "network_interface_id": target,
        },
    )


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what `Ec2.replace_route` raises."""
    return ec2.replace_route(
        route_table_id=str(change.arguments["route_table_id"]),
        destination_cidr_block=str(change.arguments["destination_cidr_block"]),
        network_interface_id=str(change.arguments["network_interface_id"]),
    )


def message(change: Change) -> Message:
    """The catalogue's entry for the change."""
    return messages.ROUTE_REPLACED


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Table id → the ENI that the active route points at; a blackhole belongs to nobody."""
    return {table: route.target if route.active else None for table, route in observed.routes.items()}


def objects(observed: Observed) -> tuple[str, ...]:
    """The things that hold the address: the ids of the tables."""
    return tuple(observed.routes)


def notices(observed: Observed) -> tuple[Notice, ...]:
    """A route displaces nothing."""
    return ()


def permissions(observed: Observed) -> tuple[Permission, ...]:
    """What looking and moving need, with the arguments that they would have."""
    route: dict[str, object] = {
        "RouteTableId": next(iter(observed.routes), _NO_TABLE),
        "DestinationCidrBlock": observed.resource.cidr,
        "NetworkInterfaceId": observed.server.network_interface_id,
    }
    return (("DescribeRouteTables", {}), ("ReplaceRoute", route))


def origin(observed: Observed) -> dict[str, str]:
    """Table id → what its route points at now; what `undo` needs to put it back."""
    return {table: route.target or "" for table, route in observed.routes.items()}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """The routes that point here and did not before, put back to where they pointed."""
    changes: list[Change] = []
    impossible: dict[str, str] = {}
    for table, target in before.items():
        route = observed.routes.get(table)
        if route is None or route.target != observed.server.network_interface_id or target == route.target:
            continue
        if target.startswith("eni-"):
            changes.append(_replace(observed, table, route, target))
        else:
            impossible[table] = f"it pointed at {target or 'nothing'}, which is not an ENI"
    return Plan(tuple(changes), impossible=impossible)
