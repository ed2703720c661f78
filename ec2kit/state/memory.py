"""The last checks of a resource here are remembered: when it was last in service, and since when nothing is known."""

from __future__ import annotations

from typing import NamedTuple

from ec2kit.state.note import MEMORY, Note


class Memory(NamedTuple):
    """
    Hold what the checks of this boot remember; all times are seconds on CLOCK_BOOTTIME.

    Attributes:
        in_service_at: When the address was last seen in service here; 0: never in this boot.
        unknown_since: When the present run of checks without an answer began; 0 if there is none.
        unknown_count: The number of checks in a row without an answer.
        reason: The reason of the last of them.
        verdict: The last one, "IN_SERVICE"; "": none in this boot.
        objects: The objects that held the address when it was last seen in order, and that a scenario would miss.
    """

    in_service_at: float = 0.0
    unknown_since: float = 0.0
    unknown_count: int = 0
    reason: str = ""
    objects: tuple[str, ...] = ()
    verdict: str = ""

    def age(self, now: float) -> float:
        """Return the seconds for which nothing has been known."""
        return max(0.0, now - self.unknown_since) if self.unknown_count else 0.0


def recall(folder: str, tag: str) -> Memory:
    """Return what is remembered, or nothing if it is missing or damaged, since it is only a help."""
    content = Note(folder, tag, MEMORY).read() or {}
    try:
        return Memory(
            in_service_at=float(content.get("in_service_at", 0)),
            unknown_since=float(content.get("unknown_since", 0)),
            unknown_count=int(content.get("unknown_count", 0)),
            reason=str(content.get("reason", "")),
            objects=tuple(map(str, content.get("objects", ()))),
            verdict=str(content.get("verdict", "")),
        )
    except (ValueError, TypeError, OverflowError):
        return Memory()


def remember(folder: str, tag: str, memory: Memory) -> None:
    """
    Remember what a check found.

    Raises:
        StateUnusable: It cannot be written.
    """
    Note(folder, tag, MEMORY).write(memory._asdict())
