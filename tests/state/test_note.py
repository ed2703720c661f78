"""What is noted about a resource in this boot, and that all of it can be forgotten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import StateUnusable
from ec2kit.state.file import Damaged, StateFile
from ec2kit.state.intention import Intentions
from ec2kit.state.note import KINDS, Kind, Note, forget_all

TAG = "ec2-vip1"

by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def noted(folder: Path, kind: Kind, tag: str = TAG) -> Note:
    """A note of the kind, with all its locks beside it."""
    note = Note(str(folder), tag, kind)
    note.write({"a": 1})
    for name in kind.locks:
        lock = note.lock(name)
        assert lock.take()
        lock.release()
    return note


@by_kind
def test_a_note_is_read_as_it_was_written_and_nothing_where_none_was(tmp_path: Path, kind: Kind) -> None:
    """A note is of one kind, and about one resource."""
    note = Note(str(tmp_path), TAG, kind)
    assert note.read() is None
    note.write({"a": 1})
    assert (note.read() or {})["a"] == 1
    assert Note(str(tmp_path), "ec2-vip2", kind).read() is None
    assert os.listdir(tmp_path) == [f"{TAG}.{kind.name}.json"]


@by_kind
def test_a_note_of_another_boot_is_none(tmp_path: Path, kind: Kind) -> None:
    """What was noted before the machine went down says nothing now."""
    note = Note(str(tmp_path), TAG, kind)
    StateFile(note.path).write({"boot": "another", "a": 1})
    assert note.read() is None


@by_kind
@pytest.mark.parametrize("content", ["", '{"version": 1, "boot', "[]", '{"version": 99}', "[" * 100_000])
def test_a_damaged_note_is_told_where_it_decides_and_counts_for_nothing_where_it_helps(
    tmp_path: Path, kind: Kind, content: str
) -> None:
    """What is wanted, and what Pacemaker started, is not guessed; all else can be found out again."""
    note = noted(tmp_path, kind)
    Path(note.path).write_text(content)
    if kind.name in ("intention", "marker"):
        with pytest.raises(Damaged):
            note.read()
    else:
        assert note.read() is None
    note.write({"a": 2})
    assert (note.read() or {})["a"] == 2


@by_kind
def test_a_note_that_cannot_be_read_is_told_only_where_it_decides(tmp_path: Path, kind: Kind) -> None:
    """The same of a file that others could have written."""
    note = noted(tmp_path, kind)
    Path(note.path).chmod(0o666)
    if kind.name in ("intention", "marker"):
        with pytest.raises(StateUnusable):
            note.read()
    else:
        assert note.read() is None


def test_a_note_that_does_not_say_its_boot_is_damaged(tmp_path: Path) -> None:
    """It is not what was written."""
    (intention,) = (kind for kind in KINDS if kind.name == "intention")
    note = Note(str(tmp_path), TAG, intention)
    StateFile(note.path).write({"direction": "up"})
    with pytest.raises(Damaged):
        note.read()


# -- forgetting ------------------------------------------------------------------------------------------------


def everything_noted(folder: Path, tag: str) -> set[str]:
    for kind in KINDS:
        noted(folder, kind, tag)
    found = {each for each in os.listdir(folder) if each.startswith(tag)}
    assert len(found) == len(KINDS) + sum(len(kind.locks) for kind in KINDS)
    return found


def test_forget_all_leaves_nothing_of_the_resource_and_all_of_another(tmp_path: Path) -> None:
    """Whatever kinds there are, with their locks; there is no second list of them."""
    everything_noted(tmp_path, TAG)
    others = everything_noted(tmp_path, "ec2-vip2")
    forget_all(str(tmp_path), TAG)
    forget_all(str(tmp_path), TAG)
    assert set(os.listdir(tmp_path)) == others


def test_forget_of_the_intentions_forgets_all_notes_while_nothing_can_be_declared(tmp_path: Path) -> None:
    """What else is forgotten comes first, under the mutex; then nothing is left of the resource."""
    everything_noted(tmp_path, TAG)
    intentions, held = Intentions(str(tmp_path), TAG), []
    intentions.forget(lambda: held.append(Intentions(str(tmp_path), TAG).is_being_changed), Deadline(5))
    assert held == [True]
    assert os.listdir(tmp_path) == []


def test_forget_stops_who_acts_first_where_another_note_cannot_be_removed(tmp_path: Path) -> None:
    """A broken disk must not let an action go on for a resource that is gone."""
    everything_noted(tmp_path, TAG)
    for kind in KINDS[1:]:
        path = Path(Note(str(tmp_path), TAG, kind).path)
        path.unlink()
        path.mkdir()
    with pytest.raises(StateUnusable):
        Intentions(str(tmp_path), TAG).forget(lambda: None, Deadline(5))
    assert Intentions(str(tmp_path), TAG).current() is None
