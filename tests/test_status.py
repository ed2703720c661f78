"""Three answers, and how they are weighed."""

from __future__ import annotations

import itertools

import pytest

from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason
from ec2kit.status import Change, Status, Verdict, combine, gather

IN, OUT, UNKNOWN = Status.IN_SERVICE, Status.OUT_OF_SERVICE, Status.UNKNOWN


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param([IN], IN, id="in"),
        pytest.param([IN, IN], IN, id="all-in"),
        pytest.param([UNKNOWN], UNKNOWN, id="unknown"),
        pytest.param([IN, UNKNOWN], UNKNOWN, id="unknown-beats-in"),
        pytest.param([OUT, IN], OUT, id="out-beats-in"),
        pytest.param([OUT, UNKNOWN], OUT, id="out-beats-unknown"),
        pytest.param([IN, UNKNOWN, OUT], OUT, id="out-beats-all"),
    ],
)
def test_combine_statuses_in_any_order_gives_the_weightiest(statuses: list[Status], expected: Status) -> None:
    """Evidence of OUT_OF_SERVICE beats UNKNOWN, UNKNOWN beats IN_SERVICE, whatever comes first."""
    for order in itertools.permutations(statuses):
        assert combine(Verdict(each) for each in order).status is expected


def test_combine_reasons_keeps_those_of_the_verdict() -> None:
    """Only reasons that speak for the combined status are kept, in their order."""
    a, b, c, other = (Reason.of(catalogue.LINK_DOWN, device=each) for each in ("a", "b", "c", "other"))
    verdicts = [Verdict(OUT, (a,)), Verdict(UNKNOWN, (other,)), Verdict(IN), Verdict(OUT, (b, c))]
    assert combine(verdicts).reasons == (a, b, c)
    assert str(combine(verdicts).reason) == f"{a}; {b}; {c}"


def test_gather_many_targets_with_the_same_problem_is_one_clause() -> None:
    """Sixty tables that nobody may change are one clause, not sixty lines; each problem is said once."""
    denied = Reason.of(catalogue.NOT_CHANGED, operation="ReplaceRoute", code="UnauthorizedOperation")
    problems = {f"rtb-{n:02}": denied for n in range(60)} | {"rtb-99": Reason.of(catalogue.ROUTE_GONE)}
    clauses = [str(each) for each in gather(problems)]
    assert len(clauses) == 2
    assert "rtb-00" in clauses[0]
    assert "57 more" in clauses[0]
    assert "rtb-99" in clauses[1]
    assert gather({}) == ()


def test_change_arguments_are_frozen() -> None:
    """A change cannot be altered after it was planned, not even through the mapping it was made from."""
    arguments: dict[str, str | bool] = {"route_table_id": "rtb-1"}
    change = Change("ReplaceRoute", "rtb-1", old=None, new="eni-a", arguments=arguments)
    arguments["route_table_id"] = "rtb-2"
    assert change.arguments["route_table_id"] == "rtb-1"
    with pytest.raises(TypeError):
        change.arguments["route_table_id"] = "rtb-3"  # type: ignore[index]
