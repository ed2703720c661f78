"""Each decision of a walk is recorded so that its replay, without AWS, comes to the same conclusion byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ec2kit.scenarios.situation import file
from ec2kit.scenarios.situation.replay import replay

from ..builders import ELASTIC_IP
from ..conftest import Counted
from ..leaks import must_not_leak
from .walk import SCENARIOS, Walk

NONE_LOST = (ELASTIC_IP, "route-table by a tag")
"""The kinds of which no answer is lost for longer than a look in this walk."""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_decision_replays_to_the_recorded_conclusion(
    scenario: str, folder: Path, counted: Counted
) -> None:
    """Under every fate: any look, any change made before, and any answer that was lost; and no secret is in it."""
    walk, records = Walk(folder, 5, scenario), list[Mapping[str, Any]]()

    def record(make: Callable[[], Mapping[str, Any]]) -> None:
        records.append(make())

    walk.cluster.recorder = record
    assert walk.go(150).complaints == []
    kinds = Counter(f"{each['kind']}" for each in records)
    replayed = Counter[str]()
    for each in records:
        if each.get("situation"):
            recorded = file.read(each["situation"], "a record")
            assert replay(recorded.situation) == recorded.expected, each
            replayed[each["kind"]] += 1
            replayed["with an answer that was lost"] += "(answer lost)" in each["situation"]
        elif "without" in each:
            assert each["without"] == "nothing was looked at", each
        must_not_leak(repr(each))
    assert replayed["with an answer that was lost"] or scenario in NONE_LOST
    assert replayed["decision"] + replayed["end"] + replayed["verdict"] > 40
    counted(f"records, {scenario}: {dict(kinds)}; replayed {dict(replayed)}")
