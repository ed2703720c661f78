"""
One seeded run: a restore or recover on its slow way, what happens to it there, and the judgement of what arrived.

    python -m tests.stages 17 18 19      runs these seeds and says what happened
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource, Server
from ec2kit.sandbox.authority import CA, Authority
from ec2kit.sandbox.client import Sandbox, started
from ec2kit.scenarios import route_table
from ec2kit.settings import load
from ec2kit.state import memory

from ..actions.cluster import ACTIONS, crowded
from ..builders import ROUTE_TABLE, known_as
from ..patience import HANGS, Stalls
from ..resolver import Name, Resolver, resolving
from .way import DEAD, FLEETING, STAGES, Request, Way
from .writer import Running, Writer, writing

SERVER, OTHER = "node2", "node1"
PERMIT_SECONDS = 15.0
"""The age of the look after which recover writes nothing. Source: docs/reliability.md."""

PERMIT = "permit"
"""The stage after the last one of the way: the process has the permit to write, and has not used it."""

KERNEL = 0.25
"""Seconds for which the kernel holds back a request that has its permit. Source: Linux, tcp(7), TCP_CORK."""

HELD_UP = 0.1
"""Seconds after which another permit is asked for. Source: docs/design.md, "the life of a request"."""


def now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def a_moment() -> float:
    """Seconds that this machine may need to notice something; never a bound of what ec2kit does alone."""
    return crowded(1.0)


@dataclass(frozen=True)
class Script:
    """
    What a seed says.

    Attributes:
        real: The script itself runs, without a record of its attempts; otherwise its door in a fork.
        kind: The bound that is passed at the event: "deadline", "attempt", "newer", "look"; "none".
        event: The stage and the visit to it, from 1 on, at which the bound is passed; (stage, 0): nowhere.
        stopped: The process is stopped meanwhile; otherwise only the stage is held.
        slow: Stage and visit → seconds.
        dead: Addresses of the name that lead nowhere.
        remembers: The restore begins with writes, of what its server remembers, beside its first look.
        lost: The name leads to an address that takes one connection, and is looked up once more for the write.
    """

    seed: int
    action: str
    real: bool
    proxied: bool
    kind: str
    event: tuple[str, int]
    stopped: bool
    seconds: float
    timeout: float
    slow: dict[tuple[str, int], float]
    dead: tuple[str, ...]
    lost: bool
    remembers: bool

    @property
    def words(self) -> str:
        """Say it in one line."""
        stage, visit = self.event
        how = "stopped" if self.stopped else "held"
        return (
            f"seed {self.seed}: {self.action}{' (the script)' * self.real}{' by a proxy' * self.proxied}, deadline "
            f"{self.timeout:g} s; {how} for {self.seconds:.2f} s at {stage} no. {visit}, so that it is late by "
            f"{self.kind}; slow: {self.slow}; dead: {self.dead}{'; looked up twice' * self.lost}"
            f"{'; writes first' * self.remembers}"
        )


def scripted(seed: int) -> Script:
    """Return the script of a seed, always the same."""
    chance = random.Random(seed)
    kind = chance.choices(("none", "deadline", "attempt", "newer", "look"), (15, 20, 20, 42, 3))[0]
    timeout = {"none": 8.0, "deadline": chance.choice((2.0, 3.0)), "attempt": 8.0, "newer": 8.0, "look": 30.0}[kind]
    seconds = {
        "none": chance.uniform(0.0, 0.6),
        "deadline": timeout + 0.5,
        "attempt": 2.5,
        "newer": chance.uniform(0.5, 1.0),
        "look": PERMIT_SECONDS + 0.5,
    }[kind]
    proxied = chance.random() < 0.6
    stages = [each for each in STAGES if proxied or each != "tunnel"]
    visits = [1] if kind == "deadline" and chance.random() < 0.2 else [2, 2, 3]
    real = seed % 25 == 0
    event = (chance.choice([*stages, *[PERMIT] * (0 if real else 2)]), chance.choice(visits))
    if event[0] == PERMIT:
        event = (PERMIT, chance.choice((1, 2)))
    lost = event[0] == "name" or chance.random() < 0.1
    slow = {
        (stage, visit): chance.choice((0.05, 0.2, 0.5, 1.2))
        for stage in stages[:-1]
        for visit in (1, 2, 3)
        if chance.random() < 0.12
    }
    action = "recover" if kind == "look" or chance.random() < 0.3 else "restore"
    return Script(
        seed=seed,
        action=action,
        real=real,
        proxied=proxied,
        kind=kind,
        event=event if event[0] != "name" else ("name", min(event[1], 2)),
        stopped=event[0] in ("secured", PERMIT) or chance.random() < 0.5,
        seconds=seconds,
        timeout=timeout,
        slow=slow,
        dead=tuple(chance.sample(DEAD, chance.choice((0, 0, 1, 2)))),
        lost=lost,
        remembers=action == "restore" and chance.random() < 0.3,
    )


# -- what happened -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrival:
    """A request that arrived, and when."""

    request: Request
    at: float


@dataclass
class Story:
    """
    What came of a run; all times are those of CLOCK_BOOTTIME.

    Attributes:
        newer: When the remove had been answered.
        stops: The spans in which the process was stopped.
        stalled: Seconds for which the machine kept processes waiting during the run.
        notes: What the process wrote down: attempt → (word, time, more).
    """

    script: Script
    began: float = 0.0
    ended: float = 0.0
    stalled: float = 0.0
    status: int | None = None
    newer: float | None = None
    stops: list[tuple[float, float]] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    writes: list[Arrival] = field(default_factory=list)
    notes: list[tuple[str, str, float, str]] = field(default_factory=list)
    log: str = ""
    trouble: str = ""

    # -- the judgement --

    @property
    def counts(self) -> Counter[str]:
        """What is worth counting."""
        counts = Counter({"writes arrived": len(self.writes)})
        counts["held back at the last moment"] = sum(word == "held" for word, *_ in self.notes)
        counts.update(f"held back by {more}" for word, _, _, more in self.notes if word == "held")
        counts["stopped"] = len(self.stops)
        counts["stopped between permit and arrival"] = sum(self._stopped_on_the_way(each) for each in self.writes)
        return counts

    def _stopped_on_the_way(self, arrival: Arrival) -> bool:
        asked = self._permitted(arrival)
        return asked is not None and any(asked < end and begin < arrival.at for begin, end in self.stops)

    def wrong(self) -> Iterator[str]:
        """Say of each write that arrived too late why it is too late; and what the run itself met."""
        if self.trouble:
            yield f"{self.script.words}: {self.trouble}"
        for each in self.writes:
            for why in self._too_late(each):
                yield f"{self.script.words}: the write to {each.request.table} arrived {why}"

    def _too_late(self, arrival: Arrival) -> Iterator[str]:
        permitted = self._permitted(arrival)
        if permitted is None:
            yield "without a permit"
            return
        if (given_up := self._noted("given-up", arrival)) and given_up[1] == "not-sent":
            yield "although its attempt was given up"
        moment = a_moment() + self.stalled
        slack = moment if self.script.real else 0.0
        for bound, name in self._bounds(arrival):
            if min(permitted, arrival.at) > bound + slack:
                yield f"{min(permitted, arrival.at) - bound:.3f} s after {name}"
            if any(bound < end < arrival.at for _, end in self.stops):
                yield f"after {name}, when the process that had been stopped went on"
        if arrival.at > permitted + HELD_UP + KERNEL + moment:
            yield f"{arrival.at - permitted:.3f} s after its permit"

    def _permitted(self, arrival: Arrival) -> float | None:
        """When the write asked for its last permit; of a process that writes nothing down, when it arrived."""
        if self.script.real:
            return arrival.at
        which = arrival.request.invocation
        asked = [float(more) for word, it, _, more in self.notes if (word, it) == ("permit", which)]
        return max(asked, default=None)

    def _bounds(self, arrival: Arrival) -> Iterator[tuple[float, str]]:
        deadline = [when for word, _, _, when in self.notes if word == "deadline"]
        yield float(deadline[0]) if deadline else self.began + self.script.timeout + a_moment(), "its deadline"
        if self.newer is not None:
            yield self.newer, "the remove"
        if self.script.action == "recover":
            yield max(each for each in self.looks if each < arrival.at) + PERMIT_SECONDS, "what its look permits"

    def _noted(self, word: str, arrival: Arrival) -> tuple[float, str] | None:
        which = arrival.request.invocation
        return next(((when, more) for each, it, when, more in self.notes if (each, it) == (word, which)), None)


# -- the stage -----------------------------------------------------------------------------------------------------


class Slot:
    """One address of the cluster with its way, for one run after the other."""

    def __init__(
        self, number: int, sandbox: Sandbox, way: Way, writer: Writer, resolver: Resolver, folder: Path
    ) -> None:
        self.way, self.writer, self.resolver, self.folder = way, writer, resolver, folder
        self._sandbox, self._number = sandbox, number
        self.names = {"ec2": f"ec2-{number}.sandbox.test", "proxy": f"proxy-{number}.sandbox.test"}
        described = sandbox.description
        servers = tuple(self._server(place, name) for place, name in enumerate((OTHER, SERVER)))
        self.resource = Resource(
            f"late-{number}",
            ROUTE_TABLE,
            "us-east-1",
            described["vpc_id"],
            f"10.9.0.{number}",
            "intelligent",
            servers,
            route_table.Own(),
        )
        for table in described["route_table_ids"]:
            self._point(table, "create_route")

    def _server(self, place: int, name: str) -> Server:
        node = self._sandbox.description["nodes"][name]
        interface = node["interfaces"]["eth1"]
        return Server(
            name=name,
            priority=place + 1,
            device="eth1",
            network_interface_id=interface["network_interface_id"],
            private_ip_address=interface["private_ip_address"],
            instance_id=node["instance_id"],
            availability_zone=node["availability_zone"],
        )

    def _point(self, table: str, operation: str = "replace_route") -> None:
        eni = self._sandbox.description["nodes"][OTHER]["interfaces"]["eth0"]["network_interface_id"]
        getattr(undisturbed(self._sandbox), operation)(
            RouteTableId=table, DestinationCidrBlock=f"{self.resource.address}/32", NetworkInterfaceId=eni
        )

    # -- a run --

    def run(self, script: Script) -> Story:
        """Play a run to its end."""
        self._prepare(script)
        run = _Run(script, self)
        self._names(run)
        try:
            with self.way.serving(run, fleeting=script.lost):
                run.play()
        except AssertionError as error:
            raise AssertionError(f"{script.words}: {error}") from error
        return run.story

    def _prepare(self, script: Script) -> None:
        """Lay out a server that lost its address to an outside hand, and has or once had the resource in service."""
        for name in ("state", "run"):
            for path in sorted((self.folder / name).rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        for name in ("note", "said", "log"):
            (self.folder / name).unlink(missing_ok=True)
        known_as(load(self.environment), self.resource.server(SERVER).instance_id)
        registry = LocalRegistry(str(self.folder / "state"), server=SERVER, spare=str(self.folder / "run"))
        registry.store(self.resource)
        if not script.remembers:
            registry.mark_in_service(self.resource.tag)
        else:
            tables = tuple(self._sandbox.description["route_table_ids"])
            memory.remember(str(self.folder / "run"), self.resource.tag, memory.Memory(objects=tables))
        for table in self._sandbox.description["route_table_ids"]:
            self._point(table)

    def _names(self, run: _Run) -> None:
        """Let the resolver answer for this run: first with the fleeting address alone, if the run has one."""

        def before() -> None:
            run.reached("name")
            addresses = (*run.script.dead, "127.0.0.1")
            if run.script.lost and run.visits["name"] == 1:
                addresses = (FLEETING,)
            name.addresses = addresses

        for each in self.names.values():
            name = self.resolver.names[each] = Name("127.0.0.1", before=before)

    @property
    def environment(self) -> dict[str, str]:
        """The server's, without its way to EC2."""
        node = self._sandbox.description["nodes"][SERVER]
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "EC2KIT_DEFAULTS": os.devnull,
            "EC2KIT_SERVER": SERVER,
            "EC2KIT_STATE_DIR": str(self.folder / "state"),
            "EC2KIT_RUN_DIR": str(self.folder / "run"),
            "EC2KIT_LOG_FILE": str(self.folder / "log"),
            "EC2_REMOTE_COMMAND": "/bin/false",
            "EC2_WRITE_RATE": "0",
            "EC2_VERIFY_TIMEOUT": "2",
            "EC2_ENDPOINT_URL": node["endpoint_url"],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": node["metadata_url"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        }

    def environment_of(self, script: Script) -> dict[str, str]:
        """The one with the way of a run."""
        patience = "20" if script.kind == "look" else "1"
        return {
            **self.environment,
            "EC2_RESTORE_TIMEOUT": f"{script.timeout:g}",
            "EC2_RECOVER_TIMEOUT": f"{script.timeout:g}",
            "AWSCLI_CONNECT_TIMEOUT": patience,
            "AWSCLI_READ_TIMEOUT": patience,
            "AWS_CA_BUNDLE": str(self._sandbox.folder.parent / CA),
            "EC2_ENDPOINT_URL": f"https://{self.names['ec2']}:{self.way.ports['ec2']}",
            **({"HTTPS_PROXY": f"http://{self.names['proxy']}:{self.way.ports['proxy']}"} if script.proxied else {}),
        }


class _Run:
    """A run that is under way."""

    def __init__(self, script: Script, slot: Slot) -> None:
        self.script, self.slot = script, slot
        self.story = Story(script)
        self.visits: Counter[str] = Counter()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._overtaking = threading.Lock()
        self._pid = 0
        self._has_begun = threading.Event()
        self._going_on: list[threading.Thread] = []

    def play(self) -> None:
        """Run the action to its end, and read what it wrote down."""
        self.story.began, stalls = now(), Stalls()
        ended, status = self._begin()
        self._has_begun.set()
        if not ended.wait(HANGS):
            os.killpg(self._pid, signal.SIGKILL)
            raise AssertionError("it hangs")
        self.story.ended, self.story.status = now(), status()
        self._over.set()
        with self._overtaking:
            pass  # a remove has ended, too
        for thread in self._going_on:
            thread.join()
        self.story.stalled = stalls.seconds
        note = self.slot.folder / "note"
        lines = [line.split(" ", 3) for line in note.read_text().splitlines()] if note.exists() else []
        if not self.script.real and not lines:
            self.story.trouble = f"the process has written nothing down, and ends with {self.story.status}"
        log = self.slot.folder / "log"
        self.story.log = log.read_text() if log.exists() else ""
        self.story.notes = [(word, which, float(when), more) for word, which, when, more in lines]

    def _begin(self) -> tuple[threading.Event, Any]:
        words = [self.script.action, "-t", self.slot.resource.tag]
        environment = self.slot.environment_of(self.script)
        if not self.script.real:
            stage, number = self.script.event
            running = self._fork(words, environment, "note", stops=number if stage == PERMIT else 0)
            self._pid = running.pid
            if stage == PERMIT:
                self._has_begun.set()
                self._going_on.append(threading.Thread(target=self._await_stop, daemon=True))
                self._going_on[0].start()
            return running.ended, lambda: running.status
        process = subprocess.Popen(
            self.slot.resolver.command(ACTIONS / words[0], *words[1:]),
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pid, ended = process.pid, threading.Event()
        threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
        return ended, lambda: process.returncode

    def _fork(self, words: list[str], environment: dict[str, str], note: str, *, stops: int = 0) -> Running:
        folder = self.slot.folder
        return self.slot.writer.begin(words, environment, note=folder / note, said=folder / "said", stops=stops)

    def _await_stop(self) -> None:
        """Wait until the process has stopped itself, and pass the bound then."""
        while not self._over.wait(0.005):
            if self._state() == "T":
                self._go_on(now())
                return

    def _state(self) -> str:
        """Return the state of the process: "T" is stopped, "Z" is ended. Source: proc_pid_stat(5)."""
        try:
            return Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "Z"

    # -- what happens on the way --

    def reached(self, stage: str) -> None:
        """A stage is reached: it may be slow, and be the one at which the bound is passed."""
        with self._lock:
            self.visits[stage] += 1
            place = (stage, self.visits[stage])
        self._over.wait(self.script.slow.get(place, 0.0))
        if place == self.script.event:
            self._pass_the_bound()

    def _pass_the_bound(self) -> None:
        if not self.script.stopped:
            self._overtake()
            self._over.wait(self.script.seconds)
        elif self._stop():
            thread = threading.Thread(target=self._go_on, args=(now(),), daemon=True)
            self._going_on.append(thread)
            thread.start()

    def _stop(self) -> bool:
        """Stop the process; return False if it has ended."""
        self._has_begun.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGSTOP)
        while (state := self._state()) not in "TZ":
            time.sleep(0.001)
        return state == "T"

    def _go_on(self, stopped: float) -> None:
        """Let the process go on when the bound is passed, and all that it had sent before has been read."""
        try:
            self._overtake()
            self._over.wait(self.script.seconds)
            while self.slot.way.has_unread():
                time.sleep(0.01)
        finally:
            self.story.stops.append((stopped, now()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGCONT)

    def _overtake(self) -> None:
        """Let a remove come in between, if this run has one, and wait for its answer."""
        with self._overtaking:
            if self.script.kind == "newer" and not self._over.is_set():
                self._remove()

    def _remove(self) -> None:
        words = ["remove", "-t", self.slot.resource.tag]
        remove = self._fork(words, {**self.slot.environment, "EC2_REMOVE_TIMEOUT": "30"}, "note-of-remove")
        if not remove.ended.wait(HANGS) or remove.status != 0:
            texts = [(self.slot.folder / name).read_text() for name in ("said", "log")]
            self.story.trouble = "\n".join([f"remove ends with {remove.status}", *texts])
        self.story.newer = now()

    def arrived(self, request: Request) -> None:
        """A request has arrived at EC2."""
        if request.operation == "ReplaceRoute":
            self.story.writes.append(Arrival(request, now()))
        elif request.operation == "DescribeRouteTables":
            self.story.looks.append(now())


# -- many runs -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def slots(number: int, folder: Path) -> Iterator[list[Slot]]:
    """So many slots on one sandbox."""
    authority = Authority(folder)
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(started(folder / "sandbox", nodes=2, tables=2, within=HANGS))
        resolver = stack.enter_context(resolving({}))
        writer = stack.enter_context(writing(resolver, folder))
        ec2_url = sandbox.description["nodes"][SERVER]["endpoint_url"]
        made = []
        for each in range(1, number + 1):
            place = folder / f"slot-{each}"
            place.mkdir()
            way = stack.enter_context(Way(ec2_url, authority.contexts["good"]).open())
            made.append(Slot(each, sandbox, way, writer, resolver, place))
        yield made


def played(seeds: Iterable[int], at_a_time: int, folder: Path) -> Iterator[Story]:
    """Play the runs of seeds, so many at a time, and yield what came of each as it ends."""
    waiting: queue.SimpleQueue[Script] = queue.SimpleQueue()
    ended: queue.SimpleQueue[Story | BaseException] = queue.SimpleQueue()
    scripts = [scripted(seed) for seed in seeds]
    for each in sorted(scripts, key=lambda script: -script.seconds):  # the long ones first
        waiting.put(each)

    def work(slot: Slot) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                try:
                    ended.put(slot.run(waiting.get_nowait()))
                except queue.Empty:
                    raise
                except BaseException as error:
                    ended.put(error)

    with slots(min(at_a_time, len(scripts)), folder) as made:
        for slot in made:
            threading.Thread(target=work, args=(slot,), daemon=True).start()
        for _ in scripts:
            story = ended.get()
            if isinstance(story, BaseException):
                raise story
            yield story


@cache
def undisturbed(sandbox: Sandbox) -> Any:
    """EC2 at the endpoint that nobody disturbs."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("ec2", endpoint_url=sandbox.description["endpoint_url"], region_name="us-east-1", **keys)
