"""The client: it pings the virtual IP all the time, and knows when nobody answered."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import pairwise
from pathlib import Path

INTERVAL = 0.02
"""Seconds between two pings, and so the resolution of an outage."""


class Client:
    """`ping` from the client's namespace, from now on."""

    def __init__(self, namespace: str, address: str, folder: Path) -> None:
        self._path = folder / "ping.out"
        words = ["ping", "-n", "-D", "-i", str(INTERVAL), address]
        with self._path.open("wb") as out:
            self._process = subprocess.Popen(["ip", "netns", "exec", namespace, "stdbuf", "-oL", *words], stdout=out)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def answers(self) -> list[float]:
        """When somebody answered, in seconds of the epoch."""
        text = self._path.read_text(errors="replace")
        return [float(found) for found in re.findall(r"^\[([0-9.]+)\] [0-9]+ bytes from", text, re.MULTILINE)]

    def is_answered(self) -> bool:
        """Whether somebody answers at this moment."""
        answers = self.answers()
        return bool(answers) and time.time() - answers[-1] < 0.3

    def first_answer_after(self, moment: float) -> float:
        """When somebody answered first after a moment."""
        return next(each for each in self.answers() if each > moment)

    def outage(self, since: float) -> float:
        """The longest time without an answer, of gaps that ended after a moment."""
        answers = self.answers()
        gaps = [(after - before) for before, after in pairwise(answers) if after > since]
        return max(gaps, default=0.0)
