"""A bounded share of the long walks that `make soak` goes on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Counted
from .walk import SCENARIOS, Walk


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_walk_loses_nothing(scenario: str, seed: int, folder: Path, counted: Counted) -> None:
    """Whatever two servers do at once and EC2 does to them: no verdict is wrong, no change lost, no lock left."""
    walked = Walk(folder, seed, scenario).go(1000)
    counted(f"walk {seed}, {scenario}: {walked.actions} actions, {walked.steps} steps, faults {dict(walked.faults)}")
    assert walked.complaints == []
