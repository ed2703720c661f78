"""The check for keepalived's track_script: the address is taken back, but not for ever."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ..actions.cluster import ACTIONS, EIP_TAG, VIP_TAG, Cluster, Done

HERE = ["node1"] * 3


@pytest.fixture
def master(cluster: Cluster) -> Cluster:
    """A virtual IP in service on node1."""
    return cluster.with_resource()


def check(cluster: Cluster, server: str = "node1", tag: str = VIP_TAG, within: str = "8") -> Done:
    settings = {"EC2_SNAPSHOT_MAX_AGE": "0"}
    return cluster.run(server, "keepalived", "check", "-t", tag, "--within", within, **settings)


def steal(cluster: Cluster, eni: str | None = None) -> None:
    """A server that is MASTER for a moment moves every route."""
    for table in cluster.tables:
        cluster.point(table, eni or cluster.eni("node2"))


def test_check_of_what_is_right_changes_nothing(master: Cluster) -> None:
    """0, without a write."""
    before = master.writes("node1")
    assert check(master).status == 0
    assert master.writes("node1") == before


def test_check_where_it_is_not_in_service_asks_nobody(master: Cluster) -> None:
    """A BACKUP may always become MASTER, whatever AWS says."""
    before = len(master.sandbox.calls())
    assert check(master, "node2").status == 0
    assert len(master.sandbox.calls()) == before


def test_check_takes_back_what_was_stolen_in_one_interval(master: Cluster) -> None:
    """The other server is not asked: keepalived has said who is MASTER."""
    master.cut_off("node2")
    steal(master)
    done = check(master)
    assert (done.status, master.holders()) == (0, HERE)
    assert "10.1.0.10 was held by node2 and is taken back" in master.log("node1")


def test_check_takes_an_elastic_ip_back(cluster: Cluster) -> None:
    """The same for an Elastic IP."""
    cluster.with_resource(EIP_TAG)
    cluster.associate("node2")
    assert check(cluster, tag=EIP_TAG).status == 0
    assert cluster.address_holder() == "node1"


def test_check_fails_when_the_same_owner_took_it_a_fourth_time(master: Cluster) -> None:
    """Three times, then FAULT: two MASTERs must not fight for ever; another owner still has its own three."""
    for _ in range(3):
        steal(master)
        assert (check(master).status, master.holders()) == (0, HERE)
    steal(master)
    assert check(master).status == 1
    assert master.holders() == ["node2"] * 3
    assert ":620916:10.1.0.10 is held by node2, which took it again" in master.log("node1")
    steal(master, master.eni("node2", "eth0"))
    assert (check(master).status, master.holders()) == (0, HERE)


def test_what_was_ten_minutes_ago_no_longer_counts(master: Cluster) -> None:
    """An old fight is no reason to give up."""
    for _ in range(3):
        steal(master)
        check(master)
    path = master.path("node1", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.reassertions.json"
    kept = json.loads(path.read_text())
    kept["times"] = {holder: [each - 601 for each in when] for holder, when in kept["times"].items()}
    path.write_text(json.dumps(kept))
    steal(master)
    assert (check(master).status, master.holders()) == (0, HERE)


def test_an_attempt_that_changed_nothing_does_not_count(master: Cluster) -> None:
    """An API that refuses every write is trouble, and trouble never makes a FAULT."""
    steal(master)
    master.sandbox.fault("deny", operation="ReplaceRoute")
    assert [check(master).status for _ in range(5)] == [0] * 5
    master.sandbox.clear()
    assert (check(master).status, master.holders()) == (0, HERE)


@pytest.mark.parametrize("kind", ["silent", "refuse", "throttle", "deny"])
def test_check_without_an_answer_is_no_failure(master: Cluster, kind: str) -> None:
    """Within its time, with the address elsewhere or not: who cannot be asked has not said no."""
    steal(master)
    master.sandbox.fault(kind, server="node1")
    assert check(master, within="3").status == 0
    assert "620916" not in master.log("node1")


def test_check_of_a_tag_that_is_unknown_is_no_failure(master: Cluster) -> None:
    """A registry that lost it is trouble, and is told."""
    done = check(master, tag="ec2-unknown")
    assert done.status == 0
    assert "ec2-unknown" in master.log("node1")


def test_check_by_a_broken_python_is_no_failure_and_says_why(tmp_path: Path) -> None:
    """A server whose Python dies is still the active one; with another status it would go to FAULT."""
    shutil.copytree(ACTIONS, tmp_path / "actions")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("ec2kit", "python"):
        (tmp_path / ".venv" / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    words = [tmp_path / "actions" / "keepalived", "check", "-t", VIP_TAG]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "says nothing about the address" in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["-t", "../up"], ["-t", VIP_TAG, "--within", "0"], ["-t", VIP_TAG, "--hurry"]], ids=str
)
def test_check_that_is_written_wrongly_is_usage(cluster: Cluster, words: list[str]) -> None:
    """It never worked, and whoever wrote it has to hear of it: 2, with the reason."""
    done = cluster.run("node1", "keepalived", "check", *words)
    assert done.status == 2
    assert cluster.log("node1")


def test_delete_forgets_what_was_taken_back(master: Cluster) -> None:
    """A resource made anew under the tag begins without a past."""
    steal(master)
    check(master)
    assert master.run("node1", "delete", "-t", VIP_TAG).status == 0
    assert not list(master.path("node1", "EC2KIT_RUN_DIR").glob(f"{VIP_TAG}.*"))
