"""The program of keepalived's notify pipe: real processes, on the sandbox."""

from __future__ import annotations

import signal

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Cluster, finished, until
from .pipe import Pipe

HERE, THERE = ["node2"] * 3, ["node1"] * 3


def ended(pipe: Pipe, deed: str, times: int = 1) -> bool:
    """Whether an action has ended so often, by the server's log."""
    return pipe.cluster.log(pipe.server).count(f'END successful {deed} of "{VIP_TAG}"') == times


def state(cluster: Cluster, server: str) -> str:
    return (cluster.path(server, "EC2KIT_STATE_DIR") / "states" / f"{VIP_TAG}.json").read_text()


def test_master_brings_in_service_and_backup_takes_out(pipe: Pipe) -> None:
    """The routes follow MASTER; BACKUP leaves them to the next one, and is out of service."""
    pipe.state("MASTER")
    until(lambda: ended(pipe, "restore"))
    assert pipe.cluster.holders() == HERE
    pipe.state("BACKUP")
    until(lambda: ended(pipe, "remove"))
    assert "OSU" in state(pipe.cluster, "node2")


@pytest.mark.parametrize("last", ["BACKUP", "FAULT", "STOP"])
def test_every_state_but_master_takes_out_of_service(cluster: Cluster, last: str) -> None:
    """An Elastic IP is given up by whoever is not MASTER any more."""
    pipe = Pipe(cluster.with_resource(EIP_TAG), "node1", f"VI_1={EIP_TAG}")
    pipe.state(last)
    until(lambda: cluster.address_holder() is None)
    assert pipe.close().status == 0


def test_a_group_is_followed_by_its_name(cluster: Cluster) -> None:
    """A sync group moves as one, and so do its resources, all of them."""
    cluster.with_resource(EIP_TAG).with_resource(VIP_TAG)
    pipe = Pipe(cluster, "node2", f"G1={VIP_TAG},{EIP_TAG}")
    pipe.tell('INSTANCE "VI_1" MASTER 100', 'GROUP "G1" MASTER 0')
    until(lambda: cluster.holders() == HERE and cluster.address_holder() == "node2")
    assert pipe.close().status == 0


def test_obsolete_states_are_not_acted_on(pipe: Pipe) -> None:
    """Of what is there at a time only the last one counts: a MASTER for a moment moves nothing."""
    pipe.tell(*[f'INSTANCE "VI_1" {each} 100' for each in ("BACKUP", "MASTER", "BACKUP")])
    until(lambda: ended(pipe, "remove"))
    assert pipe.close().status == 0
    assert pipe.cluster.holders() == THERE
    assert "restore" not in pipe.cluster.log("node2")


def test_backup_ends_a_restore_that_is_under_way(pipe: Pipe) -> None:
    """An API that is silent keeps nobody waiting, and the restore writes nothing when it is obsolete."""
    pipe.cluster.sandbox.fault("silent", operation="ReplaceRoute")
    pipe.state("MASTER")
    until(lambda: "BEGIN restore" in pipe.cluster.log("node2"))
    pipe.state("BACKUP")
    until(lambda: ended(pipe, "remove"))
    pipe.cluster.sandbox.clear()
    assert pipe.close().status == 0
    assert pipe.cluster.holders() == THERE
    assert "OSU" in state(pipe.cluster, "node2")


def test_an_instance_does_not_wait_for_another_one(cluster: Cluster) -> None:
    """While one cannot be moved the other one is."""
    cluster.with_resource(EIP_TAG).with_resource(VIP_TAG)
    cluster.sandbox.fault("silent", operation="ReplaceRoute")
    pipe = Pipe(cluster, "node2", f"VI_1={VIP_TAG}", f"VI_2={EIP_TAG}")
    pipe.state("MASTER")
    until(lambda: "BEGIN restore" in cluster.log("node2"))
    pipe.state("MASTER", "VI_2")
    until(lambda: cluster.address_holder() == "node2")
    pipe.process.terminate()
    assert finished(pipe.process).status == 0
    pipe.end()


def test_a_master_that_hears_a_lower_priority_takes_the_address_back(pipe: Pipe) -> None:
    """Who was MASTER for a moment may have moved it; nothing is written where it did not."""
    pipe.state("MASTER")
    until(lambda: ended(pipe, "restore"))
    pipe.cluster.point(pipe.cluster.tables[0], pipe.cluster.eni("node1"))
    pipe.state("MASTER_RX_LOWER_PRI")
    until(lambda: ended(pipe, "restore", 2))
    assert pipe.cluster.holders() == HERE


def test_lines_that_are_none_are_told_and_skipped(pipe: Pipe) -> None:
    """Garbage is a warning, never an end; what is about others or about a priority is nothing."""
    pipe.tell(
        "garbage", "\x1b[31m\\xff", 'INSTANCE "VI_1" MASTEER 1', "VS [1.2.3.4]:tcp:80 UP", 'INSTANCE "VI_9" MASTER 9'
    )
    pipe.tell('INSTANCE "VI_1" MASTER_PRIORITY 90', 'INSTANCE "VI_1" MASTER 100')
    until(lambda: ended(pipe, "restore"))
    assert pipe.cluster.log("node2").count(":620911:") == 3


def test_the_end_of_the_pipe_ends_the_program_when_all_is_done(pipe: Pipe) -> None:
    """What was told before is still done."""
    pipe.state("MASTER")
    until(lambda: "BEGIN restore" in pipe.cluster.log("node2"))
    assert pipe.close().status == 0
    assert ended(pipe, "restore")


def test_a_keepalived_that_is_stopped_has_the_address_given_up(cluster: Cluster) -> None:
    """It sends SIGTERM, then tells STOP, then is gone; what STOP means is done."""
    pipe = Pipe(cluster.with_resource(EIP_TAG), "node1", f"VI_1={EIP_TAG}")
    pipe.state("MASTER")
    until(lambda: f'END successful restore of "{EIP_TAG}"' in cluster.log("node1"))
    pipe.stop()
    assert pipe.close().status == 0
    assert cluster.address_holder() is None


def test_a_program_that_is_killed_leaves_the_remove_that_it_began(cluster: Cluster) -> None:
    """Keepalived kills its program a second after SIGTERM."""
    pipe = Pipe(cluster.with_resource(EIP_TAG), "node1", f"VI_1={EIP_TAG}")
    pipe.state("MASTER")
    until(lambda: f'END successful restore of "{EIP_TAG}"' in cluster.log("node1"))
    cluster.sandbox.fault("delay", seconds=2, operation="DisassociateAddress")
    pipe.stop()
    until(lambda: f'BEGIN remove of "{EIP_TAG}"' in cluster.log("node1"))
    pipe.process.kill()
    until(lambda: cluster.address_holder() is None)
    finished(pipe.process)
    pipe.end()


def test_a_program_that_ends_for_a_reload_takes_nothing_out_of_service(pipe: Pipe) -> None:
    """Its pipe is closed without a word, and the next program gets one of its own."""
    pipe.state("MASTER")
    until(lambda: ended(pipe, "restore"))
    pipe.process.send_signal(signal.SIGTERM)
    assert pipe.close().status == 0
    assert "remove" not in pipe.cluster.log("node2")
    assert "ISP" in state(pipe.cluster, "node2")


def test_a_program_that_is_ended_by_a_person_does_not_wait_for_keepalived(pipe: Pipe) -> None:
    """The pipe stays open, and nothing comes."""
    pipe.state("MASTER")
    until(lambda: ended(pipe, "restore"))
    pipe.process.send_signal(signal.SIGTERM)
    assert finished(pipe.process).status == 0


def test_a_pipe_that_is_not_there_is_a_failure(cluster: Cluster) -> None:
    """Keepalived logs that its program ended."""
    done = cluster.run("node1", "keepalived", "fifo", f"VI_1={VIP_TAG}", "/nowhere/fifo")
    assert (done.status, "/nowhere/fifo" in done.stderr) == (1, True)
