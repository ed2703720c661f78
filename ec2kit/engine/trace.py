"""A create leaves a trace: the former place of the address, and the objects in AWS that it has begun to change."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from ec2kit.errors import StateUnusable
from ec2kit.state.file import Content, Damaged, StateFile

if TYPE_CHECKING:
    from ec2kit.settings import Settings


class Trace:
    """
    The trace of one create is a file that exists only while the create runs, or after it was killed.

    The restore within the create adds to the trace, under LifeKeeper in a process of its own.
    """

    def __init__(self, settings: Settings, tag: str) -> None:
        self.file = StateFile(os.path.join(settings.state_dir, "creating", f"{tag}.json"))

    def begin_changes(self, targets: Collection[str]) -> None:
        """Note that changes to these objects are about to leave; raises StateUnusable if that cannot be noted."""
        content = self._read()
        if content is not None:
            unanswered = {*content.get("unanswered", ()), *targets}
            self.file.write({**content, "unanswered": sorted(unanswered)})

    def end_changes(self, made: Collection[str], not_made: Collection[str]) -> None:
        """Note the changes that EC2 has answered; raises StateUnusable if that cannot be noted."""
        content = self._read()
        if content is not None:
            unanswered = {*content.get("unanswered", ())} - {*made, *not_made}
            written = {*content.get("written", ()), *made}
            self.file.write({**content, "unanswered": sorted(unanswered), "written": sorted(written)})

    @property
    def is_there(self) -> bool:
        """Tell whether a create runs, or was cut off."""
        return os.path.exists(self.file.path)

    @property
    def written(self) -> set[str]:
        """Return the objects that the create has certainly changed."""
        return {str(each) for each in (self._read() or {}).get("written", ())}

    @property
    def unanswered(self) -> set[str]:
        """Return the objects that the create may have changed, or may still change."""
        return {str(each) for each in (self._read() or {}).get("unanswered", ())}

    def _read(self) -> Content | None:
        try:
            return self.file.read()
        except (Damaged, StateUnusable):
            return None
