"""Who in a VPC reaches an address: ten layouts, each judged as the VPC user guide says."""

from __future__ import annotations

import pytest

from ec2kit.ec2.answers import Route, SubnetTable
from ec2kit.scenarios.route_table.coverage import judged

VIP = "10.1.0.10/32"
LOCAL = Route("10.0.0.0/16", "local", origin="CreateRouteTable")
OURS = Route(VIP, "eni-1")
OUT = Route("0.0.0.0/0", "igw-1")


def table(*routes: Route, subnets: tuple[str, ...] = ("subnet-1",), is_main: bool = False) -> SubnetTable:
    return SubnetTable("rtb-1", (LOCAL, *routes), subnets, is_main)


@pytest.mark.parametrize(
    ("it", "outcome", "found"),
    [
        pytest.param(table(OURS), "ok", "1 of 1", id="the route"),
        pytest.param(table(OURS, OUT), "ok", "1 of 1", id="the route beside a default route"),
        pytest.param(table(OURS, subnets=(), is_main=True), "ok", "1 of 1", id="the main table, used implicitly"),
        pytest.param(
            table(subnets=(), is_main=True),
            "note",
            "subnets without a table of their own (rtb-1): 10.1.0.10 is not reached: no route leads there",
            id="the main table lacks it",
        ),
        pytest.param(table(), "note", "subnet-1 (rtb-1): 10.1.0.10 is not reached", id="a table lacks it"),
        pytest.param(table(OUT), "note", "0.0.0.0/0 decides, and leads to igw-1", id="the default route decides"),
        pytest.param(
            table(Route("10.1.0.0/16", "vgw-1", origin="EnableVgwRoutePropagation")),
            "note",
            "10.1.0.0/16 decides, and leads to vgw-1 by EnableVgwRoutePropagation",
            id="a propagated route decides",
        ),
        pytest.param(
            table(OURS, Route(VIP, "eni-9", origin="Advertisement")),
            "ok",
            "1 of 1",
            id="the static route counts beside one of a Route Server",
        ),
        pytest.param(table(subnets=()), "ok", "0 of 0", id="a gateway's own table"),
        pytest.param(
            table(OURS, Route("10.1.0.0/24", "pcx-1"), subnets=tuple(f"subnet-{each}" for each in range(8))),
            "ok",
            "1 of 1",
            id="a less specific route to a peer",
        ),
    ],
)
def test_a_layout_is_judged_right(it: SubnetTable, outcome: str, found: str) -> None:
    """The last finding counts what reaches it; one before names who does not, and why."""
    moved = [("rtb-1", VIP)] if OURS in it.routes else []
    first = next(judged("10.1.0.10", [it], moved))
    assert (first.outcome.value, found in first.found) == (outcome, True), first


def test_more_specific_routes_of_a_block_win() -> None:
    """A table that has our route to a wider block, and another one for the address."""
    it = table(Route("10.1.0.0/24", "eni-1"), Route(VIP, "eni-9"))
    first = next(judged("10.1.0.10", [it], [("rtb-1", "10.1.0.0/24")]))
    assert first.outcome.value == "warn"
    assert "10.1.0.10/32 wins over the route to 10.1.0.10, and leads to eni-9" in first.found
