"""The note of the last probe, which later commands read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.state import probed
from ec2kit.state.file import StateFile
from ec2kit.state.note import forget_all
from ec2kit.state.probed import Heard, Outcome, Probed

TAG = "ec2-vip1"
LAST = Probed(
    at=12.5,
    way="tcp:5432",
    servers={
        "node2": Heard(Outcome.REACHED, 0.42, "it refuses port 5432"),
        "node3": Heard(Outcome.SILENT, None, "within 10 s"),
    },
    effective=0.8,
)


def test_probe_is_recalled_as_it_was_kept(tmp_path: Path) -> None:
    """With each server, and the time that it took; until the resource is forgotten."""
    assert probed.recall(str(tmp_path), TAG) is None
    probed.keep(str(tmp_path), TAG, LAST)
    assert probed.recall(str(tmp_path), TAG) == LAST
    forget_all(str(tmp_path), TAG)
    assert probed.recall(str(tmp_path), TAG) is None


def test_outcome_reads_as_a_sentence() -> None:
    """For a line of the log and of status."""
    assert [str(each) for each in LAST.servers.values()] == [
        "reached in 0.42 ms (it refuses port 5432)",
        "no answer within 10 s",
    ]
    assert str(Heard(Outcome.UNABLE, detail="no ping")) == "could not try: no ping"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"servers": 1},
        {"servers": {"node2": {}}},
        {"servers": {"node2": {"outcome": "fine", "milliseconds": 1, "detail": ""}}},
        {"servers": {"node2": {"outcome": "reached", "milliseconds": [], "detail": ""}}},
        {"servers": {"node2": {"outcome": "reached", "milliseconds": float("inf"), "detail": ""}}},
        {"servers": {"node2": {"outcome": "reached", "milliseconds": float("nan"), "detail": ""}}},
        {"servers": {"node2": {"outcome": [], "milliseconds": None, "detail": ""}}},
        {"at": "then"},
        {"effective": "soon"},
    ],
)
def test_note_that_was_spoilt_is_none(tmp_path: Path, spoilt: dict[str, object]) -> None:
    """It only helps."""
    probed.keep(str(tmp_path), TAG, LAST)
    file = StateFile(str(tmp_path / f"{TAG}.probe.json"))
    file.write({**(file.read() or {}), **spoilt})
    assert probed.recall(str(tmp_path), TAG) is None
