"""
A person who watches is told what this process waits for now.

The threads of an action say so here, and the one thread that shows it reads it. No action depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement

Doing = Callable[[], "Statement | None"]
"""Tells at any moment, in any thread, what is being done; None: nothing to speak of."""

_NOW: dict[object, Doing] = {}
"""What the threads of this process do, the oldest first."""


@contextmanager
def doing(what: Doing) -> Iterator[None]:
    """Say what a block does, for as long as it lasts."""
    key = object()
    _NOW[key] = what
    try:
        yield
    finally:
        _NOW.pop(key, None)


def now() -> list[Statement]:
    """Return what is done now, the oldest first."""
    found = [each() for each in tuple(_NOW.values())]
    return [each for each in found if each is not None]
