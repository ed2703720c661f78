"""Pacemaker's operations start, stop and monitor have OCF's names, and call the actions of the core."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError, ImdsSilent, StillHere
from ec2kit.frameworks import edge
from ec2kit.frameworks.pacemaker import handover
from ec2kit.frameworks.pacemaker.agents import Agent, Given
from ec2kit.frameworks.pacemaker.call import Call
from ec2kit.frameworks.pacemaker.local import Local
from ec2kit.messages import catalogue, stderr
from ec2kit.messages.catalogue import Message
from ec2kit.state import memory
from ec2kit.state.intention import Direction
from ec2kit.status import Status

if TYPE_CHECKING:
    from ec2kit.finding import Finding

_LATEST = 1.5
"""Number of intervals after which a check counts as missed."""

_USUAL_INTERVAL = 60.0
"""Seconds between two monitors if Pacemaker does not give them, as when a person calls monitor by hand."""


class Rc(IntEnum):
    """The OCF statuses that the agents use."""

    SUCCESS = 0
    ERR_GENERIC = 1
    ERR_ARGS = 2
    ERR_UNIMPLEMENTED = 3
    ERR_INSTALLED = 5
    ERR_CONFIGURED = 6
    NOT_RUNNING = 7


@dataclass(frozen=True)
class Ended:
    """
    The end of an operation.

    Attributes:
        note: A reason or a result.
        is_unexpected: True: a resource does not run that should; the reason is for Pacemaker's own tools, too.
    """

    rc: Rc
    note: str = ""
    is_unexpected: bool = False


@dataclass
class Operation:
    """One operation on one resource, with its context."""

    action: Action
    given: Given
    call: Call
    agent: Agent
    local: Local

    def remark(self) -> None:
        """Log the parameters that are ignored, and that actions/agent looks for intentions in another folder."""
        if self.given.without_meaning:
            self.action.log.put(catalogue.PARAMETERS_WITHOUT_MEANING, names=", ".join(self.given.without_meaning))
        if self.given.unknown:
            names = ", ".join(self.given.unknown)
            self.action.log.put(catalogue.PARAMETERS_UNKNOWN, names=names, agent=f"ocf:ec2kit:{self.agent.name}")
        expected, run_dir = self.call.intentions_expected_in, self.action.settings.run_dir
        if expected and os.path.realpath(expected) != os.path.realpath(run_dir):
            self.action.log.put(catalogue.INTENTIONS_ELSEWHERE, expected=expected, run_dir=run_dir)


# -- start and stop --------------------------------------------------------------------------------------------


def start(operation: Operation) -> Ended:
    """
    Put the address on the interface, then move it here in AWS; if that fails, take it off the interface again.

    The end is a look at the server itself, because a manager of the network may take off again what start put on.

    Raises:
        Ec2KitError: The resource is not in service here, or its state is unknown.
    """
    from ec2kit.actions import restore

    action = operation.action
    put: list[str] = []

    def first() -> None:
        operation.local.put_on(put)
        operation.local.put_way_on()

    operation.remark()
    handover.end(action)
    _wait_for_metadata(action)
    try:
        made = restore.restore(action, first=first)
        operation.local.await_packets()
    except BaseException:
        if put:
            operation.local.take_off(put)
        raise
    if len(put) < len(operation.given.on_the_device):
        operation.local.put_on([])  # what was there before, another resource may have taken off meanwhile
    _remember_in_service(action)
    return Ended(Rc.SUCCESS, f"{len(made)} changed" if made else "nothing to change")


def _wait_for_metadata(action: Action) -> None:
    """
    Wait until IMDS has told this server's place: the first start in a boot may come before IMDS answers.

    Raises:
        ImdsSilent: IMDS does not answer before the deadline.
    """
    from ec2kit.ec2.request import pause_after

    for attempt in count(1):
        try:
            action.registry.load(action.tag)  # action.resource would ask only once
        except ImdsSilent as error:
            pause = pause_after(attempt)
            if pause >= action.deadline.remaining():
                raise
            fields = {"operation": "the question to IMDS", "attempt": attempt + 1, "seconds": f"{pause:.2f}"}
            action.log.put(catalogue.RETRYING, reason=error, **fields)
            action.deadline.pause(pause, "asking IMDS again")
        else:
            return


def _remember_in_service(action: Action) -> None:
    """Remember for monitor that this server is in service now, as start or a repair has seen."""
    folder = action.settings.run_dir
    try:
        kept = memory.recall(folder, action.tag)
        memory.remember(folder, action.tag, kept._replace(in_service_at=action.deadline.clock.now()))
    except Ec2KitError as error:
        action.log.error(error)


def stop(operation: Operation) -> Ended:
    """
    Take the address off the interface first, then remove the rest; a change that AWS does not make is no failure.

    After `migrate_to` the address stays on as long as packets arrive for it.

    Raises:
        StillHere: The address or the marker may still be here.
    """
    from ec2kit.actions import remove

    action = operation.action
    if handover.is_under_way(action):
        operation.local.wait_for_last_packet()
    operation.local.take_off()
    _unmark(action)
    made = remove.remove(action)
    if not operation.local.take_off() or action.registry.in_service(
        action.tag
    ):  # again: a start may have been under way
        raise StillHere(address=operation.given.address)
    handover.end(action)
    changed = f"{len(made)} changed" if made else "nothing changed in AWS"
    stays = [f"{address} stays on for {tag}" for address, tag in operation.local.shared.items()]
    return Ended(Rc.SUCCESS, "; ".join([changed, *stays]))


def migrate_to(operation: Operation) -> Ended:
    """
    Let another server take the resource over, and keep the address on; `stop` takes it off.

    Raises:
        Ec2KitError: This server might still write for the resource.
    """
    from ec2kit.actions import remove

    action = operation.action
    if not operation.local.is_here():
        return Ended(Rc.NOT_RUNNING, "it does not run here", is_unexpected=True)
    handover.begin(action)
    remove.hand_over(action)
    return Ended(Rc.SUCCESS, "the address stays on until stop")


def _unmark(action: Action) -> None:
    try:
        action.registry.forget_state(action.tag)
    except Ec2KitError as error:
        action.log.error(error)


# -- monitor ---------------------------------------------------------------------------------------------------


def monitor(operation: Operation) -> Ended:
    """Tell whether the resource runs here; only then AWS is asked, and only an answer counts."""
    local, call = operation.local, operation.call
    is_expected = call.interval != 0 and not call.stands_by  # a probe looks only, and changes nothing
    repairs = is_expected and not operation.action.settings.no_local_repair
    if local.is_here():
        return _check(operation, repairs=repairs)
    if is_expected and local.was_taken_off:
        return _taken_off(operation) if repairs else _missing(operation, "EC2_NO_LOCAL_REPAIR is set")
    return _stand_by(operation) if call.stands_by else Ended(Rc.NOT_RUNNING, "it does not run here")


def _taken_off(operation: Operation) -> Ended:
    """
    Put the address on again that something else took off this server, if AWS says that it belongs here.

    A server that has just been in service does so before it asks, so that the clients do not wait for AWS. A server
    that missed a check asks first, because another server may have taken over meanwhile.
    """
    from ec2kit.actions import quick_check

    action = operation.action
    if not _was_just_here(operation, _unseen(action)):
        checked = quick_check.quick_check(action)
        if checked.verdict.status is not Status.IN_SERVICE:
            return _missing(operation, str(checked.verdict.reason))
    try:
        told = operation.local.put_back()
    except Ec2KitError as error:
        return _missing(operation, str(error))
    if told is None:
        return Ended(Rc.NOT_RUNNING, "it is being stopped")
    _warn_pacemaker(told[0], **told[1])
    return _check(operation, repairs=True)


def _missing(operation: Operation, reason: str) -> Ended:
    """Report that the address is no longer here, although nothing stopped it."""
    fields = {"device": operation.given.carrier, "address": operation.given.address, "reason": reason}
    operation.action.log.put(catalogue.ADDRESS_MISSED, **fields)
    return Ended(Rc.NOT_RUNNING, catalogue.ADDRESS_MISSED.render(**fields), is_unexpected=True)


def _check(operation: Operation, *, repairs: bool) -> Ended:
    """Check a resource that runs here: its way on this server first, then AWS."""
    from ec2kit.actions import quick_check

    action = operation.action
    unseen = _unseen(action)
    if repairs and (told := operation.local.put_way_back()):
        _warn_pacemaker(told[0], **told[1])
    checked = quick_check.quick_check(action)
    if checked.says_no:
        _tell_standby_that_has_it(operation)
        return _lost(operation, unseen, str(checked.verdict.reason))
    _adopt(operation)
    if checked.busy or checked.verdict.status is Status.IN_SERVICE:
        return Ended(Rc.SUCCESS, "busy" if checked.busy else "")
    _tell_unknown(operation)
    return Ended(Rc.SUCCESS, "UNKNOWN, taken as in service")


def _adopt(operation: Operation) -> None:
    """Adopt a resource that runs here without a start in this boot: record it as start would have done."""
    action = operation.action
    try:
        if action.intentions.current() is not None:
            return
        mine = action.intentions.declare(Direction.UP, action.deadline, unless=Direction.DOWN)
        action.intentions.settle(mine, partial(action.registry.mark_in_service, action.tag), action.deadline)
        action.log.put(catalogue.ADOPTED, device=operation.given.carrier, address=operation.given.address)
    except Ec2KitError as error:
        action.log.error(error)


def _warn_pacemaker(message: Message, **fields: object) -> None:
    """Write a line for Pacemaker's own log, the only one there of a monitor that did not fail."""
    stderr.say(message.level, f"{message.level.value}: {message.render(**fields)}")


def _tell_unknown(operation: Operation) -> None:
    known = memory.recall(operation.action.settings.run_dir, operation.action.tag)
    age = known.age(operation.action.deadline.clock.now())
    fields = {"count": known.unknown_count, "age": f"{age:.0f}", "reason": known.reason}
    _warn_pacemaker(catalogue.STATUS_UNKNOWN, address=operation.given.address, **fields)


def _unseen(action: Action) -> float:
    """Return the seconds since the address was seen in service here; infinite if never in this boot."""
    in_service_at = memory.recall(action.settings.run_dir, action.tag).in_service_at
    passed = action.deadline.clock.now() - in_service_at
    return passed if in_service_at and passed >= 0 else math.inf


def _lost(operation: Operation, unseen: float, reason: str) -> Ended:
    """Take a lost address back if that is permitted; otherwise, or if it fails, return the failure."""
    from ec2kit.actions import recover

    if not (operation.given.repairs and _may_repair(operation, unseen)):
        return Ended(Rc.ERR_GENERIC, reason)
    try:
        recover.recover(operation.action)
    except Ec2KitError as error:
        operation.action.log.error(error)
        return Ended(Rc.ERR_GENERIC, f"{reason}; not repaired: {error}")
    _remember_in_service(operation.action)
    operation.action.log.put(catalogue.REPAIRED, address=operation.given.address)
    return Ended(Rc.SUCCESS, "repaired")


def _may_repair(operation: Operation, unseen: float) -> bool:
    """
    Tell whether monitor may take the address back.

    A probe must change nothing. A server that missed a check must not either, because it may have been suspended, and
    another server may have taken over.
    """
    if operation.call.interval == 0:
        return False
    if _was_just_here(operation, unseen):
        return True
    when = "never yet" if math.isinf(unseen) else f"{unseen:.0f} s ago"
    operation.action.log.put(catalogue.NOT_REPAIRED, address=operation.given.address, when=when)
    return False


def _was_just_here(operation: Operation, unseen: float) -> bool:
    """Tell whether the last check that had an answer is not too old."""
    return unseen <= _LATEST * (operation.call.interval or _USUAL_INTERVAL)


def _tell_standby_that_has_it(operation: Operation) -> None:
    """Say that an address is on a server which has not started it, as by a file of the network's configuration."""
    action, given = operation.action, operation.given
    if given.manages_address and not action.registry.in_service(action.tag):
        fields = {"device": given.carrier, "address": given.address}
        action.log.put(catalogue.ADDRESS_ON_STANDBY, **fields)
        _warn_pacemaker(catalogue.ADDRESS_ON_STANDBY, **fields)


def _stand_by(operation: Operation) -> Ended:
    """Look whether this server could take over; findings are logged, and are never a failure."""
    from ec2kit.checks import standby
    from ec2kit.frameworks.pacemaker import leaving

    found: list[Finding] = []
    carrier, manages = operation.given.carrier, operation.given.manages_address
    try:
        found = standby.findings(operation.action, address_device=carrier, brings_its_way=manages, stands_by=manages)
        leaving.note_readiness(operation.action.settings.run_dir, operation.action.tag, found)
    except Exception as error:  # a fault here says nothing about the resource
        edge.unexpected(operation.action.log, error)
    for each in found:
        fields = {"check": each.check, "found": each.found, "advice": each.advice}
        operation.action.log.put(catalogue.NOT_READY, **fields)
        _warn_pacemaker(catalogue.NOT_READY, **fields)
    return Ended(Rc.NOT_RUNNING, f"it stands by: {len(found)} findings")


def validate(operation: Operation) -> Ended:
    """Return success, because the parameters have been read; AWS is not asked."""
    operation.remark()
    return Ended(Rc.SUCCESS)
