"""What another server was asked to do and may be called back from, by whoever asked, while it is under way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from ec2kit.deadline import Deadline
from ec2kit.errors import Cancelled
from ec2kit.state import Lock, StateFile


class Errand:
    """
    One errand on this server. Each side writes before it reads, so that one of them sees the other.

    Args:
        folder: EC2KIT_RUN_DIR.
        token: Chosen by who asks, never the same twice.
    """

    def __init__(self, folder: str, token: str) -> None:
        path = os.path.join(folder, f"errand.{token}")
        self._runner = StateFile(f"{path}.json")
        self._called_back = StateFile(f"{path}.back.json")
        self._under_way = Lock(f"{path}.lock")

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """
        Run it in the block; SIGINT comes when it is called back.

        Raises:
            Cancelled: It was called back before it began.
        """
        self._under_way.take()
        try:
            self._runner.write({"pid": os.getpid()})
            if self._called_back.read() is not None:
                raise Cancelled
            yield
        finally:
            for path in (self._runner.path, self._called_back.path, self._under_way.path):
                StateFile(path).remove()
            self._under_way.release()

    def call_back(self, deadline: Deadline) -> None:
        """
        Let it undo what it did, and wait for that; one that has not begun will not, one that has ended stays.

        Raises:
            DeadlinePassed: It did not end in time.
            StateUnusable: It cannot be told.
        """
        self._called_back.write({})
        runner = self._runner.read()
        if runner is None:
            return
        try:
            process = os.pidfd_open(int(runner["pid"]))
        except ProcessLookupError:
            return
        try:
            if self._under_way.is_held:  # else the number may be another process's by now
                signal.pidfd_send_signal(process, signal.SIGINT)
        finally:
            os.close(process)
        while self._under_way.is_held:
            deadline.pause(0.1, "undoing what was asked for")
