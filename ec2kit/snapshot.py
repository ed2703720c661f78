"""
What EC2 said a moment ago, shared by the quickChecks of this server; the same answers as `Ec2` to whoever looks.

One check asks for the addresses of all resources. Those that come meanwhile wait for its answer, whatever it is;
those that come within EC2_SNAPSHOT_MAX_AGE of the question, or within a second of being throttled, read it from a
file, without the SDK. A write of this server makes it void.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ec2kit import answers
from ec2kit.answers import Address, Route, RouteTable, RouteTables
from ec2kit.errors import (
    AwsRefused,
    AwsThrottled,
    Ec2KitError,
    SharedTrouble,
    SharedUnknown,
    StateUnusable,
    Unknown,
)
from ec2kit.state import Content, Damaged, Lock, StateFile, boot_id, make_folder, open_private

if TYPE_CHECKING:
    from ec2kit.aws import Ec2
    from ec2kit.deadline import Deadline
    from ec2kit.settings import Settings

_MOST_BLOCKS = 200
"""Values that a filter may have. Source: EC2 user guide, "List and filter using the CLI and API"."""

_LONGEST_PAUSE = 0.2

_THROTTLED_FOR = 1.0
"""Seconds for which it is shared that EC2 throttles; asking for the same no again would use up the account's rate."""

Told = TypeVar("Told")

Ask = Callable[[Content], Content]
"""Asks EC2, knowing what was told the last time ({} if nothing was)."""

Read = Callable[[Content], Told | None]
"""What was told, for one check; None if it is about something else."""


class Writes:
    """
    Whether this server wrote to EC2: one byte in a file for each time that a write begins or has ended.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "writes")

    def note(self) -> None:
        """Make void what EC2 said before this moment, and what it is just saying."""
        with suppress(OSError):  # then a check may say for EC2_SNAPSHOT_MAX_AGE what was true before
            make_folder(self._folder)
            descriptor = open_private(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)

    def seen(self) -> str:
        """
        Something that is another thing after each `note`.

        Raises:
            StateUnusable: That cannot be said.
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
        ec2: Gives the way to ask; called only if there is nothing to be shared.
        neighbours: The host routes of this server's other resources, "10.1.0.20/32", to be asked for, too.

    Attributes:
        is_fresh: The last answer was asked for here and now, not read.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        deadline: Deadline,
        region: str,
        ec2: Callable[[], Ec2],
        neighbours: Callable[[], Sequence[str]],
    ) -> None:
        self._settings = settings
        self._deadline = deadline
        self._region = region
        self._ec2 = ec2
        self._neighbours = neighbours
        self.is_fresh = False

    def route_tables(self, *, vpc_id: str, destination_cidr_block: str) -> RouteTables:
        """As `Ec2.route_tables`."""

        def ask(before: Content) -> Content:
            blocks = self._blocks(destination_cidr_block, before.get("blocks"))
            answer = self._ec2().route_tables_with(vpc_id=vpc_id, destination_cidr_blocks=blocks)
            tables = [_kept_table(each) for each in answer.tables]
            return {"blocks": blocks, "tables": tables, **_kept_error(answer.unknown)}

        def read(told: Content) -> RouteTables | None:
            if destination_cidr_block not in told["blocks"]:
                return None
            tables = [_table(each) for each in told["tables"]]
            return RouteTables(answers.holding(tables, destination_cidr_block), _error(told))

        return self._shared(f"route-tables.{vpc_id}", ask, read)

    def _blocks(self, mine: str, before: Any) -> list[str]:
        """What to ask for: mine, and what the other checks will want to know."""
        known = [str(each) for each in before] if isinstance(before, list) else []
        if mine in known:
            return known
        others = sorted({*(self._neighbours() or known)} - {mine})
        return [mine, *others[: _MOST_BLOCKS - 1]]

    def addresses(self) -> tuple[Address, ...]:
        """As `Ec2.addresses`."""

        def ask(before: Content) -> Content:
            try:
                return {"addresses": [each._asdict() for each in self._ec2().addresses()]}
            except (Unknown, AwsRefused) as error:
                return {"addresses": [], **_kept_error(error)}

        def read(told: Content) -> tuple[tuple[Address, ...], Ec2KitError | None]:
            return tuple(Address(**each) for each in told["addresses"]), _error(told)

        addresses, error = self._shared("addresses", ask, read)
        if error is not None:
            raise error
        return addresses

    def _shared(self, name: str, ask: Ask, read: Read[Told]) -> Told:
        settings = self._settings
        answer = _SharedAnswer(
            os.path.join(settings.run_dir, "shared." + re.sub(r"[^A-Za-z0-9.-]", "_", name)),
            {
                "about": name,
                "boot": boot_id(),
                "region": self._region,
                "origin": settings.origin,
            },
            ask,
            read,
            deadline=self._deadline,
            max_age=settings.snapshot_max_age,
            writes=Writes(settings.run_dir),
        )
        told = answer.obtain()
        self.is_fresh = answer.asked_here
        return told


class _SharedAnswer(Generic[Told]):
    """
    One answer of EC2 in one file, and the lock that lets one process ask for it.

    Args:
        key: What, whom, and as whom it was asked, and in which boot; an answer under another key is none.
    """

    def __init__(
        self,
        path: str,
        key: Content,
        ask: Ask,
        read: Read[Told],
        *,
        deadline: Deadline,
        max_age: float,
        writes: Writes,
    ) -> None:
        self._file = StateFile(f"{path}.json")
        self._lock = Lock(f"{path}.lock")
        self._key = key
        self._ask = ask
        self._read = read
        self._deadline = deadline
        self._max_age = max_age
        self._writes = writes
        self._began = deadline.clock.now()
        self.asked_here = False

    def obtain(self) -> Told:
        """
        The answer: kept, awaited, or asked for.

        Half of the time that is left is spent waiting for another check: one that was stopped keeps nobody for ever.
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
        except StateUnusable:
            pass  # nothing can be shared
        return self._fresh(self._ask({}))

    def _obtain_alone(self) -> Told:
        try:
            told = self._usable()
            return self._ask_for_all() if told is None else told
        finally:
            self._lock.release()

    def _ask_for_all(self) -> Told:
        writes, asked = self._writes.seen(), self._deadline.clock.now()
        content = self._ask(self._kept() or {})
        self._keep({**content, "key": self._key, "writes": writes, "asked": asked})
        return self._fresh(content)

    def _fresh(self, content: Content) -> Told:
        self.asked_here = True
        told = self._read(content)
        assert told is not None, "what was asked for is what is read"
        return told

    def _keep(self, content: Content) -> None:
        """Unless a write began meanwhile; what cannot be kept is asked for again."""
        with suppress(StateUnusable):
            if self._writes.seen() == content["writes"]:
                self._file.write({**content, "told": self._deadline.clock.now()}, durable=False)

    def _usable(self) -> Told | None:
        """What is kept, if it is neither void nor too old, or was waited for."""
        kept = self._kept()
        if kept is None or kept.get("writes") != self._writes.seen():
            return None
        with suppress(AttributeError, KeyError, TypeError, ValueError):  # it was edited
            now, since = self._deadline.clock.now(), kept["told" if "error" in kept else "asked"]
            young = 0 <= now - since <= self._lasts(kept.get("error"))
            awaited = self._began < since <= now
            return self._read(kept) if young or awaited else None
        return None

    def _lasts(self, error: Any) -> float:
        """Seconds; that there was no answer is, unless EC2 throttles, only for those who waited for it."""
        if error is None:
            return self._max_age
        return min(self._max_age, _THROTTLED_FOR) if error["throttled"] else -1.0

    def _kept(self) -> Content | None:
        with suppress(Damaged):
            content = self._file.read()
            return content if content and content.get("key") == self._key else None
        return None


# -- to and from the form that is kept -------------------------------------------------------------------------


def _kept_error(error: Ec2KitError | None) -> Content:
    if error is None:
        return {}
    throttled = isinstance(error, AwsThrottled)
    return {"error": {"reason": str(error), "trouble": getattr(error, "trouble", True), "throttled": throttled}}


def _error(told: Content) -> Ec2KitError | None:
    error = told.get("error")
    if error is None:
        return None
    return (SharedTrouble if error["trouble"] else SharedUnknown)(reason=error["reason"])


def _kept_table(table: RouteTable) -> Content:
    return {"route_table_id": table.route_table_id, "routes": [each._asdict() for each in table.routes]}


def _table(kept: Any) -> RouteTable:
    return RouteTable(kept["route_table_id"], tuple(Route(**route) for route in kept["routes"]))
