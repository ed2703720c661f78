"""What another server was asked to do, and is called back from; a whole one is in lifekeeper/test_creation.py."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errand import Errand
from ec2kit.errors import Cancelled, DeadlinePassed, Stopped


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """SIGINT means again what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def test_errand_called_back_before_it_began_does_not_begin(tmp_path: Path) -> None:
    """The request may come later than the word that it is not wanted any more; nothing is left of either."""
    Errand(str(tmp_path), "a").call_back(Deadline(10))
    with pytest.raises(Cancelled), Errand(str(tmp_path), "a").under_way():
        pytest.fail("it began")
    assert list(tmp_path.iterdir()) == []


def test_errand_called_back_after_its_end_is_not_waited_for(tmp_path: Path) -> None:
    """What has ended stays; who calls back hears what it left, and takes away what it wrote."""
    with Errand(str(tmp_path), "a").under_way() as tell:
        tell("a resource")
    assert Errand(str(tmp_path), "a").call_back(Deadline(10)) == "a resource"
    assert list(tmp_path.iterdir()) == []


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
    (tmp_path / "errand.killed.lock").touch()
    with Errand(str(tmp_path), "runs").under_way():
        for path in tmp_path.iterdir():
            os.utime(path, (0, 0))
        with Errand(str(tmp_path), "new").under_way():
            left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["errand.new.json", "errand.new.lock", "errand.runs.json", "errand.runs.lock"]


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
    assert list(tmp_path.iterdir()) == []


def _killed(folder: Path, token: str) -> None:
    path = folder / f"errand.{token}.json"
    path.write_text('{"version": 1, "pid": 1}')
    path.chmod(0o600)
