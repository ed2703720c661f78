"""The program of keepalived's pipe records that it follows a resource, so that the check knows if it has died."""

from __future__ import annotations

from functools import partial

from ec2kit.deadline import Begun, Deadline
from ec2kit.errors import StateUnusable
from ec2kit.state.note import FOLLOWER, Note


class Following:
    """
    The record that the program of keepalived's pipe follows one resource on this server.

    The file says that there was a program in this boot, the lock that it lives. If the file cannot be read, no
    program is needed.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str, tag: str) -> None:
        self._note = Note(folder, tag, FOLLOWER)
        self._lock = self._note.lock("follower")

    def begin(self) -> None:
        """
        Record that this process is the program, as long as it lives; an earlier program may still be ending.

        Raises:
            StateUnusable: The file cannot be written.
        """
        if not self._lock.take():
            Begun(partial(self._lock.wait, Deadline(float("inf")), "the program before this one"))
        self._note.write({})

    @property
    def is_missing(self) -> bool:
        """Tell whether there was a program in this boot, and is none now."""
        try:
            return self._note.read() is not None and not self._lock.is_held
        except StateUnusable:
            return False

    def forget(self) -> None:
        """Forget the program, which is not needed any more; raises StateUnusable if a file cannot be removed."""
        self._note.forget()
