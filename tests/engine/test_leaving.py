"""What a server does about what AWS announces: one decision, without a question, a clock or a file."""

from __future__ import annotations

from itertools import product

import pytest

from ec2kit.engine.leaving import CHANGING, Others, Step, decide, due, presses
from ec2kit.host.announcement import Announcement, Kind
from ec2kit.settings import Settings

EVENT = Announcement(Kind.EVENT, "system-reboot", "instance-event-1", 0.0, 600.0)
INTERRUPTION = Announcement(Kind.INTERRUPTION, "terminate", "", 0.0, 120.0)
REBALANCE = Announcement(Kind.REBALANCE, "rebalance", "", 0.0, -5.0)

NONE: tuple[Announcement, ...] = ()


@pytest.mark.parametrize(
    ("reasons", "is_away", "able", "step"),
    [
        pytest.param((EVENT,), False, True, Step.LEAVES, id="another one can take over"),
        pytest.param((EVENT,), False, False, Step.STAYS, id="no other one can"),
        pytest.param((EVENT,), False, None, Step.STAYS, id="not known whether another one can"),
        pytest.param((EVENT,), None, True, Step.UNKNOWN, id="the framework is silent"),
        pytest.param((EVENT,), True, True, Step.STAYS_AWAY, id="away"),
        pytest.param((EVENT,), True, None, Step.STAYS_AWAY, id="away, others not known"),
        pytest.param((EVENT,), True, False, Step.COMES_BACK_AS_LAST, id="away, no other one can any more"),
        pytest.param((EVENT, INTERRUPTION), False, False, Step.LEAVES, id="interrupted, no other one can"),
        pytest.param((INTERRUPTION,), None, None, Step.LEAVES, id="interrupted, nothing is known"),
        pytest.param((INTERRUPTION,), True, False, Step.STAYS_AWAY, id="interrupted and away"),
    ],
)
def test_decide_with_a_reason_to_leave(
    reasons: tuple[Announcement, ...], is_away: bool | None, able: bool | None, step: Step
) -> None:
    """An answer that lacks changes nothing, except for an interruption; an incomplete look hides no reason."""
    for is_whole, is_calm in product((True, False), repeat=2):
        others = Others(able)
        assert decide(reasons, is_whole=is_whole, is_away=is_away, others=others, is_calm=is_calm) is step


@pytest.mark.parametrize(
    ("is_whole", "is_away", "is_calm", "step"),
    [
        pytest.param(True, False, True, Step.NOTHING, id="here"),
        pytest.param(True, None, True, Step.NOTHING, id="not known whether here"),
        pytest.param(True, True, False, Step.WAITS, id="away, not calm yet"),
        pytest.param(True, True, True, Step.COMES_BACK, id="away, calm"),
        pytest.param(False, True, True, Step.UNKNOWN, id="away, silence"),
        pytest.param(False, False, True, Step.UNKNOWN, id="here, silence"),
    ],
)
def test_decide_without_a_reason_to_leave(is_whole: bool, is_away: bool | None, is_calm: bool, step: Step) -> None:
    """This server comes back only when all is known and calm."""
    for able in (True, False, None):
        others = Others(able)
        assert decide(NONE, is_whole=is_whole, is_away=is_away, others=others, is_calm=is_calm) is step


def test_decide_silence_never_tells_the_framework_anything() -> None:
    """Whatever else is the case."""
    for is_away, able, is_calm in product((True, False, None), (True, False, None), (True, False)):
        step = decide(NONE, is_whole=False, is_away=is_away, others=Others(able), is_calm=is_calm)
        assert step not in CHANGING


@pytest.mark.parametrize(
    ("left", "lead", "expected"),
    [
        pytest.param(3601.0, 3600.0, False, id="before the lead time"),
        pytest.param(3600.0, 3600.0, True, id="at the lead time"),
        pytest.param(-7200.0, 3600.0, True, id="begun"),
        pytest.param(0.5, 0.0, False, id="no lead time"),
        pytest.param(-1.0, 0.0, True, id="no lead time, begun"),
    ],
)
def test_due_event_begins_within_the_lead_time(left: float, lead: float, expected: bool) -> None:
    """An event that AWS still lists as active is due, however long ago it began."""
    event = EVENT._replace(left=left)
    assert due([event], Settings(notice_lead=lead)) == ((event,) if expected else ())


def test_due_recommendation_counts_only_if_that_is_set() -> None:
    """An interruption counts always, and alone does not wait for another server."""
    found = (REBALANCE, INTERRUPTION)
    assert due(found, Settings()) == (INTERRUPTION,)
    assert due(found, Settings(notice_rebalance=True)) == found
    assert [presses((each,)) for each in (EVENT, REBALANCE, INTERRUPTION)] == [False, False, True]
