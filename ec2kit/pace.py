"""Token bucket for updating requests, of EC2's published sizes, so that throttling is not provoked."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from ec2kit.deadline import Clock, Deadline
from ec2kit.errors import DeadlinePassed, StateUnusable
from ec2kit.state import boot_id, flock, make_folder, open_private

_PATIENCE = 0.2
"""Seconds to wait for the file; it is held for less than a thousandth of that, unless its holder was stopped."""

_DEEPEST = 1600.0
"""Tokens that fifty writers can have taken in advance; a file that says more is not believed."""

_PUBLISHED_RATE = 5.0
"""What EC2 gives to updating requests; taken where none is set and EC2 throttles."""

_LONGEST_PAUSE = 10.0
"""Seconds for which a throttle may hold up; the same holds."""


_LENGTH = 256
"""Bytes of the file; always as many, so that what is written covers what was there."""


@dataclass
class _Bucket:
    """
    Attributes:
        tokens: Less than 0 where they were taken in advance.
        counted: When that was so, by the clock.
        not_before: When requests may go again after a throttle.
    """

    tokens: float
    counted: float
    not_before: float = 0.0


class SharedBucket:
    """
    The bucket of all actions of this server in one file, so that a hierarchy's restores do not each take a whole one.

    It is advisory: a file that is locked for long, broken or unwritable, or not to be believed, is ignored. It is
    written in place, since many threads wait for their turn with it.

    Args:
        path: Of the file; its folder is made, 0700, when first used.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, clock: Clock) -> bool:
        """Whether it is ours until `leave`."""
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

    def read(self, now: float) -> _Bucket | None:
        """What the last writer left; None if nobody did in this boot, or if that cannot be."""
        with suppress(OSError, StateUnusable, KeyError, TypeError, ValueError):
            content = json.loads(os.pread(self._opened(), _LENGTH, 0))
            if content["boot"] == boot_id():
                return _believable(content, now)
        return None

    def write(self, bucket: _Bucket) -> bool:
        """Whether it could be written."""
        try:
            text = json.dumps({"version": 1, "boot": boot_id(), **asdict(bucket)})
            os.pwrite(self._opened(), text.encode().ljust(_LENGTH), 0)
        except (OSError, StateUnusable):
            return False
        return True


def _believable(content: Any, now: float) -> _Bucket | None:
    bucket = _Bucket(*(float(content[name]) for name in ("tokens", "counted", "not_before")))
    possible = bucket.tokens >= -_DEEPEST and bucket.counted <= now and bucket.not_before <= now + _LONGEST_PAUSE
    return bucket if possible else None


class Pace:
    """
    Hands out places for requests: a burst at once, then so many per second.

    All writers of a process share one, and through a file those of a server; the first throttle of one slows all.

    Args:
        burst: Size of the bucket.
        rate: Tokens per second that flow back; 0: no limit until EC2 throttles, then EC2's published one for the rest
            of the action; nothing is shared.

    Source: EC2 developer guide, "Request throttling for the Amazon EC2 API".
    """

    def __init__(self, *, burst: float, rate: float, clock: Clock, shared: SharedBucket | None = None) -> None:
        self._burst = max(burst, 1.0)
        self._rate = rate
        self._clock = clock
        self._shared = shared if rate else None
        self._lock = threading.Lock()
        self._bucket = _Bucket(self._burst, clock.now())

    def reserve(self) -> float:
        """Take a token, from the future if need be; how many seconds to wait before the request may go."""
        with self._latest() as bucket:
            held_up = max(0.0, bucket.not_before - bucket.counted)
            if not self._rate:
                return held_up
            bucket.tokens -= 1
            return max(held_up, -bucket.tokens / self._rate)

    def throttled(self, pause: float) -> None:
        """EC2 said it was too much: the bucket is empty there, so nobody here goes on before the pause is over."""
        with self._latest() as bucket:
            bucket.not_before = max(bucket.not_before, bucket.counted + pause)
            bucket.tokens = min(bucket.tokens, 0.0)
            self._rate = self._rate or _PUBLISHED_RATE

    @contextmanager
    def _latest(self) -> Iterator[_Bucket]:
        """The bucket as it is now, to be changed: that of this server, or ours alone where that cannot be had."""
        with self._lock:
            shared = self._shared
            if shared is None or not shared.take(self._clock):
                self._shared = None
                yield self._filled()
                return
            try:
                self._bucket = shared.read(self._clock.now()) or self._bucket
                yield self._filled()
                if not shared.write(self._bucket):
                    self._shared = None
            finally:
                shared.leave()

    def _filled(self) -> _Bucket:
        bucket, now = self._bucket, self._clock.now()
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.counted) * self._rate)
        bucket.counted = now
        return bucket
