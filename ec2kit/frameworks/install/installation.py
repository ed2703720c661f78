"""
The kit is installed in a framework's tree, and taken out again without a trace.

Each run writes the manifest first and removes it last, so that the next run can go on where a killed run ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from ec2kit.errors import BadRequest
from ec2kit.frameworks.install.manifest import Manifest, read_manifest
from ec2kit.frameworks.install.plan import SCRIPT_MODE, Place, Step, plan_install, plan_removal
from ec2kit.frameworks.install.tree import FOLDER, NOTHING, Tree, content_of
from ec2kit.messages import catalogue

_MANIFEST_MODE = 0o644

# -- install ---------------------------------------------------------------------------------------------------


def install(tree: Tree, scripts: Mapping[str, str], *, replace: bool) -> dict[str, Step]:
    """
    Put the scripts into the tree, in their order.

    Args:
        scripts: Place → text.
        replace: True: a foreign file is kept aside, and is no reason to refuse.

    Returns:
        Place → the step that was done.

    Raises:
        BadRequest: Nothing was changed.
        OwnTrouble: The manifest is damaged and nothing was changed, or the run stopped in the middle; the next run
            goes on.
    """
    with tree.alone():
        manifest = read_manifest(tree)
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


def _look(tree: Tree, places: Iterable[str]) -> dict[str, Place]:
    found = {place: (tree.look(place), tree.look(tree.backup_of(place))) for place in places}
    return {place: Place(now.content, kept.content, now.mode) for place, (now, kept) in found.items()}


def _refuse(tree: Tree, steps: Mapping[str, Step], places: Mapping[str, Place], *, replace: bool) -> None:
    """Raise BadRequest if foreign files or folders are in the way; the error names every place."""
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
        raise BadRequest(catalogue.PLACES_TAKEN, root=tree.root, places=", ".join(no_folders + taken))


def _why(found: Place, backup: str) -> str:
    if found.now == FOLDER:
        return " (a folder)"
    return f" (and {backup} is kept from an earlier time)" if found.kept else ""


def _sweep(tree: Tree, places: Iterable[str]) -> None:
    tree.sweep({each for place in (tree.manifest, *places) for each in (place, *_above(place))})


def _above(place: str) -> Iterator[str]:
    """Yield the folders above a place, the nearest first."""
    while place := os.path.dirname(place):
        yield place


def _folders(tree: Tree, steps: Mapping[str, Step]) -> set[str]:
    """Return all folders that must exist for the steps."""
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
    """Return the manifest as it must be before the first step: with all present files, and all future ones."""
    both = {place: (*manifest.files.get(place, ()), content) for place, content in wanted.items()}
    files = {place: tuple(dict.fromkeys(contents)) for place, contents in both.items()}
    backups = {place: places[place].now for place, step in steps.items() if step is Step.REPLACED}
    return Manifest(
        {**manifest.files, **files}, tuple(sorted(folders.union(manifest.folders))), {**manifest.backups, **backups}
    )


def _done(coming: Manifest, wanted: Mapping[str, str], steps: Mapping[str, Step]) -> Manifest:
    """Return the manifest as it must be after all steps."""
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
    Remove the files of install, and put back the files that install kept aside.

    If a file has to be left, the manifest stays; after the file was moved away, another run goes on.

    Returns:
        Place → the step that was done.

    Raises:
        BadRequest: Nothing was changed.
        OwnTrouble: The manifest is damaged and nothing was changed, or the run stopped in the middle; the next run
            goes on.
    """
    with tree.alone():
        manifest = read_manifest(tree)
        _sweep(tree, manifest.files)
        steps = plan_removal(manifest, _look(tree, manifest.files))
        for place, step in reversed(steps.items()):  # hooks and agents before the scripts that they call
            _do(tree, place, step)
        for folder in reversed(manifest.folders):
            tree.remove_if_empty(folder)
        if manifest.files and Step.LEFT not in steps.values():
            tree.remove(_all_that_is_left(tree, manifest))
    return steps


def _all_that_is_left(tree: Tree, manifest: Manifest) -> str:
    """Return the manifest, or the uppermost folder of install that holds only the manifest: one step removes both."""
    place = tree.manifest
    for folder in _above(tree.manifest):
        if folder not in manifest.folders or tree.names(folder) != [os.path.basename(place)]:
            break
        place = folder
    return place
