"""The undo of a create, on a pretended EC2."""

from __future__ import annotations

from ec2kit.actions.undo import Journal, undo_create
from ec2kit.ec2.attempt import no_tls, wrong_certificate
from ec2kit.messages import catalogue

from ..builders import ENI_A, ENI_B, Desk


def test_undo_repeats_a_write_that_did_not_leave(desk: Desk) -> None:
    """A handshake that is slow once leaves no route behind."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.refusing = {"rtb-1": no_tls("ReplaceRoute", "ec2.test", "no answer in time")}
    desk.ec2.before_look = lambda number: desk.ec2.refusing.clear() if number == 2 else None
    action = desk.action("create").about(desk.resource)
    journal = Journal(action)
    journal.before = {"rtb-1": ENI_B}
    assert undo_create(action, journal) == ""
    assert desk.ec2.routes == {"rtb-1": ENI_B}
    assert len(desk.lines.of(catalogue.CHANGE_TO_BE_REPEATED)) == 1


def test_undo_that_only_a_person_can_help_names_what_is_left(desk: Desk) -> None:
    """The object and its former place are in the message."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.refusing = {"rtb-1": wrong_certificate("ReplaceRoute", "ec2.test", "self-signed")}
    action = desk.action("create").about(desk.resource)
    journal = Journal(action)
    journal.before = {"rtb-1": ENI_B}
    assert f"rtb-1 at {ENI_B}" in undo_create(action, journal)
    assert len(desk.lines.of(catalogue.UNDO_FAILED)) == 1
