"""That a program hears what keepalived says about a resource; so that the check knows whether it still does."""

from __future__ import annotations

import os
from functools import partial

from ec2kit.deadline import Begun, Deadline
from ec2kit.errors import StateUnusable
from ec2kit.state import Damaged, Lock, StateFile, boot_id


class Following:
    """
    The program of keepalived's notify pipe, as far as it concerns one resource on this server.

    A file says that there is one in this boot, a lock that it lives. What cannot be read says that none is needed.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str, tag: str) -> None:
        path = os.path.join(folder, tag)
        self._file = StateFile(f"{path}.follower.json")
        self._lock = Lock(f"{path}.follower.lock")

    def begin(self) -> None:
        """
        This process is the program, for as long as it lives; the one before it may still be ending.

        Raises:
            StateUnusable: It cannot be written down.
        """
        if not self._lock.take():
            Begun(partial(self._lock.wait, Deadline(float("inf")), "the program before this one"))
        self._file.write({"boot": boot_id()})

    @property
    def is_missing(self) -> bool:
        """Whether there was a program in this boot, and is none now."""
        try:
            content = self._file.read() or {}
            return content.get("boot") == boot_id() and not self._lock.is_held
        except (Damaged, StateUnusable):
            return False

    def forget(self) -> None:
        """No program is needed any more; raises StateUnusable if the files cannot be removed."""
        for path in (self._file.path, self._lock.path):
            StateFile(path).remove()
