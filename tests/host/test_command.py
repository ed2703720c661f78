"""Commands of this server."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, Stopped
from ec2kit.host.command import one_goes_on, run

from ..children import must_be_gone
from ..patience import HANGS


def test_run_command_gives_status_and_both_outputs() -> None:
    """How it ended and what it printed is all there, whatever bytes it printed."""
    done = run(["/bin/sh", "-c", "printf 'out\\377'; echo err >&2; exit 3"], Deadline(HANGS))
    assert (done.status, done.stdout, done.stderr) == (3, "out\ufffd", "err\n")


def test_run_words_are_never_given_to_a_shell() -> None:
    """A word stays a word, whatever characters it has."""
    assert run(["/bin/echo", "$HOME; *", "a b"], Deadline(HANGS)).stdout == "$HOME; * a b\n"


def test_run_environment_given_is_all_that_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sees what it was given and nothing of ours; it is found through the PATH it was given."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    done = run(["env"], Deadline(HANGS), environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    assert set(done.stdout.split()) == {"PATH=/usr/bin:/bin", "LC_ALL=C"}


def test_run_command_reads_nothing_of_our_input() -> None:
    """A command that wants input gets its end at once."""
    assert run(["/bin/cat"], Deadline(HANGS)).stdout == ""


@pytest.mark.parametrize("word", ["/nonexistent/command", "/", "a\0b"])
def test_run_command_that_cannot_be_started_raises(word: str) -> None:
    """Not found, not executable, not a name: it has one error, that names the command."""
    with pytest.raises(LocalCommandFailed):
        run([word], Deadline(HANGS))


def test_run_deadline_passes_kills_the_command_with_its_children(tmp_path: Path) -> None:
    """A command that hangs is killed in time, and so is what it started."""
    began, note = time.monotonic(), tmp_path / "pid"
    for seconds in (0.3, 3, 30):  # more, where the machine was too slow to begin it
        with pytest.raises(LocalCommandFailed, match=rf"no end within {seconds:g} s"):
            run(["/bin/sh", "-c", f"sleep 600 & echo $! > {note}; wait"], Deadline(seconds))
        if note.exists() and note.read_text().endswith("\n"):
            break
    assert time.monotonic() - began < HANGS
    must_be_gone(int(note.read_text()))


@contextmanager
def _stopped() -> Iterator[None]:
    """SIGALRM raises Stopped in the main thread, as those that end a process do; what is run sends it."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(signal="SIGALRM")

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(Stopped):
            yield
    finally:
        signal.signal(signal.SIGALRM, before)


def test_run_that_shall_finish_is_let_end_when_a_signal_comes(tmp_path: Path) -> None:
    """What writes is not cut in the middle: the signal counts when the command has ended."""
    words = ["sh", "-c", f"kill -ALRM $PPID; sleep 1; echo done >{tmp_path}/mark"]
    with _stopped():
        run(words, Deadline(HANGS), kill=False, finish=True)
    assert (tmp_path / "mark").exists()


def test_run_signal_that_comes_at_once_kills_the_command(tmp_path: Path) -> None:
    """A command does not go on alone because the signal came before its start was noted."""
    note = tmp_path / "pid"
    with _stopped():
        run(["sh", "-c", f"echo $$ >{note}; kill -ALRM $PPID; exec sleep 600"], Deadline(HANGS))
    must_be_gone(int(note.read_text()))


def test_run_signal_during_the_start_kills_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the system has made the process, and Python has not returned it."""
    started: list[int] = []

    class Signalling(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            os.kill(os.getpid(), signal.SIGALRM)

    monkeypatch.setattr(subprocess, "Popen", Signalling)
    with _stopped():
        run(["sleep", "600"], Deadline(HANGS))
    (pid,) = started
    must_be_gone(pid)


def test_run_that_shall_finish_is_waited_for_until_the_deadline_only() -> None:
    """A command that hangs keeps nobody for ever."""
    began = time.monotonic()
    words = ["sh", "-c", "sleep 0.3; kill -ALRM $PPID; exec sleep 600"]
    for seconds in (2, 20, 200):
        try:
            with _stopped():
                run(words, Deadline(seconds), kill=True, finish=True)
        except LocalCommandFailed:
            continue  # the machine was too slow to send the signal before
        break
    else:
        pytest.fail("no signal came")
    assert time.monotonic() - began < HANGS


def test_run_that_may_not_kill_leaves_a_slow_command_to_itself(tmp_path: Path) -> None:
    """What others hang on goes on, and the caller does not wait for it, but can tell when it has ended."""
    words = ["sh", "-c", f"until [ -e {tmp_path}/go-on ]; do sleep 0.05; done; echo done >{tmp_path}/mark"]
    with pytest.raises(LocalCommandFailed, match=r"no end within 0\.2 s"):
        run(words, Deadline(0.2), kill=False)
    assert one_goes_on()
    (tmp_path / "go-on").touch()
    ends = time.monotonic() + HANGS
    while one_goes_on():
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert (tmp_path / "mark").exists()
