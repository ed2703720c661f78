"""What Patroni's words mean, as the real Patroni says them."""

from __future__ import annotations

import itertools

import pytest

from ec2kit.errors import UsageError
from ec2kit.frameworks.patroni.event import DOWN, UP, read

EVENTS = ("on_start", "on_role_change", "on_restart", "on_stop", "on_reload")
ROLES = ("primary", "master", "promoted", "standby_leader", "replica", "demoted", "uninitialized")
LEADING = ROLES[:4]


def test_only_a_leader_that_does_not_stop_has_the_address() -> None:
    """Whatever else happens to a member takes the address out of service there; a reload moves nothing."""
    for event, role in itertools.product(EVENTS, ROLES):
        up = event in ("on_start", "on_role_change", "on_restart") and role in LEADING
        expected = "" if event == "on_reload" else UP if up else DOWN
        assert read(event, role, "demo").deed == expected, (event, role)


@pytest.mark.parametrize(
    "words", [("on_fire", "replica"), ("on_start", "leader"), ("", ""), ("on_start\n", "replica")]
)
def test_words_that_are_none_of_patronis_are_a_usage_error(words: tuple[str, str]) -> None:
    """A later Patroni that says something new is not taken for anything known."""
    with pytest.raises(UsageError):
        read(*words, "demo")
