"""An action has one time budget, and keeps it even if the network hangs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from ec2kit.errors import DeadlinePassed

Result = TypeVar("Result")

_SLICE = 0.25
"""Seconds between two looks at the clock: waits of Python do not count suspended time, the clock does."""


def _nobody() -> None:
    """Do nothing."""


class Clock(Protocol):
    """Time comes from a clock; tests pass one of their own."""

    def now(self) -> float:
        """Return the seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class BootClock:
    """
    Count seconds since boot, suspended time included.

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
        seconds: The time until that moment.
    """

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self.clock = clock or BootClock()
        self.seconds = seconds
        self.began = self.clock.now()
        self.ends = self.began + seconds

    def elapsed(self) -> float:
        """Return the seconds since the deadline was set."""
        return self.clock.now() - self.began

    def remaining(self) -> float:
        """Return the seconds left, 0 once the deadline has passed."""
        return max(0.0, self.ends - self.clock.now())

    @property
    def passed(self) -> bool:
        return self.remaining() <= 0

    def check(self, doing: str) -> None:
        """
        Raise if the deadline has passed.

        Args:
            doing: The work that is not begun then, for the error.

        Raises:
            DeadlinePassed: The deadline has passed.
        """
        if self.passed:
            raise DeadlinePassed(doing=doing, seconds=f"{self.seconds:g}")

    def within(self, seconds: float) -> Deadline:
        """Return a nearer deadline, never a later one."""
        return Deadline(min(seconds, self.remaining()), self.clock)

    def pause(self, seconds: float, doing: str, watch: Callable[[], None] = _nobody) -> None:
        """
        Wait in slices, so that time spent suspended counts.

        Args:
            watch: Called about four times a second while waiting; if it raises, the wait ends.

        Raises:
            DeadlinePassed: The deadline came first.
        """
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0:
            self.check(doing)
            watch()
            self.clock.sleep(min(left, self.remaining(), _SLICE))
        self.check(doing)


class Abandoned(Exception):
    """Work did not end in its time and goes on alone, in a thread that ends with the process."""


class Begun(Generic[Result]):
    """
    One piece of work in a daemon thread; its result or its exception stays here.

    Args:
        finished: Called in that thread when the work has ended.
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
        Return what the work returned, or raise what it raised.

        Args:
            watch: Called about four times a second while waiting; if it raises, the wait ends.

        Raises:
            Abandoned: The work did not end in time; its thread goes on alone.
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


def abandonable(work: Callable[[], Result], deadline: Deadline, watch: Callable[[], None] = _nobody) -> Result:
    """
    Do work that may hang, for as long as the deadline allows; raise what `Begun.wait` raises.

    A resolver, a dripping body or a dead disk cannot be interrupted from within; they can be abandoned.
    """
    return Begun(work).wait(deadline, watch)


def side_by_side(
    jobs: Iterable[Callable[[], Result]], deadline: Deadline, *, at_most: int
) -> list[Result | Exception]:
    """Do all jobs as `as_they_end` does, and return their outcomes in the order of the jobs."""
    outcomes = dict(as_they_end(jobs, deadline, at_most=at_most))
    return [outcomes[place] for place in sorted(outcomes)]


def as_they_end(
    jobs: Iterable[Callable[[], Result]], deadline: Deadline, *, at_most: int
) -> Iterator[tuple[int, Result | Exception]]:
    """
    Do all jobs in parallel, and yield the place of each job with its outcome as soon as the job has ended.

    An exception is an outcome. A job that did not end in time, or was not begun, has DeadlinePassed as its outcome.

    Args:
        at_most: The maximum number of jobs at a time.
    """
    waiting = deque(enumerate(jobs))
    running: dict[int, Begun[Result]] = {}
    progress = threading.Semaphore(0)
    while (waiting or running) and not deadline.passed:
        while waiting and len(running) < at_most:
            place, job = waiting.popleft()
            running[place] = Begun(job, progress.release)
        progress.acquire(timeout=min(deadline.remaining(), _SLICE))
        for place in [each for each, work in running.items() if work.done]:
            yield place, running.pop(place).outcome()
    late = DeadlinePassed(doing="the request", seconds=f"{deadline.seconds:g}")
    yield from ((place, work.outcome() if work.done else late) for place, work in running.items())
    yield from ((place, late) for place, _ in waiting)
