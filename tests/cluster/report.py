"""What each case cost the client, as a table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """
    One row for each case.

    Attributes:
        rows: (case, seconds without an answer, seconds from pacemaker's start to the first answer, if one was called)
    """

    rows: list[tuple[str, float, float | None]] = field(default_factory=list)

    def add(self, case: str, outage: float, share: float | None = None) -> None:
        self.rows.append((case, outage, share))

    def table(self) -> str:
        width = max((len(case) for case, _, _ in self.rows), default=0)
        head = f"{'case':{width}}  outage   start called → answer"
        lines = [
            f"{case:{width}}  {outage:5.2f} s" + (f"  {share:5.2f} s" if share is not None else "")
            for case, outage, share in self.rows
        ]
        return "\n".join([head, *lines])
