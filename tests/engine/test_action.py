"""What one action works with."""

from __future__ import annotations

import pytest

from ec2kit.errors import OwnTrouble, RegistryEmpty
from ec2kit.messages import catalogue

from ..builders import ELASTIC_IP, Desk, a_resource, raises


def test_resource_given_comes_before_the_registry(desk: Desk) -> None:
    """A definition that the registry does not have yet can be acted on."""
    given = a_resource(ELASTIC_IP, tag="ec2-new")
    about = desk.action("create").about(given, seconds=5)
    assert about.resource is given
    assert about.tag == "ec2-new"
    assert about.deadline.seconds == 5


def test_resource_not_in_the_registry_raises_what_it_says(desk: Desk) -> None:
    """Where nothing is kept, that is the trouble."""
    desk.registry.remove("ec2-vip1")
    with pytest.raises(RegistryEmpty):
        assert desk.action().resource


def test_server_that_the_resource_does_not_know_raises(desk: Desk) -> None:
    """A server to which the resource was not extended is told so."""
    desk.set(server="server-z")
    with raises(OwnTrouble, catalogue.SERVER_UNKNOWN, match="server-z"):
        assert desk.action().server


def test_begin_and_end_are_logged_with_the_duration(desk: Desk) -> None:
    """Every action logs that it begins and how it ended, after how long."""
    action = desk.action("restore")
    action.begin()
    action.deadline.clock.sleep(1.5)
    action.end("2 changes")
    assert desk.lines.of(catalogue.BEGIN) == ['BEGIN restore of "ec2-vip1" on server-a']
    assert desk.lines.of(catalogue.END_SUCCESSFUL) == ['END successful restore of "ec2-vip1" after 1.50 s: 2 changes']


def test_fail_is_logged_with_the_reason(desk: Desk) -> None:
    """A failure says why."""
    desk.action("restore").fail("it broke")
    assert desk.lines.of(catalogue.END_FAILED) == ['END failed restore of "ec2-vip1" after 0.00 s: it broke']
