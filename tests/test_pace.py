"""The token bucket for writes."""

from __future__ import annotations

import pytest

from ec2kit.pace import Pace

from .builders import FakeClock


def test_reserve_burst_goes_at_once_and_then_at_the_rate() -> None:
    """A full bucket lets its burst go; each further request waits for its own token."""
    pace = Pace(burst=3, rate=5, clock=FakeClock())
    assert [pace.reserve() for _ in range(5)] == pytest.approx([0, 0, 0, 0.2, 0.4])


def test_reserve_time_passes_fills_the_bucket_up_to_its_size() -> None:
    """Tokens flow back with time, and never more than the bucket holds."""
    clock = FakeClock()
    pace = Pace(burst=2, rate=5, clock=clock)
    pace.reserve(), pace.reserve()
    clock.time += 3600
    assert [pace.reserve() for _ in range(3)] == pytest.approx([0, 0, 0.2])


def test_reserve_rate_nothing_has_no_limit() -> None:
    """A rate of 0 switches the bucket off."""
    pace = Pace(burst=1, rate=0, clock=FakeClock())
    assert [pace.reserve() for _ in range(500)] == [0] * 500


def test_reserve_burst_nothing_still_lets_one_at_a_time() -> None:
    """A bucket of size 0 delays requests and never blocks them for ever."""
    pace = Pace(burst=0, rate=1, clock=FakeClock())
    assert [pace.reserve() for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("rate", [pytest.param(5, id="paced"), pytest.param(0, id="unlimited")])
def test_reserve_after_a_throttle_waits_the_pause(rate: float) -> None:
    """One throttled request slows all writers of the process for that pause."""
    clock = FakeClock()
    pace = Pace(burst=50, rate=rate, clock=clock)
    pace.throttled(2.0)
    assert pace.reserve() >= 2.0
    clock.time += 3
    assert pace.reserve() == 0


def test_throttled_shorter_pause_later_keeps_the_longer() -> None:
    """A second throttle never shortens the pause of the first."""
    pace = Pace(burst=50, rate=0, clock=FakeClock())
    pace.throttled(4.0)
    pace.throttled(1.0)
    assert pace.reserve() == 4.0
