"""Whether resources are in service on this server: what the last restore or remove here wrote, and in which boot."""

from __future__ import annotations

import os

from ec2kit.errors import StateUnusable
from ec2kit.state import Damaged, StateFile, boot_id


class States:
    """
    One durable file for each resource, FOLDER/TAG.json.

    Args:
        folder: EC2KIT_STATE_DIR/states.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, tag: str) -> str | None:
        """
        ISP, OSU or OSF; ISP only if this boot wrote it, and None where nothing was written.

        Raises:
            StateUnusable: It cannot be read.
        """
        file = self._file(tag)
        try:
            content = file.read()
        except Damaged as error:
            raise StateUnusable(path=file.path, reason=str(error)) from error
        if content is None:
            return None
        state = str(content.get("state", "OSU"))
        return "OSU" if state == "ISP" and content.get("boot") != boot_id() else state

    def write(self, tag: str, state: str) -> None:
        """Raises StateUnusable if it cannot be written."""
        self._file(tag).write({"state": state, "boot": boot_id()})

    def remove(self, tag: str) -> None:
        """Raises StateUnusable if it is there and cannot be removed."""
        self._file(tag).remove()

    def _file(self, tag: str) -> StateFile:
        return StateFile(os.path.join(self._folder, f"{tag}.json"))
