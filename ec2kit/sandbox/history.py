"""What EC2 showed before each change, for reads that lag behind."""

from __future__ import annotations

import time
from collections import deque

from ec2kit.sandbox.view import Picture


class History:
    """
    The past, as far back as anybody wants to look; nothing is kept until somebody does.

    Whoever calls holds the region's lock.
    """

    def __init__(self) -> None:
        self._reach = 0.0
        self._past: deque[tuple[float, Picture]] = deque()

    @property
    def is_kept(self) -> bool:
        """Whether what is about to change has to be kept."""
        return self._reach > 0

    def reach(self, seconds: float) -> None:
        """From now on keep at least so many seconds."""
        self._reach = max(self._reach, seconds)

    def keep(self, before: Picture) -> None:
        """Something has changed; this is what was shown until now."""
        now = time.monotonic()
        self._past.append((now, before))
        while self._past[0][0] < now - self._reach:
            self._past.popleft()

    def ago(self, seconds: float, present: Picture) -> Picture:
        """What was shown then: what the first change after that moment replaced, or the present."""
        then = time.monotonic() - seconds
        return next((before for changed, before in self._past if changed > then), present)

    def forget(self) -> None:
        """Keep nothing more."""
        self._reach = 0.0
        self._past.clear()
