"""
Standard error takes lines that stay, and at a terminal one line below them that is drawn anew again and again.

All of it goes through one outlet, so that the drawn line never gets between others, and never holds anything up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.messages.outlet import Outlet

if TYPE_CHECKING:
    from ec2kit.messages.catalogue import Level

_ROOM_COMES = 0.05
"""Seconds between two attempts to write to a pipe that is full."""


def write(descriptor: int, text: str) -> None:
    """Write all of a text, also to a pipe that the caller has made non-blocking, as soon as there is room."""
    rest = text.encode(errors="replace")
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            time.sleep(_ROOM_COMES)


def say(level: Level, text: str) -> None:
    """Write to stderr, for a person or for the framework that reads it, if any does: one whole line in one write."""
    _OUTLET(level, text)


def redraw(text: str, width: int) -> None:
    """
    Draw the line anew that stands below all others, unless the terminal takes nothing at the moment.

    Args:
        text: One line without control characters.
        width: The columns that the text takes.
    """
    _OUTLET.offer(partial(_LINE.draw, text, width))


def above(write_it: Callable[[], object]) -> None:
    """Write something else to the same terminal, above the line that is drawn."""
    _OUTLET.order(partial(_LINE.above, write_it))


def erase() -> None:
    """Take the drawn line away."""
    _OUTLET.order(partial(_LINE.draw, "", 0))


class _Line:
    """The line that is drawn anew; only the thread of the outlet uses it."""

    def __init__(self) -> None:
        self._text, self._width = "", 0

    def write_above(self, level: Level, text: str) -> None:
        """Write a line that stays."""
        with suppress(OSError):  # the reader of stderr is gone; the log has the line
            write(2, f"{self._blank()}{text}\n{self._text}")

    def above(self, write_it: Callable[[], object]) -> None:
        """Let another writer write whole lines."""
        write(2, self._blank())
        write_it()
        write(2, self._text)

    def draw(self, text: str, width: int) -> None:
        """Draw another text; an empty one takes the line away."""
        blank = self._blank()
        self._text, self._width = text, width
        write(2, f"{blank}{text}")

    def _blank(self) -> str:
        """Return what takes the drawn line away, on any terminal: blanks, from its first column on."""
        return f"\r{' ' * self._width}\r" if self._width else ""


_LINE = _Line()
_OUTLET = Outlet(_LINE.write_above)
