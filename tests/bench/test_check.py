"""What `make bench-check` says of made figures."""

from __future__ import annotations

from collections.abc import Sequence

import check
import contestants as names
import pytest
import report
from measure import Figures
from report import Promise

KEPT, MISSED = 1.0, 1.5


def a_measure(*results: Sequence[float]) -> tuple[list[int], object]:
    """Measures in turn what it was made with, for three promises of at most 1.2, and keeps the rounds asked for."""
    rounds: list[int] = []
    left = list(results)

    def measure(asked: int) -> list[Promise]:
        rounds.append(asked)
        return [Promise(text, value, 1.2) for text, value in zip("abc", left.pop(0), strict=True)]

    return rounds, measure


def figures(*, wall: float, cpu: float, memory: float = 30.0, ec2: int = 0) -> Figures:
    return Figures([wall] * 3, [cpu] * 3, [memory] * 3, [ec2] * 3, [0] * 3)


@pytest.mark.parametrize(
    ("results", "missed", "rounds"),
    [
        pytest.param([(KEPT, KEPT, KEPT)], [], [5], id="all kept"),
        pytest.param([(KEPT, MISSED, KEPT), (KEPT, KEPT, KEPT)], [], [5, 10], id="kept the second time"),
        pytest.param([(KEPT, MISSED, KEPT), (KEPT, MISSED, KEPT)], ["b"], [5, 10], id="missed twice"),
        pytest.param([(KEPT, MISSED, KEPT), (MISSED, KEPT, KEPT)], [], [5, 10], id="another one the second time"),
        pytest.param([(MISSED, KEPT, MISSED), (MISSED, MISSED, MISSED)], ["a", "c"], [5, 10], id="two of three"),
        pytest.param([(1.2, 1.2, 1.2)], [], [5], id="just kept"),
    ],
)
def test_only_what_is_missed_twice_counts(
    results: list[Sequence[float]], missed: list[str], rounds: list[int]
) -> None:
    """A moment of the machine fails nobody; what is missed again, in more rounds, is named."""
    asked, measure = a_measure(*results)
    assert [each.text for each in check.missed(measure, rounds=5)] == missed
    assert asked == rounds


GOOD = {
    names.PYTHON_FLOOR: figures(wall=0.03, cpu=0.02),
    names.BARE: figures(wall=0.4, cpu=0.2),
    names.PLAIN: figures(wall=0.8, cpu=0.4),
    names.COLD: figures(wall=0.42, cpu=0.2, memory=38.0, ec2=1),
    names.SHARED: figures(wall=0.08, cpu=0.04),
}


@pytest.mark.parametrize(
    ("name", "worse", "missed"),
    [
        pytest.param(names.COLD, GOOD[names.COLD], None, id="good"),
        pytest.param(names.COLD, figures(wall=0.51, cpu=0.2, ec2=1), "the bare client", id="slow"),
        pytest.param(names.COLD, figures(wall=0.42, cpu=0.27, ec2=1), "CPU, × plain boto3", id="busy"),
        pytest.param(names.COLD, figures(wall=0.42, cpu=0.2, memory=40.5, ec2=1), "peak memory", id="large"),
        pytest.param(names.COLD, figures(wall=0.42, cpu=0.2, ec2=2), "quickCheck, EC2 requests", id="asks twice"),
        pytest.param(names.SHARED, figures(wall=0.1, cpu=0.04), "× isolated Python", id="shared answer slow"),
        pytest.param(names.SHARED, figures(wall=0.08, cpu=0.04, ec2=1), "answer, EC2 requests", id="not shared"),
    ],
)
def test_each_promise_is_missed_by_what_breaks_it(name: str, worse: Figures, missed: str | None) -> None:
    """The rows that are measured are enough for all of them, and each is judged by itself."""
    assert set(check.NEEDED) == set(GOOD)
    texts = [each.text for each in report.promises({**GOOD, name: worse}) if not each.kept]
    assert len(texts) == (missed is not None)
    assert all(missed is not None and missed in text for text in texts)
