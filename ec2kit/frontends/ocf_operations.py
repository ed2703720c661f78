"""What Pacemaker's operations do: start, stop, monitor; the words are OCF's, the deeds the core's."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from itertools import count

from ec2kit import edge, log, memory, messages
from ec2kit.action import Action
from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, ImdsSilent, OwnTrouble, StillHere
from ec2kit.frontends.ocf_agents import Agent, Given
from ec2kit.frontends.ocf_call import Call
from ec2kit.intention import Direction
from ec2kit.messages import Message
from ec2kit.nic import Nic
from ec2kit.status import Status

_MOMENT = 1.0
"""Seconds for looking at this server, and for taking an address off, even when no time is left."""

_LATEST = 1.5
"""Intervals after which a check is missing."""

_USUAL_INTERVAL = 60.0
"""Seconds between two monitors where Pacemaker does not say; a person calls it by hand."""


class Rc(IntEnum):
    """OCF's statuses, as far as they are used here."""

    SUCCESS = 0
    ERR_GENERIC = 1
    ERR_ARGS = 2
    ERR_UNIMPLEMENTED = 3
    ERR_INSTALLED = 5
    ERR_CONFIGURED = 6
    NOT_RUNNING = 7


@dataclass(frozen=True)
class Ended:
    """How an operation ended: OCF's status, and why, or what it found."""

    rc: Rc
    note: str = ""


@dataclass
class Operation:
    """One operation on one resource, with all that it works with."""

    action: Action
    given: Given
    call: Call
    agent: Agent

    def is_here(self) -> bool:
        """Whether the resource runs here, by what this server itself shows; AWS is not asked."""
        if self.given.manages_address:
            try:
                return self._nic.has(self.given.address, self._soon)
            except OwnTrouble as error:
                fields = {"device": self.given.device, "address": self.given.address, "reason": str(error)}
                self.action.log.put(messages.EVIDENCE_UNSEEN, **fields)
        return self.action.registry.in_service(self.action.tag)

    def put_on(self) -> bool:
        """Let the interface have the address; False if it is not ours to manage, or was there."""
        given, deadline = self.given, self.action.deadline
        put = given.manages_address and self._nic.put_on(given.address, deadline, label=given.label)
        if put:
            self.action.log.put(messages.ADDRESS_PUT_ON, device=given.device, address=given.address)
        return put

    def take_off(self) -> bool:
        """Let the interface have the address no more; False if that is not certain."""
        given = self.given
        if not given.manages_address:
            return True
        try:
            taken = self._nic.take_off(given.address, self._soon)
        except OwnTrouble as error:
            fields = {"device": given.device, "address": given.address, "reason": str(error)}
            self.action.log.put(messages.ADDRESS_STAYS_ON, **fields)
            return False
        if taken:
            self.action.log.put(messages.ADDRESS_TAKEN_OFF, device=given.device, address=given.address)
        return True

    def remark(self) -> None:
        """Tell of parameters that were given in vain."""
        if self.given.without_meaning:
            self.action.log.put(messages.PARAMETERS_WITHOUT_MEANING, names=", ".join(self.given.without_meaning))
        if self.given.unknown:
            names = ", ".join(self.given.unknown)
            self.action.log.put(messages.PARAMETERS_UNKNOWN, names=names, agent=f"ocf:ec2kit:{self.agent.name}")

    @property
    def _nic(self) -> Nic:
        return Nic(self.given.device, self.action.settings)

    @property
    def _soon(self) -> Deadline:
        return Deadline(max(_MOMENT, self.action.deadline.remaining()))


# -- start and stop --------------------------------------------------------------------------------------------


def start(operation: Operation) -> Ended:
    """
    Put the address on, then move it here; an address that was put on in vain is taken off again.

    Raises:
        Ec2KitError: It is not in service here, or that cannot be said.
    """
    from ec2kit import service

    action, put = operation.action, False

    def first() -> None:
        nonlocal put
        put = operation.put_on()

    operation.remark()
    _wait_for_metadata(action)
    try:
        made = service.restore(action, first=first)
    except BaseException:
        if put:
            operation.take_off()
        raise
    _remember_in_service(action)
    return Ended(Rc.SUCCESS, f"{len(made)} changed" if made else "nothing to change")


def _wait_for_metadata(action: Action) -> None:
    """
    Ask again until the deadline where this server is: the first start in a boot may come before IMDS answers.

    Raises:
        ImdsSilent: It does not answer in time.
    """
    from ec2kit.aws import pause_after

    for attempt in count(1):
        try:
            action.registry.load(action.tag)  # action.resource asks once only
        except ImdsSilent as error:
            pause = pause_after(attempt)
            if pause >= action.deadline.remaining():
                raise
            fields = {"operation": "the question to IMDS", "attempt": attempt + 1, "seconds": f"{pause:.2f}"}
            action.log.put(messages.RETRYING, reason=error, **fields)
            action.deadline.pause(pause, "asking IMDS again")
        else:
            return


def _remember_in_service(action: Action) -> None:
    """Start and a repair have looked, so for monitor this server was in service a moment ago."""
    folder = action.settings.run_dir
    try:
        memory.remember(folder, action.tag, memory.recall(folder, action.tag)._replace(in_service_at=time.time()))
    except Ec2KitError as error:
        action.log.error(error)


def stop(operation: Operation) -> Ended:
    """
    Take the address off first, then give up the rest; what AWS does not do is no failure.

    Raises:
        StillHere: The address, or the marker, may still be here.
    """
    from ec2kit import service

    action = operation.action
    operation.take_off()
    _unmark(action)
    made = service.remove(action)
    if not operation.take_off() or action.registry.in_service(action.tag):  # again: a start may have been under way
        raise StillHere(address=operation.given.address)
    return Ended(Rc.SUCCESS, f"{len(made)} changed" if made else "nothing changed in AWS")


def _unmark(action: Action) -> None:
    try:
        action.registry.forget_state(action.tag)
    except Ec2KitError as error:
        action.log.error(error)


# -- monitor ---------------------------------------------------------------------------------------------------


def monitor(operation: Operation) -> Ended:
    """Tell whether the resource runs here; AWS is asked only where it does, and believed only if it answers."""
    if not operation.is_here():
        return _stand_by(operation) if operation.call.stands_by else Ended(Rc.NOT_RUNNING, "it does not run here")
    from ec2kit import judgement

    action = operation.action
    unseen = _unseen(action)
    checked = judgement.quick_check(action)
    if checked.says_no:
        return _lost(operation, unseen, checked.verdict.reason)
    _adopt(operation)
    if checked.busy or checked.verdict.status is Status.IN_SERVICE:
        return Ended(Rc.SUCCESS, "busy" if checked.busy else "")
    _tell_unknown(operation)
    return Ended(Rc.SUCCESS, "UNKNOWN, taken as in service")


def _adopt(operation: Operation) -> None:
    """What runs here without a start in this boot is written down as start would have done it."""
    action = operation.action
    try:
        if action.intentions.current() is not None:
            return
        mine = action.intentions.declare(Direction.UP, action.deadline, unless=Direction.DOWN)
        action.intentions.settle(mine, partial(action.registry.mark_in_service, action.tag), action.deadline)
        action.log.put(messages.ADOPTED, device=operation.given.device, address=operation.given.address)
    except Ec2KitError as error:
        action.log.error(error)


def _warn_pacemaker(message: Message, **fields: object) -> None:
    """A line for Pacemaker's own log, which gets nothing else of a monitor that did not fail."""
    log.to_stderr(message.level, f"{message.level.value}: {message.render(**fields)}")


def _tell_unknown(operation: Operation) -> None:
    known = memory.recall(operation.action.settings.run_dir, operation.action.tag)
    fields = {"count": known.unknown_count, "age": f"{known.age:.0f}", "reason": known.reason}
    _warn_pacemaker(messages.STATUS_UNKNOWN, address=operation.given.address, **fields)


def _unseen(action: Action) -> float:
    """Seconds since the address was last seen in service here; infinite if it never was, or the clock was set."""
    in_service_at = memory.recall(action.settings.run_dir, action.tag).in_service_at
    passed = time.time() - in_service_at
    return passed if in_service_at and passed >= 0 else math.inf


def _lost(operation: Operation, unseen: float, reason: str) -> Ended:
    """The address is elsewhere: a failure, unless it may be taken back and is."""
    from ec2kit import service

    if not (operation.given.repairs and _may_repair(operation, unseen)):
        return Ended(Rc.ERR_GENERIC, reason)
    try:
        service.recover(operation.action)
    except Ec2KitError as error:
        operation.action.log.error(error)
        return Ended(Rc.ERR_GENERIC, f"{reason}; not repaired: {error}")
    _remember_in_service(operation.action)
    operation.action.log.put(messages.REPAIRED, address=operation.given.address)
    return Ended(Rc.SUCCESS, "repaired")


def _may_repair(operation: Operation, unseen: float) -> bool:
    """A probe changes nothing; nor does a server that missed a check: it may have been asleep, and replaced."""
    interval = operation.call.interval
    if interval == 0:
        return False
    if unseen <= _LATEST * (interval or _USUAL_INTERVAL):
        return True
    when = "never yet" if math.isinf(unseen) else f"{unseen:.0f} s ago"
    operation.action.log.put(messages.NOT_REPAIRED, address=operation.given.address, when=when)
    return False


def _stand_by(operation: Operation) -> Ended:
    """Look whether this server could take over; what is found is told, and is never a failure."""
    found: list[tuple[str, str, str]] = []
    try:
        found = _findings(operation)
    except Exception as error:  # whatever breaks here says nothing about the resource
        edge.unexpected(operation.action.log, error)
    for check, what, advice in found:
        fields = {"check": check, "found": what, "advice": advice}
        operation.action.log.put(messages.NOT_READY, **fields)
        _warn_pacemaker(messages.NOT_READY, **fields)
    return Ended(Rc.NOT_RUNNING, f"it stands by: {len(found)} findings")


def _findings(operation: Operation) -> list[tuple[str, str, str]]:
    """What is not as it should be: (check, what was found, what to do)."""
    from ec2kit import checks
    from ec2kit.node import identity, interface

    action = operation.action
    try:
        resource, server = action.resource, action.server
        eni = interface(server.device, action.settings, action.deadline)
        here = identity(action.settings, action.deadline)
    except Ec2KitError as error:
        return [("instance metadata", str(error), "a start here would fail")]
    found = checks.readiness(checks.Preflight(action, resource, server, here, eni))
    fine = (checks.Outcome.OK, checks.Outcome.NOTE)
    return [(each.check, each.found, each.advice) for each in found if each.outcome not in fine]


def validate(operation: Operation) -> Ended:
    """The parameters have been read; AWS is not asked."""
    operation.remark()
    return Ended(Rc.SUCCESS)
