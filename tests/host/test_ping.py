"""Whether an address answers, by a stand-in for the system's ping."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host import ping
from ec2kit.settings import Settings

from ..builders import ImpatientClock

LOSS = "echo '1 packets transmitted, 0 received, 100% packet loss, time 0ms'"


def answers(folder: Path, script: str | None) -> bool:
    if script is not None:
        path = folder / "ping"
        path.write_text(f"#!/bin/sh\necho $* >>{folder}/asked\n{script}\n")
        path.chmod(0o755)
    return ping.answers("10.1.0.10", Settings(path=str(folder)), Deadline(60, ImpatientClock()))


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_an_address_that_answers_is_asked_once(tmp_path: Path) -> None:
    """One request, two seconds for its answer."""
    assert answers(tmp_path, "exit 0")
    assert asked(tmp_path) == ["-c 1 -W 2 10.1.0.10"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"{LOSS}; exit 1", id="silence"),
        pytest.param("exit 1", id="silence without a word"),
        pytest.param(f"{LOSS}; echo 'ping: Warning: time of day goes back' >&2; exit 1", id="silence and a warning"),
        pytest.param("echo 'ping: connect: Network is unreachable' >&2; exit 2", id="no route"),
        pytest.param("echo 'ping: sendto: No route to host' >&2; exit 2", id="no host"),
    ],
)
def test_an_address_that_does_not_answer_is_asked_a_few_times(tmp_path: Path, script: str) -> None:
    """The change may become effective a moment later."""
    assert not answers(tmp_path, script)
    assert len(asked(tmp_path)) == 3


def test_a_later_answer_counts(tmp_path: Path) -> None:
    """One answer is enough."""
    assert answers(tmp_path, f"[ $(/bin/grep -c . {tmp_path}/asked) = 2 ]")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param("echo 'ping: socket: Operation not permitted' >&2; exit 2", "not permitted", id="iputils"),
        pytest.param("echo 'ping: permission denied (are you root?)' >&2; exit 1", "permission denied", id="busybox"),
        pytest.param("echo 'ping: invalid option -- W' >&2; exit 2", "invalid option", id="another ping"),
        pytest.param("exit 3", "exit status 3", id="without a word"),
        pytest.param(None, "No such file", id="no ping"),
    ],
)
def test_what_cannot_be_tried_is_no_silence(tmp_path: Path, script: str | None, says: str) -> None:
    """Nothing was sent, so nothing is known."""
    with pytest.raises(LocalCommandFailed, match=says):
        answers(tmp_path, script)
