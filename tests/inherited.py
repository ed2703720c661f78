"""What a caller may hand to a process: closed descriptors, pipes without room, signals blocked or ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from .patience import HANGS


@contextmanager
def full_pipe() -> Iterator[int]:
    """The end for writing of a pipe that has no room, and that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (4096, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * size)
    os.set_blocking(writing, True)
    try:
        yield writing
    finally:
        os.close(writing)
        os.close(reading)


CLOSED = ("<&- >&- 2>&-", "<&-", ">&-", "2>&-")
"""Streams that a shell closes before it runs a program."""

OPEN = ("full", "/dev/full", "unread", "gone")
"""
Streams that are open: a pipe without room that nobody reads, and stdin from one that nobody writes to; a disk without
room; a pipe with room that nobody reads; a pipe whose reader has gone.
"""

STREAMS = (*CLOSED, *OPEN)


def closing(streams: str, *words: str) -> list[str]:
    """The command line of a program that finds descriptors closed: "<&- >&- 2>&-"."""
    return ["sh", "-c", f'exec "$0" "$@" {streams}', *words]


@contextmanager
def _opened(streams: str) -> Iterator[tuple[int, int]]:
    """What stdin reads from, and what stdout and stderr write to."""
    if streams == "full":
        with full_pipe() as full, os.fdopen(os.dup(full), "rb") as unwritten:
            yield unwritten.fileno(), full
        return
    with ExitStack() as stack:
        reading, writing = os.pipe()
        reader = stack.enter_context(os.fdopen(reading, "rb"))
        stack.enter_context(os.fdopen(writing, "wb"))
        full = stack.enter_context(open("/dev/full", "wb", buffering=0))
        if streams == "gone":
            reader.close()
        yield subprocess.DEVNULL, full.fileno() if streams == "/dev/full" else writing


@contextmanager
def begun(words: list[str], environment: dict[str, str], *, streams: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that has begun with one of these streams, which stay as they are until the block ends."""
    is_closed = streams in CLOSED
    with _opened(streams) as (stdin, output):
        nowhere = subprocess.DEVNULL if is_closed else output
        yield subprocess.Popen(
            closing(streams, *words) if is_closed else words,
            env=environment,
            cwd="/",
            stdin=stdin,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )


def status_of(words: list[str], environment: dict[str, str], *, streams: str, within: float = HANGS) -> int:
    """The exit status of a program with one of these streams; one that hangs is killed and fails the test."""
    with begun(words, environment, streams=streams) as process:
        return ended(process, within=within)


def ended(process: subprocess.Popen[bytes], *, within: float = HANGS) -> int:
    """The exit status of a program; one that hangs is killed and fails the test."""
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


_MASK = "import os, signal, sys; {deed}; os.execv(sys.argv[1], sys.argv[1:])"


def blocking_signals(*words: str) -> list[str]:
    """The command line of a program that begins with all signals blocked."""
    deed = "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"
    return [sys.executable, "-c", _MASK.format(deed=deed), *words]


def ignoring_children(*words: str) -> list[str]:
    """The command line of a program that begins with SIGCHLD ignored."""
    deed = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    return [sys.executable, "-c", _MASK.format(deed=deed), *words]
