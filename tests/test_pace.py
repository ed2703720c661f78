"""The token bucket for writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ec2kit.pace import Pace, SharedBucket
from ec2kit.state import StateFile, boot_id

from .builders import FakeClock, another_process, holding


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


def test_throttled_without_a_rate_goes_on_with_ec2s_published_one() -> None:
    """No limit holds until EC2 sets one; then not all who waited go at once."""
    pace = Pace(burst=50, rate=0, clock=FakeClock())
    pace.throttled(0.1)
    assert [pace.reserve() for _ in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_throttled_shorter_pause_later_keeps_the_longer() -> None:
    """A second throttle never shortens the pause of the first."""
    pace = Pace(burst=50, rate=0, clock=FakeClock())
    pace.throttled(4.0)
    pace.throttled(1.0)
    assert pace.reserve() == 4.0


# -- shared by all actions of a server ---------------------------------------------------------------------


def _pace(folder: Path, clock: FakeClock, *, rate: float = 5) -> Pace:
    return Pace(burst=3, rate=rate, clock=clock, shared=SharedBucket(str(folder / "bucket.json")))


def _write(folder: Path, **different: Any) -> None:
    """What another writer is said to have left at 1000 s: an empty bucket."""
    usual = {"boot": boot_id(), "tokens": 0.0, "counted": 1000.0, "not_before": 0.0}
    StateFile(str(folder / "bucket.json")).write({**usual, **different})


def test_reserve_two_actions_take_from_one_bucket(tmp_path: Path) -> None:
    """What one action of a server took, another one does not have."""
    clock = FakeClock()
    one, other = _pace(tmp_path, clock), _pace(tmp_path, clock)
    assert [each.reserve() for each in (one, other, one, other, one)] == pytest.approx([0, 0, 0, 0.2, 0.4])


def test_reserve_later_action_finds_the_bucket_as_it_was_left(tmp_path: Path) -> None:
    """The bucket outlives the action, and fills with time."""
    clock = FakeClock()
    first = _pace(tmp_path, clock)
    for _ in range(5):
        first.reserve()
    clock.time += 0.5
    assert _pace(tmp_path, clock).reserve() == pytest.approx(0.1)


def test_throttled_holds_up_the_other_actions(tmp_path: Path) -> None:
    """The first throttle of one slows all."""
    clock = FakeClock()
    one, other = _pace(tmp_path, clock), _pace(tmp_path, clock)
    one.throttled(2.0)
    assert other.reserve() >= 2.0


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"boot": "another"}, id="another-boot"),
        pytest.param({"tokens": -1e9}, id="too-deep"),
        pytest.param({"tokens": float("nan")}, id="no-number"),
        pytest.param({"tokens": "many"}, id="text"),
        pytest.param({"tokens": None}, id="nothing"),
        pytest.param({"counted": 1e12}, id="from-the-future"),
        pytest.param({"not_before": 1e12}, id="held-up-for-ever"),
    ],
)
def test_reserve_bucket_not_to_be_believed_is_ignored(tmp_path: Path, content: dict[str, Any]) -> None:
    """What cannot be never keeps a write back; the next writer finds it mended."""
    _write(tmp_path, **content)
    clock = FakeClock()
    assert _pace(tmp_path, clock).reserve() == 0
    assert [_pace(tmp_path, clock).reserve() for _ in range(3)] == pytest.approx([0, 0, 0.2])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 9}', "\x00"])
def test_reserve_bucket_broken_is_ignored(tmp_path: Path, text: str) -> None:
    """A file that was cut or edited is no bucket."""
    (tmp_path / "bucket.json").write_text(text)
    assert _pace(tmp_path, FakeClock()).reserve() == 0


def test_reserve_bucket_locked_for_long_is_ignored_from_then_on(tmp_path: Path) -> None:
    """A process that was stopped with the lock in its hand keeps nobody, and only once."""
    _write(tmp_path)
    clock = FakeClock()
    with another_process(holding(str(tmp_path / "bucket.json"))):
        pace = _pace(tmp_path, clock)
        assert [pace.reserve() for _ in range(3)] == [0, 0, 0]
        waited = sum(clock.slept)
        pace.reserve()
    assert 0 < waited < 1
    assert sum(clock.slept) == waited


def test_reserve_bucket_unwritable_is_ignored(tmp_path: Path) -> None:
    """Where no file can be, each action has its own bucket."""
    (tmp_path / "bucket.json").mkdir()
    pace = _pace(tmp_path, FakeClock())
    assert [pace.reserve() for _ in range(4)] == pytest.approx([0, 0, 0, 0.2])


def test_reserve_rate_nothing_shares_nothing(tmp_path: Path) -> None:
    """Without a limit there is no bucket, and no file."""
    _pace(tmp_path, FakeClock(), rate=0).reserve()
    assert list(tmp_path.iterdir()) == []
