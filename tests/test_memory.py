"""What the last checks found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ec2kit import memory
from ec2kit.errors import StateUnusable
from ec2kit.memory import Memory


def test_recall_remembered_gives_the_same(tmp_path: Path) -> None:
    """What was remembered is recalled."""
    kept = Memory(unknown_since=12.5, unknown_count=3, reason="silence", route_table_ids=("rtb-1", "rtb-2"))
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
        pytest.param('{"version": 1, "route_table_ids": 7}', id="wrong-list"),
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


def test_forget_removes_the_file(tmp_path: Path) -> None:
    """What is forgotten leaves nothing behind, and forgetting nothing is no error."""
    memory.remember(str(tmp_path), "t", Memory(unknown_count=1))
    memory.forget(str(tmp_path), "t")
    memory.forget(str(tmp_path), "t")
    assert list(tmp_path.iterdir()) == []


def test_age_unknown_run_counts_from_its_first_check() -> None:
    """The age is that of the present run without an answer, and 0 without one."""
    assert Memory().age == 0
    assert Memory(unknown_since=time.time() - 60, unknown_count=2).age == pytest.approx(60, abs=10)
    assert Memory(unknown_since=time.time() + 3600, unknown_count=2).age == 0
