"""What becomes of a place in a framework's tree: decided from what stands there, and nothing else."""

from __future__ import annotations

import pytest

from ec2kit.frameworks.install.manifest import Manifest
from ec2kit.frameworks.install.plan import Place, Step, plan_install, plan_removal
from ec2kit.frameworks.install.tree import FOLDER, NOTHING, SPECIAL

NEW, OLD, THEIRS = "sha256:new", "sha256:old", "sha256:theirs"
X = "subsys/comm/resources/ec2/actions/restore"


def a_manifest(*ours: str, before: str | None = None) -> Manifest:
    return Manifest(files={X: ours} if ours else {}, backups={X: before} if before else {})


@pytest.mark.parametrize(
    ("place", "ours", "step"),
    [
        pytest.param(Place(NOTHING), (), Step.INSTALLED, id="nothing there"),
        pytest.param(Place(NOTHING), (OLD,), Step.INSTALLED, id="ours was removed"),
        pytest.param(Place(NOTHING, kept=THEIRS), (NEW,), Step.INSTALLED, id="killed between keeping and putting"),
        pytest.param(Place(NEW), (NEW,), Step.UNCHANGED, id="there already"),
        pytest.param(Place(NEW, kept=THEIRS), (NEW,), Step.UNCHANGED, id="there already, theirs kept"),
        pytest.param(Place(NEW), (), Step.UNCHANGED, id="the very text without a manifest"),
        pytest.param(Place(NEW), (OLD, NEW), Step.UNCHANGED, id="killed after an update"),
        pytest.param(Place(OLD), (OLD, NEW), Step.UPDATED, id="killed before an update"),
        pytest.param(Place(OLD), (OLD,), Step.UPDATED, id="an older one of ours"),
        pytest.param(Place(NEW, mode=0o644), (NEW,), Step.UPDATED, id="ours that cannot be run"),
        pytest.param(Place(NEW, mode=0o777), (NEW,), Step.UPDATED, id="ours that others can write"),
        pytest.param(Place(OLD), (), Step.REPLACED, id="an older one that nobody knows"),
        pytest.param(Place(THEIRS), (), Step.REPLACED, id="theirs"),
        pytest.param(Place(THEIRS), (NEW,), Step.REPLACED, id="ours, edited"),
        pytest.param(Place("link:" + NEW), (NEW,), Step.REPLACED, id="a link"),
        pytest.param(Place(SPECIAL), (), Step.REPLACED, id="a pipe"),
        pytest.param(Place(FOLDER), (), Step.BLOCKED, id="a folder"),
        pytest.param(Place(THEIRS, kept=OLD), (NEW,), Step.BLOCKED, id="theirs, with another kept already"),
    ],
)
def test_plan_install_decides_by_what_stands_there(place: Place, ours: tuple[str, ...], step: Step) -> None:
    """Ours is what the manifest lists or what would be written anyway; everything else is somebody's."""
    assert plan_install({X: NEW}, a_manifest(*ours), {X: place}) == {X: step}


@pytest.mark.parametrize(
    ("place", "before", "step"),
    [
        pytest.param(Place(NEW), None, Step.REMOVED, id="ours"),
        pytest.param(Place(OLD), None, Step.REMOVED, id="ours, from before an update that was killed"),
        pytest.param(Place(NEW, kept=THEIRS), THEIRS, Step.RESTORED, id="ours, theirs kept"),
        pytest.param(Place(NOTHING, kept=THEIRS), THEIRS, Step.RESTORED, id="killed between keeping and putting"),
        pytest.param(Place(NOTHING), None, None, id="gone"),
        pytest.param(Place(THEIRS), THEIRS, None, id="theirs, put back or never moved"),
        pytest.param(Place("link:x"), "link:x", None, id="their link, put back"),
        pytest.param(Place(THEIRS), None, Step.LEFT, id="ours, edited"),
        pytest.param(Place("sha256:edited", kept=THEIRS), THEIRS, Step.LEFT, id="ours, edited, theirs kept"),
        pytest.param(Place(THEIRS, kept=THEIRS), THEIRS, Step.LEFT, id="theirs came back by another hand"),
        pytest.param(Place(FOLDER), None, Step.LEFT, id="a folder"),
    ],
)
def test_plan_removal_takes_out_what_is_ours_and_leaves_the_rest(
    place: Place, before: str | None, step: Step | None
) -> None:
    """What was changed since is left; what was kept aside comes back; what is done is not done again."""
    assert plan_removal(a_manifest(OLD, NEW, before=before), {X: place}).get(X) is step


@pytest.mark.parametrize(
    ("place", "step"),
    [
        pytest.param(Place(OLD), Step.REMOVED, id="ours"),
        pytest.param(Place(OLD, kept=THEIRS), Step.RESTORED, id="theirs kept"),
        pytest.param(Place(THEIRS), Step.LEFT, id="edited"),
    ],
)
def test_plan_install_takes_out_what_is_wanted_no_more(place: Place, step: Step) -> None:
    """A script that a newer version has no more does not stay behind."""
    assert plan_install({}, a_manifest(OLD), {X: place}) == {X: step}
