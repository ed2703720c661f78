"""What EC2 said, for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ec2kit.ec2.answers import Route, addresses, route_tables


@pytest.mark.parametrize(
    ("route", "text"),
    [
        pytest.param(Route("10.1.0.10/32", "eni-a"), "eni-a", id="active"),
        pytest.param(Route("10.1.0.10/32", "eni-a", "blackhole"), "eni-a (blackhole)", id="blackhole"),
        pytest.param(Route("10.1.0.10/32", None, "blackhole"), "nothing (blackhole)", id="nothing"),
    ],
)
def test_route_text_says_target_and_blackhole(route: Route, text: str) -> None:
    """A route's target reads as a person would say it."""
    assert route.text == text


ROUTE = {"DestinationCidrBlock": "10.1.0.10/32", "NetworkInterfaceId": "eni-a", "State": "active"}
PAGE: dict[str, Any] = {"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [ROUTE]}], "NextToken": "t"}
ADDRESS = {
    "PublicIp": "203.0.113.10",
    "AllocationId": "eipalloc-1",
    "AssociationId": "eipassoc-1",
    "NetworkInterfaceId": "eni-a",
    "PrivateIpAddress": "10.0.1.11",
}
TWICE = ["one", "other"]


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        *(
            pytest.param(
                route_tables, {"RouteTables": [{"RouteTableId": "r", "Routes": [{**ROUTE, name: TWICE}]}]}, id=name
            )
            for name in ROUTE
        ),
        pytest.param(route_tables, {"RouteTables": [{"RouteTableId": TWICE, "Routes": []}]}, id="table"),
        pytest.param(route_tables, {"RouteTables": [], "NextToken": TWICE}, id="token"),
        *(pytest.param(addresses, {"Addresses": [{**ADDRESS, name: TWICE}]}, id=name) for name in ADDRESS),
    ],
)
def test_a_field_that_stands_there_twice_is_no_answer(read: Callable[[Any], object], answer: Any) -> None:
    """Two objects that ran into one, since something between them was lost, are neither of them."""
    assert read(PAGE if read is route_tables else {"Addresses": [ADDRESS]})
    with pytest.raises(TypeError):
        read(answer)
