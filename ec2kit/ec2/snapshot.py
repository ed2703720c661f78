"""
The quickChecks of this server share what EC2 said a moment ago; each scenario knows what to ask.

One check asks on behalf of all. Checks that come meanwhile wait for its answer, even if it is an error. Checks that
come within EC2_SNAPSHOT_MAX_AGE of the question, or within a second of being throttled, read the answer from a file,
without the SDK. A write of this server makes the answer void.
"""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ec2kit.errors import AwsThrottled, Ec2KitError, OwnTrouble, StateUnusable, Unknown
from ec2kit.messages import catalogue
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Content, Damaged, StateFile
from ec2kit.state.folder import make_folder, open_private
from ec2kit.state.lock import Lock

_LONGEST_PAUSE = 0.2

_THROTTLED_FOR = 1.0
"""Seconds for which throttling is shared; asking again only to be refused again would use up the account's rate."""

_LARGEST = 900_000
"""Characters of an answer that is shared; a state file is read up to somewhat more."""

_AT_A_TIME = 8
"""Questions of one check that it asks side by side, most."""

Told = TypeVar("Told")
Found = TypeVar("Found")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.operations import Ec2
    from ec2kit.messages.log import Log
    from ec2kit.settings import Settings

    Asked = tuple[Content, Ec2KitError | None]
    """EC2's answer in JSON types, and the error because of which a part of it is missing."""

    Ask = Callable[[Ec2, Content], Asked]
    """Asks EC2, given the previous answer ({} if there is none)."""

    Shared = tuple[Told, Ec2KitError | None]
    """The answer for one check, and the error because of which a part of it is missing."""

    Read = Callable[[Content], Told | None]
    """Reads an answer for one check; returns None if the answer is about something else."""


class Sharing(Protocol):
    """Several who ask the same share one answer of EC2."""

    def shared(self, name: str, ask: Ask, read: Read[Told]) -> Shared[Told]:
        """
        Return the answer to one question, and the error if a part of it is missing; only one asks.

        Args:
            name: The subject of the question, "route-tables.vpc-1".
        """

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found | Exception]:
        """Do the same as `Ec2.together`."""


class Survey:
    """
    EC2 as one command sees it, which looks at many resources side by side, now: each question is asked once.

    Args:
        ec2: The way to ask, by the region, endpoint and credentials of the resources.
    """

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2
        self._asking = threading.Lock()
        self._answers: dict[str, Asked] = {}

    @property
    def credentials(self) -> str:
        """Return the way to the credentials with which EC2 was asked, as `Client.credentials` does."""
        return self._ec2.credentials

    @property
    def way(self) -> str:
        """Return the way by which EC2 answered last, as `Ec2.way` does."""
        return self._ec2.way

    def shared(self, name: str, ask: Ask, read: Read[Told]) -> Shared[Told]:
        """Do the same as `Sharing.shared`, for the resources of this command."""
        with self._asking:
            answer = self._answers.get(name)
            if answer is None or read(answer[0]) is None:
                answer = self._answers[name] = ask(self._ec2, answer[0] if answer else {})
        return _about_mine(answer[0], read), answer[1]

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found | Exception]:
        """Do the same as `Sharing.together`."""
        return self._ec2.together(looks)


class Writes:
    """
    Keep count of this server's writes to EC2: one byte in a file each time that a write begins or has ended.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "writes")

    def note(self) -> None:
        """Make void what EC2 said before this moment, and what it is just saying."""
        with suppress(OSError):  # a check may then report for EC2_SNAPSHOT_MAX_AGE what was true before
            make_folder(self._folder)
            descriptor = open_private(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)

    def seen(self) -> str:
        """
        Return a value that differs after each `note`.

        Raises:
            StateUnusable: The value cannot be read.
        """
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return "none"
        except OSError as error:
            raise StateUnusable(path=self._path, reason=error.strerror) from error
        return f"{status.st_ino}:{status.st_size}"


class Snapshot:
    """
    EC2 as the checks of this server see it.

    Args:
        ec2: Returns the way to ask; called only if there is no shared answer.

    Attributes:
        is_fresh: True if no answer was read: each was asked for here and now.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        log: Log,
        deadline: Deadline,
        region: str,
        ec2: Callable[[], Ec2],
    ) -> None:
        self._settings = settings
        self._log = log
        self._deadline = deadline
        self._region = region
        self._ec2 = ec2
        self.is_fresh = True

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found | Exception]:
        """Do the same as `Sharing.together`, for the checks of this server."""
        from ec2kit.deadline import side_by_side

        return side_by_side(looks, self._deadline, at_most=_AT_A_TIME)

    def shared(self, name: str, ask: Ask, read: Read[Told]) -> Shared[Told]:
        """Do the same as `Sharing.shared`, for the checks of this server."""
        settings = self._settings
        answer = _SharedAnswer(
            os.path.join(settings.run_dir, "shared." + re.sub(r"[^A-Za-z0-9.-]", "_", name)),
            {"about": name, "boot": boot_id(), "region": self._region, "origin": settings.origin},
            lambda before: _with_error(*ask(self._ec2(), before)),
            read,
            log=self._log,
            deadline=self._deadline,
            max_age=settings.snapshot_max_age,
            writes=Writes(settings.run_dir),
        )
        told = answer.obtain()
        self.is_fresh = self.is_fresh and answer.asked_here
        return told


class _SharedAnswer(Generic[Told]):
    """
    One answer of EC2 in one file, and the lock that lets one process ask for it.

    Args:
        key: The question, the endpoint, the identity and the boot; an answer under another key does not count.
    """

    def __init__(
        self,
        path: str,
        key: Content,
        ask: Callable[[Content], Content],
        read: Read[Told],
        *,
        log: Log,
        deadline: Deadline,
        max_age: float,
        writes: Writes,
    ) -> None:
        self._file = StateFile(f"{path}.json")
        self._lock = Lock(f"{path}.lock")
        self._key = key
        self._ask = ask
        self._read = read
        self._log = log
        self._deadline = deadline
        self._max_age = max_age
        self._writes = writes
        self._began = deadline.clock.now()
        self.asked_here = False

    def obtain(self) -> Shared[Told]:
        """
        Return the answer: kept, awaited, or asked for.

        At most half of the remaining time is spent waiting for another check, which may have been stopped.
        """
        patience = self._deadline.within(self._deadline.remaining() / 2)
        pause = 0.01
        try:
            while not patience.passed:
                told = self._usable()
                if told is not None:
                    return told
                if self._lock.take():
                    return self._obtain_alone()
                self._deadline.pause(pause, "the answer that another check asks for")
                pause = min(pause * 1.5, _LONGEST_PAUSE)
        except StateUnusable as error:
            self._tell_unshared(error)
        return self._fresh(self._ask({}))

    def _obtain_alone(self) -> Shared[Told]:
        try:
            told = self._usable()
            return self._ask_for_all() if told is None else told
        finally:
            self._lock.release()

    def _ask_for_all(self) -> Shared[Told]:
        writes, asked = self._writes.seen(), self._deadline.clock.now()
        content = self._ask(self._kept() or {})
        self._keep({**content, "key": self._key, "writes": writes, "asked": asked})
        return self._fresh(content)

    def _fresh(self, content: Content) -> Shared[Told]:
        self.asked_here = True
        return _about_mine(content, self._read), _error(content)

    def _keep(self, content: Content) -> None:
        """Keep the answer unless a write began meanwhile; an answer that cannot be kept is asked for again."""
        try:
            if self._writes.seen() == content["writes"]:
                self._write({**content, "told": self._deadline.clock.now()})
        except StateUnusable as error:
            self._tell_unshared(error)

    def _write(self, content: Content) -> None:
        length = len(json.dumps(content, indent=1))
        if length > _LARGEST:
            reason = f"{length} characters are more than {_LARGEST}, the most that are read again"
            raise StateUnusable(path=self._file.path, reason=reason)
        self._file.write(content, durable=False)

    def _tell_unshared(self, reason: StateUnusable) -> None:
        self._log.put(catalogue.ANSWER_UNSHARED, about=self._key["about"], reason=reason)

    def _usable(self) -> Shared[Told] | None:
        """Return what is kept, if it is not void, and is either young enough or was waited for."""
        kept = self._kept()
        if kept is None or kept.get("writes") != self._writes.seen():
            return None
        with suppress(AttributeError, LookupError, TypeError, ValueError):  # the file was edited
            now, since = self._deadline.clock.now(), kept["told" if "error" in kept else "asked"]
            young = 0 <= now - since <= self._lasts(kept.get("error"))
            awaited = self._began < since <= now
            told = self._read(kept) if young or awaited else None
            return None if told is None else (told, _error(kept))
        return None

    def _lasts(self, error: Any) -> float:
        """Return seconds; an error lasts only for the checks that waited for it, unless it is that EC2 throttles."""
        if error is None:
            return self._max_age
        return min(self._max_age, _THROTTLED_FOR) if error["throttled"] else -1.0

    def _kept(self) -> Content | None:
        with suppress(Damaged):
            content = self._file.read()
            return content if content and content.get("key") == self._key else None
        return None


def _about_mine(content: Content, read: Read[Told]) -> Told:
    told = read(content)
    assert told is not None, "what was asked for is what is read"
    return told


# -- an error, to and from the form that is kept ---------------------------------------------------------------


def _with_error(content: Content, error: Ec2KitError | None) -> Content:
    if error is None:
        return content
    throttled = isinstance(error, AwsThrottled)
    kept = {"reason": str(error), "trouble": getattr(error, "trouble", True), "throttled": throttled}
    return {**content, "error": kept}


def _error(told: Content) -> Ec2KitError | None:
    error = told.get("error")
    if error is None:
        return None
    kind = OwnTrouble if error["trouble"] else Unknown
    return kind(catalogue.SHARED_UNKNOWN, reason=error["reason"])
