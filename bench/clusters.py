"""Simulated clusters ask EC2 in their checks, ec2kit's and others', and half of them fail over at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from world import AWSCLI_RETRIES, CHECK_RETRIES, LATENCY, RESTORE_RETRIES, Bucket, Process, Request, Retries, World

from ec2kit.ec2.pace import Pace
from ec2kit.sandbox.buckets import LOOKS, WRITES
from ec2kit.settings import Settings

DEFAULTS = Settings()
CLUSTERS, VIPS = 1000, 10

CHECK = 0.2
"""Seconds that a check takes besides its request: a process begins, and ends."""

AGAIN = 5.0
"""Seconds until a restore that failed begins again."""

GIVE_UP = 3600.0
"""Seconds after a zone's failure at which the simulation ends."""


# -- checks ----------------------------------------------------------------------------------------------------


@dataclass
class Account:
    """One account in one region; all its DescribeRouteTables share one bucket, all its ReplaceRoute another."""

    world: World
    checks: int = 0
    unanswered: int = 0
    looks: Bucket = field(init=False)
    writes: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.looks, self.writes = Bucket(self.world, LOOKS), Bucket(self.world, WRITES)

    def note(self, answered: bool) -> None:
        self.checks += 1
        self.unanswered += not answered

    def count_anew(self) -> None:
        self.checks = self.unanswered = 0
        self.looks.count_anew()
        self.writes.count_anew()


class Server:
    """
    The active server of a cluster, whose quickChecks share what EC2 said.

    An answer counts from the moment of its question; a missing answer is shared only with those who waited for it.
    """

    def __init__(self, account: Account, *, max_age: float) -> None:
        self._account = account
        self._max_age = max_age
        self._asked = -inf
        self._asking: list[bool] | None = None

    def check(self) -> Process:
        yield CHECK
        world = self._account.world
        if world.now() - self._asked < self._max_age:
            self._account.note(True)
        elif self._asking is not None:
            yield from self._wait_for(self._asking)
        else:
            yield from self._ask()

    def _wait_for(self, answer: list[bool]) -> Process:
        while not answer:
            yield LATENCY
        self._account.note(answer[0])

    def _ask(self) -> Process:
        world = self._account.world
        began = world.now()
        answer = self._asking = []
        answered = yield from CHECK_RETRIES.request(world, self._account.looks)
        if answered:
            self._asked = began
        answer.append(answered)
        self._asking = None
        self._account.note(answered)


Checks = list[tuple[float, Callable[[], Process]]]
"""The work of each interval: the delay after its begin, and the work itself."""


def _ours_in_a_row(account: Account, begin: float) -> Checks:
    """Check in LifeKeeper's way: one check of a server after the other."""
    server = Server(account, max_age=DEFAULTS.snapshot_max_age)

    def all_of_them() -> Process:
        for _ in range(VIPS):
            yield from server.check()

    return [(begin, all_of_them)]


def _ours_apart(account: Account, interval: float, *, max_age: float) -> Checks:
    """Check in Pacemaker's way: each resource has a timer of its own."""
    server = Server(account, max_age=max_age)
    return [(account.world.random.uniform(0, interval), server.check) for _ in range(VIPS)]


def _monitors(account: Account, begins: list[float]) -> Checks:
    """Let each resource ask for itself."""

    def monitor() -> Process:
        yield CHECK
        account.note((yield from AWSCLI_RETRIES.request(account.world, account.looks)))

    return [(begin, monitor) for begin in begins]


Fleet = Callable[[Account, float], Checks]
"""Account and interval → the checks of one cluster."""

FLEETS: dict[str, Fleet] = {
    "ours, all servers at once": lambda account, _: _ours_in_a_row(account, 0.0),
    "ours, servers spread": lambda account, interval: _ours_in_a_row(
        account, account.world.random.uniform(0, interval)
    ),
    "ours, all checks spread": lambda account, interval: _ours_apart(
        account, interval, max_age=DEFAULTS.snapshot_max_age
    ),
    "ours, all checks spread, `EC2_SNAPSHOT_MAX_AGE` = interval / 2": lambda account, interval: _ours_apart(
        account, interval, max_age=interval / 2
    ),
    "a monitor per resource, all at once": lambda account, _: _monitors(account, [0.0] * VIPS),
    "a monitor per resource, all spread": lambda account, interval: _monitors(
        account, [account.world.random.uniform(0, interval) for _ in range(VIPS)]
    ),
}


def _again_and_again(world: World, interval: float, check: Callable[[], Process]) -> Process:
    """Check at a fixed place in each interval; a check that takes longer leaves out those that it would meet."""
    due = world.now()
    while True:
        yield from check()
        while due < world.now():
            due += interval
        yield due - world.now()


def begin_checks(account: Account, fleet: Fleet, interval: float, *, clusters: int) -> None:
    """Let so many clusters check from now on."""
    world = account.world
    for _ in range(clusters):
        for begin, check in fleet(account, interval):
            world.begin(_again_and_again(world, interval, check), at=world.now() + begin)


@dataclass(frozen=True)
class Load:
    """Describe the load that a fleet's checks put on EC2, and EC2's answers to them; shares are of 1."""

    rate: float
    throttled: float
    unanswered: float


def load(fleet: Fleet, interval: float, *, clusters: int = CLUSTERS) -> Load:
    """Measure two intervals, or a minute if that is longer, after one to warm up."""
    world = World()
    account = Account(world)
    begin_checks(account, fleet, interval, clusters=clusters)
    world.run(until=interval)
    account.count_anew()
    measured = max(2 * interval, 60.0)
    world.run(until=interval + measured)
    looks = account.looks
    return Load(looks.asked / measured, looks.share_throttled, account.unanswered / account.checks)


# -- a zone fails ----------------------------------------------------------------------------------------------


@dataclass
class Failover:
    """Hold the moments, in seconds after the zone failed, at which addresses moved and restores succeeded."""

    addresses: int
    moved: list[float] = field(default_factory=list)
    restored: list[float] = field(default_factory=list)
    failed: int = 0

    def share_moved(self, within: float) -> float:
        return sum(each <= within for each in self.moved) / self.addresses


@dataclass(frozen=True)
class Way:
    """A server brings an address to itself in this way: look, write, look; it begins again after each failure."""

    retries: Retries
    timeout: float
    is_paced: bool

    def restore(self, account: Account, pace: Pace | None, began: float, failover: Failover) -> Process:
        world, is_moved = account.world, False
        while True:
            deadline = world.now() + self.timeout
            yield CHECK
            if (yield from self._ask(account, deadline)):
                if is_moved:
                    break
                is_moved = yield from self.retries.request(world, account.writes, deadline=deadline, pace=pace)
                if is_moved:
                    failover.moved.append(world.now() - began)
                    if (yield from self._ask(account, deadline)):
                        break
            failover.failed += 1
            yield AGAIN
        failover.restored.append(world.now() - began)

    def _ask(self, account: Account, deadline: float) -> Request:
        return self.retries.request(account.world, account.looks, deadline=deadline)

    def pace(self, world: World) -> Pace | None:
        """Return the pace that all restores of one server share."""
        if not self.is_paced:
            return None
        return Pace(burst=DEFAULTS.write_burst, rate=DEFAULTS.write_rate, clock=world)


def zone_fails(
    way: Way, fleet: Fleet, interval: float | None, *, clusters: int = CLUSTERS
) -> tuple[Account, Failover]:
    """
    Let half of the clusters fail over at once; the other half goes on with its checks.

    Args:
        interval: Of these checks. None: there are none.
    """
    world = World()
    account, failing = Account(world), clusters // 2
    if interval is not None:
        begin_checks(account, fleet, interval, clusters=clusters - failing)
        world.run(until=interval)
    began = interval or 0.0
    account.count_anew()
    failover = Failover(failing * VIPS)
    for _ in range(failing):
        pace = way.pace(world)
        for _ in range(VIPS):
            world.begin(way.restore(account, pace, began, failover), at=began)
    while len(failover.restored) < failover.addresses and world.now() < began + GIVE_UP:
        world.run(until=world.now() + 5)
    return account, failover


WAYS: dict[str, tuple[Way, Fleet]] = {
    "ours": (Way(RESTORE_RETRIES, DEFAULTS.restore_timeout, is_paced=True), FLEETS["ours, servers spread"]),
    "an agent per resource": (
        Way(AWSCLI_RETRIES, inf, is_paced=False),
        FLEETS["a monitor per resource, all spread"],
    ),
}
"""The ways to fail over, each with the checks of the clusters that do not."""
