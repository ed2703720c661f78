"""The lock that dies with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import DeadlinePassed, StateUnusable
from ec2kit.state.lock import Lock

from ..builders import FakeClock, another_process, holding
from ..patience import HANGS


def test_lock_held_by_one_cannot_be_taken_by_another(tmp_path: Path) -> None:
    """A lock has one holder, and is free again when it is let go."""
    one, other = Lock(str(tmp_path / "x.lock")), Lock(str(tmp_path / "x.lock"))
    with one.held(Deadline(5), "it"):
        assert not other.take()
        assert other.is_held
    assert not other.is_held
    assert other.take()
    other.release()


def test_lock_release_twice_is_no_error(tmp_path: Path) -> None:
    """Letting go of what one does not hold is nothing."""
    lock = Lock(str(tmp_path / "x.lock"))
    lock.take()
    lock.release()
    lock.release()
    assert not lock.is_held


def test_lock_holder_killed_is_free_at_once(tmp_path: Path) -> None:
    """A lock dies with its holder, however that ended."""
    lock = Lock(str(tmp_path / "x.lock"))
    with another_process(holding(lock.path)) as holder:
        assert lock.is_held
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert lock.take()
    lock.release()


def test_lock_is_not_inherited_by_commands(tmp_path: Path) -> None:
    """A command that the holder started and left behind does not keep the lock."""
    lock = Lock(str(tmp_path / "x.lock"))
    lock.take()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False) as left_behind:
        lock.release()
        try:
            with lock.held(Deadline(HANGS), "the command's exec, which closes what it inherited"):
                assert left_behind.poll() is None
        finally:
            left_behind.kill()


def test_is_held_nobody_ever_locked_leaves_no_trace(tmp_path: Path) -> None:
    """Asking makes no file and no folder."""
    assert not Lock(str(tmp_path / "no" / "x.lock")).is_held
    assert os.listdir(tmp_path) == []


def test_is_held_two_asking_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    """Two checks that ask at the same time do not take each other for a holder."""
    (tmp_path / "y.lock").write_text("")
    asking = (
        f"from ec2kit.state.lock import Lock\nlock = Lock({str(tmp_path / 'y.lock')!r})\n"
        "print(any([lock.is_held for _ in range(2000)]), flush=True)"
    )
    both = [subprocess.Popen([sys.executable, "-c", asking], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate(timeout=HANGS)[0].strip() for each in both] == ["False", "False"]


def test_wait_holder_does_not_let_go_ends_with_the_deadline(tmp_path: Path) -> None:
    """Waiting for a lock keeps to the deadline."""
    lock, clock = Lock(str(tmp_path / "x.lock")), FakeClock()
    with another_process(holding(lock.path)), pytest.raises(DeadlinePassed, match="writing it"):
        lock.wait(Deadline(3, clock), "writing it")
    assert clock.time == pytest.approx(1003)


def test_take_folder_unusable_raises_state_unusable(tmp_path: Path) -> None:
    """A lock that cannot be made is trouble of our own, and never taken for free."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable):
        Lock(str(tmp_path / "file" / "x.lock")).take()
    with pytest.raises(StateUnusable):
        assert Lock(str(tmp_path / "file" / "x.lock")).is_held
