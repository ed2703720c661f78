"""The table of results, in the form of docs/pacemaker.md."""

from __future__ import annotations

from dataclasses import dataclass, field

WAYS = ("device", "protected", "lo")


@dataclass
class Report:
    """What came of each event: event → way → words."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, event: str, way: str, *, lost: int, seconds: float, repaired: bool) -> None:
        words = f"back, {seconds:.1f} s" if repaired else f"stays, {lost} lost" if lost else "stays"
        self.rows.setdefault(event, {})[way] = words

    def table(self) -> str:
        return "\n".join(
            f"| {event} | {' | '.join(ways.get(each, '–') for each in WAYS)} |" for event, ways in self.rows.items()
        )
