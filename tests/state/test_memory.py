"""What the last checks found."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.errors import StateUnusable
from ec2kit.state import memory
from ec2kit.state.memory import Memory


def test_recall_remembered_gives_the_same(tmp_path: Path) -> None:
    """What was remembered is recalled."""
    kept = Memory(unknown_since=12.5, unknown_count=3, reason="silence", objects=("rtb-1", "rtb-2"))
    memory.remember(str(tmp_path), "ec2-vip1", kept)
    assert memory.recall(str(tmp_path), "ec2-vip1") == kept
    assert memory.recall(str(tmp_path), "ec2-vip2") == Memory()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"version": 1, "unkno', id="cut"),
        pytest.param("[]", id="list"),
        pytest.param('{"version": 99}', id="later-version"),
        pytest.param('{"version": 1, "unknown_since": "soon"}', id="wrong-type"),
        pytest.param('{"version": 1, "objects": 7}', id="wrong-list"),
        pytest.param('{"version": 1, "unknown_count": Infinity}', id="endless"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_recall_damaged_file_is_nothing(text: str, tmp_path: Path) -> None:
    """Memory is only a help: damaged, it is as if there were none."""
    (tmp_path / "t.memory.json").write_text(text)
    assert memory.recall(str(tmp_path), "t") == Memory()


def test_remember_folder_unusable_raises(tmp_path: Path) -> None:
    """What cannot be kept is said."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable):
        memory.remember(str(tmp_path / "file"), "t", Memory(unknown_count=1))


def test_age_unknown_run_counts_from_its_first_check() -> None:
    """The age is that of the present run without an answer, and 0 without one."""
    assert Memory().age(60.0) == 0
    assert Memory(unknown_since=100.0, unknown_count=2).age(160.0) == 60
    assert Memory(unknown_since=100.0, unknown_count=2).age(40.0) == 0
