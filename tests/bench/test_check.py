"""What `make bench-check` says of made figures."""

from __future__ import annotations

from collections.abc import Sequence

import check
import contestants as names
import first_write
import pytest
import report
import tls
from first_write import Moments
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
        pytest.param([(KEPT, MISSED, KEPT)] * 2 + [(KEPT, KEPT, KEPT)], [], [5, 10, 20], id="kept the third time"),
        pytest.param([(KEPT, MISSED, KEPT)] * 3, ["b"], [5, 10, 20], id="missed three times"),
        pytest.param([(KEPT, MISSED, KEPT), (MISSED, KEPT, KEPT)], [], [5, 10], id="another one the second time"),
        pytest.param(
            [(MISSED, KEPT, MISSED), (MISSED, MISSED, MISSED), (MISSED, MISSED, MISSED)],
            ["a", "c"],
            [5, 10, 20],
            id="two of three",
        ),
        pytest.param([(1.2, 1.2, 1.2)], [], [5], id="just kept"),
    ],
)
def test_only_what_is_missed_three_times_counts(
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


BOTH = {tls.name_of(name, tls=secure): figures(wall=0.4, cpu=0.3) for name in tls.ROWS for secure in (True, False)}


@pytest.mark.parametrize(
    ("name", "worse", "missed"),
    [
        pytest.param(tls.QUICK_CHECK, figures(wall=0.4, cpu=0.3), [], id="good"),
        pytest.param(tls.QUICK_CHECK, figures(wall=0.48, cpu=0.3), [], id="slow check where all processors are busy"),
        pytest.param(tls.RESTORE, figures(wall=0.5, cpu=0.3), [f"{tls.RESTORE} over HTTPS, wall"], id="slow restore"),
        pytest.param(tls.RESTORE, figures(wall=0.4, cpu=0.4), [f"{tls.RESTORE} over HTTPS, CPU"], id="busy restore"),
    ],
)
def test_each_promise_beside_plain_http_is_missed_by_what_breaks_it(
    name: str, worse: Figures, missed: list[str]
) -> None:
    """What TLS costs is the same action over HTTPS beside itself over plain HTTP."""
    made = report.promises_of_tls({**BOTH, tls.name_of(name, tls=True): worse})
    assert [each.text.removesuffix(", × plain HTTP") for each in made if not each.kept] == missed
    assert report.told(made).count("not promised") == 1


@pytest.mark.parametrize(
    ("wall", "is_kept"), [pytest.param(0.43, True, id="good"), pytest.param(0.44, False, id="slow")]
)
def test_the_promise_of_a_check_over_https_holds_where_a_processor_is_free(wall: float, is_kept: bool) -> None:
    """A free processor is seen by a check over plain HTTP that takes hardly longer than it computes."""
    calm = {tls.name_of(tls.QUICK_CHECK, tls=False): figures(wall=0.4, cpu=0.38)}
    made = report.promises_of_tls(
        {**BOTH, **calm, tls.name_of(tls.QUICK_CHECK, tls=True): figures(wall=wall, cpu=0.4)}
    )
    assert made[0].text == f"{tls.QUICK_CHECK} over HTTPS, wall, × plain HTTP"
    assert made[0].kept is is_kept
    assert "not promised" not in report.told(made)


@pytest.mark.parametrize(
    ("secure", "memory"), [pytest.param(False, 40.5, id="http"), pytest.param(True, 42.5, id="https")]
)
def test_the_promise_of_memory_is_missed_by_a_large_check(secure: bool, memory: float) -> None:
    """Over HTTPS the authorities have a place in it; over plain HTTP it is what it always was."""
    large = figures(wall=0.4, cpu=0.3, memory=memory)
    made = report.promises_of_tls({**BOTH, tls.name_of(tls.QUICK_CHECK, tls=secure): large})
    assert [each.text for each in made if not each.kept] == [
        f"{tls.QUICK_CHECK} over {'HTTPS' if secure else 'plain HTTP'}, peak memory, MiB"
    ]


@pytest.mark.parametrize(
    ("first", "end", "missed"),
    [
        pytest.param(0.2, 0.6, [], id="good"),
        pytest.param(0.3, 0.6, ["first write"], id="late write"),
        pytest.param(0.2, 0.9, ["end"], id="late end"),
    ],
)
def test_what_a_restore_gained_since_an_earlier_build_is_judged_where_that_was_measured(
    first: float, end: float, missed: list[str]
) -> None:
    """Without an earlier build nothing is promised; with one, both of its moments are compared with it."""
    now = [Moments(first_write.BESIDE, 0.2, first, end), Moments(first_write.AFTER, 0.2, 0.4, 0.8)]
    before = Moments(first_write.BEFORE, 0.2, 0.5, 1.0)
    assert not [each for each in report.promises_of_first_write(now) if "earlier" in each.text]
    made = report.promises_of_first_write([*now, before])
    found = [each.text for each in made if "earlier" in each.text and not each.kept]
    assert [
        each.removeprefix("exec of restore to its ").removesuffix(", × the earlier build") for each in found
    ] == missed
