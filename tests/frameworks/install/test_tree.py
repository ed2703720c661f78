"""One place of a framework's tree at a time, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ec2kit.errors import BadRequest, OwnTrouble
from ec2kit.frameworks.install.tree import FOLDER, NOTHING, SPECIAL, Found, Tree, content_of
from ec2kit.messages import catalogue

from ...builders import raises


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(str(tmp_path / "root"), manifest="kit/list.json")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("mask", [0o077, 0o000])
def test_put_makes_folders_that_all_can_read_and_only_the_owner_can_write(tree: Tree, root: Path, mask: int) -> None:
    """Whatever the umask is, of whoever installs."""
    before = os.umask(mask)
    try:
        tree.put("a/b/c", "text", 0o755)
    finally:
        os.umask(before)
    assert [mode(root / each) for each in ("a", "a/b", "a/b/c")] == [0o755] * 3
    assert (root / "a/b/c").read_text() == "text"
    assert os.listdir(root) == ["a"]


def test_put_aside_moves_the_very_file_that_was_there(tree: Tree, root: Path) -> None:
    """Mode, owner and times stay, since it is only renamed; the folder of backups is nobody else's business."""
    (root / "x").write_text("theirs")
    (root / "x").chmod(0o640)
    before = (root / "x").stat()
    tree.put("x", "ours", 0o755, aside="kept/x")
    after = (root / "kept/x").stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert mode(root / "kept") == 0o700
    assert (root / "x").read_text() == "ours"


def test_put_that_fails_leaves_all_as_it_was_and_names_the_place(tree: Tree, root: Path) -> None:
    """No half a file, no folder without its file."""
    (root / "x").mkdir()
    (root / "x/y").write_text("")
    with raises(OwnTrouble, catalogue.PLACE_UNUSABLE, match=f"{root}/x cannot be used: "):
        tree.put("x", "ours", 0o755)
    assert sorted(os.listdir(root)) == ["x"]


def test_look_tells_what_stands_there_and_follows_no_link(tree: Tree, root: Path) -> None:
    """A link is a link, dangling or not; a pipe is not read."""
    (root / "file").write_text("text")
    (root / "folder").mkdir()
    (root / "link").symlink_to("file")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    places = ["file", "folder", "link", "dangling", "pipe", "none", "file/none"]
    found = [tree.look(place).content for place in places]
    assert found == [content_of("text"), FOLDER, "link:file", "link:nowhere", SPECIAL, NOTHING, NOTHING]
    assert tree.look("none") == Found()


def test_remove_takes_a_folder_with_all_that_is_in_it(tree: Tree, root: Path) -> None:
    """And nothing beside it."""
    tree.put("a/b/c", "", 0o644)
    tree.put("a/d", "", 0o644)
    tree.remove("a/b")
    assert os.listdir(root / "a") == ["d"]


def test_remove_if_empty_leaves_a_folder_that_is_in_use(tree: Tree, root: Path) -> None:
    """Somebody's file keeps the folder; one that is gone, or is none, is no error."""
    tree.put("a/b", "", 0o644)
    for place in ("a", "a/b", "none"):
        tree.remove_if_empty(place)
    assert (root / "a/b").exists()
    os.unlink(root / "a/b")
    tree.remove_if_empty("a")
    assert os.listdir(root) == []


def test_sweep_removes_only_what_a_run_left(tree: Tree, root: Path) -> None:
    """Files of others stay, whatever they are called."""
    for name in (".x.ec2kit.tmp", "x.ec2kit.tmp", ".y.ec2kit.tmp"):
        (root / name).write_text("")
    tree.sweep(["x", "none/x"])
    assert sorted(os.listdir(root)) == [".y.ec2kit.tmp", "x.ec2kit.tmp"]


def test_backups_of_different_places_are_different_and_lie_beside_the_list(tree: Tree) -> None:
    """Two programs of one name do not share a backup."""
    assert tree.backup_of("a/b/delete") == "kit/list.backup/a:b:delete"
    assert tree.backup_of("a/b/delete") != tree.backup_of("a/c/delete")


def test_alone_keeps_a_second_run_out_and_leaves_no_trace(tree: Tree, root: Path) -> None:
    """The lock is gone with its holder."""
    with tree.alone():
        with raises(BadRequest, catalogue.INSTALLATION_RUNS), Tree(tree.root, manifest="other.json").alone():
            pass
        assert os.listdir(root) == []
    with tree.alone():
        pass


@pytest.mark.parametrize("root", ["/nowhere/at/all", "/dev/null", ""])
def test_alone_needs_a_folder(root: str) -> None:
    """A place that is not there is not made: LifeKeeper is elsewhere."""
    with (
        raises(BadRequest, catalogue.ROOT_UNUSABLE, match="is no folder to work in"),
        Tree(root, manifest="list.json").alone(),
    ):
        pass
