"""The real Patroni, with PostgreSQL and etcd: the address is where the leader is."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..actions.cluster import Cluster
from .real import LOOP, TTL, Members, running, until, why_not

pytestmark = [pytest.mark.patroni, pytest.mark.timeout(600)]

RUNS = range(1, 6)


@pytest.fixture(scope="module")
def laid(one_sandbox: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    reason = why_not()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    cluster = Cluster(one_sandbox, size=3)  # type: ignore[arg-type]
    cluster.clean()
    cluster.with_resource()
    folder: Path = tmp_path_factory.mktemp("patroni")
    with running(cluster, folder) as members:
        yield members


@pytest.fixture
def members(laid: Members) -> Members:
    """A leader that has the address, and a member that follows."""
    laid.cluster.sandbox.clear()
    leader = laid.settled()
    until(lambda: laid.other(leader).follows, "the other member follows", told=laid.told)
    return laid


@pytest.mark.parametrize("run", RUNS)
def test_leader_that_is_killed_loses_the_address_to_the_next_for_good(members: Members, run: int) -> None:
    """The next leader has the address; the old one comes back as a replica and leaves it there."""
    old = members.settled()
    new = members.other(old)
    old.die()
    members.settled(on=new)
    old.start()
    until(lambda: old.follows, "the old leader follows", told=members.told)
    members.stays(new, seconds=2 * LOOP)


@pytest.mark.parametrize("run", RUNS)
def test_switchover_moves_the_address(members: Members, run: int) -> None:
    """As asked for by a person, who waits for it."""
    old = members.settled()
    new = members.other(old)
    assert old.asked("POST", "/switchover", leader=old.server, candidate=new.server) in (0, 200, 202)
    members.settled(on=new)
    until(lambda: old.follows, "the old leader follows", told=members.told)
    members.stays(new, seconds=2 * LOOP)


@pytest.mark.parametrize("run", RUNS)
def test_old_leader_that_was_paused_in_a_restore_does_not_take_the_address_back(members: Members, run: int) -> None:
    """Its callback had looked and was about to write; when it goes on, another member is the leader."""
    first = members.settled()
    paused = members.other(first)
    rule = members.cluster.sandbox.fault(
        "delay", operation="DescribeRouteTables", server=paused.server, seconds=5.0, count=1
    )
    first.asked("POST", "/switchover", leader=first.server, candidate=paused.server)
    until(lambda: members.cluster.met(rule), "the callback of the new leader looks", told=members.told)
    paused.signal(signal.SIGSTOP)
    members.cluster.sandbox.clear(rule)
    members.settled(on=first)
    paused.signal(signal.SIGCONT)
    members.stays(first, seconds=TTL / 2)
    until(lambda: paused.follows, "the paused leader follows", told=members.told)
    members.stays(first, seconds=2 * LOOP)
    assert members.settled() is first
