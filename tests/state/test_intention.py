"""A newer intention cancels an older one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import DeadlinePassed, Overtaken, StateUnusable
from ec2kit.state.file import StateFile
from ec2kit.state.intention import Direction, Intentions
from ec2kit.state.lock import Lock

from ..builders import FakeClock, another_process, holding

UP, DOWN = Direction.UP, Direction.DOWN


@pytest.fixture
def intentions(tmp_path: Path) -> Intentions:
    """The intentions for one resource."""
    return Intentions(str(tmp_path), "ec2-vip1")


def soon() -> Deadline:
    return Deadline(60)


def test_declare_first_is_written_down_durably(intentions: Intentions, tmp_path: Path) -> None:
    """What is wanted is known to every other process from then on."""
    mine = intentions.declare(UP, soon())
    assert Intentions(str(tmp_path), "ec2-vip1").current() == mine
    assert Intentions(str(tmp_path), "ec2-vip2").current() is None
    intentions.check(mine)


def test_declare_opposite_direction_cancels_the_older(intentions: Intentions) -> None:
    """Who acts for an intention that is no longer the newest is stopped, and told by what."""
    older = intentions.declare(UP, soon())
    newer = intentions.declare(DOWN, soon())
    assert newer.generation > older.generation
    with pytest.raises(Overtaken, match="remove was asked for"):
        intentions.check(older)
    intentions.check(newer)


def test_declare_same_direction_is_the_same_generation(intentions: Intentions) -> None:
    """Two restores want the same, so neither cancels the other."""
    assert intentions.declare(UP, soon()) == intentions.declare(UP, soon())


def test_declare_back_and_forth_never_returns_to_an_old_generation(intentions: Intentions) -> None:
    """A restore that was cancelled stays so when another restore is asked for later."""
    first = intentions.declare(UP, soon())
    intentions.declare(DOWN, soon())
    intentions.declare(UP, soon())
    with pytest.raises(Overtaken):
        intentions.check(first)


def test_declare_unless_the_opposite_is_wanted_raises_and_writes_nothing(intentions: Intentions) -> None:
    """Recovery never overrides a remove that was asked for."""
    down = intentions.declare(DOWN, soon())
    with pytest.raises(Overtaken, match="remove was asked for"):
        intentions.declare(UP, soon(), unless=DOWN)
    assert intentions.current() == down


def test_declare_unless_nothing_is_wanted_goes_forward(intentions: Intentions) -> None:
    """Without any intention of this boot, recovery may declare its own."""
    assert intentions.declare(UP, soon(), unless=DOWN).direction is UP


def test_current_of_another_boot_counts_as_nothing(intentions: Intentions, tmp_path: Path) -> None:
    """What was wanted before a boot is wanted no more."""
    content = {"boot": "another", "direction": "down", "generation": 7}
    StateFile(str(tmp_path / "ec2-vip1.intention.json")).write(content)
    assert intentions.current() is None
    mine = intentions.declare(UP, soon(), unless=DOWN)
    assert mine.direction is UP
    assert intentions.current() == mine


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"version": 1, "boot', id="cut"),
        pytest.param('{"version": 1}', id="no-fields"),
        pytest.param('{"version": 9, "generation": 3}', id="later-version"),
        pytest.param('{"version": 1, "boot": "BOOT", "direction": "sideways", "generation": 3}', id="odd-direction"),
        pytest.param('{"version": 1, "boot": "BOOT", "direction": "up", "generation": "x"}', id="odd-generation"),
        pytest.param(
            '{"version": 1, "boot": "BOOT", "direction": "up", "generation": 1e999}', id="endless-generation"
        ),
        pytest.param('{"version": 1, "boot": "BOOT", "direction": "up", "generation": null}', id="no-generation"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_declare_damaged_file_is_not_trusted_and_goes_forward(
    intentions: Intentions, tmp_path: Path, text: str
) -> None:
    """A damaged file permits no write to whoever acted before, and does not hinder the next action."""
    older = intentions.declare(UP, soon())
    boot = StateFile(str(tmp_path / "ec2-vip1.intention.json")).read()
    assert boot is not None
    (tmp_path / "ec2-vip1.intention.json").write_text(text.replace("BOOT", boot["boot"]))
    with pytest.raises(StateUnusable):
        intentions.check(older)
    newer = intentions.declare(UP, soon())
    intentions.check(newer)
    with pytest.raises(Overtaken):
        intentions.check(older)


def test_declare_folder_unusable_raises(tmp_path: Path) -> None:
    """What cannot be written down may not be done."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable):
        Intentions(str(tmp_path / "file"), "t").declare(UP, soon())


def test_declare_others_hold_the_mutex_too_long_ends_with_its_time(tmp_path: Path) -> None:
    """Writing an intention down waits some seconds at most, however long the action may take."""
    intentions, clock = Intentions(str(tmp_path), "t"), FakeClock()
    with another_process(holding(str(tmp_path / "t.intention.lock"))), pytest.raises(DeadlinePassed):
        intentions.declare(DOWN, Deadline(300, clock))
    assert clock.time <= 1010


def test_withdraw_whoever_acts_stops(intentions: Intentions) -> None:
    """Where not even a remove can be written down, nothing is wanted any more; the next wish counts as usual."""
    older = intentions.declare(UP, soon())
    intentions.withdraw()
    with pytest.raises(Overtaken):
        intentions.check(older)
    assert intentions.current() is None
    intentions.check(intentions.declare(UP, soon()))


# -- settle ------------------------------------------------------------------------------------------------


def test_settle_still_wanted_records(intentions: Intentions) -> None:
    """A result is recorded while it is what is wanted."""
    recorded: list[int] = []
    intentions.settle(intentions.declare(UP, soon()), lambda: recorded.append(1), soon())
    assert recorded == [1]


def test_settle_overtaken_records_nothing(intentions: Intentions) -> None:
    """A result that nobody wants any more leaves no trace."""
    recorded: list[int] = []
    older = intentions.declare(UP, soon())
    intentions.declare(DOWN, soon())
    with pytest.raises(Overtaken):
        intentions.settle(older, lambda: recorded.append(1), soon())
    assert recorded == []


def test_settle_declare_at_the_same_time_comes_before_or_after(intentions: Intentions, tmp_path: Path) -> None:
    """Nothing newer comes in between: a remove that is asked for while a result is recorded waits for the record."""
    events: list[str] = []
    mine = intentions.declare(UP, soon())
    newer = threading.Thread(
        target=lambda: (Intentions(str(tmp_path), "ec2-vip1").declare(DOWN, soon()), events.append("declared"))
    )

    def record() -> None:
        newer.start()
        newer.join(0.3)
        events.append("recorded")

    intentions.settle(mine, record, soon())
    newer.join()
    assert events == ["recorded", "declared"]


def test_settle_record_fails_lets_go_of_the_mutex(intentions: Intentions) -> None:
    """A record that cannot be written keeps nobody else from declaring."""
    mine = intentions.declare(UP, soon())

    def broken() -> None:
        raise StateUnusable(path="x", reason="full")

    with pytest.raises(StateUnusable):
        intentions.settle(mine, broken, soon())
    assert intentions.declare(DOWN, soon()).direction is DOWN


# -- forget ------------------------------------------------------------------------------------------------


def test_forget_leaves_no_file_and_stops_who_still_acts(intentions: Intentions, tmp_path: Path) -> None:
    """When a resource is deleted, whoever still acts for it writes no more."""
    mine = intentions.declare(UP, soon())
    with intentions.writing.held(soon(), "it"):
        intentions.forget(lambda: None, soon())
        assert os.listdir(tmp_path) == []
        with pytest.raises(Overtaken):
            intentions.check(mine)


def test_forget_declared_anew_still_stops_who_acted_for_the_old(intentions: Intentions) -> None:
    """A resource that was deleted and created again under its name does not revive an action for the old one."""
    older = intentions.declare(UP, soon())
    intentions.forget(lambda: None, soon())
    intentions.declare(UP, soon())
    with pytest.raises(Overtaken):
        intentions.check(older)


def test_writing_lock_is_one_for_all_processes(intentions: Intentions, tmp_path: Path) -> None:
    """One restore or recover writes at a time, on this server."""
    with another_process(holding(str(tmp_path / "ec2-vip1.writing.lock"))):
        assert intentions.writing.is_held
        assert not intentions.writing.take()
    assert not Lock(intentions.writing.path).is_held
