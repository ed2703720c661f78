"""What a restore or remove here wrote down, and its spare place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.errors import StateUnusable
from ec2kit.registry.states import States

TAG = "ec2-vip1"


@pytest.fixture
def states(tmp_path: Path) -> States:
    (tmp_path / "run").mkdir()
    return States(str(tmp_path / "states"), spare=str(tmp_path / "run"))


@pytest.fixture
def in_the_way(states: States, tmp_path: Path) -> Path:
    """A folder where the file belongs: what is written goes to the spare place."""
    place = tmp_path / "states" / f"{TAG}.json"
    (place / "full").mkdir(parents=True)
    return place


def test_state_of_the_spare_place_stays_while_the_older_one_cannot_be_removed(states: States, tmp_path: Path) -> None:
    """Else what it has outlived would count again, and this server say that it has the address."""
    states.write(TAG, "ISP")
    place = tmp_path / "states" / f"{TAG}.json"
    before = place.read_text()
    place.unlink()
    (place / "full").mkdir(parents=True)
    assert states.write(TAG, "OSU") is not None
    with pytest.raises(StateUnusable):
        states.remove(TAG)
    (place / "full").rmdir()
    place.rmdir()
    place.write_text(before)
    assert states.read(TAG) == "OSU"


def test_state_of_the_spare_place_is_gone_when_a_newer_one_is_where_it_belongs(
    states: States, in_the_way: Path, tmp_path: Path
) -> None:
    """It cannot come back when that one is damaged later."""
    assert states.write(TAG, "ISP") is not None
    (in_the_way / "full").rmdir()
    in_the_way.rmdir()
    assert states.write(TAG, "OSU") is None
    assert list((tmp_path / "run").iterdir()) == []
    in_the_way.write_text("{")
    with pytest.raises(StateUnusable):
        states.read(TAG)
