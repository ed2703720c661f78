"""What a server says of itself when another one asks, before that one takes the address."""

from __future__ import annotations

import pytest

from ec2kit.actions import create, dialogue, probe, verify
from ec2kit.peers.answer import QUESTIONS, answer
from ec2kit.state.intention import Direction

from ..builders import Desk, another_process, holding

TAG = "ec2-vip1"


def says(desk: Desk, tag: str = TAG) -> bool | None:
    """Whether the server says that it has the resource in service; None: it knows of none."""
    in_service: bool | None = answer(desk.action("peer").called(tag), ["state", tag], QUESTIONS)["in_service"]
    return in_service


def test_state_in_service_is_yes_and_after_a_remove_no(desk: Desk) -> None:
    """The registry's word, where nobody is at work."""
    desk.registry.mark_in_service(TAG)
    assert says(desk) is True
    desk.registry.mark_out_of_service(TAG)
    assert says(desk) is False


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param(Direction.UP, True, id="restore-runs"),
        pytest.param(Direction.DOWN, False, id="restore-overtaken-by-remove"),
    ],
)
def test_state_while_a_restore_runs_is_yes_until_a_remove_is_wanted(
    wanted: Direction, said: bool, desk: Desk
) -> None:
    """Who is just taking the address must not be taken for one that does not want it; who was told to stop may be."""
    action = desk.action()
    action.intentions.declare(wanted, action.deadline)
    with another_process(holding(f"{desk.settings.run_dir}/{TAG}.writing.lock")):
        assert says(desk) is said


def test_state_a_restore_that_died_is_no(desk: Desk) -> None:
    """What was wanted once, and is done by nobody, is not in service."""
    action = desk.action()
    action.intentions.declare(Direction.UP, action.deadline)
    assert says(desk) is False


def test_state_of_an_unknown_resource_is_neither(desk: Desk) -> None:
    """A server that has lost its registry has not said no."""
    assert says(desk, "ec2-none") is None


def test_a_question_is_declared_once() -> None:
    """By this room or by the one action that asks it; otherwise one would take the place of another unseen."""
    tables = (QUESTIONS, verify.PEER_QUESTIONS, probe.PEER_QUESTIONS, create.PEER_QUESTIONS, dialogue.PEER_QUESTIONS)
    names = [name for table in tables for name in table]
    assert len(names) == len(set(names)) == 20
