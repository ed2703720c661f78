"""A command of this server runs within a deadline and leaves none of its processes behind."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import BinaryIO, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, Stopped
from ec2kit.host import child

_LARGEST = 1_000_000
"""Bytes of output that are read; no command of the kit prints more."""

_MOMENT = 0.005
"""Seconds between two looks whether a command is started, which takes about as long."""


_alone: list[subprocess.Popen[bytes]] = []
"""Commands for which nothing waits any more, and which may go on."""


class Completed(NamedTuple):
    """Hold the exit status and the output of a command."""

    status: int
    stdout: str
    stderr: str


def run(
    words: list[str],
    deadline: Deadline,
    *,
    environment: Mapping[str, str] | None = None,
    kill: bool = True,
    finish: bool = False,
) -> Completed:
    """
    Run a command without a shell and without input.

    Args:
        environment: The whole environment of the command. None: that of this process.
        kill: Kill a command that does not end in time, or while this process lives, with its children; otherwise it
            goes on alone.
        finish: Let a signal that ends this process wait until the command has ended, within the deadline.

    Raises:
        LocalCommandFailed: The command cannot be started, or did not end in time.
        Stopped: A signal came meanwhile.

    Source: memfd_create(2), setsid(2).
    """
    text = shlex.join(words)
    with _memory("stdout") as stdout, _memory("stderr") as stderr:
        try:
            status = _run(words, stdout, stderr, environment, deadline, kill=kill, finish=finish)
        except subprocess.TimeoutExpired as error:
            raise LocalCommandFailed(command=text, reason=f"no end within {deadline.seconds:g} s") from error
        except (OSError, ValueError) as error:
            raise LocalCommandFailed(command=text, reason=str(error)) from error
        return Completed(status, _text(stdout), _text(stderr))


def one_goes_on() -> bool:
    """Tell whether a command still runs that went on alone, since it was not to be killed."""
    return any(each.poll() is None for each in _alone)


def _run(
    words: list[str],
    stdout: BinaryIO,
    stderr: BinaryIO,
    environment: Mapping[str, str] | None,
    deadline: Deadline,
    *,
    kill: bool,
    finish: bool,
) -> int:
    """Wait for the command itself; processes that it leaves running (ssh's ControlPersist) may go on alone."""

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
        )

    start = _Start(begin)
    try:
        return _status(start.process(), deadline, kill=kill)
    except BaseException as error:
        process = start.cancel()
        if process is None:
            raise
        if finish and isinstance(error, Stopped):
            with suppress(subprocess.TimeoutExpired):
                _status(process, deadline, kill=kill)
        if not kill:
            _alone.append(process)
            threading.Thread(target=process.wait, daemon=True).start()
        elif process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise


def _status(process: subprocess.Popen[bytes], deadline: Deadline, *, kill: bool) -> int:
    with child.bound(process.pid) if kill else nullcontext():
        return process.wait(timeout=max(0.1, deadline.remaining()))


class _Start:
    """
    The start of a command in a thread of its own, because a signal raises Stopped in the main thread.

    There it could come when the command runs already, but no variable has its process yet.

    Args:
        begin: Starts the command.
    """

    def __init__(self, begin: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._begin = begin
        self._undecided = [None]
        self._process: subprocess.Popen[bytes] | None = None
        self._error: Exception | None = None
        self._is_over = False
        self._over = threading.Event()

    def process(self) -> subprocess.Popen[bytes]:
        """
        Start the command, and return its process.

        Raises:
            OSError, ValueError: The command cannot be started.
        """
        try:
            threading.Thread(target=self._run, daemon=True).start()
        except RuntimeError as error:  # where no thread can be made, no process can
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
        self._over.wait()
        if self._process is None:
            raise self._error or OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        return self._process

    def cancel(self) -> subprocess.Popen[bytes] | None:
        """Return the process if the command was started; None: it was not, and never will be."""
        if self._is_first():
            return None
        while not self._is_over:  # the event itself may be unusable: an exception came while this thread used it
            time.sleep(_MOMENT)
        return self._process

    def _is_first(self) -> bool:
        """Tell whether neither the start nor its cancellation was decided before."""
        try:
            self._undecided.pop()
        except IndexError:
            return False
        return True

    def _run(self) -> None:
        if not self._is_first():
            return
        try:
            self._process = self._begin()
        except Exception as error:
            self._error = error
        finally:
            self._is_over = True
            self._over.set()


def start_alone(words: list[str], given: str) -> None:
    """
    Start a command that goes on when this process has ended, and that holds nothing open of this process.

    Args:
        given: The input of the command; its output is lost.

    Raises:
        LocalCommandFailed: The command cannot be started.
    """
    with _memory("stdin") as stdin:
        try:
            stdin.write(given.encode())
            stdin.seek(0)
            process = subprocess.Popen(
                words,
                cwd="/",
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise LocalCommandFailed(command=shlex.join(words), reason=str(error)) from error
    threading.Thread(target=process.wait, daemon=True).start()


class Running:
    """
    A command that was started and goes on by itself; its output is that of this process.

    Raises:
        LocalCommandFailed: The command cannot be started.
    """

    def __init__(self, words: list[str]) -> None:
        try:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
        except (OSError, ValueError) as error:
            raise LocalCommandFailed(command=shlex.join(words), reason=str(error)) from error

    def wait(self) -> int:
        """Wait until the command has ended, and return its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Ask the command to end, if it has not, without waiting for it."""
        self._process.terminate()


def _memory(name: str) -> BinaryIO:
    """Open a file without a disk: it cannot be full, and unlike a pipe it needs no reader meanwhile."""
    return open(os.memfd_create(name), "w+b")


def _text(output: BinaryIO) -> str:
    output.seek(0)
    return output.read(_LARGEST).decode(errors="replace")
