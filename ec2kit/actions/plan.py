"""
A plan tells what an action would do, and does nothing: neither AWS, nor a note, an intention or a token is written.

Each function here has the order of its action, and takes the same decisions by the same functions.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ec2kit.engine.foresight import AWS, Foreseen, Step, foresee
from ec2kit.engine.instance import verify_instance
from ec2kit.engine.judgement import LOOK_RETRIES
from ec2kit.engine.record import Record
from ec2kit.errors import ArgumentInvalid, Ec2KitError, OtherInstance, StateUnusable
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Level
from ec2kit.messages.log import Log
from ec2kit.messages.statement import Reason
from ec2kit.peers.foreseen import Foreseeing, described
from ec2kit.state.intention import Direction
from ec2kit.status import Change, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ec2kit.actions.wish import Wish
    from ec2kit.engine.action import Action
    from ec2kit.messages.statement import Statement


class Notes(Log):
    """
    Keeps what an action would log, and writes nothing.

    Attributes:
        warnings: What has a level of WARN or more.
    """

    def __init__(self) -> None:
        super().__init__(action="", tag="")
        self.warnings: list[Statement] = []

    def _say(self, statement: Reason, *, told: bool) -> None:
        if statement.message.level not in (Level.INFO, Level.NOTIFY):
            self.warnings.append(statement)


def _only_looking(action: Action, look: Callable[[Action], Foreseen]) -> Foreseen:
    """Look by an action that writes nothing; its refusal is a part of the plan, and so is what it would log."""
    notes = Notes()
    try:
        settings = action.settings._replace(only_looks=True)
        found = look(action._replace(log=notes, settings=settings, recorder=None))
    except Ec2KitError as error:
        found = Foreseen(error=error)
    known = {str(found.error), *(str(reason) for step in found.steps for reason in step.reasons)}
    others = {str(each): each for each in (*found.notices, *notes.warnings) if str(each) not in known}
    return found._replace(notices=tuple(others.values()))


# -- restore, remove, recover --------------------------------------------------------------------------------------


def restore(action: Action) -> Foreseen:
    """Return what restore would do; under LifeKeeper, what its hook does on this resource."""
    return _only_looking(action, lambda alike: _by_lifekeeper(alike, _restore(alike)))


def _restore(action: Action, *prepared: Change) -> Foreseen:
    from ec2kit.actions.restore import earlier_direction, first_writes, must_be_topmost

    must_be_topmost(action)
    server, earlier, was_here = action.server, earlier_direction(action), Record(action).was_in_service()
    begins_with = first_writes(action, earlier, was_here=was_here)
    try:
        verify_instance(action)
        ec2 = action.ec2(look_retries=LOOK_RETRIES)
        found = foresee(
            action, ec2, server, Wanted.HERE, first_writes=begins_with, prepared=prepared, has_companion=True
        )
    except OtherInstance as error:
        found = Foreseen(error=error)
    is_made = any(each.is_made for each in found.steps)
    if found.error is not None and was_here and found.is_unknown and not is_made:
        return found
    return _then(found, _records(action, Direction.UP, "ISP" if found.error is None else "OSF"))


def _by_lifekeeper(action: Action, found: Foreseen) -> Foreseen:
    """Return what was found behind the call by which a person lets LifeKeeper run the action."""
    if action.lifekeeper is None:
        return found
    why = (Reason.of(catalogue.PLAN_ASKED_FOR),)
    return found._replace(steps=(Step(True, "LifeKeeper", action.name, action.tag, reasons=why), *found.steps))


def remove(action: Action) -> Foreseen:
    """Return what remove would do; what AWS does not do is no failure of it."""
    return _only_looking(action, lambda alike: _by_lifekeeper(alike, _remove(alike)))


def _remove(action: Action) -> Foreseen:
    resource, server = action.resource, action.server
    recorded = Foreseen(_records(action, Direction.DOWN, "OSU"))
    if action.scenario.left_by_remove(action.settings):
        left = Step(False, AWS, "", resource.address, reasons=(Reason.of(catalogue.PLAN_LEFT),))
        return _then(recorded, (left,))
    try:
        verify_instance(action)
        found = foresee(action, action.ec2(look_retries=LOOK_RETRIES), server, Wanted.NOT_HERE)
    except OtherInstance as error:
        left = Step(False, AWS, "", server.network_interface_id, reasons=(error,))
        return _then(recorded, (left,))
    return found._replace(steps=(*recorded.steps, *found.steps))


def recover(action: Action) -> Foreseen:
    """Return what recover would do; the owner of what would be changed is asked, as by the action."""
    return _only_looking(action, _recover)


def _recover(action: Action) -> Foreseen:
    from ec2kit.actions.recover import ask_owners, must_be_in_service

    server, takes = action.server, action.settings.recover_take_from_peer
    must_be_in_service(action)
    action.intentions.must_not_want(Direction.DOWN)
    verify_instance(action)
    ec2, permit = action.ec2(look_retries=LOOK_RETRIES), None if takes else partial(ask_owners, action)
    return foresee(action, ec2, server, Wanted.HERE, permit=permit, conditional=not takes, has_companion=True)


def _then(found: Foreseen, steps: tuple[Step, ...]) -> Foreseen:
    return found._replace(steps=(*found.steps, *steps))


def _records(action: Action, direction: Direction, state: str) -> tuple[Step, ...]:
    """Return what this server would note: what is wanted, if the opposite was, and the state in which it ends."""
    server, tag = action.registry.server, action.tag
    why = (Reason.of(catalogue.PLAN_RECORDED, server=server),)
    steps: tuple[Step, ...] = ()
    try:
        wanted = action.intentions.current()
        if wanted is not None and wanted.direction is not direction:
            steps = (Step(True, server, "intention", tag, wanted.direction.value, direction.value, why),)
        present = action.registry.state(tag)
    except StateUnusable as error:
        return (*steps, Step(False, server, "state", tag, None, state, (error,)))
    if present == state:
        why = (Reason.of(catalogue.PLAN_AS_WANTED),)
    return (*steps, Step(present != state, server, "state", tag, present, state, why))


# -- create and the other changes of definitions -------------------------------------------------------------------


def create(action: Action, server: str | None, wish: Wish) -> Foreseen:
    """Return what create would do after the same checks, whose findings are among the notices."""
    return _only_looking(action, lambda alike: _create(alike, server, wish))


def _create(action: Action, server: str | None, wish: Wish) -> Foreseen:
    from ec2kit.actions.create import preflight_of
    from ec2kit.actions.wish import understood
    from ec2kit.checks import frame
    from ec2kit.engine.trace import Trace

    if server not in (None, action.registry.server):
        raise ArgumentInvalid(name="server", reason=f"a plan looks from its own server; make it on {server}")
    if Trace(action.settings, action.tag).is_there:
        reason = f"an earlier create of {action.tag} was cut off, and the next create undoes it first"
        raise ArgumentInvalid(name="tag", reason=reason)
    preflight = preflight_of(action, understood(action, wish))
    frame.run(preflight)
    if preflight.seen.unknown is not None:
        raise preflight.seen.unknown
    made = preflight.resource
    why = (Reason.of(catalogue.PLAN_ASKED_FOR),)
    definition = Step(True, action.registry.server, "definition", made.tag, None, described(made), why)
    found = _restore(action.about(made), *preflight.making.preparations(preflight.given, preflight.seen))
    return found._replace(steps=(definition, *found.steps))


def extend(
    action: Action, template_system: str, *, priority: int, switchback: str | None, device: str | None
) -> Foreseen:
    """Return what extend would do after the same checks."""
    from ec2kit.actions.extend import extend as do

    extended = partial(do, priority=priority, switchback=switchback, device=device)
    return _definitions(action, lambda alike, changing: extended(alike, template_system, changing=changing))


def unextend(action: Action, name: str, *, lost: bool) -> Foreseen:
    """Return what unextend would do."""
    from ec2kit.actions.unextend import unextend as do

    return _definitions(action, lambda alike, changing: do(alike, name, lost=lost, changing=changing))


def delete(action: Action, *, local: bool) -> Foreseen:
    """Return what delete would do."""
    from ec2kit.actions.delete import delete as do

    if local:
        return _only_looking(action, _forget)
    return _definitions(action, lambda alike, changing: do(alike, changing=changing))


def _forget(action: Action) -> Foreseen:
    has, why = action.registry.has(action.tag), (Reason.of(catalogue.PLAN_ASKED_FOR),)
    return Foreseen((Step(has, action.registry.server, "definition", action.tag, "here", None, why),))


def set_property(action: Action, name: str, value: str, *, server: str | None) -> Foreseen:
    """Return what set would do."""
    from ec2kit.actions.set import change as do

    return _definitions(action, lambda alike, changing: do(alike, name, value, server=server, changing=changing))


def _definitions(action: Action, change: Callable[[Action, Foreseeing], object]) -> Foreseen:
    """Run an action whose changes of definitions are only foreseen."""
    foreseeing = Foreseeing()

    def look(alike: Action) -> Foreseen:
        change(alike, foreseeing)
        return Foreseen(tuple(foreseeing.steps))

    return _only_looking(action, look)
