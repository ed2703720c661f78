"""Killed at each of the points between two EC2 calls, and before each step on a file; then run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ec2kit.actions.remove import remove

from ..conftest import Counted
from ..patience import HANGS
from .killing import CASES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_point_and_run_again_converges(name: str, folder: Path, counted: Counted) -> None:
    """Whatever it was killed in, the next run ends as if it had not been, with only the writes that were missing."""
    program = [sys.executable, "-m", "tests.model.killing", str(folder), name]
    done = subprocess.run(program, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=HANGS)
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    points, case = told["points"], CASES[name]
    each = ", ".join(f"{count} {point}" for point, count in points.items())
    counted(f"{name}: killed at {sum(points.values())} points and run again: {each}")
    writes = case.removed or set((case.routes or {"": case.eni}).values()) != {case.owner}
    looks = case.deed is not remove or case.routes is None
    assert {"before a look leaves", "when a look is answered"} <= set(points) or not looks
    assert ("when a write is carried out" in points) == ("before a write leaves" in points) == writes
