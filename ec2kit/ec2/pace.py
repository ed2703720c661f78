"""Updating requests take tokens from buckets of EC2's published size, so that EC2 need not throttle them."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ec2kit.deadline import Clock, Deadline
from ec2kit.errors import DeadlinePassed, StateUnusable
from ec2kit.state.boot import boot_id
from ec2kit.state.folder import make_folder, open_private
from ec2kit.state.lock import flock

_PATIENCE = 0.2
"""Seconds to wait for the file; it is held for less than a thousandth of that, unless its holder was stopped."""

_PUBLISHED_RATE = 5.0
"""EC2's published rate for updating requests; used if none is set and EC2 throttles."""

_LONGEST_PAUSE = 10.0
"""The longest pause after a throttle, in seconds; a file that says more is not believed."""

_ROUNDING = 1e-6
"""The part of a token that may be missing: a token whose moment has come is there."""

_LENGTH = 256
"""Bytes of the file; always the same number, so that new content covers all of the old."""


class _Content:
    """
    Hold the content of a bucket at one moment.

    Attributes:
        tokens: Never less than 0, because no token is taken before it is there.
        counted: The moment of that count, by the clock.
        not_before: The moment at which requests may go again after a throttle.
    """

    def __init__(self, tokens: float, counted: float, not_before: float = 0.0) -> None:
        self.tokens = tokens
        self.counted = counted
        self.not_before = not_before


class SharedBucket:
    """
    The bucket of all actions of this server in one file, so that a hierarchy's restores do not each take a whole one.

    It is advisory: a file that is locked for long, broken, unwritable or not to be believed is ignored. The file is
    written in place, since many processes wait for their turn with it.

    Args:
        path: The file; its folder is made, 0700, at the first use.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, clock: Clock) -> bool:
        """Take the bucket for this action alone until `leave`, and tell whether that succeeded."""
        patience = Deadline(_PATIENCE, clock)
        try:
            while not flock(self._opened(), fcntl.LOCK_EX):
                patience.pause(0.01, "waiting for the bucket of this server")
        except (DeadlinePassed, OSError):
            return False
        return True

    def _opened(self) -> int:
        if self._descriptor is None:
            make_folder(os.path.dirname(self._path))
            self._descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT)
        return self._descriptor

    def leave(self) -> None:
        fcntl.flock(self._opened(), fcntl.LOCK_UN)

    def read(self, now: float) -> _Content | None:
        """Return what the last writer left, None if none wrote in this boot or if the content cannot be right."""
        with suppress(OSError, StateUnusable, KeyError, TypeError, ValueError):
            content = json.loads(os.pread(self._opened(), _LENGTH, 0))
            if content["boot"] == boot_id():
                return _believable(content, now)
        return None

    def write(self, content: _Content) -> bool:
        """Write the content, and tell whether that succeeded."""
        try:
            text = json.dumps({"version": 1, "boot": boot_id(), **vars(content)})
            os.pwrite(self._opened(), text.encode().ljust(_LENGTH), 0)
        except (OSError, StateUnusable):
            return False
        return True


def _believable(content: Any, now: float) -> _Content | None:
    found = _Content(*(float(content[name]) for name in ("tokens", "counted", "not_before")))
    possible = found.tokens >= 0 and found.counted <= now and found.not_before <= now + _LONGEST_PAUSE
    return found if possible else None


class Pace:
    """
    Give updating requests their turn: a burst at once, then so many per second, each operation from its own bucket.

    All writers of a process share the buckets, and through files those of a server; one throttled writer slows all
    writers of that operation. A token is taken when its request may go, never in advance, so that an action that is
    killed while it waits leaves all of them to the others.

    Args:
        burst: Size of each bucket.
        rate: Tokens per second that flow back. 0: no limit until EC2 throttles, then EC2's published rate for the
            rest of the action; nothing is shared.
        share: Gives the bucket that all actions of this server share for an operation. None: this action is paced
            alone.
        queues: False: this action takes its tokens, but waits for none.

    Source: EC2 developer guide, "Request throttling for the Amazon EC2 API": one bucket for each operation.
    """

    def __init__(
        self,
        *,
        burst: float,
        rate: float,
        clock: Clock,
        share: Callable[[str], SharedBucket] | None = None,
        queues: bool = True,
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._share = share if rate else None
        self._queues = queues
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, operation: str, deadline: Deadline, guard: Callable[[], None], doing: str) -> None:
        """
        Wait until a request of this operation may go.

        Args:
            guard: Called before a token is taken, and while waiting for it; raises if the request may not go any
                more.

        Raises:
            DeadlinePassed: The turn would come too late.
        """
        with self._bucket(operation).turn:
            deadline.check(doing)
            guard()
            while (seconds := self.take(operation)) > 0:
                deadline.pause(seconds, doing, guard)
                guard()

    def take(self, operation: str) -> float:
        """Take a token and return 0, or return the seconds after which to try again."""
        seconds = self._bucket(operation).take()
        return seconds if self._queues else 0.0

    def throttled(self, operation: str, pause: float) -> None:
        """
        Note that EC2 throttled: its bucket is empty, so no writer of this server goes on before the pause is over.
        """
        self._bucket(operation).throttled(pause)

    def _bucket(self, operation: str) -> _Bucket:
        with self._lock:
            if operation not in self._buckets:
                shared = self._share(operation) if self._share else None
                self._buckets[operation] = _Bucket(self._burst, self._rate, self._clock, shared)
            return self._buckets[operation]


class _Bucket:
    """
    The bucket of one operation, as this action sees it.

    Attributes:
        turn: Held by the one thread of this action that waits for the next token; the others wait for that thread.
    """

    def __init__(self, burst: float, rate: float, clock: Clock, shared: SharedBucket | None) -> None:
        self._burst = max(burst, 1.0)
        self._rate = rate
        self._clock = clock
        self._shared = shared
        self._lock = threading.Lock()
        self._content = _Content(self._burst, clock.now())
        self.turn = threading.Lock()

    def take(self) -> float:
        """Take a token if there is one; return the seconds until there may be one, 0 if it was taken."""
        with self._latest() as content:
            held_up = content.not_before - content.counted
            if held_up > 0:
                return held_up
            if not self._rate:
                return 0.0
            missing = 1 - content.tokens
            if missing > _ROUNDING:
                return missing / self._rate
            content.tokens = max(0.0, -missing)
            return 0.0

    def throttled(self, pause: float) -> None:
        """Empty the bucket for the length of a pause."""
        with self._latest() as content:
            content.not_before = max(content.not_before, content.counted + pause)
            content.tokens = 0.0
            self._rate = self._rate or _PUBLISHED_RATE

    @contextmanager
    def _latest(self) -> Iterator[_Content]:
        """Yield the content as it is now, to be changed: this server's, or this action's own if there is no other."""
        with self._lock:
            shared = self._shared
            if shared is None or not shared.take(self._clock):
                self._shared = None
                yield self._filled()
                return
            try:
                self._content = shared.read(self._clock.now()) or self._content
                yield self._filled()
                if not shared.write(self._content):
                    self._shared = None
            finally:
                shared.leave()

    def _filled(self) -> _Content:
        content, now = self._content, self._clock.now()
        content.tokens = min(self._burst, content.tokens + (now - content.counted) * self._rate)
        content.counted = now
        return content
