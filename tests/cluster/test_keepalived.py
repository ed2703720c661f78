"""The real keepalived on two servers, set up as docs/keepalived.md has it: the routes follow MASTER."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..cli.test_cli import ec2kit
from .node import until
from .vrrp import Pair, documented

pytestmark = pytest.mark.timeout(900)


def test_keepalived_accepts_the_sample_of_the_document(laid_pair: Pair, tmp_path: Path) -> None:
    """Letter by letter, with the scripts in their place, and without a warning."""
    sample = tmp_path / "keepalived.conf"
    sample.write_text(documented())
    assert laid_pair.node1.tested(sample) == (0, "")


def test_master_has_the_routes_from_the_start(pair: Pair) -> None:
    """Who wins the election takes them, once, and the other one writes nothing."""
    assert pair.held_by("node1")
    assert len(pair.cluster.writes("node1")) == len(pair.cluster.tables)
    assert pair.cluster.writes("node2") == []


def test_master_that_is_stopped_gives_its_place_to_the_other_one(pair: Pair) -> None:
    """The other one takes the routes, and nobody touches what it has."""
    before = pair.cluster.writes("node1")
    pair.node1.stop()
    pair.until_held_by("node2")
    until(lambda: not pair.node1.programs(), what="node1's program ends")
    pair.stays(2, "node2")
    assert pair.cluster.writes("node1") == before


def test_master_that_is_stopped_is_out_of_service(pair: Pair) -> None:
    """The kit does what STOP means, so that nobody takes a stopped server for an owner."""
    pair.node1.stop()
    pair.until_held_by("node2")
    until(lambda: not pair.node1.programs(), what="node1's program ends")
    assert not pair.in_service("node1")


def test_master_whose_cable_was_out_is_backup_and_writes_nothing(pair: Pair) -> None:
    """The other one takes over; plugged in again, the old one leaves the routes where they are."""
    before = pair.cluster.writes("node1")
    pair.network.cut("node1")
    pair.until_held_by("node2")
    assert pair.node1.state == "FAULT"
    pair.network.mend("node1")
    until(lambda: pair.node1.state == "BACKUP", what="node1 is BACKUP")
    pair.stays(3, "node2")
    assert (pair.node2.state, pair.cluster.writes("node1")) == ("MASTER", before)


def test_of_two_masters_the_one_with_the_higher_priority_gets_the_routes(pair: Pair) -> None:
    """Cut off with its cable in it stays MASTER, for nopreempt is about BACKUPs only; the routes follow."""
    pair.cluster.sandbox.fault("silent", server="node1")
    pair.network.cut_path()
    pair.until_held_by("node2")
    assert pair.node1.state == "MASTER"
    pair.cluster.sandbox.clear()
    pair.network.mend_path()
    until(lambda: pair.node2.state == "BACKUP", what="node2 is BACKUP")
    pair.until_held_by("node1")
    until(lambda: not pair.in_service("node2"), what="node2 is out of service")
    pair.stays(1, "node1")


def test_routes_that_an_outside_hand_moved_are_taken_back(pair: Pair) -> None:
    """By the check, and no state changes."""
    pair.steal("node2")
    pair.until_held_by("node1")
    until(lambda: ":620915:" in pair.cluster.log("node1"), what="node1's check tells of it")
    assert (pair.node1.states(), pair.node2.states()) == (["BACKUP", "MASTER"], ["BACKUP"])


def test_master_that_loses_its_routes_a_fourth_time_is_in_fault(pair: Pair) -> None:
    """Its check gives up twice; the other one takes over, and the first stays behind it when its check is content."""
    for _ in range(3):
        pair.steal("node2")
        until(lambda: pair.held_by("node1"), what="routes taken back")
    pair.steal("node2")
    pair.until_held_by("node2")
    until(lambda: pair.cluster.log("node1").count(":620916:") >= 2, what="node1's check gives up")
    until(lambda: pair.node1.state == "BACKUP", what="node1 is BACKUP")
    assert pair.node1.states() == ["BACKUP", "MASTER", "FAULT", "BACKUP"]
    assert pair.node2.state == "MASTER"


def test_silence_of_ec2_changes_nothing(pair: Pair) -> None:
    """A check without an answer is no failure, by keepalived's own judgement."""
    pair.cluster.sandbox.fault("silent")
    until(lambda: pair.cluster.log("node1").count(":620314:") >= 2, what="two checks without an answer")
    pair.cluster.sandbox.clear()
    assert (pair.node1.states(), pair.node2.states()) == (["BACKUP", "MASTER"], ["BACKUP"])
    assert pair.held_by("node1")


def test_a_reload_keeps_master_and_routes(pair: Pair) -> None:
    """SIGHUP: what follows is heard by a program, whichever it is."""
    before = pair.cluster.writes("node1")
    pair.node1.reload()
    until(lambda: "Reloading" in pair.node1.log(), what="node1 reloads")
    pair.stays(2, "node1")
    assert pair.cluster.writes("node1") == before
    assert len(pair.node1.programs()) >= 1
    pair.node1.stop()
    pair.until_held_by("node2")


def look(pair: Pair, server: str, **settings: str) -> str:
    """One look at what AWS announces of a server; returns the number that keepalived reads then."""
    done = ec2kit(pair.cluster, server, "notices", "--framework", "keepalived", **settings)
    assert done.status == 0, done.stderr
    return pair.servers[server].tracked.read_text().strip()


def test_master_leaves_before_maintenance_and_takes_over_only_if_no_other_one_can(pair: Pair) -> None:
    """FAULT lets the other one take over, in spite of nopreempt; then the lowest priority, and its own one again."""
    rule = pair.cluster.sandbox.fault("maintenance", service="imds", server="node1", seconds=600)
    assert look(pair, "node1") == "254"
    pair.until_held_by("node2")
    assert pair.node1.state == "FAULT"
    until(lambda: not pair.in_service("node1"), what="node1 is out of service")
    assert look(pair, "node1") == "253"
    pair.node1.until_state("BACKUP")
    pair.stays(2, "node2")
    pair.node2.stop()
    pair.until_held_by("node1")
    pair.cluster.sandbox.clear(rule)
    look(pair, "node1")
    assert look(pair, "node1", EC2_NOTICE_CALM="0") == "0"
    pair.stays(1, "node1")
