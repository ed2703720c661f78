"""One failure has one recovery, although LifeKeeper may begin it twice: by the event, and by the exit status."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ec2kit.engine.action import Action
from ec2kit.errors import DeadlinePassed, Ec2KitError
from ec2kit.messages import catalogue
from ec2kit.state.file import Content
from ec2kit.state.note import RECOVERY, Note

Made = TypeVar("Made")


_COUNTS_FOR = 60.0
"""
Seconds for which a recovery counts after its end. The second recovery of the same failure begins within this time; a
record that could not be replaced does not stop a later recovery.
"""


class Recovery:
    """
    The last failure of a resource that quickCheck reported on this server, and the result of the recovery from it.

    If the record cannot be read or written, recovery may be done twice, which does no harm.
    """

    def __init__(self, action: Action) -> None:
        self._action = action
        self._note = Note(action.settings.run_dir, action.tag, RECOVERY)
        self._lock = self._note.lock("recovery")

    def report(self) -> None:
        """Record a new failure; a recovery from an earlier failure no longer counts."""
        self._write({"failure": time.clock_gettime_ns(time.CLOCK_BOOTTIME)})

    def once(self, recover: Callable[[], Made], nothing: Made) -> Made:
        """
        Recover unless this failure has had its recovery; the second of two waits, and ends as the first did.

        Args:
            nothing: The result if the first recovery has done all.

        Raises:
            Ec2KitError: The first recovery failed, or `recover` raised this error.
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
            raise Ec2KitError(catalogue.OTHER_ACTION, seconds=f"{self._action.deadline.seconds:g}") from error

    def _counts(self, known: Content) -> bool:
        try:
            return 0 <= self._action.deadline.clock.now() - float(known["ended"]) <= _COUNTS_FOR
        except (KeyError, ValueError, TypeError):
            return False

    def _as_before(self, error: str, nothing: Made) -> Made:
        if error:
            raise Ec2KitError(catalogue.RECOVERY_FAILED_ALREADY, reason=error)
        self._action.log.put(catalogue.RECOVERED_ALREADY)
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
        # otherwise no failure was reported, or a newer one meanwhile, which has its own recovery
        if "failure" in known and self._read().get("failure") == known["failure"]:
            self._write({"failure": known["failure"], "error": error, "ended": self._action.deadline.clock.now()})

    def _read(self) -> Content:
        return self._note.read() or {}

    def _write(self, content: Content) -> None:
        try:
            self._note.write(content)
        except Ec2KitError as error:
            self._action.log.error(error)
