"""Commands of this server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ec2kit.command import run
from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, Stopped


def test_run_command_gives_status_and_both_outputs() -> None:
    """How it ended and what it printed is all there, whatever bytes it printed."""
    done = run(["/bin/sh", "-c", "printf 'out\\377'; echo err >&2; exit 3"], Deadline(10))
    assert (done.status, done.stdout, done.stderr) == (3, "out\ufffd", "err\n")


def test_run_words_are_never_given_to_a_shell() -> None:
    """A word stays a word, whatever characters it has."""
    assert run(["/bin/echo", "$HOME; *", "a b"], Deadline(10)).stdout == "$HOME; * a b\n"


def test_run_environment_given_is_all_that_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sees what it was given and nothing of ours; it is found through the PATH it was given."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    done = run(["env"], Deadline(10), environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    assert set(done.stdout.split()) == {"PATH=/usr/bin:/bin", "LC_ALL=C"}


def test_run_command_reads_nothing_of_our_input() -> None:
    """A command that wants input gets its end at once."""
    assert run(["/bin/cat"], Deadline(10)).stdout == ""


@pytest.mark.parametrize("word", ["/nonexistent/command", "/", "a\0b"])
def test_run_command_that_cannot_be_started_raises(word: str) -> None:
    """Not found, not executable, not a name: it has one error, that names the command."""
    with pytest.raises(LocalCommandFailed):
        run([word], Deadline(10))


def test_run_deadline_passes_kills_the_command_with_its_children(tmp_path: Path) -> None:
    """A command that hangs is killed in time, and so is what it started."""
    began, note = time.monotonic(), tmp_path / "pid"
    with pytest.raises(LocalCommandFailed, match=r"no end within 0\.3 s"):
        run(["/bin/sh", "-c", f"sleep 60 & echo $! > {note}; wait"], Deadline(0.3))
    assert time.monotonic() - began < 10
    _assert_gone(int(note.read_text()))


def _assert_gone(pid: int) -> None:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    pytest.fail("a child of the command lives on")


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """A signal raises Stopped in the main thread, as those that end a process do."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(signal="SIGALRM")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with pytest.raises(Stopped):
        yield
    signal.signal(signal.SIGALRM, before)


def test_run_that_shall_finish_is_let_end_when_a_signal_comes(tmp_path: Path) -> None:
    """What writes is not cut in the middle: the signal counts when the command has ended."""
    words = ["sh", "-c", f"sleep 1; echo done >{tmp_path}/mark"]
    with _stopped_after(0.3):
        run(words, Deadline(20), kill=False, finish=True)
    assert (tmp_path / "mark").exists()


def test_run_that_shall_finish_is_waited_for_until_the_deadline_only() -> None:
    """A command that hangs keeps nobody for ever."""
    began = time.monotonic()
    with _stopped_after(0.2):
        run(["sleep", "5"], Deadline(0.5), kill=True, finish=True)
    assert time.monotonic() - began < 5


def test_run_that_may_not_kill_leaves_a_slow_command_to_itself(tmp_path: Path) -> None:
    """What others hang on goes on, and the caller does not wait for it."""
    words = ["sh", "-c", f"sleep 1; echo done >{tmp_path}/mark"]
    with pytest.raises(LocalCommandFailed, match=r"no end within 0\.2 s"):
        run(words, Deadline(0.2), kill=False)
    ends = time.monotonic() + 10
    while not (tmp_path / "mark").exists():
        assert time.monotonic() < ends
        time.sleep(0.05)
