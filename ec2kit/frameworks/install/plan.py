"""The plan has one step for each place in a framework's tree; only the present content of the place decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from ec2kit.frameworks.install.manifest import Manifest
from ec2kit.frameworks.install.tree import FOLDER, NOTHING

SCRIPT_MODE = 0o755


class Step(Enum):
    """The step for one place."""

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
    The content of a place, and the content that is kept aside for it.

    Attributes:
        now, kept: Contents in the form of `Found.content`.
        mode: Permissions of the file at the place.
    """

    now: str = NOTHING
    kept: str = NOTHING
    mode: int = SCRIPT_MODE


def plan_install(wanted: Mapping[str, str], manifest: Manifest, places: Mapping[str, Place]) -> dict[str, Step]:
    """
    Return the steps for the places where a file is wanted, and for those where none is wanted any more.

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
    """Return the steps for the places in the manifest, without those that are done already."""
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
