"""How long tests wait: a slow machine is never taken for a broken promise, and a calm one is held to each promise."""

from __future__ import annotations

import os
import time
from pathlib import Path

HANGS = 300.0
"""Seconds after which what has not come is taken for what never comes; pytest's own time-out is longer."""


class Stalls:
    """
    The time that this machine kept processes waiting, since this was made.

    Source: Linux, accounting/psi (`some`: at least one process waited). It is a mean over the processors.
    """

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), _stalled()

    @property
    def seconds(self) -> float:
        """At most so many seconds had a process to wait for a processor, memory or a disk."""
        now, passed = _stalled(), time.monotonic() - self._began
        if now is None or self._before is None:
            return passed  # the machine does not say, so no time is known to have been free
        return min(passed, (now - self._before) * (os.cpu_count() or 1))


def _stalled() -> float | None:
    """Return the seconds since boot in which processes waited; None where the system does not count them."""
    total = 0.0
    for what in ("cpu", "memory", "io"):
        try:
            some = Path("/proc/pressure", what).read_text().partition("\n")[0]
        except OSError:
            return None
        total += int(some.rpartition("total=")[2]) / 1e6
    return total
