"""Statements: a message with its fields, in each language, with the codes of all that it says."""

from __future__ import annotations

from ec2kit.errors import NotBroughtHere
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Level
from ec2kit.messages.language import Language, catalogue_in
from ec2kit.messages.log import Log
from ec2kit.messages.statement import Reason, Reasons, codes, said

JAPANESE = catalogue_in(Language.JAPANESE)
ELSEWHERE = Reason.of(catalogue.ROUTE_ELSEWHERE, cidr="10.1.0.10/32", target="eni-b")
LACKING = Reason.of(catalogue.ROUTE_LACKING, cidr="10.1.0.10/32")


def test_reason_with_objects_lists_three_and_counts_the_rest_in_each_language() -> None:
    """A reason that holds for many tables stays one line."""
    reason = ELSEWHERE._replace(objects=tuple(f"rtb-{n}" for n in range(1, 6)))
    assert str(reason) == "10.1.0.10/32 points at eni-b: rtb-1, rtb-2, rtb-3 and 2 more"
    assert said(reason, JAPANESE) == "10.1.0.10/32 は eni-b を指しています: rtb-1, rtb-2, rtb-3 ほか 2 個"


def test_said_reasons_inside_an_error_are_in_the_readers_language() -> None:
    """What an error encloses is translated with it, at every depth."""
    inner = Reason.of(catalogue.PROBLEM_AND, problem=LACKING, reason=ELSEWHERE)
    error = NotBroughtHere(done=1, all=2, problems=Reasons((inner, LACKING)), wrote=False)
    assert str(error) == (
        "1 of 2 are right; not right: no route 10.1.0.10/32, and 10.1.0.10/32 points at eni-b; no route 10.1.0.10/32"
    )
    assert "ルート 10.1.0.10/32 がありません、かつ 10.1.0.10/32 は eni-b を指しています; ルート" in said(
        error, JAPANESE
    )


def test_codes_are_those_of_the_statement_and_of_all_that_it_encloses() -> None:
    """The most general comes first."""
    reasons = Reasons((ELSEWHERE, LACKING))
    assert list(codes(Reason.of(catalogue.STATUS_OUT, address="10.1.0.10", reason=reasons))) == [
        620313,
        620335,
        620336,
    ]


def test_put_failure_shows_a_person_the_codes_of_its_reason() -> None:
    """That an action failed explains nothing; `ec2kit messages CODE` is asked for why."""
    lines: list[str] = []
    log = Log(action="restore", tag="t", console=lambda level, text: lines.append(text))
    log.put(catalogue.END_FAILED, action="restore", tag="t", seconds="1.00", reason=Reasons((ELSEWHERE, LACKING)))
    log.put(catalogue.STATUS_OUT, address="10.1.0.10", reason=Reasons((LACKING,)))
    log.put(catalogue.END_FAILED, action="restore", tag="t", seconds="1.00", reason="so")
    assert [line.rpartition(" [")[2] for line in lines] == ["620335, 620336]", "620313, 620336]", "620003]"]


def test_error_reason_is_logged_under_its_own_code() -> None:
    """Whoever searches the log for a code finds the line."""
    lines: list[tuple[Level, str]] = []
    log = Log(action="quickCheck", tag="t", sinks=(lambda level, line: lines.append((level, line)),))
    log.error(ELSEWHERE._replace(objects=("rtb-1",)))
    assert lines == [
        (Level.ERROR, "ERROR:ec2kit:quickCheck:t:620335:10.1.0.10/32 points at eni-b: rtb-1"),
    ]
