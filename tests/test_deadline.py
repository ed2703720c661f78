"""The time budget, on a clock that tests turn."""

from __future__ import annotations

import threading
import time

import pytest

from ec2kit.deadline import Abandoned, BootClock, Deadline, abandonable, as_they_end, side_by_side
from ec2kit.errors import DeadlinePassed

from .builders import FakeClock, ImpatientClock
from .patience import HANGS


def test_deadline_time_passes_is_counted_down_to_nothing() -> None:
    """What is left shrinks, never below 0, and then the deadline has passed."""
    clock = FakeClock()
    deadline = Deadline(10, clock)
    clock.time += 4
    assert (deadline.elapsed(), deadline.remaining(), deadline.passed) == (4, 6, False)
    clock.time += 60
    assert (deadline.elapsed(), deadline.remaining(), deadline.passed) == (64, 0, True)


def test_check_deadline_passed_says_what_was_not_begun() -> None:
    """A passed deadline names what it kept from being begun."""
    clock = FakeClock()
    deadline = Deadline(10, clock)
    deadline.check("ReplaceRoute")
    clock.time += 10
    with pytest.raises(DeadlinePassed, match=r"no time left for ReplaceRoute: the deadline of 10 s"):
        deadline.check("ReplaceRoute")


def test_within_longer_time_is_never_later_than_the_whole() -> None:
    """A part of an action has its own, nearer deadline at most."""
    clock = FakeClock()
    deadline = Deadline(10, clock)
    clock.time += 7
    assert deadline.within(5).ends == deadline.ends
    assert deadline.within(1).remaining() == 1


def test_pause_time_left_lasts_as_long_as_asked() -> None:
    """A pause passes its time and returns."""
    clock = FakeClock()
    Deadline(10, clock).pause(3.3, "waiting")
    assert clock.time == pytest.approx(1003.3)


def test_pause_deadline_nearer_ends_with_the_deadline() -> None:
    """A pause never outlasts the deadline."""
    clock = FakeClock()
    deadline = Deadline(2, clock)
    with pytest.raises(DeadlinePassed):
        deadline.pause(30, "waiting")
    assert clock.time == pytest.approx(1002)


def test_pause_watch_raising_ends_the_wait() -> None:
    """Whoever watches may end a pause, long before its end."""
    clock = FakeClock()
    with pytest.raises(KeyError, match="stop"):
        Deadline(300, clock).pause(200, "waiting", _raising(KeyError("stop")))
    assert clock.time < 1001


def test_pause_machine_suspended_meanwhile_counts_that_time() -> None:
    """A machine that slept through the deadline wakes up too late, whatever the pause still wanted."""

    class Suspended(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            self.time += 3600

    clock = Suspended()
    with pytest.raises(DeadlinePassed):
        Deadline(300, clock).pause(10, "waiting")
    assert len(clock.slept) == 1


def test_boot_clock_counts_suspended_time() -> None:
    """The real clock is CLOCK_BOOTTIME, and its sleep passes."""
    clock = BootClock()
    before = clock.now()
    clock.sleep(0.01)
    assert clock.now() >= before + 0.01
    assert clock.now() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)


# -- abandonable -------------------------------------------------------------------------------------------


def test_abandonable_work_in_time_gives_its_result() -> None:
    """Work that ends in time gives what it returned."""
    assert abandonable(lambda: 42, Deadline(HANGS)) == 42


def test_abandonable_work_raising_raises_the_same() -> None:
    """Work that ends with an exception ends the caller with that very exception."""
    error = ValueError("it")
    with pytest.raises(ValueError, match="it") as caught:
        abandonable(_raising(error), Deadline(HANGS))
    assert caught.value is error


def test_abandonable_hanging_work_is_left_behind() -> None:
    """Work that hangs is left alone in a daemon thread, which cannot keep the process alive."""
    over, begun, began = threading.Event(), threading.Event(), time.monotonic()
    seen: list[threading.Thread] = []

    def hang() -> None:
        seen.append(threading.current_thread())
        begun.set()
        over.wait(HANGS)

    with pytest.raises(Abandoned):
        abandonable(hang, Deadline(0.1))
    assert time.monotonic() - began < HANGS / 2
    assert begun.wait(HANGS)
    assert seen[0].daemon
    over.set()


def test_abandonable_watch_raising_ends_the_wait() -> None:
    """Whoever watches may end the wait, long before the deadline."""
    over = threading.Event()
    with pytest.raises(KeyError, match="stop"):
        abandonable(lambda: over.wait(HANGS), Deadline(HANGS), watch=_raising(KeyError("stop")))
    over.set()


# -- side by side ------------------------------------------------------------------------------------------


def test_side_by_side_outcomes_stand_in_place_with_exceptions() -> None:
    """Each outcome stands where its job stood, and one that failed stops no other."""
    error = ValueError("second")
    outcomes = side_by_side([lambda: 1, _raising(error), lambda: 3], Deadline(HANGS), at_most=2)
    assert outcomes == [1, error, 3]


def test_side_by_side_no_jobs_gives_no_outcomes() -> None:
    """Nothing to do is done at once."""
    assert side_by_side([], Deadline(HANGS), at_most=2) == []


def test_side_by_side_many_jobs_runs_at_most_so_many() -> None:
    """No more than the limit run at a time, and that many do."""
    lock, three = threading.Lock(), threading.Barrier(3)
    running: list[int] = [0]
    most: list[int] = [0]

    def job() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        three.wait(HANGS)
        with lock:
            running[0] -= 1

    side_by_side([job] * 12, Deadline(HANGS), at_most=3)
    assert most[0] == 3


def test_side_by_side_hanging_job_others_keep_their_outcomes() -> None:
    """A job that hangs costs the others nothing; it alone has DeadlinePassed as its outcome."""
    over = threading.Event()
    for seconds in (0.5, 5, 50):  # more, where the machine was too slow to begin all of them
        jobs = [lambda: True, lambda: over.wait(HANGS), lambda: True]
        first, hung, last = side_by_side(jobs, Deadline(seconds), at_most=2)
        if (first, last) == (True, True):
            break
    over.set()
    assert (first, last) == (True, True)
    assert isinstance(hung, DeadlinePassed)


def test_as_they_end_outcome_is_given_while_another_job_runs() -> None:
    """Whoever has to act on an outcome need not wait for the slowest job."""
    over = threading.Event()
    outcomes = as_they_end([lambda: over.wait(HANGS), lambda: "soon"], Deadline(HANGS), at_most=2)
    assert next(outcomes) == (1, "soon")
    over.set()
    assert list(outcomes) == [(0, True)]


def test_side_by_side_deadline_passed_begins_nothing() -> None:
    """After the deadline no job is begun."""
    clock, begun = FakeClock(), []
    deadline = Deadline(1, clock)
    clock.time += 1
    (outcome,) = side_by_side([lambda: begun.append(1)], deadline, at_most=2)
    assert isinstance(outcome, DeadlinePassed)
    assert begun == []


def test_side_by_side_waiting_job_deadline_first_is_not_begun() -> None:
    """A job that waits for a place behind a hanging one is never begun after the deadline."""
    over, begun = threading.Event(), []
    clock = ImpatientClock()
    outcomes = side_by_side([lambda: over.wait(HANGS), lambda: begun.append(1)], Deadline(0.3, clock), at_most=1)
    over.set()
    assert all(isinstance(each, DeadlinePassed) for each in outcomes)
    assert begun == []


def _raising(error: Exception):  # type: ignore[no-untyped-def]
    def work() -> None:
        raise error

    return work
