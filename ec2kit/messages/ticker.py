"""One line at the bottom of a terminal says, second by second, what an action waits for."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from ec2kit.messages import stderr
from ec2kit.messages.masking import printable

_SECONDS = 1.0
"""Seconds between two drawings, and before the first one: what is done at once needs no line."""

_COLUMNS = 80
"""The width of a terminal that does not know its own."""

_CUT = "..."


class Ticker:
    """
    Draw a line once a second while a block lasts, in a thread of its own, and take the line away at the end.

    Nothing is drawn while the process is in the background of its terminal.

    Args:
        text: Returns what the line says; called in that thread.
    """

    def __init__(self, text: Callable[[], str], *, seconds: float = _SECONDS) -> None:
        self._text = text
        self._seconds = seconds
        self._ended = threading.Event()
        self._drawing = threading.Lock()

    def __enter__(self) -> None:
        with suppress(RuntimeError):  # no thread can be made: the action goes on without a line
            threading.Thread(target=self._tick, daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with self._drawing:
            self._ended.set()
        stderr.erase()

    def _tick(self) -> None:
        while not self._ended.wait(self._seconds):
            with suppress(Exception):  # what cannot be said while another thread changes it is said the next time
                self._draw()

    def _draw(self) -> None:
        line = cut(printable(self._text()), columns() - 1)  # a full line would move the cursor to the next one
        with self._drawing:
            if not self._ended.is_set() and _in_foreground():
                stderr.redraw(line, width(line))


def columns() -> int:
    """Return the width of the terminal that stderr is now; a person may change it at any time."""
    try:
        return os.get_terminal_size(2).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(2) == os.getpgrp()
    except OSError:  # it is a terminal, but not the one that controls this process
        return True


def width(text: str) -> int:
    """
    Return the columns that a text takes; characters of East Asian scripts take two, combining ones none.

    Source: Unicode Standard Annex #11, "East Asian Width".
    """
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, most: int) -> str:
    """Return the text if it takes at most so many columns, otherwise its beginning."""
    if width(text) <= most:
        return text
    while text and width(text) + len(_CUT) > most:
        text = text[:-1]
    return (text + _CUT)[: max(0, most)]
