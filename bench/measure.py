"""
Rows of commands are measured against one another in alternation, so that a noisy machine is noisy for all of them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ec2kit.sandbox.client import Sandbox

ONE_RUN = str(Path(__file__).with_name("one_run.py"))
LONGEST = 600.0
"""Seconds after which a run counts as hanging."""


@dataclass(frozen=True)
class Run:
    """
    Describe one process.

    Attributes:
        command: Begins with an absolute path.
        server: The server that makes the requests, "node1".
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    server: str = ""
    expected: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Row:
    """
    Describe what is measured under one name.

    Attributes:
        runs: Done in this order in each round; each is a sample.
        before: Done before them and not measured.
    """

    name: str
    runs: Sequence[Run]
    before: Sequence[Run] = ()
    prepare: Callable[[], None] | None = None


@dataclass
class Figures:
    """Hold the samples of one row, and their middle."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    memories: list[float] = field(default_factory=list)
    ec2: list[int] = field(default_factory=list)
    imds: list[int] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Return seconds."""
        return statistics.median(self.walls)

    @property
    def cpu(self) -> float:
        """Return seconds of user and system time."""
        return statistics.median(self.cpus)

    @property
    def memory(self) -> float:
        """Return MiB at the peak of the largest process."""
        return max(self.memories)


def alternating(rows: Mapping[Sandbox, Sequence[Row]], *, rounds: int) -> dict[str, Figures]:
    """Measure all rows of all sandboxes, round by round; the first round warms up and is left out."""
    pairs = [(row, sandbox) for sandbox, its in rows.items() for row in its]
    figures = {row.name: Figures() for row, _ in pairs}
    for number in range(rounds + 1):
        for row, sandbox in pairs:
            if row.prepare is not None:
                row.prepare()
            for run in row.before:
                once(run)
            for run in row.runs:
                sample = figures[row.name] if number else Figures()
                measured(run, sandbox, sample)
    return figures


def measured(run: Run, sandbox: Sandbox, figures: Figures) -> None:
    """Measure one sample."""
    ec2, imds = len(sandbox.calls()), len(sandbox.imds_calls())
    cost = once(run)
    figures.walls.append(cost["wall"])
    figures.cpus.append(cost["cpu"])
    figures.memories.append(cost["memory"])
    figures.ec2.append(sum(call["server"] == run.server for call in sandbox.calls()[ec2:]))
    figures.imds.append(sum(call["server"] == run.server for call in sandbox.imds_calls()[imds:]))


def once(run: Run) -> dict[str, float]:
    """
    Run a command and return its cost.

    Raises:
        RuntimeError: The command ended otherwise than expected.
    """
    command = [sys.executable, "-I", "-S", ONE_RUN, *run.command]
    done = subprocess.run(command, env=dict(run.environment), capture_output=True, check=True, timeout=LONGEST)
    cost: dict[str, float] = json.loads(done.stdout)
    if cost["status"] not in run.expected:
        raise RuntimeError(f"{' '.join(run.command)} ended with status {cost['status']:.0f}")
    return cost
