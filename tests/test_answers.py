"""What EC2 said, for a person."""

from __future__ import annotations

import pytest

from ec2kit.answers import Route


@pytest.mark.parametrize(
    ("route", "text"),
    [
        pytest.param(Route("10.1.0.10/32", "eni-a", active=True), "eni-a", id="active"),
        pytest.param(Route("10.1.0.10/32", "eni-a", active=False), "eni-a (blackhole)", id="blackhole"),
        pytest.param(Route("10.1.0.10/32", None, active=False), "nothing (blackhole)", id="nothing"),
    ],
)
def test_route_text_says_target_and_blackhole(route: Route, text: str) -> None:
    """A route's target reads as a person would say it."""
    assert route.text == text
