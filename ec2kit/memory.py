"""What the last checks of a resource here found: when it was last in service, and since when nothing is known."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ec2kit.errors import StateUnusable
from ec2kit.state import Damaged, StateFile


class Memory(NamedTuple):
    """
    Attributes:
        in_service_at: Epoch seconds when the address was last seen in service here; 0: never in this boot.
        unknown_since: Epoch seconds of the first check of the present run without an answer; 0 if there is none.
        unknown_count: How many checks in a row had no answer.
        reason: Why, the last time.
        route_table_ids: The tables that held the virtual IP when last seen in order.
    """

    in_service_at: float = 0.0
    unknown_since: float = 0.0
    unknown_count: int = 0
    reason: str = ""
    route_table_ids: tuple[str, ...] = ()

    @property
    def age(self) -> float:
        """Seconds for which nothing has been known."""
        return max(0.0, time.time() - self.unknown_since) if self.unknown_count else 0.0


def _file(folder: str, tag: str) -> StateFile:
    return StateFile(os.path.join(folder, f"{tag}.memory.json"))


def recall(folder: str, tag: str) -> Memory:
    """What is remembered; nothing where it is missing or damaged, since it is only a help."""
    try:
        content = _file(folder, tag).read() or {}
        return Memory(
            in_service_at=float(content.get("in_service_at", 0)),
            unknown_since=float(content.get("unknown_since", 0)),
            unknown_count=int(content.get("unknown_count", 0)),
            reason=str(content.get("reason", "")),
            route_table_ids=tuple(map(str, content.get("route_table_ids", ()))),
        )
    except (Damaged, StateUnusable, ValueError, TypeError, OverflowError):
        return Memory()


def remember(folder: str, tag: str, memory: Memory) -> None:
    """
    Raises:
        StateUnusable: It cannot be written.
    """
    _file(folder, tag).write(memory._asdict(), durable=False)


def forget(folder: str, tag: str) -> None:
    """
    Raises:
        StateUnusable: It cannot be removed.
    """
    _file(folder, tag).remove()
