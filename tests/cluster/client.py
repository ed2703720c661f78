"""The clients: they ask at the virtual IP all the time, by ping and over TCP, and know when nobody answered."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

INTERVAL = 0.02
"""Seconds between two questions, and so the resolution of an outage."""

_TALKER = Path(__file__).parent / "talker.py"


class Client:
    """
    A program that asks from the client's namespace, from now on, and says when it was answered.

    Args:
        command: Its words.
        answered: The form of a line that tells of an answer; its group is the moment, in seconds of the epoch.
        out: Where its lines go.
    """

    def __init__(self, namespace: str, command: list[str], *, answered: str, out: Path) -> None:
        self._path = out
        self._answered = re.compile(answered, re.MULTILINE)
        with out.open("wb") as file:
            self._process = subprocess.Popen(["ip", "netns", "exec", namespace, *command], stdout=file)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def answers(self) -> list[float]:
        """When somebody answered, in seconds of the epoch."""
        return [float(found) for found in self._answered.findall(self._path.read_text(errors="replace"))]

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

    def lost(self, since: float) -> int:
        """The packets of `ping` that nobody answered, of gaps that ended after a moment."""
        lines = re.findall(
            r"^\[([0-9.]+)\] .* icmp_seq=([0-9]+) ", self._path.read_text(errors="replace"), re.MULTILINE
        )
        heard = [(float(moment), int(number)) for moment, number in lines]
        return sum((after[1] - before[1]) % _NUMBERS - 1 for before, after in pairwise(heard) if after[0] > since)


_NUMBERS = 65536
"""ping counts its packets from 0 again after so many."""


def pinging(namespace: str, address: str, folder: Path) -> Client:
    """`ping`."""
    command = ["stdbuf", "-oL", "ping", "-n", "-D", "-i", str(INTERVAL), address]
    return Client(namespace, command, answered=r"^\[([0-9.]+)\] [0-9]+ bytes from", out=folder / "ping.out")


def talking(namespace: str, address: str, folder: Path) -> Client:
    """One that holds a TCP connection to the echo service and asks over it; without an answer it connects anew."""
    command = [sys.executable, str(_TALKER), address, str(INTERVAL)]
    return Client(namespace, command, answered=r"^([0-9.]+)$", out=folder / "tcp.out")
