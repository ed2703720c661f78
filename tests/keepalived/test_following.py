"""The check knows whether the program of the pipe still hears what keepalived says."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..actions.cluster import VIP_TAG, Cluster, Done, finished, until
from .pipe import Pipe

HERE, THERE = ["node1"] * 3, ["node2"] * 3


@pytest.fixture
def master(cluster: Cluster) -> Iterator[Pipe]:
    """The program of node1's pipe, with a virtual IP that is in service there."""
    pipe = begun(cluster.with_resource())
    yield pipe
    pipe.end()


def begun(cluster: Cluster) -> Pipe:
    def restored() -> int:
        return cluster.log("node1").count(f'END successful restore of "{VIP_TAG}"')

    before = restored()
    pipe = Pipe(cluster, "node1")
    pipe.state("MASTER")
    until(lambda: restored() > before)
    return pipe


def record(cluster: Cluster) -> Path:
    return cluster.path("node1", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.follower.json"


def killed(pipe: Pipe) -> Cluster:
    """Nobody starts it again, and another server became MASTER."""
    pipe.process.kill()
    finished(pipe.process)
    pipe.end()
    for table in pipe.cluster.tables:
        pipe.cluster.point(table, pipe.cluster.eni("node2"))
    return pipe.cluster


def check(cluster: Cluster) -> Done:
    return cluster.run("node1", "keepalived", "check", "-t", VIP_TAG, EC2_SNAPSHOT_MAX_AGE="0")


def test_check_without_the_program_takes_nothing_back_and_says_so(master: Pipe) -> None:
    """Nobody told it that it is MASTER no more; a new program makes all as it was."""
    cluster = killed(master)
    assert (check(cluster).status, cluster.holders()) == (0, THERE)
    assert f":620919:{VIP_TAG}: " in cluster.log("node1")
    again = begun(cluster)
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    assert (check(cluster).status, cluster.holders()) == (0, HERE)
    again.end()


def test_check_without_the_program_restores_nothing(master: Pipe) -> None:
    """What was wanted last may not be what keepalived wants now."""
    cluster = killed(master)
    cluster.sandbox.fault("deny", operation="ReplaceRoute", server="node1")
    assert cluster.act("node1", "restore").status == 1
    cluster.sandbox.clear()
    assert (check(cluster).status, cluster.holders()) == (0, THERE)


def test_check_after_a_reload_goes_on_as_before(master: Pipe) -> None:
    """The new program begins while the old one still ends."""
    newer = begun(master.cluster)
    master.process.send_signal(signal.SIGTERM)
    assert master.close().status == 0
    for table in master.cluster.tables:
        master.cluster.point(table, master.cluster.eni("node2"))
    assert (check(master.cluster).status, master.cluster.holders()) == (0, HERE)
    newer.end()


def test_check_where_the_notify_script_took_the_place_of_the_program_needs_none(master: Pipe) -> None:
    """Another configuration, in the same boot."""
    cluster = killed(master)
    words = ["notify", f"VI_1={VIP_TAG}", "INSTANCE", "VI_1", "MASTER", "100"]
    assert cluster.run("node1", "keepalived", *words).status == 0
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    assert (check(cluster).status, cluster.holders()) == (0, HERE)


def test_check_a_program_of_another_boot_is_not_missed(master: Pipe) -> None:
    """Where EC2KIT_RUN_DIR outlives a boot."""
    cluster = killed(master)
    record(cluster).write_text(json.dumps({**json.loads(record(cluster).read_text()), "boot": "another"}))
    assert (check(cluster).status, cluster.holders()) == (0, HERE)


def test_program_that_cannot_write_down_that_it_follows_follows(cluster: Cluster) -> None:
    """It is there for the address; what is missing is said."""
    cluster.with_resource()
    record(cluster).with_suffix(".lock").mkdir(parents=True)
    pipe = begun(cluster)
    assert f"{VIP_TAG}.follower.lock" in cluster.log("node1")
    assert (pipe.close().status, check(cluster).status) == (0, 0)


def test_delete_leaves_nothing_of_the_program(master: Pipe) -> None:
    """Though it still runs."""
    assert master.cluster.run("node1", "delete", "-t", VIP_TAG).status == 0
    assert not list(record(master.cluster).parent.glob(f"{VIP_TAG}.*"))
