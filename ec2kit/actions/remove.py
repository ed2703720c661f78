"""The action remove takes a resource out of service on this server."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.actions.restore import perform
from ec2kit.engine import own_network
from ec2kit.engine.action import anything_goes
from ec2kit.engine.convergence import Convergence
from ec2kit.engine.instance import verify_instance
from ec2kit.engine.record import Record
from ec2kit.errors import (
    AwsRefused,
    DeadlinePassed,
    Ec2KitError,
    NotBroughtHere,
    OtherInstance,
    Overtaken,
    StateUnusable,
    Unknown,
)
from ec2kit.messages import catalogue
from ec2kit.state.intention import Direction
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.state.intention import Intention
    from ec2kit.status import Change

_REMOVE_RETRIES = 2
"""Maximum retries of a request; few, because remove must not delay a failover."""


def take_out_of_service(action: Action) -> dict[str, tuple[Change, ...]] | None:
    """
    Remove for a person, under LifeKeeper by LifeKeeper; raises the errors of both ways.

    Returns:
        Target → the changes made to it; None if only the log has them.
    """
    return remove(action) if action.lifekeeper is None else perform(action, action.lifekeeper, "remove")


def remove(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Take the resource out of service on this server; never waits for another action.

    A change that AWS does not make is logged and is no failure: the next server's restore takes the address anyway.

    Returns:
        Target → the changes made to it.

    Raises:
        TagUnknown: There is no resource with this tag.
    """
    try:
        resource = action.resource
    except Unknown as error:
        action.log.error(error)
        resource = None
    mine = _declare_down(action)
    if resource is not None:
        _mark_out_of_service(action, mine)
    own_network.leave(action)
    if resource is None or action.scenario.left_by_remove(action.settings):
        return {}
    return _release(action, mine)


def hand_over(action: Action) -> None:
    """
    Write nothing for the resource from now on, and leave it in AWS as it is: another server takes it from here.

    Raises:
        Ec2KitError: A write may still follow, because it cannot be declared that none shall.
    """
    _mark_out_of_service(action, action.intentions.declare(Direction.DOWN, action.deadline))


def _mark_out_of_service(action: Action, mine: Intention | None) -> None:
    """Mark the resource as out of service, unless a restore came meanwhile: then the state of that restore stays."""
    record = Record(action)
    try:
        if mine is None:
            record.out_of_service()
        else:
            action.intentions.settle(mine, record.out_of_service, action.deadline)
    except DeadlinePassed:  # the mutex again
        record.out_of_service()
    except Ec2KitError as error:
        action.log.error(error)
        return
    record.tell("OSU")


def _declare_down(action: Action) -> Intention | None:
    """Declare `down`; if it cannot be written, withdraw the earlier intention, and return None."""
    intentions = action.intentions
    try:
        try:
            return intentions.declare(Direction.DOWN, action.deadline)
        except DeadlinePassed:  # a process that was stopped keeps the mutex, and remove waits for none
            return intentions.override(Direction.DOWN)
    except Ec2KitError as error:
        action.log.error(error)
    with suppress(StateUnusable):
        intentions.withdraw()
    return None


def _release(action: Action, mine: Intention | None) -> dict[str, tuple[Change, ...]]:
    guard = partial(action.intentions.check, mine) if mine is not None else anything_goes
    ec2 = action.ec2(guard=guard, look_retries=_REMOVE_RETRIES, write_retries=_REMOVE_RETRIES, queues=False)
    try:
        verify_instance(action)
        return Convergence(action, ec2, guard=guard).reach(Wanted.NOT_HERE)
    except (Overtaken, OtherInstance) as error:
        action.log.error(error)
    except (Unknown, AwsRefused, NotBroughtHere) as error:
        action.log.put(catalogue.LEFT_ASSOCIATED, address=action.resource.address, reason=error)
    return {}
