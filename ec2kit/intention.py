"""What is wanted of a resource on this server now: a newer intention cancels an older one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import DeadlinePassed, OtherActionRuns, Overtaken, StateUnusable
from ec2kit.state import Damaged, Lock, StateFile, boot_id

_MUTEX_SECONDS = 5.0


class Direction(Enum):
    """What restore and recover (up), and remove (down), want."""

    UP = "up"
    DOWN = "down"


class Intention(NamedTuple):
    """
    Attributes:
        generation: Nanoseconds since boot when it was declared, so that it always grows, even after `forget`; whoever
            acts for another one than the newest stops.
    """

    direction: Direction
    generation: int


class Intentions:
    """
    The intentions for one resource on this server, durable and in order.

    `declare` says what is wanted before anything is done; `check` is asked right before each write. `writing` is
    held by the one restore or recover that may write; remove does not take it, and never waits.

    Args:
        folder: EC2KIT_RUN_DIR, which a boot empties; what another boot wrote counts as nothing.
    """

    def __init__(self, folder: str, tag: str) -> None:
        path = os.path.join(folder, tag)
        self._file = StateFile(f"{path}.intention.json")
        self._mutex = Lock(f"{path}.intention.lock")
        self.writing = Lock(f"{path}.writing.lock")

    @property
    def is_being_changed(self) -> bool:
        """Whether somebody is writing down, settling or forgetting at this moment; raises StateUnusable."""
        return self._mutex.is_held

    @contextmanager
    def only_writer(self, deadline: Deadline) -> Iterator[None]:
        """
        Be the one restore or recover that may write.

        Raises:
            OtherActionRuns: Another one did not end before the deadline.
        """
        try:
            self.writing.wait(deadline, "another action")
        except DeadlinePassed as error:
            raise OtherActionRuns(seconds=f"{deadline.seconds:g}") from error
        try:
            yield
        finally:
            self.writing.release()

    def current(self) -> Intention | None:
        """
        The newest intention of this boot; None if there is none.

        Raises:
            StateUnusable: It cannot be read.
        """
        try:
            content = self._file.read()
            if content is None or content["boot"] != boot_id():
                return None
            return Intention(Direction(content["direction"]), int(content["generation"]))
        except (Damaged, KeyError, ValueError, TypeError, OverflowError) as error:
            raise StateUnusable(path=self._file.path, reason=f"damaged: {error}") from error

    def declare(self, direction: Direction, deadline: Deadline, *, unless: Direction | None = None) -> Intention:
        """
        Write down what is wanted; the same as before is the same intention, not a newer one.

        Args:
            unless: What must not be wanted at present.

        Raises:
            Overtaken: That is wanted at present.
            StateUnusable: It cannot be written down, so nothing may be done.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "writing down what is wanted"):
            try:
                current = self.current()
            except StateUnusable:
                current = None
            if current is not None and current.direction is direction:
                return current
            if current is not None and current.direction is unless:
                raise Overtaken(newer=_ASKED[unless])
            newer = Intention(direction, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            self._file.write({"boot": boot_id(), "direction": direction.value, "generation": newer.generation})
            return newer

    def withdraw(self) -> None:
        """
        Nothing is wanted any more, where the opposite cannot be written down; whoever acts stops.

        Raises:
            StateUnusable: The file cannot be removed either.
        """
        self._file.remove()

    def settle(self, mine: Intention, record: Callable[[], object], deadline: Deadline) -> None:
        """
        Record that what was wanted is reached; nothing newer can come in between.

        Raises:
            Overtaken: Something else is wanted by now, and nothing is recorded.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "recording the result"):
            self.check(mine)
            record()

    def forget(self, also: Callable[[], None], deadline: Deadline) -> None:
        """
        Remove all files of the resource; whoever still acts for it stops, since what it acted for is gone.

        Args:
            also: What else is to be forgotten, without anything recorded in between.

        Raises:
            StateUnusable: They cannot be removed.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "forgetting the resource"):
            also()
            self._file.remove()
            for lock in (self.writing, self._mutex):
                StateFile(lock.path).remove()

    def check(self, mine: Intention) -> None:
        """
        Raises:
            Overtaken: Something else is wanted by now.
            StateUnusable: What is wanted cannot be read, so nothing may be written.
        """
        current = self.current()
        if current != mine:
            newer = "remove or delete was asked for" if current is None else _ASKED[current.direction]
            raise Overtaken(newer=newer)


_ASKED = {Direction.UP: "restore was asked for", Direction.DOWN: "remove was asked for"}
