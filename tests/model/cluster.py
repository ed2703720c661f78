"""Servers of one resource, their processes, and the EC2 that all share; whoever tests says who goes on, and how."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ec2kit.actions import plan, quick_check, recover, remove, restore
from ec2kit.deadline import Deadline
from ec2kit.ec2.answers import Address, Receipt, RouteTables
from ec2kit.engine.action import Action
from ec2kit.errors import AwsThrottled, Ec2KitError, RemoteRefused, RemoteSilent, StateUnusable
from ec2kit.messages.log import Log
from ec2kit.peers import ask
from ec2kit.peers.answer import QUESTIONS, answer
from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource
from ec2kit.scenarios import route_table
from ec2kit.state.file import StateFile

from ..builders import (
    ALLOCATION,
    ELASTIC_IP,
    FOREIGN,
    OBJECTS,
    PUBLIC_IP,
    ROUTE_TABLE,
    TABLES,
    Desk,
    a_desk,
    a_resource,
    a_server,
    known_as,
)
from ..pretended_ec2 import Asked, PretendedEc2, refused, unreachable
from .judge import Judge
from .process import Killed, Process

SERVERS = ("server-a", "server-b")

SECONDS = 20.0
"""Deadline of every action."""

DEEDS: dict[str, Callable[[Action], Any]] = {
    "restore": restore.restore,
    "recover": recover.recover,
    "remove": remove.remove,
    "quickCheck": quick_check.quick_check,
    "plan of restore": plan.restore,
    "plan of recover": plan.recover,
    "plan of remove": plan.remove,
}


@dataclass(frozen=True)
class Picture:
    """Whom each object points at; `number` grows with every change."""

    number: int
    routes: dict[str, str | None]
    held: dict[str, Address]


@dataclass(frozen=True)
class Fate:
    """
    What becomes of the calls that a process makes until its next point.

    Attributes:
        kind: One of KINDS.
        on: The objects whose writes it befalls; the others' go well. A look it befalls in any case.
        ago: For "stale": how many changes ago what is shown was true.
    """

    kind: str = "well"
    on: frozenset[str] = frozenset()
    ago: int = 1


KINDS = ("well", "silent", "lost", "throttled", "refused", "stale", "cut", "killed")
"""
No answer; carried out, and the answer lost; throttled; refused; shown as it was; later pages missing; killed.

A killed process has had its writes of `on` carried out.
"""

WELL = Fate()


class Line:
    """What one process has to EC2: where it stands still, and where its calls go wrong."""

    def __init__(self, cluster: Cluster, process: Callable[[], ModelProcess]) -> None:
        self._cluster = cluster
        self._process = process
        self.routes = cluster.ec2.routes
        self.held = cluster.ec2.held
        self.hold = cluster.ec2.hold
        self.blackholes: set[str] = set()
        self.later_pages: Ec2KitError | None = None
        self._parts: list[tuple[Picture | None, bool]] | None = None

    def look(self) -> tuple[dict[str, str | None], dict[str, Address]]:
        process = self._process()
        process.stand("before a look")
        fate, self.later_pages = process.fate, None
        if fate.kind in ("silent", "lost", "throttled", "refused"):
            self._seen(process, None)
            raise _error(fate.kind, "DescribeRouteTables", "it")
        picture = self._cluster.shown(fate)
        if fate.kind == "cut" and self._cluster.resource.scenario == ROUTE_TABLE:
            self.later_pages = unreachable()
            picture = Picture(picture.number, dict(itertools.islice(picture.routes.items(), 1)), picture.held)
        self._seen(process, picture, whole=self.later_pages is None)
        process.stand("after a look")
        return picture.routes, picture.held

    def _seen(self, process: ModelProcess, picture: Picture | None, *, whole: bool = True) -> None:
        if self._parts is None:
            self._cluster.judge.saw(process, picture, whole=whole)
        else:
            self._parts.append((picture, whole))

    @contextmanager
    def as_one_look(self) -> Iterator[None]:
        """Looks of one observation are one look, of which each shows the judge its own table."""
        self._parts = []
        yield
        parts, self._parts = self._parts, None
        shown = {name: picture.routes[name] for name, (picture, _) in zip(TABLES, parts, strict=True)
                 if picture is not None and name in picture.routes}  # fmt: skip
        now = self._cluster.now
        is_now = all(picture is now and is_whole for picture, is_whole in parts)
        picture = now if is_now else Picture(now.number, shown, dict(self.held)) if shown else None
        whole = len(shown) == len(TABLES) and all(each for _, each in parts)
        self._cluster.judge.saw(self._process(), picture, whole=whole)

    @property
    def source_dest_check(self) -> bool | Exception:
        return self._cluster.ec2.source_dest_check

    @source_dest_check.setter
    def source_dest_check(self, is_on: bool) -> None:
        self._cluster.ec2.source_dest_check = is_on

    @property
    def spreading(self) -> int:
        return self._cluster.ec2.spreading

    def ask_for_a_change(self) -> None:
        """How far a change has come is no look at who has the address, and may get no answer either."""
        process = self._process()
        process.stand("before a question about a change")
        if process.fate.kind in ("silent", "lost", "throttled", "refused"):
            raise _error(process.fate.kind, "GetChange", "it")

    def write(self, operation: str, target: str, owner: str | None, carry_out: Callable[[], None]) -> Receipt:
        """All writes of a round go in one turn, each by its own thread; their order is not told."""
        process = self._process()
        kind = process.fate.kind if target in process.fate.on else "well"
        if process.fate.kind == "killed":
            if kind == "killed":
                self._cluster.carry_out(process, operation, target, owner, carry_out)
            process.is_dead = True
            raise Killed
        if kind in ("silent", "throttled", "refused"):
            raise _error(kind, operation, target)
        receipt = self._cluster.carry_out(process, operation, target, owner, carry_out)
        if kind == "lost":
            raise unreachable(operation)
        return receipt


def _error(kind: str, operation: str, target: str) -> Ec2KitError:
    if kind == "throttled":
        fields = {"code": "RequestLimitExceeded", "text": "slow down", "request_id": "req-503", "status": 503}
        return AwsThrottled(operation=operation, object=target, **fields)
    return refused("InternalNo", operation, target) if kind == "refused" else unreachable(operation)


class Watched(Asked):
    """The methods of `ec2kit.ec2.operations.Ec2`, whose every write the judge sees before it is made."""

    def __init__(self, line: Line, guard: Callable[[], None], judge: Judge, ours: tuple[str, ...]) -> None:
        super().__init__(line, guard)  # type: ignore[arg-type]
        self._line = line
        self._judge = judge
        self._ours = ours

    def together(self, looks: Sequence[Callable[[], RouteTables]]) -> list[RouteTables | Exception]:
        with self._line.as_one_look():
            return super().together(looks)

    def replace_route(self, *, route_table_id: str, network_interface_id: str, target: str, **named: str) -> Receipt:
        (destination,) = named.values()
        if destination not in self._ours or route_table_id not in TABLES:
            self._judge.complain("lost change", f"a write to {route_table_id} {destination}")
        return super().replace_route(
            route_table_id=route_table_id, network_interface_id=network_interface_id, target=target, **named
        )


@dataclass
class _Clock:
    """The cluster's time; a process that sleeps stands still, and time has passed when it goes on."""

    cluster: Cluster
    process: Callable[[], ModelProcess]

    def now(self) -> float:
        return self.cluster.time

    def sleep(self, seconds: float) -> None:
        until = self.cluster.time + seconds
        self.process().stand("waiting")
        self.cluster.time = max(self.cluster.time, until)


class Registry(LocalRegistry):
    """A remove may stand still between what it wrote down and what it marks."""

    def __init__(self, folder: str, *, server: str, process: Callable[[], ModelProcess]) -> None:
        super().__init__(folder, server=server)
        self._process = process

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
        if not failed and self._process().deed == "remove":
            self._process().stand("before a state is written")
        return super().mark_out_of_service(tag, failed=failed)


class ModelAction(Action):
    """An action whose EC2 and whose peers are the cluster's."""

    cluster: Any
    process: Any

    def _replace(self, **different: Any) -> ModelAction:
        return super()._replace(**different).in_cluster(self.cluster, self.process)

    def in_cluster(self, cluster: Any, process: Any) -> ModelAction:
        self.cluster, self.process = cluster, process
        return self

    def ec2(
        self, *, guard: Callable[[], None] = lambda: None, permit: Callable[[], None] | None = None, **_: Any
    ) -> Any:
        cluster = self.cluster
        ours = route_table.destinations(cluster.resource) if cluster.resource.scenario == ROUTE_TABLE else ()
        return Watched(Line(cluster, self.process), permit or guard, cluster.judge, ours)

    def ask(self, server: str, words: list[str]) -> dict[str, Any]:
        process = self.process()
        process.stand("before a question")
        if server in self.cluster.cut_off:
            raise RemoteSilent(server=server, reason="it is cut off")
        try:
            told = answer(self.cluster.action(server, "peer"), words, QUESTIONS)
        except Ec2KitError as error:
            raise RemoteRefused(server=server, reason=error) from error
        self.cluster.judge.heard(process, server, told.get("in_service"))
        process.stand("after a question")
        return told


def _ask(action: Action, server: str, words: list[str], *, seconds: float) -> dict[str, Any]:
    """In the model a question is a call; any other action asks as it always does."""
    if isinstance(action, ModelAction):
        return action.ask(server, words)
    return _ask_really(action, server, words, seconds=seconds)


_ask_really, ask.ask = ask.ask, _ask


class ModelProcess(Process):
    """
    One action on one server of the cluster.

    Attributes:
        fate: Of its calls until its next point.
        told: Server → whether it said, since this one's last look, that it is in service.
    """

    def __init__(self, cluster: Cluster, server: str, deed: str) -> None:
        self.server, self.deed = server, deed
        self.fate = WELL
        self.told: dict[str, bool | None] = {}
        self.action = cluster.action(server, deed, lambda: self)
        super().__init__(lambda: DEEDS[deed](self.action))


class Cluster:
    """
    Args:
        folder: Best where syncing costs nothing.
        owner: Server that all objects point at in the beginning, as an outside hand has made it; else something else.
    """

    def __init__(self, folder: Path, scenario: str = ROUTE_TABLE, owner: str | None = None) -> None:
        self.folder = folder
        self.time = 1000.0
        self.resource = a_resource(scenario, servers=tuple(a_server(name, n + 1) for n, name in enumerate(SERVERS)))
        self.ec2 = PretendedEc2(*_world(self.resource, OBJECTS[scenario], owner))
        self.ec2.spreading = 1
        self.pictures: list[Picture] = []
        self.cut_off: set[str] = set()
        self.recorder: Callable[[Callable[[], Any]], None] | None = None
        self.processes: list[ModelProcess] = []
        self.judge = Judge(self)
        self.desks = {name: self._desk(name) for name in SERVERS}
        self._take_picture()

    def _desk(self, name: str) -> Desk:
        desk = a_desk(self.folder / name, self.resource, instance_id=f"i-{name[-1]}")
        desk.set(snapshot_max_age=0.0)  # each check looks for itself; the shared answer has tests of its own
        desk.set(server=name, nolinkcheck=True)
        return desk

    def _take_picture(self) -> None:
        routes, held = dict(self.ec2.routes), dict(self.ec2.held)
        if not self.pictures or (routes, held) != (self.now.routes, self.now.held):
            number = self.now.number + 1 if self.pictures else 0
            self.pictures = [*self.pictures[-5:], Picture(number, routes, held)]

    # -- what EC2 does --

    @property
    def now(self) -> Picture:
        return self.pictures[-1]

    def shown(self, fate: Fate) -> Picture:
        ago = fate.ago if fate.kind == "stale" else 0
        return self.pictures[max(0, len(self.pictures) - 1 - ago)]

    def carry_out(
        self, process: ModelProcess, operation: str, target: str, owner: str | None, change: Callable[[], None]
    ) -> Receipt:
        receipt = self.ec2.write(operation, target, owner, change)
        if operation != "ModifyNetworkInterfaceAttribute":
            self.judge.wrote(process, target)
        return receipt

    def outside_hand(self, target: str, eni: str | None) -> None:
        """Somebody else points an object elsewhere."""
        if self.resource.scenario != ELASTIC_IP:
            self.ec2.routes[target] = eni
        else:
            server = self.resource.find_holder(eni)
            self.ec2.hold(target, eni, server.private_ip_address if server else "10.0.9.9" if eni else None)
        self._take_picture()
        self.judge.interfered()

    # -- what servers do --

    def action(self, server: str, deed: str, process: Callable[[], ModelProcess] | None = None) -> ModelAction:
        desk = self.desks[server]
        asker = process or (lambda: None)
        return ModelAction(
            name=deed,
            tag=self.resource.tag,
            settings=desk.settings,
            log=Log(action=deed, tag=self.resource.tag, sinks=()),
            deadline=Deadline(SECONDS, _Clock(self, asker)),  # type: ignore[arg-type]
            registry=Registry(desk.settings.state_dir, server=server, process=asker),
            recorder=self.recorder,
        ).in_cluster(self, asker)

    def begin(self, server: str, deed: str) -> ModelProcess:
        process = ModelProcess(self, server, deed)
        self.processes.append(process)
        self.judge.began(process)
        return process

    def go_on(self, process: ModelProcess, fate: Fate = WELL) -> None:
        """Let a process go to its next point; what befalls its calls on the way is its fate."""
        process.fate = fate
        process.go_on()
        self._take_picture()
        self.judge.look_for_halves(process.server)
        if process.has_ended:
            self._bury(process)

    def kill(self, process: ModelProcess) -> None:
        process.kill()
        self.judge.look_for_halves(process.server)
        self._bury(process)

    def _bury(self, process: ModelProcess) -> None:
        self.processes.remove(process)
        self.judge.ended(process)

    def reboot(self, server: str) -> None:
        """All that runs there dies, and the boot that it knew is over."""
        for process in [each for each in self.processes if each.server == server]:
            self.kill(process)
        desk = self.desks[server]
        shutil.rmtree(desk.settings.run_dir)
        known_as(desk.settings, f"i-{server[-1]}")
        state = StateFile(os.path.join(desk.settings.state_dir, "states", f"{self.resource.tag}.json"))
        if content := state.read():
            state.write({**content, "boot": "another"})
        self.judge.rebooted(server)

    def finish(self) -> None:
        """Let everything that runs come to its end, in turns."""
        for process in itertools.cycle(list(self.processes)):
            if not self.processes:
                break
            if not process.has_ended:
                self.go_on(process)

    def run(self, server: str, deed: str) -> ModelProcess:
        """One action, alone and undisturbed, to its end."""
        process = self.begin(server, deed)
        while not process.has_ended:
            self.go_on(process)
        return process

    # -- what there is --

    def owns(self, server: str, picture: Picture) -> bool:
        """Whether every object points at the server."""
        eni = self.resource.server(server).network_interface_id
        private = self.resource.server(server).private_ip_address
        if self.resource.scenario != ELASTIC_IP:
            return bool(picture.routes) and set(picture.routes.values()) == {eni}
        held = picture.held[ALLOCATION]
        return (held.network_interface_id, held.private_ip_address) == (eni, private)

    def owner(self, target: str, picture: Picture) -> str | None:
        """The server that an object points at."""
        routes = self.resource.scenario != ELASTIC_IP
        eni = picture.routes[target] if routes else picture.held[target].network_interface_id
        holder = self.resource.find_holder(eni)
        return holder.name if holder else None

    def files(self, server: str, suffix: str = ".json") -> Iterator[str]:
        """The paths of all files that the kit has on a server."""
        settings = self.desks[server].settings
        for place in (settings.run_dir, settings.state_dir):
            for folder, _, names in os.walk(place):
                yield from (os.path.join(folder, name) for name in names if name.endswith(suffix))


def _world(
    resource: Resource, objects: tuple[str, ...], owner: str | None
) -> tuple[dict[str, str | None], tuple[Address, ...]]:
    """Where the objects are in the beginning, and what is not ours."""
    server = resource.find_server(owner or "")
    eni = server.network_interface_id if server else FOREIGN
    private = server.private_ip_address if server else "10.0.9.9"
    ours = Address(PUBLIC_IP, ALLOCATION, "eipassoc-1", eni, private)
    neighbour = Address("203.0.113.20", "eipalloc-2", "eipassoc-2", "eni-a", "10.0.1.200")
    foreign = Address("203.0.113.30", "eipalloc-3", "eipassoc-3", FOREIGN, "10.0.9.30")
    return dict.fromkeys(objects, eni), (ours, neighbour, foreign)
