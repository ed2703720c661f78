"""One recovery for one failure, though the framework may begin it twice: by the event, and by the exit status."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from ec2kit import messages
from ec2kit.action import Action
from ec2kit.errors import DeadlinePassed, Ec2KitError, OtherActionRuns, RecoveryFailedAlready
from ec2kit.state import Content, Damaged, Lock, StateFile, boot_id

Made = TypeVar("Made")


_COUNTS_FOR = 60.0
"""Seconds for which a recovery counts after it ended: the second one of the same failure begins by then, and a record
that could not be replaced stops no later one."""


class Recovery:
    """
    The last failure of a resource on this server that quickCheck reported, and how recovery from it ended.

    What cannot be read or written only means that recovery may be done twice, which harms nobody.
    """

    def __init__(self, action: Action) -> None:
        path = os.path.join(action.settings.run_dir, action.tag)
        self._action = action
        self._file = StateFile(f"{path}.recovery.json")
        self._lock = Lock(f"{path}.recovery.lock")

    def report(self) -> None:
        """A new failure: what was done about an earlier one no longer counts."""
        self._write({"failure": time.clock_gettime_ns(time.CLOCK_BOOTTIME)})

    def once(self, recover: Callable[[], Made], nothing: Made) -> Made:
        """
        Recover, unless this failure was dealt with already; the second of two waits and ends as the first did.

        Args:
            nothing: What is returned in place of what was done, where nothing was.

        Raises:
            RecoveryFailedAlready: The first one failed.
            Ec2KitError: What `recover` raises.
        """
        self._wait()
        try:
            known = self._read()
            if self._counts(known):
                return self._as_before(str(known.get("error")), nothing)
            return self._recorded(known, recover)
        finally:
            self._lock.release()

    def _wait(self) -> None:
        try:
            self._lock.wait(self._action.deadline, "another recovery")
        except DeadlinePassed as error:
            raise OtherActionRuns(seconds=f"{self._action.deadline.seconds:g}") from error

    def _counts(self, known: Content) -> bool:
        try:
            return 0 <= self._action.deadline.clock.now() - float(known["ended"]) <= _COUNTS_FOR
        except (KeyError, ValueError, TypeError):
            return False

    def _as_before(self, error: str, nothing: Made) -> Made:
        if error:
            raise RecoveryFailedAlready(reason=error)
        self._action.log.put(messages.RECOVERED_ALREADY)
        return nothing

    def _recorded(self, known: Content, recover: Callable[[], Made]) -> Made:
        try:
            made = recover()
        except Ec2KitError as error:
            self._end(known, str(error))
            raise
        self._end(known, "")
        return made

    def _end(self, known: Content, error: str) -> None:
        # else nobody reported one, or a newer one meanwhile, and the next recovery is another's
        if "failure" in known and self._read().get("failure") == known["failure"]:
            self._write({"failure": known["failure"], "error": error, "ended": self._action.deadline.clock.now()})

    def _read(self) -> Content:
        try:
            content = self._file.read() or {}
        except (Damaged, Ec2KitError):
            return {}
        return content if content.get("boot") == boot_id() else {}

    def _write(self, content: Content) -> None:
        try:
            self._file.write({"boot": boot_id(), **content})
        except Ec2KitError as error:
            self._action.log.error(error)

    def forget(self) -> None:
        """Raises StateUnusable if its files cannot be removed."""
        for path in (self._file.path, self._lock.path):
            StateFile(path).remove()
