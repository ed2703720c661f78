"""What a caller hands to an action does not decide how the action ends: streams, and signals."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from ec2kit.frameworks.edge import OVERDUE

from ..inherited import STREAMS, begun, blocking_signals, ended, status_of
from ..patience import Stalls
from .cluster import ACTIONS, EIP_TAG, VIP_TAG, Cluster, finished, in_a_hurry, until


def _status(cluster: Cluster, server: str, action: str, streams: str, tag: str = VIP_TAG) -> int:
    words = [str(ACTIONS / action), "-t", tag]
    return status_of(words, cluster.environment(server), streams=streams)


@pytest.mark.parametrize("streams", STREAMS)
def test_actions_whose_streams_are_closed_or_full_say_what_is_the_case(cluster: Cluster, streams: str) -> None:
    """Work that was done is a success, no is no, and nothing waits for a reader."""
    cluster.with_resource()
    assert _status(cluster, "node1", "remove", streams) == 0
    assert _status(cluster, "node2", "restore", streams) == 0
    assert cluster.holders() == ["node2"] * 6
    assert _status(cluster, "node2", "quickCheck", streams) == 0
    assert _status(cluster, "node1", "quickCheck", streams) == 1
    assert _status(cluster, "node2", "recover", streams) == 0
    assert "620004" not in cluster.log("node1") + cluster.log("node2")


SILENCE = [
    ("node1", "quickCheck", EIP_TAG, 0),
    ("node1", "recover", VIP_TAG, 1),
    ("node2", "restore", VIP_TAG, 1),
    ("node3", "remove", VIP_TAG, 0),
]
"""Server, action and tag, and how it ends while EC2 is silent."""


def _end_in_time_while_ec2_is_silent(cluster: Cluster, streams: str) -> None:
    """All of them at once; what the actions say of their time is in the log, which has no start of Python in it."""
    cluster.clean()
    cluster.with_resource(EIP_TAG, servers=2)
    cluster.with_resource(servers=3)
    cluster.sandbox.fault("silent")
    hurry, stalls = in_a_hurry(), Stalls()
    deadline = float(hurry["EC2_RESTORE_TIMEOUT"])
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                begun([str(ACTIONS / action), "-t", tag], cluster.environment(server, **hurry), streams=streams)
            )
            for server, action, tag, _ in SILENCE
        ]
        statuses = [ended(each) for each in running]
    assert statuses == [status for *_, status in SILENCE], streams
    for server, action, tag, _ in SILENCE:
        end = re.findall(rf':END \w+ {action} of "{tag}" after ([0-9.]+) s', cluster.log(server))
        if not end and stalls.seconds > OVERDUE and f":{action}:{tag}:620006:" in cluster.log(server):
            continue  # the machine kept it from ending by itself, and its watchdog ended it
        assert [float(each) <= deadline + 1 + stalls.seconds for each in end] == [True], (streams, action, end)


def test_actions_whose_output_nobody_takes_end_in_time_while_ec2_is_silent(cluster: Cluster) -> None:
    """A pipe without room: the status is right, and the deadline is kept."""
    _end_in_time_while_ec2_is_silent(cluster, "full")


@pytest.mark.slow
def test_actions_with_any_streams_end_in_time_while_ec2_is_silent(cluster: Cluster) -> None:
    """Each stream closed, full, or read by nobody."""
    for streams in STREAMS:
        _end_in_time_while_ec2_is_silent(cluster, streams)


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "2>&-"])
def test_what_is_meant_for_stderr_is_written_into_no_other_file(cluster: Cluster, streams: str) -> None:
    """The next file that is opened would get the number 2: a lock, a state, the connection to EC2."""
    words = [str(ACTIONS / "create"), "-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10"]
    environment = cluster.environment("node1")
    assert status_of([*words, "--interface", "eth1"], environment, streams=streams) == 0
    places = [cluster.path("node1", name) for name in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR")]
    texts = {path: path.read_text() for place in places for path in place.rglob("*") if path.is_file()}
    assert not [path for path, text in texts.items() if "BEGIN" in text or "moved" in text or "END" in text]
    assert [json.loads(text) for path, text in texts.items() if path.suffix == ".json"]
    assert not [path for path, text in texts.items() if path.suffix == ".lock" and text]


@pytest.mark.parametrize(("action", "status"), [("quickCheck", 0), ("restore", 127)])
def test_a_script_without_its_python_and_with_a_full_stderr_ends(tmp_path: Path, action: str, status: int) -> None:
    """The scripts themselves wait for no reader either."""
    shutil.copytree(ACTIONS, tmp_path / "kit" / "actions")
    words = [str(tmp_path / "kit" / "actions" / action), "-t", VIP_TAG]
    assert status_of(words, dict(os.environ), streams="full") == status


def test_a_signal_that_the_caller_has_blocked_ends_an_action(cluster: Cluster) -> None:
    """SIGTERM comes through, and so does its name."""
    look = cluster.with_resource(EIP_TAG).sandbox.fault("silent", server="node2")
    process = subprocess.Popen(
        blocking_signals(str(ACTIONS / "restore"), "-t", EIP_TAG),
        env=cluster.environment("node2"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: cluster.met(look))
    process.send_signal(signal.SIGTERM)
    done = finished(process)
    assert done.status == 1
    assert "stopped by signal SIGTERM" in done.stderr
