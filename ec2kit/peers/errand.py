"""An errand is work for another server; the server that asked may call it back while it is under way."""

from __future__ import annotations

import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ec2kit.deadline import Deadline
from ec2kit.errors import BadRequest, StateUnusable
from ec2kit.messages import catalogue
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Content, Damaged, StateFile
from ec2kit.state.lock import Lock

_FOLDER = "errands"

_FILE = re.compile(r"(.+)\.(?:runner\.json|back\.json|lock)")

_OLD = 3600.0
"""Seconds after which no server asks for the result of an errand; no errand takes a tenth of that."""


class Errand:
    """
    One errand on this server.

    The errand and the call back each write before they read, so that one of them sees the other. The result of an
    errand stays written for a later call back; after an hour, a later errand removes it.

    Args:
        folder: EC2KIT_RUN_DIR. Errands have a folder of their own there, so that no resource's notes are like theirs.
        token: Chosen by the server that asks, never the same twice.
    """

    def __init__(self, folder: str, token: str) -> None:
        self._folder = folder
        path = os.path.join(folder, _FOLDER, token)
        self._runner = StateFile(f"{path}.runner.json")
        self._called_back = StateFile(f"{path}.back.json")
        self._under_way = Lock(f"{path}.lock")

    @contextmanager
    def under_way(self) -> Iterator[Callable[[str], None]]:
        """
        Run the errand in the block; SIGINT comes when the errand is called back.

        Yields:
            A function by which the block says what it leaves behind.

        Raises:
            BadRequest: The errand was called back before it began.
        """
        self._sweep()
        self._under_way.take()
        try:
            self._runner.write({"pid": os.getpid(), **_now()})
            if self._called_back.read() is not None:
                self._forget()
                raise BadRequest(catalogue.CANCELLED)
            with self._telling() as tell:
                yield tell
        finally:
            with suppress(StateUnusable):
                StateFile(self._under_way.path).remove()
            self._under_way.release()

    @contextmanager
    def _telling(self) -> Iterator[Callable[[str], None]]:
        left = ""

        def tell(what: str) -> None:
            nonlocal left
            left = what

        try:
            yield tell
        finally:
            with suppress(StateUnusable):  # the result of the errand stays unknown
                self._runner.write({"pid": os.getpid(), "left": left, **_now()})

    def call_back(self, deadline: Deadline) -> str | None:
        """
        Call the errand back and wait until it has undone its work.

        An errand that has not begun will not begin; an errand that has ended is not undone.

        Returns:
            What the errand leaves behind, "" for nothing; None if the errand was killed before it said so.

        Raises:
            DeadlinePassed: The errand did not end in time.
            StateUnusable: The call back cannot be written.
        """
        self._sweep()
        self._called_back.write(_now())
        runner = self._runner.read()
        if runner is None:
            return ""
        self._interrupt(int(runner["pid"]))
        while self._under_way.is_held:
            deadline.pause(0.1, "undoing what was asked for")
        runner = self._runner.read() or {"left": ""}
        self._forget()
        left = runner.get("left")
        return None if left is None else str(left)

    def _interrupt(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            process = os.pidfd_open(pid)
            try:
                if self._under_way.is_held:  # otherwise another process may have this number by now
                    signal.pidfd_send_signal(process, signal.SIGINT)
            finally:
                os.close(process)

    def _forget(self) -> None:
        for path in (self._runner.path, self._called_back.path, self._under_way.path):
            StateFile(path).remove()

    def _sweep(self) -> None:
        """Remove the files of old errands that do not run any more."""
        with suppress(OSError):
            for found in filter(None, map(_FILE.fullmatch, os.listdir(os.path.join(self._folder, _FOLDER)))):
                with suppress(StateUnusable):
                    errand = Errand(self._folder, found[1])
                    if errand._is_old and not errand._under_way.is_held:
                        errand._forget()

    @property
    def _is_old(self) -> bool:
        """Tell whether the last file was written long ago; an errand that has written none may just begin."""
        written = [when for file in (self._runner, self._called_back) if (when := _written(file)) is not None]
        return bool(written) and time.clock_gettime(time.CLOCK_BOOTTIME) - max(written) > _OLD


def _now() -> Content:
    return {"boot": boot_id(), "written": time.clock_gettime(time.CLOCK_BOOTTIME)}


def _written(file: StateFile) -> float | None:
    """Return when a file was written, in seconds of this boot; minus infinity if not in this boot, None if never."""
    try:
        content = file.read()
        if content is None:
            return None
        return float(content["written"]) if content["boot"] == boot_id() else -math.inf
    except (Damaged, KeyError, TypeError, ValueError):
        return -math.inf
