"""Token bucket for updating requests, of EC2's published sizes, so that throttling is not provoked."""

from __future__ import annotations

import threading

from ec2kit.deadline import Clock


class Pace:
    """
    Hands out places for requests: a burst at once, then so many per second.

    All writers of a process share one; the first throttle of one slows all.

    Args:
        burst: Size of the bucket.
        rate: Tokens per second that flow back; 0: no limit until EC2 throttles.

    Source: EC2 developer guide, "Request throttling for the Amazon EC2 API".
    """

    def __init__(self, *, burst: float, rate: float, clock: Clock) -> None:
        self._burst = max(burst, 1.0)
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._counted = clock.now()
        self._not_before = 0.0

    def reserve(self) -> float:
        """Take a token, from the future if need be; how many seconds to wait before the request may go."""
        with self._lock:
            now = self._clock.now()
            held_up = max(0.0, self._not_before - now)
            if not self._rate:
                return held_up
            self._tokens = min(self._burst, self._tokens + (now - self._counted) * self._rate)
            self._counted = now
            self._tokens -= 1
            return max(held_up, -self._tokens / self._rate)

    def throttled(self, pause: float) -> None:
        """EC2 said it was too much: the bucket is empty there, so nobody here goes on before the pause is over."""
        with self._lock:
            now = self._clock.now()
            self._not_before = max(self._not_before, now + pause)
            self._tokens = min(self._tokens, 0.0)
            self._counted = now
