"""No write arrives after its attempt was given up, its deadline, a newer request, or 15 s after recover's look."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ..conftest import Counted
from ..resolver import needs_root
from .run import played

RUNS = 1000
AT_A_TIME = 32
"""A run mostly waits."""

SAMPLE = (14, 53, 70, 116, 200, 282, 356)
"""One for each stage, each of a few seconds."""

pytestmark = needs_root


def _must_hold(seeds: range | tuple[int, ...], folder: Path, counted: Counted, *, at_a_time: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for story in played(seeds, at_a_time, folder):
        counts += story.counts
        wrong += story.wrong()
    counted(f"{len(seeds)} runs on a slow way: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    assert not wrong, "\n".join([*wrong, "each again: python -m tests.stages SEED"])
    return counts


def test_a_few_writes_on_a_slow_way_arrive_in_time_or_never(tmp_path: Path, counted: Counted) -> None:
    """A sample of the thousand: stopped or held at each stage while a remove overtakes; some held back at last."""
    counts = _must_hold(SAMPLE, tmp_path, counted, at_a_time=len(SAMPLE))
    assert counts["held back at the last moment"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_writes_on_a_slow_way_arrive_in_time_or_never(tmp_path: Path, counted: Counted) -> None:
    """Resolver, dead addresses, CONNECT and TLS are slow, and SIGSTOP comes between any two of these stages."""
    counts = _must_hold(range(1, RUNS + 1), tmp_path, counted, at_a_time=AT_A_TIME)
    assert counts["writes arrived"] > RUNS / 2
    assert counts["held back at the last moment"] > RUNS / 50
    assert counts["stopped"] > RUNS / 10
