"""Everything happens by a virtual clock: EC2's token buckets, and clients that ask again when throttled."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import inf

from ec2kit.ec2.pace import Pace
from ec2kit.sandbox.buckets import Size

LATENCY = 0.1
"""Seconds until EC2 answers, with any answer."""

Process = Generator[float, None, None]
"""A process that goes on; it yields the seconds that it waits."""

Request = Generator[float, None, bool]
"""The same for one request with its retries; it returns whether there was an answer."""


class World:
    """A virtual clock and the processes that run by it; the same seed makes the same history."""

    def __init__(self, seed: int = 6) -> None:
        self.random = random.Random(seed)
        self._now = 0.0
        self._queue: list[tuple[float, int, Process]] = []
        self._begun = 0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError("here a wait is yielded")

    def begin(self, process: Process, *, at: float) -> None:
        """Let a process go on at that moment; of two at the same moment the one that began first goes first."""
        self._begun += 1
        heapq.heappush(self._queue, (at, self._begun, process))

    def run(self, *, until: float) -> None:
        """Let everything happen that happens before that moment; at inf, until nothing happens any more."""
        while self._queue and self._queue[0][0] < until:
            self._now, _, process = heapq.heappop(self._queue)
            for wait in process:
                self.begin(process, at=self._now + wait)
                break
        if until < inf:
            self._now = until


class Bucket:
    """EC2's tokens for one operation; a request that finds none is throttled, and takes none."""

    def __init__(self, world: World, size: Size) -> None:
        self._world = world
        self.burst, self.rate = size
        self.tokens = self.burst
        self._counted = world.now()
        self.asked = self.throttled = 0

    def take(self) -> bool:
        now = self._world.now()
        self.tokens = min(self.burst, self.tokens + (now - self._counted) * self.rate)
        self._counted = now
        self.asked += 1
        if self.tokens < 1:
            self.throttled += 1
            return False
        self.tokens -= 1
        return True

    @property
    def share_throttled(self) -> float:
        """Return the share of throttled requests, of 1."""
        return self.throttled / self.asked

    def count_anew(self) -> None:
        """Count from now on; the requests before warmed up."""
        self.asked = self.throttled = 0


@dataclass(frozen=True)
class Retries:
    """
    A throttled request is repeated within these limits.

    Attributes:
        most: Maximum retries, without the first attempt.
        longest: Attempt, from 1 → seconds; the pause after it is at most that long, and any shorter one as likely.
    """

    most: float
    longest: Callable[[int], float]

    def request(self, world: World, bucket: Bucket, *, deadline: float = inf, pace: Pace | None = None) -> Request:
        """
        Ask until there is an answer, the retries are used up, or it is too late; tell whether there was an answer.
        """
        attempt = 0
        while True:
            attempt += 1
            while pace is not None and (wait := pace.take("ReplaceRoute")):
                if world.now() + wait >= deadline:
                    return False
                yield wait
            yield LATENCY
            if bucket.take():
                return True
            pause = world.random.uniform(0, self.longest(attempt))
            if attempt > self.most or world.now() + pause >= deadline:
                return False
            if pace is not None:
                pace.throttled("ReplaceRoute", pause)
            yield pause


def _ours(attempt: int) -> float:
    """Return the longest pause after an attempt, as `ec2kit.ec2.request` has it."""
    return min(5.0, 0.2 * 2.0 ** min(attempt, 10))


CHECK_RETRIES = Retries(2, _ours)
RESTORE_RETRIES = Retries(inf, _ours)
AWSCLI_RETRIES = Retries(2, lambda attempt: min(2.0 ** (attempt - 1), 20.0))
"""The default of today's awscli. Source: AWS SDKs reference guide, "Retry behavior"."""
