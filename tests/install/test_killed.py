"""install and uninstall killed at every one of their steps, then run again, in either framework's tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ec2kit.frameworks.install.installation import install, uninstall
from ec2kit.frameworks.install.layout import Layout
from ec2kit.frameworks.install.plan import Step
from ec2kit.frameworks.install.tree import Tree
from ec2kit.frameworks.lifekeeper.layout import LIFEKEEPER
from ec2kit.frameworks.pacemaker.layout import PACEMAKER

from ..patience import HANGS
from .snapshot import contents, snapshot

Scripts = dict[str, str]


@dataclass(frozen=True)
class Kit:
    """
    Some scripts in a framework's tree.

    Attributes:
        called: What the framework calls; of another kit, where there is one.
        linked: The same, where the other kit has a link.
        new: What only a later version has.
    """

    layout: Layout
    called: str
    linked: str
    new: str

    @property
    def ours(self) -> Scripts:
        return {self.layout.launcher: "launch 1\n", self.called: "called 1\n", self.linked: "linked 1\n"}

    @property
    def newer(self) -> Scripts:
        """A later version: one script is another, one is new, one is gone."""
        return {self.layout.launcher: "launch 2\n", self.called: "called 2\n", self.new: "new 2\n"}

    def install(self, root: Path, scripts: Scripts) -> dict[str, Step]:
        return install(self._tree(root), scripts, replace=True)

    def uninstall(self, root: Path) -> dict[str, Step]:
        return uninstall(self._tree(root))

    def _tree(self, root: Path) -> Tree:
        return Tree(str(root), manifest=self.layout.manifest)

    def a_vendors_kit(self, root: Path) -> None:
        """Another kit in the same places: a script, a link, and things that do not collide."""
        other = root / os.path.dirname(self.linked) / "other"
        for place in (self.called, self.linked, self.layout.manifest):
            (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / self.called).write_text("their own\n")
        (root / self.called).chmod(0o750)
        (root / self.linked).symlink_to("nowhere/at-all")
        other.write_text("their other\n")
        for path in (root / self.called, other):
            os.utime(path, ns=(1, 1_500_000_000_123_456_789))
        (root / self.layout.manifest).parent.chmod(0o700)


KITS = {
    "lifekeeper": Kit(
        LIFEKEEPER,
        called="subsys/comm/resources/ec2/actions/restore",
        linked="lkadm/bin/aws_iam_migration",
        new="lkadm/subsys/comm/ec2/bin/create",
    ),
    "pacemaker": Kit(
        PACEMAKER,
        called="resource.d/ec2kit/route-table",
        linked="resource.d/ec2kit/awseip",
        new="lib/ec2kit/agent",
    ),
}


@dataclass(frozen=True)
class Stage:
    """A place to work in, on a disk that is a memory where there is one: a thousand files are synced."""

    folder: Path
    kit: Kit

    def tree(self, *scripts: Scripts, vendor: bool = False) -> Path:
        """A new tree in which one version after the other was installed."""
        root = self.folder / f"tree{len(os.listdir(self.folder))}"
        root.mkdir()
        if vendor:
            self.kit.a_vendors_kit(root)
        for version in scripts:
            self.kit.install(root, version)
        return root

    def killed(self, tree: Path, deed: str, scripts: Scripts) -> list[Path]:
        """A copy of the tree for each step that the deed was killed before."""
        copies = self.folder / f"copies{len(os.listdir(self.folder))}"
        copies.mkdir()
        program = [sys.executable, str(Path(__file__).with_name("killing.py"))]
        words = [tree, self.kit.layout.manifest, copies, deed, json.dumps(scripts)]
        subprocess.run([*program, *words], check=True, timeout=HANGS)
        return sorted(copies.iterdir())


def staged(kit: Kit, tmp_path: Path) -> Iterator[Stage]:
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="ec2kit-test-", dir=place) as folder:
        yield Stage(Path(folder), kit)


@pytest.fixture(params=KITS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from staged(KITS[request.param], tmp_path)


@pytest.fixture
def pacemakers(tmp_path: Path) -> Iterator[Stage]:
    yield from staged(KITS["pacemaker"], tmp_path)


each_tree = pytest.mark.parametrize("vendor", [False, True], ids=["empty", "vendor"])


def test_install_killed_anywhere_and_run_again_is_installed(stage: Stage) -> None:
    """As if it had not been killed, and uninstall then leaves nothing."""
    kit = stage.kit
    empty, whole = stage.tree(), contents(stage.tree(kit.ours))
    for copy in stage.killed(empty, "install", kit.ours):
        kit.install(copy, kit.ours)
        assert contents(copy) == whole, copy
        kit.uninstall(copy)
        assert snapshot(copy) == {}, copy


@each_tree
def test_install_killed_anywhere_can_be_uninstalled(stage: Stage, vendor: bool) -> None:
    """What it had done is taken back, to the last byte, and theirs is where it was."""
    tree = stage.tree(vendor=vendor)
    before = snapshot(tree)
    for copy in stage.killed(tree, "replace", stage.kit.ours):
        stage.kit.uninstall(copy)
        assert snapshot(copy) == before, copy


@each_tree
def test_uninstall_killed_anywhere_and_run_again_leaves_nothing(stage: Stage, vendor: bool) -> None:
    """Every folder that was made is gone, every file that was kept aside is back."""
    kit = stage.kit
    before = snapshot(stage.tree(vendor=vendor))
    for copy in stage.killed(stage.tree(kit.ours, vendor=vendor), "uninstall", {}):
        kit.uninstall(copy)
        assert snapshot(copy) == before, copy
        assert kit.uninstall(copy) == {}, copy


def test_uninstall_killed_anywhere_does_not_hinder_install(stage: Stage) -> None:
    """Whoever changes his mind gets the whole kit."""
    kit = stage.kit
    installed = stage.tree(kit.ours)
    for copy in stage.killed(installed, "uninstall", {}):
        kit.install(copy, kit.ours)
        assert contents(copy) == contents(installed), copy


def test_replace_killed_anywhere_and_run_again_keeps_the_vendors_files(stage: Stage) -> None:
    """No file of theirs is ever lost: it is in its place or kept aside, and comes back."""
    kit = stage.kit
    tree = stage.tree(vendor=True)
    before, whole = snapshot(tree), contents(stage.tree(kit.ours, vendor=True))
    for copy in stage.killed(tree, "replace", kit.ours):
        assert {b"their own\n", b"their other\n"} <= texts(copy), copy
        kit.install(copy, kit.ours)
        assert contents(copy) == whole, copy
        kit.uninstall(copy)
        assert snapshot(copy) == before, copy


@pytest.mark.parametrize("version", ["newer", "ours"])
def test_update_killed_anywhere_and_any_version_installed_is_that_version(stage: Stage, version: str) -> None:
    """Never a part of a script, never a file that nobody knows; the way back works, too."""
    kit = stage.kit
    scripts = {"newer": kit.newer, "ours": kit.ours}[version]
    before = snapshot(stage.tree(vendor=True))
    older = stage.tree(kit.ours, vendor=True)
    whole = contents(stage.tree(kit.ours, scripts, vendor=True))
    for copy in stage.killed(older, "replace", kit.newer):
        assert (copy / kit.called).read_text() in ("called 1\n", "called 2\n"), copy
        kit.install(copy, scripts)
        assert contents(copy) == whole, copy
        kit.uninstall(copy)
        assert snapshot(copy) == before, copy


@pytest.mark.parametrize("deed", ["install", "uninstall"])
def test_killed_anywhere_no_script_is_there_without_the_manifest(stage: Stage, deed: str) -> None:
    """Whoever finds what the framework calls finds the list; for LifeKeeper that is the mark of the framework."""
    kit = stage.kit
    tree = stage.tree(*([kit.ours] if deed == "uninstall" else []))
    for copy in stage.killed(tree, deed, kit.ours):
        called, launcher = copy / kit.called, copy / kit.layout.launcher
        assert not called.exists() or (copy / kit.layout.manifest).is_file(), copy
        assert not [path for path in (called, launcher) if path.exists() and not path.read_text()], copy


@pytest.mark.parametrize("deed", ["install", "replace", "uninstall"])
def test_killed_anywhere_pacemaker_finds_no_agent_that_is_none(pacemakers: Stage, deed: str) -> None:
    """It lists whatever is not hidden; what is half done is hidden, and what an agent calls is there."""
    kit = pacemakers.kit
    tree = pacemakers.tree(*([] if deed == "install" else [kit.ours]))
    for copy in pacemakers.killed(tree, deed, kit.newer if deed == "replace" else kit.ours):
        providers = [path for path in copy.glob("resource.d/*") if not path.name.startswith(".")]
        agents = {path for each in providers for path in each.iterdir() if not path.name.startswith(".")}
        assert agents <= {copy / kit.called, copy / kit.linked}, copy
        assert not agents or (copy / kit.layout.launcher).exists(), copy


def texts(root: Path) -> set[bytes]:
    return {path.read_bytes() for path in root.rglob("*") if path.is_file()}
