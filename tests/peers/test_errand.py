"""What another server was asked to do, and is called back from; a whole one is in lifekeeper/test_creation.py."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import BadRequest, DeadlinePassed, Stopped
from ec2kit.messages import catalogue
from ec2kit.peers.errand import Errand
from ec2kit.state.boot import boot_id
from ec2kit.state.intention import Direction, Intentions

from ..builders import raises


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """SIGINT means again what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def test_errand_called_back_before_it_began_does_not_begin(tmp_path: Path) -> None:
    """The request may come later than the word that it is not wanted any more; nothing is left of either."""
    Errand(str(tmp_path), "a").call_back(Deadline(10))
    with raises(BadRequest, catalogue.CANCELLED), Errand(str(tmp_path), "a").under_way():
        pytest.fail("it began")
    assert left_in(tmp_path) == []


def test_errand_called_back_after_its_end_is_not_waited_for(tmp_path: Path) -> None:
    """What has ended stays; who calls back hears what it left, and takes away what it wrote."""
    with Errand(str(tmp_path), "a").under_way() as tell:
        tell("a resource")
    assert Errand(str(tmp_path), "a").call_back(Deadline(10)) == "a resource"
    assert left_in(tmp_path) == []


def test_errand_that_failed_and_left_nothing_says_so(tmp_path: Path) -> None:
    """An error is no end that is not known."""
    with pytest.raises(RuntimeError), Errand(str(tmp_path), "a").under_way():
        raise RuntimeError
    assert Errand(str(tmp_path), "a").call_back(Deadline(10)) == ""


def test_errand_nobody_comes_for_is_swept_by_a_later_one(tmp_path: Path) -> None:
    """Ended, killed, or called back and never begun: after an hour nothing of them is left, unless one still runs."""
    with Errand(str(tmp_path), "ended").under_way():
        pass
    Errand(str(tmp_path), "never").call_back(Deadline(10))
    _killed(tmp_path, "killed")
    (tmp_path / "errands" / "killed.lock").touch()
    with Errand(str(tmp_path), "runs").under_way():
        _let_pass(tmp_path, seconds=4000)
        with Errand(str(tmp_path), "new").under_way():
            assert left_in(tmp_path) == ["new.lock", "new.runner.json", "runs.lock", "runs.runner.json"]


def test_errand_of_a_moment_ago_is_left_when_the_wall_clock_is_set(tmp_path: Path) -> None:
    """Its age counts since boot: the time of a file, by the wall clock, says nothing."""
    with Errand(str(tmp_path), "ended").under_way() as tell:
        tell("a resource")
    for path in (tmp_path / "errands").iterdir():
        os.utime(path, (0, 0))
    with Errand(str(tmp_path), "new").under_way():
        pass
    assert Errand(str(tmp_path), "ended").call_back(Deadline(10)) == "a resource"


@pytest.mark.parametrize("tag", ["errand", "errand.x", "errands"])
def test_errand_sweeps_no_note_of_a_resource_whatever_it_is_called(tmp_path: Path, tag: str) -> None:
    """An intention that disappears would stop the action that acts for it."""
    intentions = Intentions(str(tmp_path), tag)
    declared = intentions.declare(Direction.UP, Deadline(10))
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    with Errand(str(tmp_path), "new").under_way():
        assert intentions.current() == declared


def test_errand_called_back_under_way_is_told_by_a_signal(tmp_path: Path) -> None:
    """The signal is the one that Ctrl-C would be there; one that does not end in time is no success."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(signal="SIGINT")

    signal.signal(signal.SIGINT, stop)
    errand = Errand(str(tmp_path), "a")
    with errand.under_way(), pytest.raises(Stopped):
        errand.call_back(Deadline(10))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Errand(str(tmp_path), "b").under_way(), pytest.raises(DeadlinePassed):
        Errand(str(tmp_path), "b").call_back(Deadline(0.3))


def test_errand_of_a_process_that_died_is_over(tmp_path: Path) -> None:
    """Its number is nobody's, or another's, and gets no signal: its lock is gone; how it ended is not known."""
    _killed(tmp_path, "a")
    assert Errand(str(tmp_path), "a").call_back(Deadline(10)) is None
    assert left_in(tmp_path) == []


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "errands").iterdir())


def _killed(folder: Path, token: str) -> None:
    path = folder / "errands" / f"{token}.runner.json"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "pid": 1, "boot": boot_id(), "written": _now()}))
    path.chmod(0o600)


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _let_pass(folder: Path, *, seconds: float) -> None:
    """Let all that is there have been written that long before."""
    for path in (folder / "errands").glob("*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "written": content["written"] - seconds}))
