"""Reads that lag behind need what EC2 showed before each change."""

from __future__ import annotations

import time
from collections import deque

from ec2kit.sandbox.view import Picture


class History:
    """
    Keep the past as far back as any effect looks; keep nothing until one does.

    The caller holds the region's lock.
    """

    def __init__(self) -> None:
        self._reach = 0.0
        self._past: deque[tuple[float, Picture]] = deque()

    @property
    def is_kept(self) -> bool:
        """Tell whether the picture before the next change has to be kept."""
        return self._reach > 0

    def reach(self, seconds: float) -> None:
        """Keep at least so many seconds from now on."""
        self._reach = max(self._reach, seconds)

    def keep(self, before: Picture) -> None:
        """Keep the picture that was shown until the change that has just been made."""
        now = time.monotonic()
        self._past.append((now, before))
        while self._past[0][0] < now - self._reach:
            self._past.popleft()

    def ago(self, seconds: float, present: Picture) -> Picture:
        """Return what was shown then: what the first change after that moment replaced, otherwise the present."""
        then = time.monotonic() - seconds
        return next((before for changed, before in self._past if changed > then), present)

    def forget(self) -> None:
        """Forget the past, and keep nothing from now on."""
        self._reach = 0.0
        self._past.clear()
