"""Notes hold what this server knows of one resource in this boot: one note a kind, and one way to forget them all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from ec2kit.errors import StateUnusable
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Content, Damaged, StateFile
from ec2kit.state.lock import Lock


class Kind(NamedTuple):
    """
    One kind of note.

    Attributes:
        name: "memory" is the kind of RUN/TAG.memory.json.
        locks: The locks of that resource beside the note, "writing" is RUN/TAG.writing.lock.
        only_helps: A note that is damaged or cannot be read counts as none.
        is_synced: A note survives a crash of the machine, not only one of the process.
    """

    name: str
    locks: tuple[str, ...] = ()
    only_helps: bool = True
    is_synced: bool = True


KINDS = (
    INTENTION := Kind("intention", ("intention", "writing"), only_helps=False),
    STATE := Kind("state"),
    MEMORY := Kind("memory", is_synced=False),
    RECOVERY := Kind("recovery", ("recovery",)),
    REASSERTIONS := Kind("reassertions", ("check",)),
    FOLLOWER := Kind("follower", ("follower",)),
    MARKER := Kind("marker", only_helps=False),
    PLACE := Kind("place"),
    READINESS := Kind("readiness", is_synced=False),
    REPORT := Kind("report", is_synced=False),
    PROBE := Kind("probe", is_synced=False),
    HANDOVER := Kind("handover"),
    NETWORK := Kind("network", is_synced=False),
    WITHDRAWN := Kind("withdrawn", is_synced=False),
)
"""All kinds, in the order in which they are forgotten: first what stops an action that acts for the resource."""


class Note:
    """
    The note of one kind about one resource.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str, tag: str, kind: Kind) -> None:
        self._kind = kind
        self._stem = os.path.join(folder, tag)
        self._file = StateFile(f"{self._stem}.{kind.name}.json")

    @property
    def path(self) -> str:
        """Return the path of the note, for an error."""
        return self._file.path

    def lock(self, name: str) -> Lock:
        """Return one of the locks of the kind."""
        return Lock(f"{self._stem}.{name}.lock")

    def read(self) -> Content | None:
        """
        Give what was noted; None where nothing was, or in another boot.

        Raises:
            Damaged: It is not what `write` wrote.
            StateUnusable: It cannot be read. Neither is raised of a kind that only helps.
        """
        try:
            return self._read()
        except (Damaged, StateUnusable):
            if self._kind.only_helps:
                return None
            raise

    def _read(self) -> Content | None:
        content = self._file.read()
        if content is None:
            return None
        if "boot" not in content:
            raise Damaged("it does not say which boot wrote it")
        return content if content["boot"] == boot_id() else None

    def write(self, content: Content) -> None:
        """
        Let this take the place of what was noted.

        Raises:
            StateUnusable: It cannot be written; what was noted before is still there.
        """
        self._file.write({"boot": boot_id(), **content}, durable=self._kind.is_synced)

    def remove(self) -> None:
        """Remove the note, and none of its locks; raises StateUnusable if it cannot be removed."""
        self._file.remove()

    def forget(self) -> None:
        """Remove the note and its locks; raises StateUnusable if they cannot be removed."""
        self.remove()
        for name in self._kind.locks:
            StateFile(self.lock(name).path).remove()


def tags_with(kind: Kind, folder: str) -> list[str]:
    """Return the tags of the resources with a note of this kind; none if the folder cannot be read."""
    ending = f".{kind.name}.json"
    with suppress(OSError):
        return sorted(name.removesuffix(ending) for name in os.listdir(folder) if name.endswith(ending))
    return []


def forget_all(folder: str, tag: str) -> None:
    """Remove all notes about a resource; raises StateUnusable if one cannot be removed."""
    for kind in KINDS:
        Note(folder, tag, kind).forget()
