"""
Two commands change one definition, in every order of their questions; some are killed, and some answers are lost.

The commands are the real ones, on the registries of three servers; only the way to another server is a call.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from ec2kit.actions import delete, extend, unextend
from ec2kit.actions import set as properties
from ec2kit.checks import address as address_check
from ec2kit.checks import frame
from ec2kit.checks.preflight import Preflight
from ec2kit.deadline import Deadline
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, Ec2KitError, RemoteRefused, RemoteSilent
from ec2kit.host.instance import Identity, Interface
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.peers import agree, here
from ec2kit.peers.answer import QUESTIONS, answer
from ec2kit.registry.definition import from_dict
from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource
from ec2kit.settings import Settings
from ec2kit.state.claim import SECONDS

from ..builders import FakeClock, a_resource, a_server
from ..conftest import Counted
from .process import Process

TAG, NEW_TAG = "ec2-vip1", "ec2-vip9"
A, B, C = "server-a", "server-b", "server-c"
SERVERS = (A, B, C)

Command = Callable[[Action], object]


def set_switchback(action: Action) -> object:
    return properties.change(action, "switchback", "automatic")


def set_priority(action: Action) -> object:
    return properties.change(action, "priority", "77")


def rename(action: Action) -> object:
    return properties.change(action, "tag", NEW_TAG)


def extend_to_c(action: Action) -> object:
    """An extend after all its checks, which look at AWS and at this server only."""
    template = from_dict(agree.asked(action, A, "describe", TAG, C)["resource"])
    wanted = template.without_server(C).with_server(a_server(C, 30))
    return extend.join(action, template, wanted, A)


def unextend_b(action: Action) -> None:
    unextend.unextend(action, B)


COMMANDS: dict[str, tuple[str, Command]] = {
    "set on a": (A, set_switchback),
    "set on b": (B, set_priority),
    "rename on a": (A, rename),
    "extend on c": (C, extend_to_c),
    "unextend of b on a": (A, unextend_b),
    "delete on b": (B, delete.delete),
}
"""Its name → the server where it is given, and the command."""

PAIRS = [
    pytest.param(one, other, id=f"{one} and {other}")
    for one, other in itertools.combinations_with_replacement(COMMANDS, 2)
]

Definitions = dict[tuple[str, str], Resource]
"""Server and tag → the definition there."""


class Servers:
    """
    The three servers, two of which have the resource in the beginning.

    Attributes:
        lost: The number of the question that gets no answer, and what becomes of it: "never", "done" or "late", after
            the question that follows; None: all are answered.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.asked = 0
        self.lost: tuple[int, str] | None = None
        self.late: list[Callable[[], object]] = []
        shutil.rmtree(folder, ignore_errors=True)
        before = a_resource(servers=(a_server(A, 1), a_server(B, 10)))
        for name in (A, B):
            self.registry(name).store(before)

    def registry(self, server: str) -> LocalRegistry:
        return LocalRegistry(str(self.folder / server / "state"), server=server)

    def action(self, server: str, tag: str = TAG, process: Process | None = None) -> ModelAction:
        settings = Settings(
            server=server,
            state_dir=str(self.folder / server / "state"),
            run_dir=str(self.folder / server / "run"),
        )
        log, registry = Log(action="set", tag=tag, sinks=()), self.registry(server)
        deadline = Deadline(300, self.clock)
        made = ModelAction("set", tag=tag, settings=settings, log=log, deadline=deadline, registry=registry)
        return made.on(self, process)

    def begin(self, name: str) -> Process:
        server, command = COMMANDS[name]
        begun: list[Process] = []
        begun.append(Process(lambda: command(self.action(server, process=begun[0]))))
        return begun[0]

    def definitions(self) -> Definitions:
        return {(name, each.tag): each for name in SERVERS for each in self.registry(name).resources()}

    def ask(self, action: ModelAction, server: str, words: list[str]) -> dict[str, Any]:
        """One question is one step of the model; it may be lost, or its answer."""
        if action.process is not None:
            action.process.stand(words[0])
        number, self.asked = self.asked, self.asked + 1
        carry_out = partial(self._answered, server, words, itself=server == action.registry.server)
        fate = self.lost[1] if self.lost and self.lost[0] == number else ""
        told = carry_out() if fate in ("", "done") else {}
        while self.late:
            with suppress(Ec2KitError):
                self.late.pop()()
        if fate == "late":
            self.late.append(carry_out)
        if fate:
            raise RemoteSilent(server=server, reason=f"the answer is lost; the question was carried out: {fate}")
        return told

    def _answered(self, server: str, words: list[str], *, itself: bool) -> dict[str, Any]:
        tag = TAG if words[0] == "store" else words[1]
        try:
            return answer(self.action(server, tag), words, QUESTIONS)
        except Ec2KitError as error:
            if itself:
                raise
            raise RemoteRefused(server=server, reason=error) from error


class ModelAction(Action):
    """An action that asks the servers of the model."""

    servers: Any
    process: Process | None

    def _replace(self, **different: Any) -> ModelAction:
        return super()._replace(**different).on(self.servers, self.process)

    def on(self, servers: Any, process: Process | None) -> ModelAction:
        self.servers, self.process = servers, process
        return self


@pytest.fixture(autouse=True)
def called_instead_of_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question to a server of the model is a call."""
    really = agree.asked

    def asked(action: Action, name: str, *words: str) -> dict[str, Any]:
        if not isinstance(action, ModelAction):
            return really(action, name, *words)
        found: dict[str, Any] = action.servers.ask(action, name, list(words))
        return found

    monkeypatch.setattr(agree, "asked", asked)


# -- what must hold ------------------------------------------------------------------------------------------------


def content(found: Definitions) -> dict[tuple[str, str], Resource]:
    """The definitions without the revisions, which only have to be the same on all servers."""
    in_order = sorted
    return {place: each._replace(revision=0, servers=tuple(in_order(each.servers))) for place, each in found.items()}


def agreed(found: Definitions) -> bool:
    """Whether each server that a definition names has this very definition, and no other server has any."""
    return all(
        server in each.names and all(found.get((name, each.tag)) == each for name in each.names)
        for (server, _), each in found.items()
    )


def ended_well(process: Process) -> bool:
    """Whether a command did what it is for; one that did not says so by an error that a person can act upon."""
    if process.error is not None:
        assert isinstance(process.error, Ec2KitError), process.error
    return process.error is None


def to_its_end(process: Process) -> bool:
    while not process.has_ended:
        process.go_on()
    return ended_well(process)


def serially(folder: Path, *names: str) -> dict[tuple[str, str], Resource]:
    """What commands come to, one after the other."""
    servers = Servers(folder)
    for name in names:
        to_its_end(servers.begin(name))
    return content(servers.definitions())


def steps_of(folder: Path, name: str) -> int:
    """How many questions a command asks."""
    servers = Servers(folder)
    to_its_end(servers.begin(name))
    return servers.asked


def schedules(one: int, other: int) -> list[tuple[int, int]]:
    """
    How far the first goes before the other begins, and how far the other goes before the first goes on.

    All of them by the profile "thorough"; otherwise a third.
    """
    everything = list(itertools.product(range(one + 1), range(1, other + 2)))
    return everything if hypothesis.settings.default.max_examples > 1000 else everything[::3]


def go(process: Process, steps: int) -> None:
    for _ in range(steps):
        if not process.has_ended:
            process.go_on()


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_commands_in_every_order_end_with_one_definition(
    one: str, other: str, tmp_path: Path, counted: Counted
) -> None:
    """Each command changes all servers or none; what both come to is what one after the other would come to."""
    count = both = 0
    alone = {(): serially(tmp_path), **{(each,): serially(tmp_path, each) for each in (one, other)}}
    alone |= {(x, y): serially(tmp_path, x, y) for x, y in ((one, other), (other, one))}
    for first, second in {(one, other), (other, one)}:
        for stop, length in schedules(steps_of(tmp_path, first), steps_of(tmp_path, second)):
            servers = Servers(tmp_path)
            mine, others = servers.begin(first), servers.begin(second)
            go(mine, stop)
            go(others, length)
            done = [name for name, process in ((first, mine), (second, others)) if to_its_end(process)]
            found = servers.definitions()
            assert agreed(found), (first, stop, second, length, found)
            orders = [alone[order] for order in itertools.permutations(done)]
            assert content(found) in orders, (first, stop, second, length, done, found)
            count, both = count + 1, both + (len(done) == 2)
    counted(f"{one} and {other}: {count} orders, in {both} of them both succeed")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_anywhere_is_finished_by_the_next(name: str, tmp_path: Path, counted: Counted) -> None:
    """Whatever another command makes of what was left: run again, the killed one ends with one definition."""
    count = 0
    for other, step in itertools.product(COMMANDS, range(steps_of(tmp_path, name) + 1)):
        servers = Servers(tmp_path)
        killed = servers.begin(name)
        go(killed, step)
        killed.kill()
        to_its_end(servers.begin(other))
        to_its_end(servers.begin(name))
        assert agreed(servers.definitions()), (name, step, other, servers.definitions())
        count += 1
    counted(f"{name}: killed and run again, {count} times")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_whose_question_or_answer_is_lost_changes_all_or_nothing(name: str, tmp_path: Path) -> None:
    """Whichever it is, the servers agree in the end, on the definition from before or on the new one."""
    before, after = serially(tmp_path), serially(tmp_path, name)
    for lost in itertools.product(range(steps_of(tmp_path, name)), ("never", "done", "late")):
        servers = Servers(tmp_path)
        servers.lost = lost
        done = to_its_end(servers.begin(name))
        assert content(servers.definitions()) == (after if done else before), (name, lost)
        assert agreed(servers.definitions()), (name, lost)


# -- two creates ---------------------------------------------------------------------------------------------------

Wanted = tuple[str, str, str]
"""Server, tag and address of a resource that create is to make."""

NEW, ELSEWHERE = "ec2-new", "10.1.0.66"

CREATES: list[Wanted] = [
    (A, NEW, ELSEWHERE),
    (B, NEW, ELSEWHERE),
    (C, NEW, ELSEWHERE),
    (B, NEW, "10.1.0.67"),
    (B, "ec2-other", ELSEWHERE),
    (A, "ec2-other", ELSEWHERE),
]


def create(action: ModelAction, address: str) -> None:
    """A create from its claim on, with the check that looks for others, and without those that look at AWS."""
    own, tag, process = action.registry.server, action.tag, action.process
    server = a_server(own, 1)
    made = a_resource(servers=(server,))._replace(tag=tag, address=address)
    assert process is not None
    with action.claims.held_here(tag, own, action.deadline) as claimant:
        process.stand("claim with the address")
        here.announce(action, claimant, made, seconds=SECONDS)
        process.stand("checks")
        preflight = Preflight(action, made, server, Identity("i", "r", "z"), Interface("eth1", "eni", (), "vpc", ()))
        if action.registry.has(tag):
            raise BadRequest(catalogue.NOT_FREE, what=tag, by="a resource of this server")
        frame.report(list(address_check.free(preflight)), action.log)
        process.stand("store")
        action.registry.store(made)
        process.stand("release")


def asked_beside_others(action: ModelAction, server: str, words: list[str], *, seconds: float) -> dict[str, Any]:
    """A question of a check, which asks all servers at once, and so without a stand between them."""
    told: dict[str, Any] = action.servers.ask(
        action._replace().on(action.servers, None), server, [*words, action.tag]
    )
    return told


def two_creates(folder: Path, *wanted: Wanted) -> tuple[Servers, list[Process]]:
    """Servers of which each knows the others, by a resource of all three; and the creates, which have not begun."""
    servers = Servers(folder)
    known = a_resource(
        tag="ec2-known",
        address="10.1.0.65",
        servers=tuple(a_server(name, 10 * place) for place, name in enumerate(SERVERS, 1)),
    )
    for name in SERVERS:
        servers.registry(name).store(known)
    begun: list[Process] = []
    for place, (server, tag, address) in enumerate(wanted):

        def work(place: int = place, server: str = server, tag: str = tag, address: str = address) -> None:
            create(servers.action(server, tag, begun[place]), address)

        begun.append(Process(work))
    return servers, begun


def made_by_creates(servers: Servers) -> list[Wanted]:
    known = (TAG, "ec2-known")
    return [(name, tag, each.address) for (name, tag), each in servers.definitions().items() if tag not in known]


@pytest.mark.parametrize("other", CREATES[1:], ids=str)
def test_two_creates_in_every_order_make_one_resource_or_none(
    other: Wanted, tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one tag, or of one address, on one server or on two: never two resources, and none is left half made."""
    monkeypatch.setattr(address_check, "ask", asked_beside_others)
    count = both_refused = 0
    for first, second in ((CREATES[0], other), (other, CREATES[0])):
        servers, (alone,) = two_creates(tmp_path, first)
        assert to_its_end(alone)
        for stop, length in itertools.product(range(10), range(1, 11)):
            servers, (mine, others) = two_creates(tmp_path, first, second)
            go(mine, stop)
            go(others, length)
            done = [wish for wish, each in ((first, mine), (second, others)) if to_its_end(each)]
            assert len(done) <= 1, (first, stop, second, length)
            assert made_by_creates(servers) == done, (first, stop, second, length)
            count, both_refused = count + 1, both_refused + (not done)
    counted(f"creates of {CREATES[0]} and {other}: {count} orders, in {both_refused} of them both are refused")
