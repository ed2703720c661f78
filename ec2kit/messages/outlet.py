"""
Lines go to a destination that may hang: a pipe that no program reads, a stopped terminal, a dead disk, syslog.

The thread that acts must not wait for it, and the watchdog even less.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ec2kit.messages.catalogue import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    Line = tuple[Callable[[], object], threading.Lock]
    """What writes a line, and the lock that is released then."""

_ROOM = 1000
"""The number of lines that wait at most; further lines are left out, and their number is said when there is room."""

_PATIENCE = 0.3
"""Seconds that all waits for one destination may take together."""

_REGAINED = 0.01
"""The share of the time that passes by which patience comes back, for a program that lives long."""


class Outlet:
    """
    A destination of lines with a thread of its own, which alone writes them, in their order.

    A call returns when the line is written, or when patience is at an end; then the line is written later, if ever.
    No lock is held while waiting, so that a signal may raise an exception at any point.

    Args:
        write: Writes one line; may hang. What it raises is ignored.
    """

    def __init__(self, write: Callable[[Level, str], object]) -> None:
        self._write = write
        self._waiting: SimpleQueue[Line] = SimpleQueue()
        self._last = threading.Lock()
        self._adding = threading.Lock()
        self._has_begun = False
        self._left_out = 0
        self._patience = _PATIENCE
        self._counted = time.monotonic()

    def __call__(self, level: Level, text: str) -> None:
        """Write a line, or leave it out if too many wait already."""
        if self._waiting.qsize() >= _ROOM:
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        if left_out:
            missing = f"{left_out} lines are missing here: they could not be written in time"
            self._add(partial(self._write, Level.WARN, missing))
        self.order(partial(self._write, level, text))

    def order(self, write: Callable[[], object]) -> None:
        """Let the thread of this destination write something else in its turn, and wait for it as for a line."""
        self._wait(self._add(write))

    def later(self, write: Callable[[], object]) -> None:
        """Let the thread of this destination write something else in its turn, and wait for nothing."""
        if self._waiting.qsize() < _ROOM:
            self._add(write)

    def offer(self, write: Callable[[], object]) -> None:
        """Let the thread of this destination write something else if nothing waits; otherwise leave it out."""
        if not self._last.locked():
            self._add(write)

    def finish(self, end: float) -> None:
        """Wait until all lines are written, at most until this moment of time.monotonic()."""
        _is_written(self._last, end - time.monotonic())

    def _add(self, write: Callable[[], object]) -> threading.Lock:
        unwritten = threading.Lock()
        unwritten.acquire()
        with self._adding:
            self._last = unwritten
            self._waiting.put((write, unwritten))
            if not self._has_begun:
                self._begin()
        return unwritten

    def _begin(self) -> None:
        try:
            threading.Thread(target=self._write_all, daemon=True).start()
        except RuntimeError:  # no thread can be made: this process cannot do anything else either
            self._write_next()
        else:
            self._has_begun = True
            _BEGUN.append(self)

    def _write_all(self) -> None:
        while True:
            self._write_next()

    def _write_next(self) -> None:
        write, unwritten = self._waiting.get()
        with suppress(Exception):
            write()
        unwritten.release()

    def _wait(self, unwritten: threading.Lock) -> None:
        began = time.monotonic()
        patience = min(_PATIENCE, self._patience + (began - self._counted) * _REGAINED)
        _is_written(unwritten, patience)
        self._counted = time.monotonic()
        self._patience = patience - (self._counted - began)


def _is_written(unwritten: threading.Lock, seconds: float) -> None:
    """Wait for a line; its lock stays free, so that others can wait for it, too."""
    if unwritten.acquire(timeout=max(0.0, seconds)):
        unwritten.release()


_BEGUN: list[Outlet] = []
"""All destinations of this process that have had a line."""


def finish(seconds: float) -> None:
    """Wait until all lines of this process are written, at most for so long."""
    end = time.monotonic() + seconds
    for each in _BEGUN:
        each.finish(end)
