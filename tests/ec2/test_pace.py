"""The token bucket for writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Deadline
from ec2kit.ec2.pace import Pace, SharedBucket
from ec2kit.errors import DeadlinePassed, Overtaken
from ec2kit.state.boot import boot_id
from ec2kit.state.file import StateFile

from ..builders import FakeClock, another_process, holding

ROUTE, ASSOCIATE = "ReplaceRoute", "AssociateAddress"


def turns(clock: FakeClock, paces: Iterable[Pace], operation: str = ROUTE) -> list[float]:
    """The seconds from now after which each of these writers, one after the other, has its turn."""
    now, moments = clock.now(), []
    for each in paces:
        each.wait(operation, Deadline(10_000, clock), lambda: None, "writing")
        moments.append(clock.now() - now)
    return moments


def test_wait_burst_goes_at_once_and_then_at_the_rate() -> None:
    """A full bucket lets its burst go; each further request waits for its own token."""
    clock = FakeClock()
    assert turns(clock, [Pace(burst=3, rate=5, clock=clock)] * 5) == pytest.approx([0, 0, 0, 0.2, 0.4])


def test_wait_time_passes_fills_the_bucket_up_to_its_size() -> None:
    """Tokens flow back with time, and never more than the bucket holds."""
    clock = FakeClock()
    pace = Pace(burst=2, rate=5, clock=clock)
    turns(clock, [pace] * 2)
    clock.time += 3600
    assert turns(clock, [pace] * 3) == pytest.approx([0, 0, 0.2])


def test_wait_rate_nothing_has_no_limit() -> None:
    """A rate of 0 switches the bucket off."""
    clock = FakeClock()
    assert turns(clock, [Pace(burst=1, rate=0, clock=clock)] * 500) == [0] * 500


def test_wait_burst_nothing_still_lets_one_at_a_time() -> None:
    """A bucket of size 0 delays requests and never blocks them for ever."""
    clock = FakeClock()
    assert turns(clock, [Pace(burst=0, rate=1, clock=clock)] * 3) == pytest.approx([0, 1, 2])


@pytest.mark.parametrize("rate", [pytest.param(5, id="paced"), pytest.param(0, id="unlimited")])
def test_wait_after_a_throttle_waits_the_pause(rate: float) -> None:
    """One throttled request slows all writers of the process for that pause."""
    clock = FakeClock()
    pace = Pace(burst=50, rate=rate, clock=clock)
    pace.throttled(ROUTE, 2.0)
    assert turns(clock, [pace])[0] >= 2.0
    clock.time += 3
    assert turns(clock, [pace]) == [0]


def test_throttled_without_a_rate_goes_on_with_ec2s_published_one() -> None:
    """No limit holds until EC2 sets one; then not all who waited go at once."""
    clock = FakeClock()
    pace = Pace(burst=50, rate=0, clock=clock)
    pace.throttled(ROUTE, 0.1)
    assert turns(clock, [pace] * 5) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_throttled_shorter_pause_later_keeps_the_longer() -> None:
    """A second throttle never shortens the pause of the first."""
    clock = FakeClock()
    pace = Pace(burst=50, rate=0, clock=clock)
    pace.throttled(ROUTE, 4.0)
    pace.throttled(ROUTE, 1.0)
    assert turns(clock, [pace])[0] >= 4.0


def test_wait_each_operation_has_its_own_bucket() -> None:
    """EC2 counts each operation alone, so one that was used up or throttled delays no other."""
    clock = FakeClock()
    pace = Pace(burst=2, rate=5, clock=clock)
    turns(clock, [pace] * 9)
    pace.throttled(ROUTE, 9.0)
    assert turns(clock, [pace] * 2, ASSOCIATE) == [0, 0]


# -- shared by all actions of a server ---------------------------------------------------------------------


def _pace(folder: Path, clock: FakeClock, *, rate: float = 5, queues: bool = True) -> Pace:
    return Pace(
        burst=3, rate=rate, clock=clock, queues=queues, share=lambda name: SharedBucket(str(folder / f"{name}.json"))
    )


def _write(folder: Path, **different: Any) -> None:
    """What another writer is said to have left at 1000 s: an empty bucket."""
    usual = {"boot": boot_id(), "tokens": 0.0, "counted": 1000.0, "not_before": 0.0}
    StateFile(str(folder / f"{ROUTE}.json")).write({**usual, **different})


def test_wait_two_actions_take_from_one_bucket(tmp_path: Path) -> None:
    """What one action of a server took, another one does not have."""
    clock = FakeClock()
    one, other = _pace(tmp_path, clock), _pace(tmp_path, clock)
    assert turns(clock, [one, other, one, other, one]) == pytest.approx([0, 0, 0, 0.2, 0.4])


def test_wait_later_action_finds_the_bucket_as_it_was_left(tmp_path: Path) -> None:
    """The bucket outlives the action, and fills with time."""
    clock = FakeClock()
    turns(clock, [_pace(tmp_path, clock)] * 3)
    clock.time += 0.1
    assert turns(clock, [_pace(tmp_path, clock)]) == pytest.approx([0.1])


def test_throttled_holds_up_the_other_actions(tmp_path: Path) -> None:
    """The first throttle of one slows all."""
    clock = FakeClock()
    one, other = _pace(tmp_path, clock), _pace(tmp_path, clock)
    one.throttled(ROUTE, 2.0)
    assert turns(clock, [other])[0] >= 2.0


def test_wait_without_a_queue_takes_tokens_and_waits_for_none(tmp_path: Path) -> None:
    """remove goes at once, and the others wait for what remove took."""
    clock = FakeClock()
    remove, restore = _pace(tmp_path, clock, queues=False), _pace(tmp_path, clock)
    assert turns(clock, [remove] * 3) == [0, 0, 0]
    assert restore.take(ROUTE) > 0
    remove.throttled(ROUTE, 9.0)
    assert turns(clock, [remove] * 50) == [0] * 50
    assert turns(clock, [restore])[0] >= 9


def test_wait_that_ends_takes_no_token(tmp_path: Path) -> None:
    """An action that waits has taken nothing yet, so its end costs the others nothing, however it ends."""
    clock = FakeClock()
    one, other = _pace(tmp_path, clock), _pace(tmp_path, clock)

    def overtaken() -> None:
        raise Overtaken(newer="remove was asked for")

    with pytest.raises(Overtaken):
        one.wait(ROUTE, Deadline(10, clock), overtaken, "writing")
    assert turns(clock, [other] * 3) == [0, 0, 0]
    for _ in range(9):
        with pytest.raises(DeadlinePassed):
            one.wait(ROUTE, Deadline(0.01, clock), lambda: None, "writing")
    assert turns(clock, [other]) == pytest.approx([0.11])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"boot": "another"}, id="another-boot"),
        pytest.param({"tokens": -1e9}, id="less-than-none"),
        pytest.param({"tokens": float("nan")}, id="no-number"),
        pytest.param({"tokens": "many"}, id="text"),
        pytest.param({"tokens": None}, id="nothing"),
        pytest.param({"counted": 1e12}, id="from-the-future"),
        pytest.param({"not_before": 1e12}, id="held-up-for-ever"),
    ],
)
def test_wait_bucket_not_to_be_believed_is_ignored(tmp_path: Path, content: dict[str, Any]) -> None:
    """What cannot be never keeps a write back; the next writer finds it mended."""
    _write(tmp_path, **content)
    clock = FakeClock()
    assert turns(clock, [_pace(tmp_path, clock) for _ in range(4)]) == pytest.approx([0, 0, 0, 0.2])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 9}', "\x00"])
def test_wait_bucket_broken_is_ignored(tmp_path: Path, text: str) -> None:
    """A file that was cut or edited is no bucket."""
    (tmp_path / f"{ROUTE}.json").write_text(text)
    clock = FakeClock()
    assert turns(clock, [_pace(tmp_path, clock)]) == [0]


def test_wait_bucket_locked_for_long_is_ignored_from_then_on(tmp_path: Path) -> None:
    """A process that was stopped with the lock in its hand keeps nobody, and only once."""
    _write(tmp_path)
    clock = FakeClock()
    with another_process(holding(str(tmp_path / f"{ROUTE}.json"))):
        pace = _pace(tmp_path, clock)
        assert turns(clock, [pace] * 3)[-1] < 1
        waited = sum(clock.slept)
        assert pace.take(ROUTE) > 0
    assert 0 < waited < 1
    assert sum(clock.slept) == waited


def test_wait_bucket_unwritable_is_ignored(tmp_path: Path) -> None:
    """Where no file can be, each action has its own bucket."""
    (tmp_path / f"{ROUTE}.json").mkdir()
    clock = FakeClock()
    assert turns(clock, [_pace(tmp_path, clock)] * 4) == pytest.approx([0, 0, 0, 0.2])


def test_wait_rate_nothing_shares_nothing(tmp_path: Path) -> None:
    """Without a limit there is no bucket, and no file."""
    _pace(tmp_path, FakeClock(), rate=0).take(ROUTE)
    assert list(tmp_path.iterdir()) == []
