"""The table of results, in the form of docs/pacemaker.md."""

from __future__ import annotations

from dataclasses import dataclass, field

WAYS = ("device", "protected", "lo")


@dataclass
class Report:
    """What came of each event: event → way → words."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, event: str, way: str, *, lost: int, own: int, seconds: float, repaired: bool, said: str) -> None:
        """
        Note a row's part.

        Args:
            lost: Packets to the address that had no answer, for so many seconds at most.
            own: The same of the device's own address, which no address on it can outdo.
            said: The codes of the warnings and errors of the kit.
        """
        words = f"back, {seconds:.1f} s" if repaired else f"stays, {lost} lost" if lost else "stays"
        beside = f", the device's own {own}" if own and not repaired else ""
        self.rows.setdefault(event, {})[way] = f"{words}{beside}" + (f" [{said}]" if said else "")

    def table(self) -> str:
        return "\n".join(
            f"| {event} | {' | '.join(ways.get(each, '–') for each in WAYS)} |" for event, ways in self.rows.items()
        )
