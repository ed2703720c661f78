"""What each case cost the clients, as a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from .lab import Lab


@dataclass
class Report:
    """
    One row for each case.

    Attributes:
        rows: (case, seconds without an answer to ping, the same over TCP, seconds from pacemaker's start to the first
            answer to ping, if one was called)
    """

    rows: list[tuple[str, float, float, float | None]] = field(default_factory=list)

    def add(self, case: str, lab: Lab, since: float, share: float | None = None) -> None:
        """Note what the clients have felt since a moment; both are answered again."""
        self.rows.append((case, lab.client.outage(since), lab.tcp_client.outage(since), share))

    def table(self) -> str:
        width = max((len(case) for case, *_ in self.rows), default=0)
        head = f"{'case':{width}}  outage   over TCP  start called → answer"
        lines = [
            f"{case:{width}}  {ping:5.2f} s  {tcp:6.2f} s" + (f"  {share:5.2f} s" if share is not None else "")
            for case, ping, tcp, share in self.rows
        ]
        return "\n".join([head, *lines])
