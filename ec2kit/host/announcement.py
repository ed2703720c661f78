"""The metadata service announces what AWS will do to this instance: scheduled events, interruptions, advice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from enum import Enum
from typing import Any, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent
from ec2kit.host.imds import Metadata
from ec2kit.settings import Settings


class Kind(Enum):
    """AWS announces one of these."""

    EVENT = "scheduled event"
    INTERRUPTION = "interruption"
    REBALANCE = "rebalance recommendation"


class Announcement(NamedTuple):
    """
    Hold one thing that AWS announces.

    Attributes:
        code: "system-reboot" of an event, "terminate" of an interruption.
        identifier: The id of an event, "instance-event-0d59937288b749b32"; otherwise "".
        moment: When it begins, in seconds of the epoch; of a recommendation, when it was given.
        left: The seconds until then, by AWS's clock; less than 0 afterwards.
    """

    kind: Kind
    code: str
    identifier: str
    moment: float
    left: float

    def __str__(self) -> str:
        """Return the announcement for a person, "system-reboot (instance-event-0d…) at 2026-12-01 09:00:43 UTC"."""
        at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.moment))
        return f"{self.code} ({self.identifier or self.kind.value}) at {at}"


class Announced(NamedTuple):
    """
    Hold the result of one look.

    Attributes:
        found: What is announced, as far as the service has answered.
        unknown: The error because of which there may be more; None: there is no more.
    """

    found: tuple[Announcement, ...]
    unknown: ImdsSilent | None = None


def look(settings: Settings, deadline: Deadline) -> Announced:
    """
    Ask the metadata service what AWS announces; a kind that is not answered hides no other.

    Source: EC2 user guide, "Scheduled events for your instances", "Spot Instance interruption notices", "EC2 instance
        rebalance recommendations".
    """
    metadata = Metadata(settings, deadline)
    found: list[Announcement] = []
    unknown: ImdsSilent | None = None
    for path, read in _ITEMS:
        try:
            found += _ask(metadata, path, read)
        except ImdsSilent as error:
            unknown = unknown or error
            if not metadata.has_answered:
                break  # it would be silent as long about the others
    return Announced(tuple(found), unknown)


Read = Callable[[Any, float], Iterator[Announcement]]
"""Reads the JSON of an item; the second argument is AWS's time."""


def _ask(metadata: Metadata, path: str, read: Read) -> list[Announcement]:
    """
    Return what one item announces; an item that does not exist announces nothing.

    Raises:
        ImdsSilent: There is no usable answer.
    """
    text = metadata.get(path)
    if text is None:
        return []
    now = metadata.now
    try:
        return [*read(json.loads(text), now)]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        metadata.checked(path, text, _nothing)
        raise


def _nothing(text: str) -> bool:
    """Tell that no text has the form."""
    return False


_OVER = ("completed", "canceled", "cancelled")
"""The states of events that are over; the list should have active ones only."""


def _events(told: Any, now: float) -> Iterator[Announcement]:
    """Read `[{"NotBefore": "21 Jan 2019 09:00:43 GMT", "Code": "system-reboot", "EventId": …, "State": …}]`."""
    from email.utils import parsedate_to_datetime

    if not isinstance(told, list):
        raise ValueError(told)
    for each in told:
        if str(each.get("State", "")).lower() not in _OVER:
            begins = _epoch(parsedate_to_datetime(each["NotBefore"]))
            yield Announcement(Kind.EVENT, str(each["Code"]), str(each.get("EventId", "")), begins, begins - now)


def _interruption(told: Any, now: float) -> Iterator[Announcement]:
    """Read `{"action": "terminate", "time": "2017-09-18T08:22:00Z"}`."""
    begins = _iso(told["time"])
    yield Announcement(Kind.INTERRUPTION, str(told["action"]), "", begins, begins - now)


def _rebalance(told: Any, now: float) -> Iterator[Announcement]:
    """Read `{"noticeTime": "2020-10-27T08:22:00Z"}`."""
    given = _iso(told["noticeTime"])
    yield Announcement(Kind.REBALANCE, "rebalance", "", given, given - now)


def _iso(text: str) -> float:
    return _epoch(datetime.fromisoformat(text.replace("Z", "+00:00")))


def _epoch(moment: datetime) -> float:
    """Return the seconds of the epoch; a moment without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


_ITEMS: tuple[tuple[str, Read], ...] = (
    ("meta-data/spot/instance-action", _interruption),
    ("meta-data/events/maintenance/scheduled", _events),
    ("meta-data/events/recommendations/rebalance", _rebalance),
)
"""The most urgent first."""
