"""The looks at what AWS announces leave one note of this server in one boot, RUN/notices.json."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ec2kit.errors import StateUnusable
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Damaged, StateFile
from ec2kit.state.lock import Lock


class Kept(NamedTuple):
    """
    Hold what the last look has left; all times are seconds on CLOCK_BOOTTIME.

    Attributes:
        looked_at: The time of the look; 0: there was none in this boot.
        announced: What was announced, for a person.
        known: The ids of what was announced and is logged already.
        due: The ids of what was a reason to leave.
        step: What the look came to, "stays"; with its reason it is logged when it changes.
        reason: Why.
        is_away: True: this server has left; None: not known.
        left: The resources for which the framework was told so, if it is told of each.
        calm_since: The first of the looks in a row that found nothing to leave for; 0: the last one found something.
        asked_at: When the other servers were last asked in vain; 0: not since this server last came or went.
        complaint: Why it had no effect that the framework was told.
        published: What the other servers were let know.
        unknown_count: The number of looks in a row without an answer.
    """

    looked_at: float = 0.0
    announced: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    step: str = ""
    reason: str = ""
    is_away: bool | None = None
    left: tuple[str, ...] = ()
    calm_since: float = 0.0
    asked_at: float = 0.0
    complaint: str = ""
    published: str = ""
    unknown_count: int = 0


def recall(folder: str) -> Kept:
    """Return what the last look of this boot has left; nothing if the note is missing or damaged."""
    try:
        content = _file(folder).read()
        if content is None or content.get("boot") != boot_id():
            return Kept()
        return _kept(content)
    except (Damaged, StateUnusable, KeyError, ValueError, TypeError, OverflowError):
        return Kept()


def _kept(content: dict[str, Any]) -> Kept:
    is_away = content["is_away"]
    return Kept(
        looked_at=float(content["looked_at"]),
        announced=tuple(map(str, content["announced"])),
        known=tuple(map(str, content["known"])),
        due=tuple(map(str, content["due"])),
        step=str(content["step"]),
        reason=str(content["reason"]),
        is_away=None if is_away is None else bool(is_away),
        left=tuple(map(str, content["left"])),
        calm_since=float(content["calm_since"]),
        asked_at=float(content["asked_at"]),
        complaint=str(content["complaint"]),
        published=str(content["published"]),
        unknown_count=int(content["unknown_count"]),
    )


def keep(folder: str, kept: Kept) -> None:
    """Write the note; a crash of the machine may take it; raises StateUnusable."""
    _file(folder).write({"boot": boot_id(), **kept._asdict()}, durable=False)


def lock(folder: str) -> Lock:
    """Return the lock that a look holds."""
    return Lock(os.path.join(folder, "notices.lock"))


def _file(folder: str) -> StateFile:
    return StateFile(os.path.join(folder, "notices.json"))
