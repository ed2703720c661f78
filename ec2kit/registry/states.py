"""The state of each resource on this server is kept here, as the last restore or remove wrote it, with its boot."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ec2kit.errors import StateUnusable
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Content, Damaged, StateFile
from ec2kit.state.note import STATE, Note


class States:
    """
    Each resource has one durable file, FOLDER/TAG.json, or SPARE/TAG.state.json if the first cannot be written.

    A state counts only for its boot, so SPARE may be a folder that each boot empties. Of two states the newer counts.

    Args:
        folder: EC2KIT_STATE_DIR/states.
        spare: EC2KIT_RUN_DIR; None: there is no second place.
    """

    def __init__(self, folder: str, *, spare: str | None = None) -> None:
        self._folder = folder
        self._spare = spare

    def read(self, tag: str) -> str | None:
        """
        Return ISP, OSU or OSF; ISP only if it was written in this boot, and None if no state was written.

        Raises:
            StateUnusable: The state cannot be read.
        """
        noted = self._spare_note(tag)
        spare = noted.read() if noted is not None else None
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

    def write(self, tag: str, state: str) -> StateUnusable | None:
        """
        Write a state.

        Returns:
            The error because of which the state is written only in SPARE; None if there was none.

        Raises:
            StateUnusable: The state cannot be written at all.
        """
        written = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        content: Content = {"state": state, "written": written}
        spare = self._spare_note(tag)
        try:
            self._file(tag).write({"boot": boot_id(), **content})
        except StateUnusable as error:
            if spare is None:
                raise
            spare.write(content)
            return error
        if spare is not None:
            with suppress(StateUnusable):  # the spare state is older, and so does not count
                spare.remove()
        return None

    def remove(self, tag: str) -> None:
        """Remove the state of a resource; raises StateUnusable if it exists and cannot be removed."""
        self._file(tag).remove()
        spare = self._spare_note(tag)
        if spare is not None:
            spare.remove()  # the newer one last

    def _file(self, tag: str) -> StateFile:
        return StateFile(os.path.join(self._folder, f"{tag}.json"))

    def _spare_note(self, tag: str) -> Note | None:
        return Note(self._spare, tag, STATE) if self._spare is not None else None


def _read(file: StateFile) -> Content | None:
    try:
        return file.read()
    except Damaged as error:
        raise StateUnusable(path=file.path, reason=str(error)) from error


def _age(content: Content) -> int:
    """Return when a state was written, in nanoseconds of this boot; -1 if by another boot or an earlier version."""
    written = content.get("written")
    return written if content.get("boot") == boot_id() and isinstance(written, int) else -1
