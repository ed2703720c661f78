"""An intention says what is wanted of a resource on this server now; a newer one cancels an older one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import DeadlinePassed, Ec2KitError, Overtaken, StateUnusable
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason
from ec2kit.state.file import Damaged
from ec2kit.state.note import INTENTION, Note, forget_all

_MUTEX_SECONDS = 5.0


class Direction(Enum):
    """An action wants the address up (restore and recover) or down (remove)."""

    UP = "up"
    DOWN = "down"


class Intention(NamedTuple):
    """
    Hold what is wanted, and since when.

    Attributes:
        generation: Nanoseconds since boot at the declaration, so that it always grows, even after `forget`; an action
            that acts for an older one than the newest stops.
    """

    direction: Direction
    generation: int


class Intentions:
    """
    The intentions for one resource on this server, durable and in order.

    `declare` writes down what is wanted before anything is done; `check` is called right before each write. `writing`
    is held by the one restore or recover that may write; remove does not take it, and never waits.

    Args:
        folder: EC2KIT_RUN_DIR, which a boot empties; an intention of another boot does not count.
    """

    def __init__(self, folder: str, tag: str) -> None:
        self._folder, self._tag = folder, tag
        self._note = Note(folder, tag, INTENTION)
        self._mutex = self._note.lock("intention")
        self.writing = self._note.lock("writing")

    @property
    def is_being_changed(self) -> bool:
        """
        Tell whether any process is declaring, settling or forgetting an intention at this moment.

        Raises:
            StateUnusable: That cannot be seen.
        """
        return self._mutex.is_held

    @contextmanager
    def only_writer(self, deadline: Deadline, watch: Callable[[], None]) -> Iterator[None]:
        """
        Be the one restore or recover that may write.

        Args:
            watch: Called about four times a second while another one writes; if it raises, the wait ends.

        Raises:
            Ec2KitError: Another one did not end before the deadline.
        """
        try:
            with doing(partial(Reason.of, catalogue.AWAITS_OTHER_ACTION)):
                self.writing.wait(deadline, "another action", watch)
        except DeadlinePassed as error:
            raise Ec2KitError(catalogue.OTHER_ACTION, seconds=f"{deadline.seconds:g}") from error
        try:
            yield
        finally:
            self.writing.release()

    def current(self) -> Intention | None:
        """
        Return the newest intention of this boot, None if there is none.

        Raises:
            StateUnusable: The intention cannot be read.
        """
        try:
            content = self._note.read()
            if content is None:
                return None
            return Intention(Direction(content["direction"]), int(content["generation"]))
        except (Damaged, KeyError, ValueError, TypeError, OverflowError) as error:
            raise StateUnusable(path=self._note.path, reason=f"damaged: {error}") from error

    def must_not_want(self, direction: Direction) -> None:
        """Raise Overtaken, as `declare` does, if this direction is wanted at present; StateUnusable as `current`."""
        _must_not_be(self.current(), direction)

    def declare(self, direction: Direction, deadline: Deadline, *, unless: Direction | None = None) -> Intention:
        """
        Write down what is wanted; the same as before is the same intention, not a newer one.

        Args:
            unless: The direction that must not be wanted at present.

        Raises:
            Overtaken: That direction is wanted at present.
            StateUnusable: The intention cannot be written down, so nothing may be done.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "writing down what is wanted"):
            return self._declared(direction, unless)

    def override(self, direction: Direction) -> Intention:
        """
        Write down what is wanted without the mutex, which a process that was stopped may keep for ever.

        Raises:
            StateUnusable: The intention cannot be written down.
        """
        return self._declared(direction, None)

    def _declared(self, direction: Direction, unless: Direction | None) -> Intention:
        try:
            current = self.current()
        except StateUnusable:
            current = None
        if current is not None and current.direction is direction:
            return current
        _must_not_be(current, unless)
        newer = Intention(direction, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        self._note.write({"direction": direction.value, "generation": newer.generation})
        return newer

    def withdraw(self) -> None:
        """
        Withdraw the intention if the opposite cannot be written down; any action that acts for it stops.

        Raises:
            StateUnusable: The file cannot be removed either.
        """
        self._note.remove()

    def settle(self, mine: Intention, record: Callable[[], object], deadline: Deadline) -> None:
        """
        Record that what was wanted is reached; nothing newer can come in between.

        Raises:
            Overtaken: The opposite is wanted by now, and nothing is recorded.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "recording the result"):
            self.check(mine)
            record()

    def forget(self, also: Callable[[], None], deadline: Deadline) -> None:
        """
        Forget all that is noted about the resource; an action that still acts for it stops.

        Args:
            also: Forgets more, without anything recorded in between.

        Raises:
            StateUnusable: A note cannot be removed.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "forgetting the resource"):
            also()
            forget_all(self._folder, self._tag)

    def check(self, mine: Intention) -> None:
        """
        Raise unless the intention is still the newest.

        Raises:
            Overtaken: The opposite is wanted by now, or the resource was forgotten.
            StateUnusable: The intention cannot be read, so nothing may be written.
        """
        current = self.current()
        if current != mine:
            newer = "remove or delete was asked for" if current is None else _ASKED[current.direction]
            raise Overtaken(newer=newer)


def _must_not_be(current: Intention | None, direction: Direction | None) -> None:
    if current is not None and current.direction is direction:
        raise Overtaken(newer=_ASKED[direction])


_ASKED = {Direction.UP: "restore was asked for", Direction.DOWN: "remove was asked for"}
