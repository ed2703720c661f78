"""What another server was asked to do and may be called back from, by whoever asked, while it is under way."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ec2kit.deadline import Deadline
from ec2kit.errors import Cancelled, StateUnusable
from ec2kit.state import Lock, StateFile

_NAME = re.compile(r"errand\.(.+?)\.(?:json|back\.json|lock)")

_OLD = 3600.0
"""Seconds after which nobody comes for what an errand wrote; none takes a tenth of that."""


class Errand:
    """
    One errand on this server. Each side writes before it reads, so that one of them sees the other.

    How it ended stays written for who calls back after that; a later errand removes what nobody came for.

    Args:
        folder: EC2KIT_RUN_DIR.
        token: Chosen by who asks, never the same twice.
    """

    def __init__(self, folder: str, token: str) -> None:
        path = os.path.join(folder, f"errand.{token}")
        self._folder = folder
        self._runner = StateFile(f"{path}.json")
        self._called_back = StateFile(f"{path}.back.json")
        self._under_way = Lock(f"{path}.lock")

    @contextmanager
    def under_way(self) -> Iterator[Callable[[str], None]]:
        """
        Run it in the block, which is given a function to tell what it leaves; SIGINT comes when it is called back.

        Raises:
            Cancelled: It was called back before it began.
        """
        self._sweep()
        self._under_way.take()
        try:
            self._runner.write({"pid": os.getpid()})
            if self._called_back.read() is not None:
                self._forget()
                raise Cancelled
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
            with suppress(StateUnusable):  # then it is not known how it ended
                self._runner.write({"pid": os.getpid(), "left": left})

    def call_back(self, deadline: Deadline) -> str | None:
        """
        Let it undo what it did, and wait for that; one that has not begun will not, one that has ended stays.

        Returns:
            What it told that it leaves, "" for nothing; None if it was killed before it told.

        Raises:
            DeadlinePassed: It did not end in time.
            StateUnusable: It cannot be told.
        """
        self._sweep()
        self._called_back.write({})
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
                if self._under_way.is_held:  # else the number may be another process's by now
                    signal.pidfd_send_signal(process, signal.SIGINT)
            finally:
                os.close(process)

    def _forget(self) -> None:
        for path in (self._runner.path, self._called_back.path, self._under_way.path):
            StateFile(path).remove()

    def _sweep(self) -> None:
        """Remove what errands wrote long ago that do not run any more."""
        with suppress(OSError):
            for found in filter(None, map(_NAME.fullmatch, os.listdir(self._folder))):
                with suppress(OSError, StateUnusable):
                    age = time.time() - os.stat(os.path.join(self._folder, found[0])).st_mtime
                    errand = Errand(self._folder, found[1])
                    if age > _OLD and not errand._under_way.is_held:
                        errand._forget()
