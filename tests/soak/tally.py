"""What came of a soak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .judge import LEAKED, LOST, WRONG

KINDS = {WRONG: "wrong verdicts", LOST: "lost changes", LEAKED: "leaked"}


@dataclass
class Tally:
    """
    Attributes:
        faults: How often each kind was met.
        complaints: (kind, what); none is what a soak is to end with.
    """

    actions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[tuple[str, str]] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Tally:
        self.actions += other.actions
        self.faults += other.faults
        self.complaints += other.complaints
        return self

    def tell(self) -> None:
        for kind, what in self.complaints:
            print(f"{kind}: {what}")
        counts = Counter(kind for kind, _ in self.complaints)
        print(f"actions: {self.actions}")
        print(f"faults met: {self.faults.total()} ({len(self.faults)} kinds)")
        for kind, words in KINDS.items():
            print(f"{words}: {counts[kind]}")
