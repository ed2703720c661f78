"""One time budget for an action, and the means to keep it whatever the network does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Generic, Protocol, TypeVar

from ec2kit.errors import DeadlinePassed

Result = TypeVar("Result")

_SLICE = 0.25
"""Seconds between two looks at the clock: waits of Python do not count suspended time, the clock does."""


class Clock(Protocol):
    """Where time comes from; tests pass one of their own."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class BootClock:
    """
    Seconds since boot, suspended time included.

    Source: clock_gettime(2), CLOCK_BOOTTIME.
    """

    def now(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Deadline:
    """
    A moment after which nothing may be begun.

    Args:
        seconds: How far away it is.
    """

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self.clock = clock or BootClock()
        self.seconds = seconds
        self.began = self.clock.now()
        self.ends = self.began + seconds

    def elapsed(self) -> float:
        """Seconds since it was set."""
        return self.clock.now() - self.began

    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self.ends - self.clock.now())

    @property
    def passed(self) -> bool:
        return self.remaining() <= 0

    def check(self, doing: str) -> None:
        """
        Raises:
            DeadlinePassed: It has passed; `doing` says what was not begun.
        """
        if self.passed:
            raise DeadlinePassed(doing=doing, seconds=f"{self.seconds:g}")

    def within(self, seconds: float) -> Deadline:
        """A nearer deadline, never a later one."""
        return Deadline(min(seconds, self.remaining()), self.clock)

    def pause(self, seconds: float, doing: str) -> None:
        """
        Wait in slices, so that time spent suspended counts.

        Raises:
            DeadlinePassed: The deadline came first.
        """
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0:
            self.check(doing)
            self.clock.sleep(min(left, self.remaining(), _SLICE))
        self.check(doing)


class Abandoned(Exception):
    """Work that did not end in its time and goes on alone, in a thread that ends with the process."""


def _nobody() -> None:
    """Nobody is told."""


class Begun(Generic[Result]):
    """
    One piece of work in a daemon thread; what it returned or raised stays here.

    Args:
        finished: Called in that thread when it has ended.
    """

    def __init__(self, work: Callable[[], Result], finished: Callable[[], None] = _nobody) -> None:
        self._work = work
        self._finished = finished
        self._ended = threading.Event()
        self._result: Result
        self._error: BaseException | None = None
        self.done = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
        self.done = True
        self._ended.set()
        self._finished()

    def wait(self, deadline: Deadline, watch: Callable[[], None] = _nobody) -> Result:
        """
        What the work returned or raised.

        Args:
            watch: Called about four times a second while waiting; what it raises ends the wait.

        Raises:
            Abandoned: It did not end in time; its thread is left to itself.
        """
        while not self._ended.wait(min(deadline.remaining(), _SLICE)):
            if deadline.passed and not self.done:
                raise Abandoned
            watch()
        outcome = self.outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def outcome(self) -> Result | Exception:
        if isinstance(self._error, Exception):
            return self._error
        if self._error is not None:
            raise self._error
        return self._result


def abandonable(work: Callable[[], Result], deadline: Deadline, watch: Callable[[], None] | None = None) -> Result:
    """
    Do work that may hang, for as long as the deadline allows; raises what `Begun.wait` raises.

    A resolver, a dripping body or a dead disk cannot be interrupted from within; they can be left behind.
    """
    return Begun(work).wait(deadline, watch or _nobody)


def side_by_side(
    jobs: Iterable[Callable[[], Result]], deadline: Deadline, *, at_most: int
) -> list[Result | Exception]:
    """
    Do all jobs in parallel; each one's outcome stands in its place, an exception included.

    A job that did not end in time, or was not begun, has DeadlinePassed as its outcome.

    Args:
        at_most: How many run at a time.
    """
    waiting = list(jobs)
    outcomes: dict[int, Result | Exception] = {}
    running: dict[int, Begun[Result]] = {}
    progress = threading.Semaphore(0)
    queue = iter(enumerate(waiting))
    while len(outcomes) < len(waiting) and not deadline.passed:
        for place, job in islice(queue, at_most - len(running)):
            running[place] = Begun(job, progress.release)
        progress.acquire(timeout=min(deadline.remaining(), _SLICE))
        for place in [each for each, work in running.items() if work.done]:
            outcomes[place] = running.pop(place).outcome()
    late = DeadlinePassed(doing="the request", seconds=f"{deadline.seconds:g}")
    return [outcomes.get(place, late) for place in range(len(waiting))]
