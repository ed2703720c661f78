"""Whether resources are in service on this server: what the last restore or remove here wrote, and in which boot."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ec2kit.errors import StateUnusable
from ec2kit.state import Content, Damaged, StateFile, boot_id


class States:
    """
    One durable file for each resource, FOLDER/TAG.json; and where that cannot be written, SPARE/TAG.state.json.

    A state is not worth more than its boot, so a folder that a boot empties does as well; of two the newer counts.

    Args:
        folder: EC2KIT_STATE_DIR/states.
        spare: EC2KIT_RUN_DIR; None: there is no second place.
    """

    def __init__(self, folder: str, *, spare: str | None = None) -> None:
        self._folder = folder
        self._spare = spare

    def read(self, tag: str) -> str | None:
        """
        ISP, OSU or OSF; ISP only if this boot wrote it, and None where nothing was written.

        Raises:
            StateUnusable: It cannot be read.
        """
        spare = self._read_spare(tag)
        try:
            content = _read(self._file(tag))
        except StateUnusable:
            if spare is None:
                raise
            content = None
        found = max((each for each in (spare, content) if each is not None), key=_age, default=None)
        if found is None:
            return None
        state = str(found.get("state", "OSU"))
        return "OSU" if state == "ISP" and found.get("boot") != boot_id() else state

    def _read_spare(self, tag: str) -> Content | None:
        for file in self._spares(tag):
            with suppress(StateUnusable):
                content = _read(file)
                return content if content is not None and content.get("boot") == boot_id() else None
        return None

    def write(self, tag: str, state: str) -> StateUnusable | None:
        """
        Write it down; gives why it could be written in the spare place only.

        Raises:
            StateUnusable: It cannot be written at all.
        """
        written = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        content: Content = {"state": state, "boot": boot_id(), "written": written}
        try:
            self._file(tag).write(content)
        except StateUnusable as error:
            for file in self._spares(tag):
                file.write(content)
                return error
            raise
        for file in self._spares(tag):
            with suppress(StateUnusable):  # it is older, and so does not count
                file.remove()
        return None

    def remove(self, tag: str) -> None:
        """Raises StateUnusable if it is there and cannot be removed."""
        for file in (self._file(tag), *self._spares(tag)):  # the newer one last
            file.remove()

    def _file(self, tag: str) -> StateFile:
        return StateFile(os.path.join(self._folder, f"{tag}.json"))

    def _spares(self, tag: str) -> list[StateFile]:
        return [] if self._spare is None else [StateFile(os.path.join(self._spare, f"{tag}.state.json"))]


def _read(file: StateFile) -> Content | None:
    try:
        return file.read()
    except Damaged as error:
        raise StateUnusable(path=file.path, reason=str(error)) from error


def _age(content: Content) -> int:
    """When it was written, nanoseconds of this boot; what another boot or an earlier version wrote is older."""
    written = content.get("written")
    return written if content.get("boot") == boot_id() and isinstance(written, int) else -1
