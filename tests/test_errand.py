"""What another server was asked to do, and is called back from; a whole one is in lifekeeper/test_creation.py."""

from __future__ import annotations

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
    """What has ended stays; who called back looks for it."""
    with Errand(str(tmp_path), "a").under_way():
        pass
    Errand(str(tmp_path), "a").call_back(Deadline(10))


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
    """Its number is nobody's, or another's, and gets no signal: its lock is gone."""
    (tmp_path / "errand.a.json").write_text('{"version": 1, "pid": 1}')
    (tmp_path / "errand.a.json").chmod(0o600)
    Errand(str(tmp_path), "a").call_back(Deadline(10))
