"""The simulated fleet keeps to what EC2 publishes and to what ec2kit does."""

from __future__ import annotations

import random
from math import inf

import pytest
from clusters import FLEETS, WAYS, Account, Server, begin_checks, load, zone_fails
from world import CHECK_RETRIES, LATENCY, Bucket, Process, Retries, World

from ec2kit.ec2 import request
from ec2kit.engine.judgement import LOOK_RETRIES
from ec2kit.sandbox.buckets import LOOKS, WRITES

MAX_AGE = 5.0
FEW = 40
"""Clusters: so many ask all at once without emptying a bucket."""


def asking(world: World, bucket: Bucket, retries: Retries, answers: list[bool]) -> Process:
    answers.append((yield from retries.request(world, bucket)))


def checking(server: Server, *pauses: float) -> Process:
    """A check, and one after each pause."""
    yield from server.check()
    for pause in pauses:
        yield pause
        yield from server.check()


# -- EC2 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_bucket_never_gives_more_than_it_held_and_got(seed: int) -> None:
    """However the requests come: at most the burst and what has flowed in since, and never less than none is left."""
    world, moments = World(), sorted(random.Random(seed).uniform(0, 60) for _ in range(3000))
    bucket = Bucket(world, LOOKS)

    def take() -> Process:
        given = 0
        for moment in moments:
            yield moment - world.now()
            given += bucket.take()
            assert 0 <= bucket.tokens <= LOOKS[0]
            assert given <= LOOKS[0] + LOOKS[1] * world.now()
        assert given == bucket.asked - bucket.throttled

    world.begin(take(), at=0)
    world.run(until=inf)
    assert bucket.asked == len(moments)


def test_a_full_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    """150 requests at one moment: a hundred pass; 1.5 s later thirty of 150 more."""
    world = World()
    bucket, answers = Bucket(world, LOOKS), list[bool]()
    for moment in (0.0, 1.5):
        for _ in range(150):
            world.begin(asking(world, bucket, Retries(0, lambda _: 0.0), answers), at=moment)
    world.run(until=inf)
    assert sum(answers) == 130
    assert bucket.throttled == 170


def test_time_passes_where_nothing_happens() -> None:
    """The clock stands where it was told to run to."""
    world = World()
    world.run(until=5.0)
    assert world.now() == 5.0


# -- retries -----------------------------------------------------------------------------------------------------


def test_a_throttled_request_is_repeated_as_often_as_allowed() -> None:
    """With a bucket that gives nothing: one attempt and two more, then no answer."""
    world, answers = World(), list[bool]()
    bucket = Bucket(world, (0, 0))
    world.begin(asking(world, bucket, CHECK_RETRIES, answers), at=0)
    world.run(until=inf)
    assert (answers, bucket.asked) == ([False], 3)


def test_a_request_ends_before_its_deadline() -> None:
    """One that may be repeated for ever gives up in time."""
    world = World()
    bucket = Bucket(world, (0, 0))
    world.begin(_until(world, bucket, deadline=20.0), at=0)
    world.run(until=inf)
    assert 10 < world.now() < 20.0 + LATENCY
    assert bucket.asked > 3


def _until(world: World, bucket: Bucket, *, deadline: float) -> Process:
    assert not (yield from WAYS["ours"][0].retries.request(world, bucket, deadline=deadline))


def test_the_retries_are_those_of_ec2kit() -> None:
    """The simulation repeats numbers of the code; they are the same ones."""
    assert CHECK_RETRIES.most == LOOK_RETRIES
    for attempt in range(1, 13):
        longest = min(request._LONGEST_PAUSE, request._FIRST_PAUSE * 2 ** min(attempt, 10))
        assert WAYS["ours"][0].retries.longest(attempt) == CHECK_RETRIES.longest(attempt) == longest


# -- checks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pauses", "requests"),
    [
        pytest.param((0.0, 1.0, 1.0), 1, id="within its age"),
        pytest.param((6.0,), 2, id="too old"),
        pytest.param((2.0, 2.0, 2.0), 2, id="age counts from the question"),
    ],
)
def test_checks_of_a_server_share_an_answer_for_its_age(pauses: tuple[float, ...], requests: int) -> None:
    """One request, until its answer is too old."""
    account = Account(World())
    account.world.begin(checking(Server(account, max_age=MAX_AGE), *pauses), at=0)
    account.world.run(until=inf)
    assert (account.looks.asked, account.checks, account.unanswered) == (requests, len(pauses) + 1, 0)


def test_checks_at_one_moment_make_one_request_and_share_that_there_was_no_answer() -> None:
    """Who waits for another's question takes what comes; the next check asks for itself."""
    account = Account(World())
    account.looks = Bucket(account.world, (0, 0))
    server = Server(account, max_age=MAX_AGE)
    for moment in (0.0, 0.0, 0.0, 60.0):
        account.world.begin(checking(server), at=moment)
    account.world.run(until=inf)
    assert (account.looks.asked, account.checks, account.unanswered) == (6, 4, 4)


@pytest.mark.parametrize("name", [pytest.param(name, id=name.replace("`", "")) for name in FLEETS])
def test_a_fleet_below_the_limit_is_never_throttled(name: str) -> None:
    """Where tokens are left over, every check has its answer by one request at most."""
    few = load(FLEETS[name], 60.0, clusters=5)
    assert few.throttled == few.unanswered == 0
    assert few.rate <= 5 * 10 / 60


def test_ours_ask_once_a_server_and_others_once_a_resource() -> None:
    """What makes the difference is ten to one, with ten VIPs."""
    ours = load(FLEETS["ours, servers spread"], 60.0, clusters=FEW)
    theirs = load(FLEETS["a monitor per resource, all spread"], 60.0, clusters=FEW)
    assert ours.rate == pytest.approx(FEW / 60)
    assert theirs.rate == pytest.approx(10 * FEW / 60)


def test_a_fleet_is_answered_no_faster_than_the_bucket_fills() -> None:
    """Beyond the limit what passes is the bucket's rate, and the rest is throttled."""
    much = load(FLEETS["a monitor per resource, all spread"], 30.0, clusters=200)
    assert much.rate * (1 - much.throttled) == pytest.approx(LOOKS[1], rel=0.02)


def test_the_same_seed_makes_the_same_history() -> None:
    """Two runs print the same page."""
    name = "ours, all checks spread"
    assert load(FLEETS[name], 30.0, clusters=100) == load(FLEETS[name], 30.0, clusters=100)


def test_a_check_that_takes_longer_than_its_interval_leaves_the_next_one_out() -> None:
    """No two rounds of a server run side by side, so there are never more checks than intervals."""
    account = Account(World())
    account.looks = Bucket(account.world, (0, 0))
    begin_checks(account, FLEETS["a monitor per resource, all at once"], 0.25, clusters=1)
    account.world.run(until=60.0)
    assert 0 < account.checks < 10 * 60 / 0.25 / 2


# -- a zone fails --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WAYS)
def test_in_the_end_every_address_has_moved_once_and_not_sooner_than_ec2_allows(who: str) -> None:
    """Each address costs one token of ReplaceRoute; the last one moves after the bucket's time."""
    account, failover = zone_fails(*WAYS[who], 120.0, clusters=FEW)
    expected = FEW // 2 * 10
    assert len(failover.moved) == len(failover.restored) == expected == failover.addresses
    assert account.writes.asked - account.writes.throttled == expected
    assert max(failover.moved) >= (expected - WRITES[0]) / WRITES[1]
    assert max(failover.restored) >= max(failover.moved)


def test_a_failover_that_the_bucket_holds_takes_seconds_and_is_not_throttled() -> None:
    """Four clusters: forty writes and eighty look-ups are there at once."""
    account, failover = zone_fails(*WAYS["ours"], None, clusters=8)
    assert failover.failed == account.looks.throttled == account.writes.throttled == 0
    assert max(failover.restored) < 1
