"""Two writers on the pure plans, in every order in which their looks and writes can come; some die, some fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from ec2kit.ec2.answers import Address, Route
from ec2kit.scenarios import elastic_ip, route_table
from ec2kit.status import Change, Plan, Wanted

from ..builders import ALLOCATION, CIDR, ELASTIC_IP, ENI_A, ENI_B, FOREIGN, PUBLIC_IP, a_resource, a_server
from ..conftest import Counted

A, B = a_server("server-a", 1), a_server("server-b", 2)
PRIVATE = {each.network_interface_id: each.private_ip_address for each in (A, B)}

World = tuple[tuple[str, str | None, int], ...]
"""Each object, the ENI that it points at, and how often it was changed (an association's id)."""

Key = tuple[str, str, str | None, tuple[tuple[str, object], ...]]


def key(change: Change) -> Key:
    """A change as something that can be compared and kept in sets."""
    return change.operation, change.target, change.old, tuple(sorted(change.arguments.items()))


def change(of: Key) -> Change:
    operation, target, old, arguments = of
    return Change(operation, target, old=old, new=None, arguments=dict(arguments))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Writer:
    """
    One action between two of its calls.

    Attributes:
        left: The writes of this round still to make.
        made: Those that were made; of one object in order.
        refused: The objects of which a write was refused.
        end: "done", "failed" or "dead"; "" while it is at work.
    """

    eni: str
    wanted: Wanted = Wanted.HERE
    conditional: bool = False
    left: frozenset[Key] = frozenset()
    made: tuple[Key, ...] = ()
    refused: frozenset[str] = frozenset()
    end: str = ""


Planned = Callable[[World, Writer, dict[str, tuple[Change, ...]]], Plan]


@dataclass(frozen=True)
class State:
    """
    Where everything is.

    Attributes:
        last: Who was the last to end, as its place among the writers.
    """

    world: World
    writers: tuple[Writer, ...]
    last: int = -1

    def after(self, place: int, writer: Writer, world: World | None = None) -> State:
        writers = (*self.writers[:place], writer, *self.writers[place + 1 :])
        return State(self.world if world is None else world, writers, place if writer.end else self.last)


# -- the two scenarios -----------------------------------------------------------------------------------------


def plan_routes(world: World, writer: Writer, made: dict[str, tuple[Change, ...]]) -> Plan:
    routes = {name: Route(CIDR, eni) for name, eni, _ in world}
    server = A if writer.eni == ENI_A else B
    return route_table.plan(route_table.Observed(a_resource(), server, routes), writer.wanted, made)


def plan_address(world: World, writer: Writer, made: dict[str, tuple[Change, ...]]) -> Plan:
    ((_, eni, number),) = world
    private = PRIVATE.get(eni, "10.0.9.9") if eni else None
    address = Address(PUBLIC_IP, ALLOCATION, association(number) if eni else None, eni, private)
    observed = elastic_ip.Observed(a_resource(ELASTIC_IP), A if writer.eni == ENI_A else B, address)
    return elastic_ip.plan(observed, writer.wanted, made, conditional=writer.conditional)


def association(number: int) -> str:
    return f"eipassoc-{number}"


def carried_out(world: World, of: Key) -> World | None:
    """The world after a write; None where EC2 refuses it, since what it is about is no longer so."""
    operation, target, _, told = of
    arguments = dict(told)
    (place,) = [number for number, each in enumerate(world) if each[0] == target]
    _, eni, number = world[place]
    if operation == "DisassociateAddress" and arguments["association_id"] != association(number):
        return None
    if operation == "AssociateAddress" and eni and not arguments["allow_reassociation"]:
        return None
    number += operation != "ReplaceRoute"
    changed = (target, arguments.get("network_interface_id"), number)
    return (*world[:place], changed, *world[place + 1 :])  # type: ignore[return-value]


# -- every next step -------------------------------------------------------------------------------------------


def steps(state: State, planned: Planned, *, dying: bool) -> Iterator[State]:
    """Every state that can come next."""
    for place, writer in enumerate(state.writers):
        if writer.end:
            continue
        if dying:
            yield state.after(place, replace(writer, end="dead"))
        if writer.left:
            yield from writes(state, place, writer, dying=dying)
        else:
            yield look(state, place, writer, planned)


def writes(state: State, place: int, writer: Writer, *, dying: bool) -> Iterator[State]:
    """One of the writes of a round: carried out, and (as dying is looked at, too) refused for good."""
    for each in writer.left:
        rest = replace(writer, left=writer.left - {each})
        world = carried_out(state.world, each)
        if world is not None:
            yield state.after(place, replace(rest, made=in_order((*writer.made, each))), world)
        if world is None or dying:
            yield state.after(place, replace(rest, refused=writer.refused | {each[1]}))


def in_order(made: tuple[Key, ...]) -> tuple[Key, ...]:
    """Only the order of writes to one object makes a difference."""
    return tuple(sorted(made, key=lambda each: each[1]))


def look(state: State, place: int, writer: Writer, planned: Planned) -> State:
    """A look and what comes of it: a round of writes, or the end; who waits for what is pending is where it was."""
    made: dict[str, tuple[Change, ...]] = {}
    for each in writer.made:
        made[each[1]] = (*made.get(each[1], ()), change(each))
    plan = planned(state.world, writer, made)
    left = frozenset(key(each) for each in plan.changes if each.target not in writer.refused)
    if left:
        return state.after(place, replace(writer, left=left))
    wrong = plan.pending or plan.impossible or plan.changes
    return state.after(place, replace(writer, end="failed" if wrong else "done"))


def explored(start: State, planned: Planned, *, dying: bool) -> set[State]:
    """Every state that can be reached."""
    found, waiting = {start}, [start]
    while waiting:
        for each in steps(waiting.pop(), planned, dying=dying):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def at_rest(states: set[State]) -> list[State]:
    return [each for each in states if all(writer.end for writer in each.writers)]


def owners(world: World) -> set[str | None]:
    return {eni for _, eni, _ in world}


# -- what must hold --------------------------------------------------------------------------------------------


def judge(states: set[State], planned: Planned) -> None:
    for state in states:
        for writer in state.writers:
            targets = [each[1] for each in writer.made]
            assert all(targets.count(each) <= 2 for each in targets), "no writer fights for ever"
    resting = at_rest(states)
    for state in resting:
        last, owned = state.writers[state.last], owners(state.world)
        if last.end == "done" and last.wanted is Wanted.HERE:
            assert owned == {last.eni}, "the last success has it"
        elif last.end == "done":
            assert last.eni not in owned, "the last remove left it"
    for world, eni in itertools.product({each.world for each in resting}, (ENI_A, ENI_B)):
        for end in at_rest(explored(State(world, (Writer(eni),)), planned, dying=False)):
            assert (end.writers[0].end, owners(end.world)) == ("done", {eni}), "a next restore, alone, has all of it"


def routes(*targets: str | None) -> World:
    return tuple((f"rtb-{place}", target, 0) for place, target in enumerate(targets))


TARGETS = (ENI_A, ENI_B, FOREIGN, None)


@pytest.mark.parametrize("tables", [1, 2])
def test_two_restores_in_every_order_with_deaths_and_refusals(tables: int, counted: Counted) -> None:
    """The last to succeed has every table, nobody writes one more than twice, and a next restore settles all."""
    total = rest = 0
    for targets in itertools.product(TARGETS, repeat=tables):
        states = explored(State(routes(*targets), (Writer(ENI_A), Writer(ENI_B))), plan_routes, dying=True)
        judge(states, plan_routes)
        total, rest = total + len(states), rest + len(at_rest(states))
    counted(f"two restores of {tables} table(s): {total} states, {rest} at rest")


def test_two_restores_of_three_tables_in_every_order(counted: Counted) -> None:
    """The same for three tables, where all goes well but for the other one."""
    states = explored(State(routes(ENI_A, FOREIGN, None), (Writer(ENI_A), Writer(ENI_B))), plan_routes, dying=False)
    judge(states, plan_routes)
    counted(f"two restores of 3 tables: {len(states)} states, {len(at_rest(states))} at rest")


PAIRS = {
    "restore and restore": (Writer(ENI_A), Writer(ENI_B)),
    "remove and restore": (Writer(ENI_A, Wanted.NOT_HERE), Writer(ENI_B)),
    "remove and remove": (Writer(ENI_A, Wanted.NOT_HERE), Writer(ENI_B, Wanted.NOT_HERE)),
    "recover and restore": (Writer(ENI_A, conditional=True), Writer(ENI_B)),
    "recover and recover": (Writer(ENI_A, conditional=True), Writer(ENI_B, conditional=True)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_two_actions_on_an_elastic_ip_in_every_order(pair: str, counted: Counted) -> None:
    """A remove takes nobody's association but its own, and a conditional write nobody's at all."""
    total = 0
    for target in TARGETS:
        states = explored(State(((ALLOCATION, target, 0),), PAIRS[pair]), plan_address, dying=True)
        judge(states, plan_address)
        total += len(states)
        for state in states if pair == "remove and restore" else ():
            restored = state.writers[1].end == "done"
            assert not restored or owners(state.world) == {ENI_B}, "a late remove does not free the other's address"
    counted(f"{pair} of an Elastic IP: {total} states")
