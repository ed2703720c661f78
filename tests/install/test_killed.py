"""install and uninstall killed at every one of their steps, then run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ec2kit.installation import install, uninstall
from ec2kit.settings import INSTALLED

from .snapshot import contents, snapshot

HOOK, LAUNCHER, MIGRATION = (
    "subsys/comm/resources/ec2/actions/restore",
    "lkadm/subsys/comm/ec2/bin/launch",
    "lkadm/bin/aws_iam_migration",
)
OURS = {LAUNCHER: "launch 1\n", HOOK: "restore 1\n", MIGRATION: "migrate 1\n"}
NEWER = {LAUNCHER: "launch 2\n", HOOK: "restore 2\n", "lkadm/subsys/comm/ec2/bin/create": "create 2\n"}
"""A later version: one script is another, one is new, one is gone."""

Deed = Callable[[str], object]


def putting(scripts: dict[str, str]) -> Deed:
    return lambda root: install(root, scripts, replace=True)


@dataclass(frozen=True)
class Stage:
    """A place to work in, on a disk that is a memory where there is one: a thousand files are synced."""

    folder: Path

    def tree(self, *, vendor: bool, deeds: tuple[Deed, ...] = ()) -> Path:
        root = self.folder / f"tree{len(os.listdir(self.folder))}"
        root.mkdir()
        if vendor:
            a_vendors_kit(root)
        for deed in deeds:
            deed(str(root))
        return root

    def killed(self, tree: Path, deed: str, scripts: dict[str, str]) -> list[Path]:
        """A copy of the tree for each step that the deed was killed before."""
        copies = self.folder / f"copies{len(os.listdir(self.folder))}"
        copies.mkdir()
        program = [sys.executable, str(Path(__file__).with_name("killing.py"))]
        subprocess.run([*program, tree, copies, deed, json.dumps(scripts)], check=True, timeout=60)
        return sorted(copies.iterdir())


def a_vendors_kit(root: Path) -> None:
    """Another kit in the same places: a script, a link, and things that do not collide."""
    for place in ("subsys/comm/resources/ec2/actions", "lkadm/bin", "lkadm/subsys/comm/ec2"):
        (root / place).mkdir(parents=True)
    (root / HOOK).write_text("their restore\n")
    (root / HOOK).chmod(0o750)
    (root / MIGRATION).symlink_to("nowhere/migrate")
    (root / "lkadm/bin/other").write_text("their other\n")
    for place in (HOOK, "lkadm/bin/other"):
        os.utime(root / place, ns=(1, 1_500_000_000_123_456_789))
    (root / "lkadm/subsys/comm/ec2").chmod(0o700)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="ec2kit-test-", dir=place) as folder:
        yield Stage(Path(folder))


def test_install_killed_anywhere_and_run_again_is_installed(stage: Stage) -> None:
    """As if it had not been killed, and uninstall then leaves nothing."""
    empty = stage.tree(vendor=False)
    whole = contents(stage.tree(vendor=False, deeds=(putting(OURS),)))
    for copy in stage.killed(empty, "install", OURS):
        putting(OURS)(str(copy))
        assert contents(copy) == whole, copy
        uninstall(str(copy))
        assert snapshot(copy) == {}, copy


@pytest.mark.parametrize("vendor", [False, True], ids=["empty", "vendor"])
def test_install_killed_anywhere_can_be_uninstalled(stage: Stage, vendor: bool) -> None:
    """What it had done is taken back, to the last byte, and theirs is where it was."""
    tree = stage.tree(vendor=vendor)
    before = snapshot(tree)
    for copy in stage.killed(tree, "replace", OURS):
        uninstall(str(copy))
        assert snapshot(copy) == before, copy


@pytest.mark.parametrize("vendor", [False, True], ids=["empty", "vendor"])
def test_uninstall_killed_anywhere_and_run_again_leaves_nothing(stage: Stage, vendor: bool) -> None:
    """Every folder that was made is gone, every file that was kept aside is back."""
    before = snapshot(stage.tree(vendor=vendor))
    for copy in stage.killed(stage.tree(vendor=vendor, deeds=(putting(OURS),)), "uninstall", {}):
        uninstall(str(copy))
        assert snapshot(copy) == before, copy
        assert uninstall(str(copy)) == {}, copy


def test_uninstall_killed_anywhere_does_not_hinder_install(stage: Stage) -> None:
    """Whoever changes his mind gets the whole kit."""
    installed = stage.tree(vendor=False, deeds=(putting(OURS),))
    for copy in stage.killed(installed, "uninstall", {}):
        putting(OURS)(str(copy))
        assert contents(copy) == contents(installed), copy


def test_replace_killed_anywhere_and_run_again_keeps_the_vendors_files(stage: Stage) -> None:
    """No file of theirs is ever lost: it is in its place or kept aside, and comes back."""
    tree = stage.tree(vendor=True)
    before, whole = snapshot(tree), contents(stage.tree(vendor=True, deeds=(putting(OURS),)))
    for copy in stage.killed(tree, "replace", OURS):
        assert {b"their restore\n", b"their other\n"} <= texts(copy), copy
        putting(OURS)(str(copy))
        assert contents(copy) == whole, copy
        uninstall(str(copy))
        assert snapshot(copy) == before, copy


@pytest.mark.parametrize("scripts", [pytest.param(NEWER, id="newer"), pytest.param(OURS, id="older")])
def test_update_killed_anywhere_and_any_version_installed_is_that_version(
    stage: Stage, scripts: dict[str, str]
) -> None:
    """Never a part of a script, never a file that nobody knows; the way back works, too."""
    before = snapshot(stage.tree(vendor=True))
    older = stage.tree(vendor=True, deeds=(putting(OURS),))
    whole = contents(stage.tree(vendor=True, deeds=(putting(OURS), putting(scripts))))
    for copy in stage.killed(older, "replace", NEWER):
        assert (copy / HOOK).read_text() in ("restore 1\n", "restore 2\n"), copy
        putting(scripts)(str(copy))
        assert contents(copy) == whole, copy
        uninstall(str(copy))
        assert snapshot(copy) == before, copy


@pytest.mark.parametrize("deed", ["install", "uninstall"])
def test_killed_anywhere_no_script_is_there_without_the_manifest(stage: Stage, deed: str) -> None:
    """Whoever finds a hook of the kit finds the mark that LifeKeeper is the framework."""
    tree = stage.tree(vendor=False, deeds=(putting(OURS),) if deed == "uninstall" else ())
    for copy in stage.killed(tree, deed, OURS):
        assert not (copy / HOOK).exists() or (copy / INSTALLED).is_file(), copy
        assert not [path for path in (copy / HOOK, copy / LAUNCHER) if path.exists() and not path.read_text()], copy


def texts(root: Path) -> set[bytes]:
    return {path.read_bytes() for path in root.rglob("*") if path.is_file()}
