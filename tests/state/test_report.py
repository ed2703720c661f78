"""What a hook reports to the command that let it run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.state.file import StateFile
from ec2kit.state.report import Report
from ec2kit.status import Change

MADE = {"rtb-1": (Change("ReplaceRoute", "rtb-1", old="eni-b", new="eni-a"),)}


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(str(tmp_path), "ec2-vip1")


@pytest.mark.parametrize("made", [MADE, {}], ids=["one-change", "no-change"])
def test_report_is_read_as_it_was_written(report: Report, made: dict[str, tuple[Change, ...]]) -> None:
    """No change is a report, too."""
    report.write(made)
    assert report.read() == made


def test_report_that_was_cleared_is_none(report: Report) -> None:
    """The changes of an earlier hook are never taken for those of this one."""
    report.write(MADE)
    assert report.clear()
    assert report.read() is None


@pytest.mark.parametrize("content", [{}, {"changes": 1}, {"changes": [{}]}, {"changes": ["x"]}])
def test_report_that_is_none_is_missing(report: Report, tmp_path: Path, content: dict[str, object]) -> None:
    """A file with other content makes no change up, and does no harm."""
    report.write(MADE)
    file = StateFile(str(tmp_path / "ec2-vip1.report.json"))
    file.write({**{name: value for name, value in (file.read() or {}).items() if name != "changes"}, **content})
    assert report.read() is None
