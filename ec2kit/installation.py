"""
The kit in a framework's tree: installed, and taken out again without a trace.

What stands at a place decides what becomes of it; that is a pure function. The manifest is written before anything
else and removed after everything else, so that whatever is killed in between is gone on with by the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ec2kit.errors import ManifestDamaged, PlacesTaken, StateUnusable
from ec2kit.state import VERSION, Content, Damaged, StateFile
from ec2kit.tree import FOLDER, NOTHING, Tree, content_of

SCRIPT_MODE = 0o755
_MANIFEST_MODE = 0o644


class Step(Enum):
    """What becomes of one place."""

    INSTALLED = "installed"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    REMOVED = "removed"
    RESTORED = "restored"
    LEFT = "left"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Place:
    """
    What stands at a place, and what is kept aside for it.

    Attributes:
        now, kept: Contents, as `ec2kit.tree` tells them.
        mode: Permissions of what stands there.
    """

    now: str = NOTHING
    kept: str = NOTHING
    mode: int = SCRIPT_MODE


@dataclass(frozen=True)
class Manifest:
    """
    What install put there; and, while it is at it, what it may have put there.

    Attributes:
        files: Place → the contents of ours that may stand there; two while one takes the place of the other.
        folders: Made by install, sorted.
        backups: Place → what stood there before.
    """

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    backups: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(content: Content) -> Manifest:
        """
        Raises:
            Damaged: It is not what `text` tells.
        """
        try:
            files = {str(place): tuple(map(str, contents)) for place, contents in content["files"].items()}
            backups = {str(place): str(before) for place, before in content["backups"].items()}
            folders = tuple(map(str, content["folders"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise Damaged("something is missing in it") from error
        if any(os.path.isabs(each) or ".." in each.split("/") for each in (*files, *folders)):
            raise Damaged("it leads out of the tree")
        return Manifest(files, folders, backups)

    @property
    def text(self) -> str:
        """Its stored form."""
        content = {"files": self.files, "folders": self.folders, "backups": self.backups}
        return json.dumps({"version": VERSION, **content}, sort_keys=True, indent=1) + "\n"


# -- deciding --------------------------------------------------------------------------------------------------


def plan_install(wanted: Mapping[str, str], manifest: Manifest, places: Mapping[str, Place]) -> dict[str, Step]:
    """
    What becomes of the places where a file is wanted, and of those where none is wanted any more.

    Args:
        wanted: Place → content.
    """
    steps = {
        place: _putting(content, manifest.files.get(place, ()), places[place]) for place, content in wanted.items()
    }
    obsolete = {place: ours for place, ours in manifest.files.items() if place not in wanted}
    return {**steps, **plan_removal(Manifest(obsolete, backups=manifest.backups), places)}


def _putting(wanted: str, ours: Collection[str], place: Place) -> Step:
    if place.now == NOTHING:
        return Step.INSTALLED
    if place.now == wanted and place.mode == SCRIPT_MODE:
        return Step.UNCHANGED
    if place.now in (wanted, *ours):
        return Step.UPDATED
    return Step.BLOCKED if place.now == FOLDER or place.kept else Step.REPLACED


def plan_removal(manifest: Manifest, places: Mapping[str, Place]) -> dict[str, Step]:
    """What becomes of the places in the manifest; those where nothing is left to do are not in it."""
    steps = {
        place: _taking_out(ours, manifest.backups.get(place), places[place]) for place, ours in manifest.files.items()
    }
    return {place: step for place, step in steps.items() if step is not None}


def _taking_out(ours: Collection[str], before: str | None, place: Place) -> Step | None:
    if place.now != NOTHING and place.now not in ours:
        is_back = place.now == before and not place.kept
        return None if is_back else Step.LEFT
    if place.kept:
        return Step.RESTORED
    return None if place.now == NOTHING else Step.REMOVED


# -- install ---------------------------------------------------------------------------------------------------


def install(tree: Tree, scripts: Mapping[str, str], *, replace: bool) -> dict[str, Step]:
    """
    Put the scripts into the tree, in their order; gives what became of each place.

    Args:
        scripts: Place → text.
        replace: A file that is not ours is kept aside, and is no reason to refuse.

    Raises:
        RootUnusable, InstallationRuns, ManifestDamaged, PlacesTaken: Nothing was changed.
        PlaceUnusable: It stopped in the middle; another run goes on.
    """
    with tree.alone():
        manifest = _manifest(tree)
        wanted = {place: content_of(text) for place, text in scripts.items()}
        places = _look(tree, [*wanted, *manifest.files])
        steps = plan_install(wanted, manifest, places)
        _refuse(tree, steps, places, replace=replace)
        _sweep(tree, places)
        coming = _coming(manifest, wanted, steps, places, _missing_folders(tree, steps))
        if coming != manifest:
            tree.put(tree.manifest, coming.text, _MANIFEST_MODE)
        for place, step in steps.items():
            _do(tree, place, step, scripts.get(place, ""))
        done = _done(coming, wanted, steps)
        if done != coming:
            tree.put(tree.manifest, done.text, _MANIFEST_MODE)
    return steps


def _manifest(tree: Tree) -> Manifest:
    path = tree.path(tree.manifest)
    if not os.path.lexists(path):
        return Manifest()
    try:
        return Manifest.of(StateFile(path).read() or {})
    except Damaged as error:
        raise ManifestDamaged(path=path, reason=str(error)) from error
    except StateUnusable as error:
        raise ManifestDamaged(path=path, reason=error.fields["reason"]) from error


def _look(tree: Tree, places: Iterable[str]) -> dict[str, Place]:
    found = {place: (tree.look(place), tree.look(tree.backup_of(place))) for place in places}
    return {place: Place(now.content, kept.content, now.mode) for place, (now, kept) in found.items()}


def _refuse(tree: Tree, steps: Mapping[str, Step], places: Mapping[str, Place], *, replace: bool) -> None:
    """Raise PlacesTaken, naming every place where something stands in the way."""
    no_folders = [
        f"{folder} (no folder)"
        for folder in sorted(_folders(tree, steps))
        if not tree.has_folder(folder) and tree.look(folder).content != NOTHING
    ]
    allowed = (Step.REPLACED,) if replace else ()
    taken = [
        f"{place}{_why(places[place], tree.backup_of(place))}"
        for place, step in steps.items()
        if step in (Step.BLOCKED, Step.REPLACED) and step not in allowed
    ]
    if no_folders or taken:
        raise PlacesTaken(root=tree.root, places=", ".join(no_folders + taken))


def _why(found: Place, backup: str) -> str:
    if found.now == FOLDER:
        return " (a folder)"
    return f" (and {backup} is kept from an earlier time)" if found.kept else ""


def _sweep(tree: Tree, places: Iterable[str]) -> None:
    tree.sweep({each for place in (tree.manifest, *places) for each in (place, *_above(place))})


def _above(place: str) -> Iterator[str]:
    """The folders that a place lies in."""
    while place := os.path.dirname(place):
        yield place


def _folders(tree: Tree, steps: Mapping[str, Step]) -> set[str]:
    """All folders that the steps need to be there."""
    ours = [place for place, step in steps.items() if step not in (Step.REMOVED, Step.RESTORED, Step.LEFT)]
    backups = [tree.backup_of(place) for place, step in steps.items() if step is Step.REPLACED]
    return {folder for place in (tree.manifest, *ours, *backups) for folder in _above(place)}


def _missing_folders(tree: Tree, steps: Mapping[str, Step]) -> set[str]:
    return {folder for folder in _folders(tree, steps) if not tree.has_folder(folder)}


def _coming(
    manifest: Manifest,
    wanted: Mapping[str, str],
    steps: Mapping[str, Step],
    places: Mapping[str, Place],
    folders: set[str],
) -> Manifest:
    """What must stand in the manifest before the first step is done: all that is there, and all that will be."""
    both = {place: (*manifest.files.get(place, ()), content) for place, content in wanted.items()}
    files = {place: tuple(dict.fromkeys(contents)) for place, contents in both.items()}
    backups = {place: places[place].now for place, step in steps.items() if step is Step.REPLACED}
    return Manifest(
        {**manifest.files, **files}, tuple(sorted(folders.union(manifest.folders))), {**manifest.backups, **backups}
    )


def _done(coming: Manifest, wanted: Mapping[str, str], steps: Mapping[str, Step]) -> Manifest:
    """What stands in the manifest when all steps are done."""
    left = {place: coming.files[place] for place, step in steps.items() if step is Step.LEFT}
    files = {**left, **{place: (content,) for place, content in wanted.items()}}
    backups = {place: before for place, before in coming.backups.items() if place in files}
    return Manifest(files, coming.folders, backups)


def _do(tree: Tree, place: str, step: Step, text: str = "") -> None:
    if step in (Step.INSTALLED, Step.UPDATED):
        tree.put(place, text, SCRIPT_MODE)
    elif step is Step.REPLACED:
        tree.put(place, text, SCRIPT_MODE, aside=tree.backup_of(place))
    elif step is Step.REMOVED:
        tree.remove(place)
    elif step is Step.RESTORED:
        tree.move(tree.backup_of(place), to=place)


# -- uninstall -------------------------------------------------------------------------------------------------


def uninstall(tree: Tree) -> dict[str, Step]:
    """
    Take out what install put there and put back what it kept aside; gives what became of each place.

    Where something is left, the manifest stays: another run goes on when it was moved away.

    Raises:
        RootUnusable, InstallationRuns, ManifestDamaged: Nothing was changed.
        PlaceUnusable: It stopped in the middle; another run goes on.
    """
    with tree.alone():
        manifest = _manifest(tree)
        _sweep(tree, manifest.files)
        steps = plan_removal(manifest, _look(tree, manifest.files))
        for place, step in reversed(steps.items()):  # hooks and agents before what they call
            _do(tree, place, step)
        for folder in reversed(manifest.folders):
            tree.remove_if_empty(folder)
        if manifest.files and Step.LEFT not in steps.values():
            tree.remove(_all_that_is_left(tree, manifest))
    return steps


def _all_that_is_left(tree: Tree, manifest: Manifest) -> str:
    """The manifest, or the uppermost folder made by install that has nothing else in it: they go at one stroke."""
    place = tree.manifest
    for folder in _above(tree.manifest):
        if folder not in manifest.folders or tree.names(folder) != [os.path.basename(place)]:
            break
        place = folder
    return place
