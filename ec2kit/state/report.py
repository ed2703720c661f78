"""A framework's hook reports what it has changed in AWS to the command that let the framework run the hook."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from ec2kit.errors import StateUnusable
from ec2kit.state.note import REPORT, Note
from ec2kit.status import Change

if TYPE_CHECKING:
    from ec2kit.state.file import Content


class Report:
    """
    The report of the last hook that ran on this server for a resource.

    It only informs a person: a report that cannot be written or read is missing, and never fails an action.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str, tag: str) -> None:
        self._note = Note(folder, tag, REPORT)

    def clear(self) -> bool:
        """Remove an earlier report, and tell whether it is gone."""
        try:
            self._note.remove()
        except StateUnusable:
            return False
        return True

    def write(self, made: Mapping[str, tuple[Change, ...]]) -> None:
        """Report the changes; `made` leads from each target to its changes, in their order."""
        with suppress(StateUnusable):
            self._note.write({"changes": [_stored(each) for changes in made.values() for each in changes]})

    def read(self) -> dict[str, tuple[Change, ...]] | None:
        """Return what was reported, target → changes without their arguments; None if there is no report."""
        content = self._note.read()
        try:
            return None if content is None else _changes(content)
        except (KeyError, TypeError, AttributeError):
            return None


def _stored(change: Change) -> Content:
    return {"operation": change.operation, "target": change.target, "old": change.old, "new": change.new}


def _changes(content: Content) -> dict[str, tuple[Change, ...]]:
    made: dict[str, tuple[Change, ...]] = {}
    for each in content["changes"]:
        change = Change(str(each["operation"]), str(each["target"]), old=each["old"], new=each["new"])
        made[change.target] = (*made.get(change.target, ()), change)
    return made
