"""One action as a process that goes on only when it is told to, from one point to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..threads import end_all_but


class Killed(BaseException):
    """kill -9: nothing that catches errors catches it, and no thread of the process does anything more."""


class Process:
    """
    An action in a thread of its own; the points at which it stands still are where EC2 and the clock are asked.

    Only one process goes on at a time, so whatever is drawn for a run is what happens in it.

    Args:
        work: The action.

    Attributes:
        at: Where it stands, "before a look"; "" before its beginning and after its end.
        result, error: How it ended, if it was not killed.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._turn = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self.at = ""
        self.is_dead = False
        self.has_ended = False
        self.result: Any = None
        self.error: Exception | None = None
        self._others: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._wait_for_turn()
            self.result = self._work()
        except Killed:
            pass
        except Exception as error:
            self.error = error
        self.at, self.has_ended = "", True
        self._stands.release()

    def go_on(self) -> None:
        """Let it go to its next point or its end."""
        self._others = {*threading.enumerate(), self._thread}
        self._turn.release()
        self._stands.acquire()
        if self.has_ended:
            self._join()
            self._thread.join()

    def _join(self) -> None:
        """What this process's other threads were doing is done or not done now, and not at some later time."""
        end_all_but(self._others)

    def kill(self) -> None:
        """kill -9, here and now."""
        self.is_dead = True
        while not self.has_ended:
            self.go_on()

    def stand(self, at: str) -> None:
        """Called by the action's own main thread, whose other threads end first: wait here until told to go on."""
        self._join()
        self.live()
        self.at = at
        self._stands.release()
        self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        self._turn.acquire()
        self.live()

    def live(self) -> None:
        """Raises Killed in a process that is dead."""
        if self.is_dead:
            raise Killed
