"""The check for keepalived's track_script: the address is taken back, but not for ever."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ec2kit.state.lock import Lock

from ..actions.cluster import ACTIONS, EIP_TAG, VIP_TAG, Cluster, Done, crowded, finished, given_time, until

HERE, THERE = ["node1"] * 3, ["node2"] * 3


@pytest.fixture
def master(cluster: Cluster) -> Cluster:
    """A virtual IP in service on node1."""
    return cluster.with_resource()


def check(cluster: Cluster, server: str = "node1", tag: str = VIP_TAG, within: str = "120") -> Done:
    return finished(start_check(cluster, server, tag, within))


def start_check(
    cluster: Cluster, server: str = "node1", tag: str = VIP_TAG, within: str = "120"
) -> subprocess.Popen[str]:
    settings = {"EC2_SNAPSHOT_MAX_AGE": "0"}
    return cluster.start(server, "keepalived", "check", "-t", tag, "--within", within, **settings)


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
    assert [check(master).status for _ in range(4)] == [0] * 4  # one more than may count
    master.sandbox.clear()
    assert (check(master).status, master.holders()) == (0, HERE)


@pytest.mark.parametrize("kind", ["silent", "refuse", "throttle", "deny"])
def test_check_without_an_answer_is_no_failure(master: Cluster, kind: str) -> None:
    """Within its time, with the address elsewhere or not: who cannot be asked has not said no."""
    steal(master)
    master.sandbox.fault(kind, server="node1")
    assert check(master, within=f"{crowded(3):.1f}").status == 0
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


def test_the_sample_forgives_one_check_that_came_too_late() -> None:
    """A server that swaps, or was paused, for the time of one check stays MASTER."""
    document = Path(__file__).parents[2] / "docs" / "keepalived.md"
    assert [int(each) for each in re.findall(r"^ +fall ([0-9]+)$", document.read_text(), re.MULTILINE)] == [2]


def test_the_sample_ends_a_check_that_hangs_before_the_next_one_begins() -> None:
    """With a timeout that equals the interval, keepalived 2.3.3 comes to FAULT 10 s later than 2.2.7."""
    document = (Path(__file__).parents[2] / "docs" / "keepalived.md").read_text()
    (within,), (timeout,), (interval,) = (
        [int(each) for each in re.findall(pattern, document, re.MULTILINE)]
        for pattern in (r"^ +script .*--within ([0-9]+)", r"^ +timeout ([0-9]+)$", r"^ +interval ([0-9]+)$")
    )
    assert within < timeout < interval


def test_delete_forgets_what_was_taken_back(master: Cluster) -> None:
    """A resource made anew under the tag begins without a past."""
    steal(master)
    check(master)
    assert master.run("node1", "delete", "-t", VIP_TAG).status == 0
    assert not list(master.path("node1", "EC2KIT_RUN_DIR").glob(f"{VIP_TAG}.*"))


# -- a restore that has not ended well --


def failed_restore(cluster: Cluster) -> None:
    """node2 became MASTER and EC2 let it write nothing; keepalived does not say MASTER again."""
    cluster.lay_out("failed-restore", lambda: fail_to_restore(cluster.with_resource()))


def fail_to_restore(cluster: Cluster) -> None:
    cluster.sandbox.fault("deny", operation="ReplaceRoute", server="node2")
    assert cluster.act("node2", "restore").status == 1
    cluster.sandbox.clear()


def restore_under_way(cluster: Cluster) -> subprocess.Popen[str]:
    """On node2, whose writes get no answer."""
    cluster.sandbox.fault("silent", operation="ReplaceRoute", server="node2")
    running = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: lock(cluster, "writing").is_held)
    return running


def lock(cluster: Cluster, name: str) -> Lock:
    return Lock(str(cluster.path("node2", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.{name}.lock"))


def test_check_restores_again_what_a_failed_restore_left(master: Cluster) -> None:
    """At each interval until it works, and the log says each time why not; who had the address is no thief."""
    failed_restore(master)
    master.sandbox.fault("deny", operation="ReplaceRoute", server="node2")
    assert [check(master, "node2").status for _ in range(4)] == [0] * 4
    assert master.log("node2").count(":620918:10.1.0.10 ") == 4
    master.sandbox.clear()
    assert (check(master, "node2").status, master.holders()) == (0, THERE)
    assert ":620917:10.1.0.10 " in master.log("node2")
    assert master.act("node2", "quickCheck").status == 0
    assert not (master.path("node2", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.reassertions.json").exists()


def test_check_restores_again_what_a_killed_restore_left(master: Cluster) -> None:
    """A process that is killed leaves only what was wanted."""
    running = restore_under_way(master)
    running.kill()
    finished(running)
    master.sandbox.clear()
    assert (check(master, "node2").status, master.holders()) == (0, THERE)


def test_check_does_not_restore_where_remove_came_after_the_failure(master: Cluster) -> None:
    """Only what was wanted last says who is MASTER; a BACKUP asks nobody."""
    failed_restore(master)
    assert master.act("node2", "remove").status == 0
    before = len(master.sandbox.calls())
    assert check(master, "node2").status == 0
    assert len(master.sandbox.calls()) == before


def test_check_does_not_restore_where_remove_could_not_write_down_what_is_wanted(master: Cluster) -> None:
    """A wish that is out of date must not make a BACKUP take the address."""
    failed_restore(master)
    mutex = lock(master, "intention")
    assert mutex.take()
    assert master.act("node2", "remove", EC2_REMOVE_TIMEOUT="1").status == 0
    mutex.release()
    assert (check(master, "node2").status, master.holders()) == (0, HERE)


def test_check_leaves_a_restore_that_is_under_way_alone(master: Cluster) -> None:
    """That one has its own deadline, which is longer."""
    running = restore_under_way(master)
    assert check(master, "node2").status == 0
    assert "62091" not in master.log("node2")
    master.sandbox.clear()
    assert (finished(running).status, master.holders()) == (0, THERE)


def test_remove_ends_a_restore_of_the_check(master: Cluster) -> None:
    """As it ends every other one: nothing is written after it."""
    failed_restore(master)
    master.sandbox.fault("silent", operation="ReplaceRoute", server="node2")
    checking = start_check(master, "node2")
    until(lambda: lock(master, "writing").is_held)
    assert master.act("node2", "remove").status == 0
    master.sandbox.clear()
    assert finished(checking).status == 0
    assert master.holders() == HERE
    assert "OSU" in (master.path("node2", "EC2KIT_STATE_DIR") / "states" / f"{VIP_TAG}.json").read_text()


def test_check_that_is_held_up_past_its_deadline_restores_nothing_when_it_goes_on(master: Cluster) -> None:
    """Who was stopped for so long may not be MASTER any more."""
    failed_restore(master)
    master.sandbox.fault("silent", operation="DescribeRouteTables", server="node2")

    def begun(seconds: float) -> tuple[subprocess.Popen[str], float]:
        checking = start_check(master, "node2", within=f"{seconds:.1f}")
        until(lambda: lock(master, "writing").is_held or checking.poll() is not None)
        return checking, seconds

    checking, deadline = given_time(begun, lambda started: started[0].poll() is None)
    (program,) = Path(f"/proc/{checking.pid}/task/{checking.pid}/children").read_text().split()  # of the script
    os.kill(int(program), signal.SIGSTOP)
    time.sleep(deadline + 1)
    os.kill(int(program), signal.SIGCONT)
    assert finished(checking).status == 0
    assert (master.writes("node2"), master.holders()) == ([], HERE)


@pytest.mark.parametrize("kind", ["silent", "refuse", "throttle", "deny"])
def test_check_whose_restore_gets_no_answer_is_no_failure(master: Cluster, kind: str) -> None:
    """Within its time; the next one tries again."""
    failed_restore(master)
    master.sandbox.fault(kind, server="node2")
    done = given_time(
        lambda seconds: check(master, "node2", within=f"{seconds:.1f}"),
        lambda done: ":620918:" in master.log("node2"),
    )
    assert done.status == 0
    assert master.log("node2").count(":620918:") == 1


def test_check_that_is_started_beside_another_waits_for_it(master: Cluster) -> None:
    """keepalived 2.2.7 starts it again when the interval is over; one theft counts once, and is taken back once."""
    steal(master)
    before = len(master.writes("node1"))
    rule = master.sandbox.fault("delay", operation="DescribeRouteTables", server="node1", count=1, seconds=2.0)
    first = start_check(master)
    until(lambda: master.met(rule))
    assert check(master).status == 0
    assert (finished(first).status, master.holders()) == (0, HERE)
    assert len(master.writes("node1")) == before + len(master.tables)
    times = json.loads((master.path("node1", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.reassertions.json").read_text())["times"]
    assert [len(each) for each in times.values()] == [1]


def test_check_beside_one_that_hangs_is_no_failure(master: Cluster) -> None:
    """Its time is over before it could look, so it knows nothing."""
    rule = master.sandbox.fault("silent", operation="DescribeRouteTables", server="node1")
    first = start_check(master)
    until(lambda: master.met(rule))
    assert check(master, within="1").status == 0
    assert "the check before this one is under way here" in master.log("node1")
    master.sandbox.clear()
    assert finished(first).status == 0


def test_checks_that_overlap_give_up_as_one_alone_does(master: Cluster) -> None:
    """A good answer without a look between two bad ones would keep keepalived from its `fall` for ever."""
    for _ in range(3):
        steal(master)
        assert check(master).status == 0
    steal(master)
    both = [start_check(master) for _ in range(2)]
    assert [finished(each).status for each in both] == [1, 1]


def test_check_whose_lock_cannot_be_used_goes_on(master: Cluster) -> None:
    """What keeps checks apart must not keep the address away."""
    steal(master)
    (master.path("node1", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.check.lock").mkdir()
    assert (check(master).status, master.holders()) == (0, HERE)
