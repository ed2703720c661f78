"""A create that failed, was stopped or killed is undone here: clean registry, the address at its former place."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ec2kit.deadline import as_they_end
from ec2kit.ec2.request import pause_after
from ec2kit.engine.account import called
from ec2kit.engine.action import UNDO_SECONDS, Action
from ec2kit.engine.convergence import log_change
from ec2kit.engine.trace import Trace
from ec2kit.errors import AwsRefused, AwsUnknown, Ec2KitError, NotSent, Stopped
from ec2kit.host import command
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason
from ec2kit.peers import here
from ec2kit.registry.definition import from_dict
from ec2kit.state.file import Damaged
from ec2kit.state.intention import Direction
from ec2kit.status import ABSENT

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.messages.statement import Statement
    from ec2kit.resource import Resource
    from ec2kit.scenarios.scenario import Scenario
    from ec2kit.status import Change

_SETTLE_SECONDS = 0.3
"""Seconds from one look to the next."""

_OVERTAKING_SECONDS = 0.1
"""Seconds after which a restore that has begun is overtaken at the latest."""

_UNANSWERED_SECONDS = 10.0
"""Seconds after which a write should be visible that was under way when create was stopped."""

_TO_CLEAN_UP = 3.0
"""Seconds of the time to undo that the registry needs."""


class Journal:
    """
    The journal says what a create has to undo; its file remains if the create is killed.

    Attributes:
        killed: The resource that a killed create was making; None if there is none, or it is not known.
        before: Target → the former place of the address.
        is_undone: True once the undo has begun.
    """

    def __init__(self, action: Action) -> None:
        self._action = action
        self._has_begun = False
        self.trace = Trace(action.settings, action.tag)
        self._file = self.trace.file
        self.killed: Resource | None = None
        self.before: dict[str, str] = {}
        self.is_undone = False

    @property
    def has_ended(self) -> bool:
        """Tell whether the create has done all its work, and nothing is to be undone any more."""
        return self._has_begun and not self.is_undone and not os.path.exists(self._file.path)

    def clean_up_after_a_killed_create(self) -> None:
        """Forget the half-made resource, but keep the former place of the address."""
        try:
            left = self._file.read()
        except Damaged:
            left = {}
        if left is None:
            return
        if not self._is_half_made():
            self.end()  # create was killed after its work was done
            return
        self.before = {str(key): str(value) for key, value in left.get("before", {}).items()}
        with suppress(KeyError, Ec2KitError):
            self.killed = from_dict(left["resource"])
        here.forget(self._action)
        self._action.log.put(catalogue.CREATE_RESUMED, tag=self._action.tag)

    def _is_half_made(self) -> bool:
        """Tell whether a create alone can have left what the registry has, and no other action came since."""
        registry, tag = self._action.registry, self._action.tag
        definition = next((each for each in registry.resources() if each.tag == tag), None)
        alone = definition is None or (definition.revision == 1 and definition.names == (registry.server,))
        return alone and not registry.in_service(tag)

    def begin(self, resource: Resource, scenario: Scenario, seen: Any, absent: Collection[str] = ()) -> None:
        """
        Write the present place of the address, and the resource, before the first change.

        Args:
            absent: Objects that create will make.

        The place that a killed create has noted counts only for an object that is here now, where that create can
        have moved it: an object that is elsewhere has another owner by now.
        """
        left = scenario.undo(seen, self.before)
        here_now = {*(each.target for each in left.changes), *left.impossible}
        places = scenario.origin(seen) | dict.fromkeys(absent, ABSENT)
        self.before = places | {target: self.before[target] for target in here_now}
        self._file.write({"before": self.before, "resource": resource.as_dict()})
        self._has_begun = True

    def spare(self, targets: Collection[str]) -> None:
        """Let an undo leave objects as they are, because create has certainly not changed them."""
        self.before = {target: place for target, place in self.before.items() if target not in targets}
        self._file.write({**(self._file.read() or {}), "before": self.before})

    def end(self) -> None:
        """End the journal, because nothing is left to undo."""
        self._file.remove()


def undo_killed_create(action: Action, journal: Journal, cause: BaseException) -> None:
    """Undo what a killed create has left, because the create that has found it does not come to its first change."""
    if journal.killed is not None:
        undo_create(action.about(journal.killed), journal, cause)
    elif journal.before:
        log_left(action, journal, cause)


def make_way(action: Action, journal: Journal, made: Resource) -> None:
    """Undo what a killed create has left, if it protected another address than the one that is made now."""
    if journal.killed is not None and not journal.killed.protects_the_same_as(made):
        undo_create(action.about(journal.killed), journal)
        journal.before, journal.is_undone = {}, False


def log_left(action: Action, journal: Journal, reason: BaseException) -> str:
    """Log where the address was before a create that could not be undone, and return that."""
    was = ", ".join(f"{target} at {origin or 'nothing'}" for target, origin in journal.before.items())
    what = f"create of {action.tag}; before it: {was or 'unknown'}"
    action.log.put(catalogue.UNDO_FAILED, what=what, reason=reason)
    return f"before it: {was or 'unknown'}: {reason}"


def undo_create(action: Action, journal: Journal, cause: BaseException | None = None) -> str:
    """
    Clean the registry, and give the objects that create moved here their former targets.

    Returns:
        What could not be undone, which is also logged; "" if nothing is left.
    """
    undoing = action.about(action.resource, seconds=UNDO_SECONDS)
    journal.is_undone = True
    log = action.log
    if isinstance(cause, Stopped):
        log.error(cause)
    try:
        undoing.intentions.declare(Direction.DOWN, undoing.deadline)
        _outlast_commands(undoing)
        back, impossible = _put_back(undoing, journal)
        here.forget(undoing)
        journal.end()
        for target, reason in impossible.items():
            log.put(catalogue.UNDO_FAILED, what=target, reason=reason)
        what = "registry clean" + (f", {back} put back" if back else "")
        log.put(catalogue.UNDONE, deed="create", tag=action.tag, what=what)
        return "; ".join(f"{target}: {reason}" for target, reason in impossible.items())
    except Exception as error:
        left = log_left(action, journal, error)
        try:
            here.forget(undoing)
            journal.end()
        except Ec2KitError as trouble:
            log.error(trouble)
        return left


def _outlast_commands(action: Action) -> None:
    """
    Wait until a command has ended that goes on alone: a framework may be about to bring the address here by it.

    A restore that begins meanwhile is overtaken; what it has changed by then, the undo finds.
    """
    limit = action.deadline.within(action.deadline.remaining() / 2)
    while command.one_goes_on() and not limit.passed:
        action.intentions.declare(Direction.DOWN, action.deadline)
        action.deadline.pause(_OVERTAKING_SECONDS, "the end of a command")


def _may_have_been_made(outcome: object) -> bool:
    """Tell whether the change may have been made, so that only another look can show it."""
    if isinstance(outcome, AwsUnknown):
        return outcome.uncertain and outcome.may_be_repeated
    return isinstance(outcome, AwsRefused) and outcome.uncertain


def _is_to_be_made_again(outcome: object) -> bool:
    """Tell whether the change has not left this server for a reason that may pass."""
    return isinstance(outcome, NotSent) and outcome.retryable and outcome.may_be_repeated


def _put_back(action: Action, journal: Journal) -> tuple[int, Mapping[str, Statement]]:
    """
    Put back what create has changed, as soon as EC2 shows the change.

    EC2's reads may be late: the undo waits until EC2 shows each change that was made, and for a while for each change
    that may have been made. The undo ends after two looks in a row that find nothing to undo.

    Returns:
        The number of objects that were put back; target → the reason why one cannot be.
    """
    scenario, before, deadline = action.scenario, journal.before, action.deadline
    ec2, quiet, rounds = action.ec2(), 0, 0
    awaited, unanswered = journal.trace.written, journal.trace.unanswered
    back: set[_Step] = set()
    tried: set[str] = set()
    while True:
        observed = scenario.observe(ec2, action.resource, action.server, action.settings)
        if observed.unknown is not None:
            raise observed.unknown
        plan, shown = scenario.undo(observed, before), scenario.origin(observed)
        awaited -= {target for target, now in shown.items() if now != before.get(target)} | {*plan.impossible}
        changes = tuple(each for each in plan.changes if _step(each) not in back or each.target in unanswered)
        answered = _make(action, ec2, changes, again=back)
        back |= answered
        tried |= {each.target for each in changes}
        quiet, rounds = (0, rounds + 1) if changes else (quiet + 1, rounds)
        is_due = quiet >= 2 and not awaited and (not unanswered or deadline.elapsed() > _UNANSWERED_SECONDS)
        if is_due or deadline.remaining() < _TO_CLEAN_UP:
            break
        with doing(partial(Reason, catalogue.AWAITS_SIGHT, {}, tuple(sorted(awaited)))):
            deadline.pause(max(_SETTLE_SECONDS, pause_after(min(rounds, 2))), "looking again")
    unseen = {
        target: Reason.of(catalogue.CHANGE_NOT_SHOWN, target=before.get(target) or "nothing") for target in awaited
    }
    left = {each.target: Reason.of(catalogue.UNCHANGED) for each in changes if _step(each) not in back}
    return len(tried - {*left, *plan.impossible}), {**left, **unseen, **plan.impossible}


_Step = tuple[str, str, "str | None"]
"""A change by its operation, its target and its new owner: one object may need several steps to be put back."""


def _step(change: Change) -> _Step:
    return change.operation, change.target, change.new


def _make(action: Action, ec2: Ec2, changes: tuple[Change, ...], *, again: Collection[_Step]) -> set[_Step]:
    """
    Make the changes that undo, side by side.

    Args:
        again: Steps that were made already; EC2 may refuse to make them twice.

    Returns:
        The steps that EC2 has answered.
    """
    jobs = [partial(action.scenario.apply, each, ec2, action.settings, action.deadline) for each in changes]
    answered: set[_Step] = set()
    failures: list[Exception] = []
    for place, outcome in as_they_end(jobs, action.deadline, at_most=8):
        change = changes[place]
        called(action, change, outcome)
        if _may_have_been_made(outcome):
            fields = {"target": change.target, "operation": change.operation, "reason": outcome}
            action.log.put(catalogue.CHANGE_UNCONFIRMED, **fields)
        elif _is_to_be_made_again(outcome):
            fields = {"target": change.target, "operation": change.operation, "reason": outcome}
            action.log.put(catalogue.CHANGE_TO_BE_REPEATED, **fields)
        elif not isinstance(outcome, Exception):
            log_change(action, change, outcome)
            answered.add(_step(change))
        elif not (isinstance(outcome, AwsRefused) and _step(change) in again):
            failures.append(outcome)
    if failures:
        raise failures[0]
    return answered
