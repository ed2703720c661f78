"""Threads that a test has begun, which must not act after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Set

from .patience import HANGS


def end_all_but(others: Set[threading.Thread]) -> None:
    """Wait until no thread but these is left, whatever the others begin meanwhile; AssertionError if one stays."""
    ends = time.monotonic() + HANGS
    while workers := set(threading.enumerate()) - others:
        for each in workers:
            try:
                each.join(max(0.0, ends - time.monotonic()))
            except RuntimeError:  # it is listed before it has started; who starts it waits for that
                time.sleep(0.001)
        assert time.monotonic() < ends, f"{[each.name for each in workers if each.is_alive()]} are left"
