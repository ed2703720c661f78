"""The convergence loop brings an address into the wanted state: look, plan, change, and look again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ec2kit.deadline import Abandoned, Begun, as_they_end
from ec2kit.ec2.answers import Receipt
from ec2kit.engine.account import Account
from ec2kit.engine.action import Action
from ec2kit.engine.neighbours import Neighbours
from ec2kit.engine.remembered import remember
from ec2kit.engine.trace import Trace
from ec2kit.errors import (
    AwsRefused,
    AwsThrottled,
    AwsUnknown,
    ConfigurationInvalid,
    CredentialsExpired,
    CredentialsMissing,
    CredentialsRejected,
    DeadlinePassed,
    Ec2KitError,
    LocalCommandFailed,
    NotBroughtHere,
    NotSent,
    OutcomeUnknown,
    Overtaken,
    PermissionMissing,
    PermitTooOld,
    Unknown,
)
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason
from ec2kit.status import Change, Plan, Wanted, gather

if TYPE_CHECKING:
    from ec2kit.deadline import Deadline
    from ec2kit.ec2.operations import Ec2
    from ec2kit.messages.statement import Statement
    from ec2kit.scenarios.scenario import Companion, Observed

_WORTH_TELLING = 0.5
"""Seconds of waiting for EC2 to show a change; a longer wait is logged."""

_FINAL = (
    AwsRefused,
    PermissionMissing,
    CredentialsRejected,
    CredentialsExpired,
    CredentialsMissing,
    AwsThrottled,
    ConfigurationInvalid,
    LocalCommandFailed,
    NotSent,
)
"""Errors that prove that a change was not made."""


class Permit(Protocol):
    """A permit is asked for before each round of changes."""

    def before_look(self) -> None:
        """Note that a look begins; later changes rest on this look."""

    def __call__(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Raise if the changes may not be made."""


class _Lost(NamedTuple):
    """
    A change whose answer was lost; kept until a look shows what became of the change.

    Attributes:
        reason: The clause that says what is not known, and why.
        may_be_repeated: True: the change is planned again as long as EC2 does not show it.
    """

    reason: Reason
    may_be_repeated: bool


class Convergence:
    """
    The loop looks, plans, changes and looks again, until the address is as wanted or no call can help.

    The plan puts each object into a box. *To change*: the loop writes. *Pending*: the loop waits until EC2 shows
    the change. *Contested*: the loop writes once more, and then fails. *Impossible*: the loop fails, after it has
    tried all other objects. An object for which an answer was lost is pending, and also to change: the loop writes
    again after a pause and a look that does not show the change.

    Args:
        guard: Raises when the action may not write any more; `ec2` and the loop watch it while they wait.
        permit: Asked before each round of changes. With a permit, each retry needs a new look and a new permit, so
            `ec2` must not repeat any write by itself.
        conditional: True: an address without an owner is taken only if it still has no owner.
        confirm: True: a plan without any change counts only if a second look agrees, because EC2's reads may go back
            in time.
        companion: Begins its look when the first change has left, or the second look after first writes.
        first_writes: Changes that are made beside the first look; the look decides everything else.

    Attributes:
        accepted_at: When AWS had accepted the last change, in seconds of the action's clock; None: it accepted none.
    """

    def __init__(
        self,
        action: Action,
        ec2: Ec2,
        *,
        guard: Callable[[], None],
        permit: Permit | None = None,
        conditional: bool = False,
        confirm: bool = False,
        companion: Companion | None = None,
        first_writes: tuple[Change, ...] = (),
    ) -> None:
        self._action = action
        self._scenario = action.scenario
        self._ec2 = ec2
        self._guard = guard
        self._permit = permit
        self._conditional = conditional
        self._confirm = confirm
        self._companion = companion
        self._first_writes = first_writes
        self.made: dict[str, tuple[Change, ...]] = {}
        self.accepted_at: float | None = None
        self._failed: dict[str, Statement] = {}
        self._lost: dict[str, _Lost] = {}
        self._rounds = 0
        self._doing: Statement | None = None
        self._trace = Trace(action.settings, action.tag)
        self._neighbours = Neighbours(action)
        self._account = Account(action, conditional=conditional)
        self._changed_at = self._patience()

    def reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        """
        Run the loop.

        Returns:
            Target → the changes made to it.

        Raises:
            NotBroughtHere: Some objects are not as wanted; all were tried.
            OutcomeUnknown: The answers to some changes were lost, and no look shows what became of these changes.
            Ec2KitError: The look failed, or the address may not be changed.
        """
        try:
            with doing(lambda: self._doing):
                made = self._reach(wanted)
        except Ec2KitError as error:
            self._account.ended(self.made, frozenset(self._lost), error)
            if not isinstance(error, Unknown):
                raise
            if not self._lost:
                raise
            unknown = gather({target: each.reason for target, each in self._lost.items()})
            raise OutcomeUnknown(unknown=unknown, reason=error) from error
        self._account.ended(self.made, (), None)
        return made

    def _reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        self._account.wanted = wanted
        pauses = _growing()
        is_late = not self._first_writes
        observed = self._look(wanted) if is_late else self._look_beside_first_writes(wanted)
        while True:
            plan = self._plan(observed, wanted)
            changes = tuple(each for each in plan.changes if each.target not in self._failed)
            if changes and self._change(observed, changes):
                pauses = _growing()
            elif is_late and self._is_worth_waiting(plan, pause := next(pauses)):
                self._doing = Reason(catalogue.AWAITS_SIGHT, {}, tuple(sorted(set(plan.pending) - set(self._failed))))
                self._wait(pause)
            elif is_late and self._confirm and not (self.made or self._failed):
                self._confirm = False
                self._wait(self._action.settings.confirm_interval)
            elif is_late:
                break
            observed, is_late = self._look(wanted), True
        self._conclude(observed, plan)
        return self.made

    def _wait(self, seconds: float) -> None:
        self._action.deadline.pause(seconds, "waiting until AWS shows the change", self._guard)
        self._guard()

    def _look(self, wanted: Wanted) -> Observed:
        action = self._action
        if self._permit is not None:
            self._permit.before_look()
        try:
            observed = self._scenario.observe(self._ec2, action.resource, action.server, action.settings)
        except Ec2KitError as error:
            self._account.seen = error
            raise
        self._account.seen = observed
        if observed.unknown is not None and wanted is Wanted.HERE:
            raise observed.unknown
        return observed

    def _plan(self, observed: Observed, wanted: Wanted) -> Plan:
        """Return the plan, in which a change whose answer was lost and that EC2 does not show is to be made again."""
        plan = partial(self._planned, observed, wanted)
        seen = plan(self.made)
        self._settle(seen)
        lost = {target for target, each in self._lost.items() if each.may_be_repeated}
        if not lost:
            return seen
        without = {target: made[:-1] if target in lost else made for target, made in self.made.items()}
        anew = plan({target: made for target, made in without.items() if made})
        repeated = tuple(each for each in anew.changes if each.target in lost)
        return seen._replace(changes=(*seen.changes, *repeated))

    def _planned(self, observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]]) -> Plan:
        plan = self._scenario.plan(observed, wanted, made, conditional=self._conditional)
        return self._neighbours.spared_by(plan)

    def _settle(self, seen: Plan) -> None:
        """Forget the lost answers whose changes a look shows: carried out, or overwritten by another writer."""
        others = {*seen.impossible, *(each.target for each in seen.changes)}
        for target in sorted(self._lost.keys() - seen.pending.keys()):
            del self._lost[target]
            if target not in others:
                operation = self.made[target][-1].operation
                self._action.log.put(catalogue.ANSWER_NOT_NEEDED, target=target, operation=operation)

    def _change(self, observed: Observed, changes: tuple[Change, ...]) -> bool:
        """
        Make one round of changes, side by side.

        Returns:
            True if another look is due: a change was made, may have been made, or is to be tried again.
        """
        self._prepare(observed, changes)
        made, lost = self.made, frozenset(self._lost)
        outcomes = self._outcomes(changes)
        self._account.decided(made, lost, changes, outcomes, is_beside_look=False)
        return self._take_in(changes, outcomes)

    def _look_beside_first_writes(self, wanted: Wanted) -> Observed:
        """
        Make the first writes and look at the same time.

        The look may show what was before or after each write. A write that was certainly not made counts for nothing:
        the look tells whether the object is there and needs one.
        """
        writes = Begun(partial(self._outcomes, self._first_writes))
        try:
            observed = self._look(wanted)
        except Ec2KitError:
            self._take_in_first_writes(writes, {})
            raise
        self._log_notices(observed)
        planned = self._scenario.plan(observed, wanted, {}, conditional=self._conditional).changes
        self._take_in_first_writes(writes, {each.target: each for each in planned})
        self._begin_companion()  # when the second look has left, by a connection that stands already
        return observed

    def _take_in_first_writes(self, writes: Begun[list[Receipt | Exception]], planned: Mapping[str, Change]) -> None:
        """
        Wait for the first writes, and remember those that were made or may have been.

        Args:
            planned: Target → the change that the look shows to be due, which says what the object pointed at before.
        """
        deadline = self._action.deadline
        outcomes: list[Receipt | Exception]
        try:
            outcomes = writes.wait(deadline, self._guard)
        except Abandoned:
            late = DeadlinePassed(doing="the request", seconds=f"{deadline.seconds:g}")
            outcomes = [late for _ in self._first_writes]
        changes = [planned.get(each.target, each) for each in self._first_writes]
        self._account.decided({}, (), tuple(changes), outcomes, is_beside_look=True)
        counting = [
            (change, outcome)
            for change, outcome in zip(changes, outcomes, strict=True)
            if not (isinstance(outcome, Ec2KitError) and self._was_not_made(change, outcome))
        ]
        self._take_in(tuple(change for change, _ in counting), [outcome for _, outcome in counting])

    def _take_in(self, changes: tuple[Change, ...], outcomes: list[Receipt | Exception]) -> bool:
        """
        Remember what became of changes, and pause if one is to be tried again.

        Returns:
            The same as `_change`.
        """
        from ec2kit.ec2.request import pause_after

        pause = pause_after(self._rounds + 1)
        there_is_time = pause < self._action.deadline.remaining()
        again = [there_is_time and self._is_to_be_tried_again(each) for each in outcomes]
        stops = [self._note(*each) for each in zip(changes, outcomes, again, strict=True)]
        if (stop := next(filter(None, stops), None)) is not None:
            raise stop
        if any(again):
            self._rounds += 1
            self._wait(pause)
        return any(each.target not in self._failed for each in changes)

    def _outcomes(self, changes: tuple[Change, ...]) -> list[Receipt | Exception]:
        """Make the changes, and log each as soon as EC2 has made it, because the action may be killed at any time."""
        from ec2kit.ec2.client import IN_FLIGHT

        action = self._action
        self._trace.begin_changes([each.target for each in changes])
        jobs = [partial(self._scenario.apply, each, self._ec2, action.settings, action.deadline) for each in changes]
        outcomes: dict[int, Receipt | Exception] = {}
        done = self.made.keys() - {each.target for each in changes}
        everything = {*done, *(each.target for each in changes)}
        self._doing = _so_far(done, everything)
        for place, outcome in as_they_end(jobs, action.deadline, at_most=IN_FLIGHT):
            outcomes[place] = outcome
            if isinstance(outcome, Receipt):
                self.accepted_at = action.deadline.clock.now()
                log_change(action, changes[place], outcome)
                done = {*done, changes[place].target}
                self._doing = _so_far(done, everything)
        answers = [outcomes[place] for place in sorted(outcomes)]
        self._note_answers(changes, answers)
        return answers

    def _note_answers(self, changes: tuple[Change, ...], outcomes: list[Receipt | Exception]) -> None:
        """Note for the undo of a create which changes were made, and which were not; the others are not known."""
        made, not_made = [], []
        for change, outcome in zip(changes, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                made.append(change.target)
            elif isinstance(outcome, Ec2KitError) and self._was_not_made(change, outcome):
                not_made.append(change.target)
        self._trace.end_changes(made, not_made)

    def _prepare(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Ask for the permit, log what the changes displace, and let the companion begin."""
        if self._permit is not None:
            self._permit(observed, changes)
        if not self.made:
            self._log_notices(observed)
        self._begin_companion()

    def _log_notices(self, observed: Observed) -> None:
        for message, fields in self._scenario.notices(observed):
            self._action.log.put(message, **fields)

    def _begin_companion(self) -> None:
        if self._companion is not None:
            self._companion.begin()
            self._companion = None

    def _note(self, change: Change, outcome: Receipt | Exception, again: bool) -> Exception | None:
        """
        Remember the outcome of one change, and log it unless it is a receipt.

        Args:
            again: The change is to be tried again.

        Returns:
            The error if it ends the action.
        """
        log, target = self._action.log, change.target
        if isinstance(outcome, Receipt):
            self._remember_made(change)
        elif not isinstance(outcome, Ec2KitError):
            return outcome
        elif self._was_not_made(change, outcome) and again:
            log.put(catalogue.CHANGE_TO_BE_REPEATED, target=target, operation=change.operation, reason=outcome)
        elif self._was_not_made(change, outcome):
            self._failed[target] = _brief(outcome)
            log.put(catalogue.CHANGE_FAILED, target=target, reason=outcome)
        elif isinstance(outcome, AwsUnknown | AwsRefused | DeadlinePassed):
            unknown = Reason.of(catalogue.OUTCOME_NOT_KNOWN, operation=change.operation, reason=_brief(outcome))
            self._remember_made(change, _Lost(unknown, again))
            log.put(catalogue.CHANGE_UNCONFIRMED, target=target, operation=change.operation, reason=outcome)
        else:
            if isinstance(outcome, Overtaken) and outcome.uncertain:
                log.put(catalogue.CHANGE_UNCONFIRMED, target=target, operation=change.operation, reason=outcome)
            return outcome
        return None

    def _was_not_made(self, change: Change, outcome: Ec2KitError) -> bool:
        """Tell whether neither this attempt nor an earlier one can have made the change."""
        if isinstance(outcome, DeadlinePassed):
            return not self._ec2.has_sent(change.operation, (change.target, *change.arguments.values()))
        return isinstance(outcome, _FINAL) and not getattr(outcome, "uncertain", False)

    def _remember_made(self, change: Change, lost: _Lost | None = None) -> None:
        """Remember a change; a repeated change replaces the one whose answer was lost."""
        made = self.made.get(change.target, ())
        before = made[:-1] if change.target in self._lost else made
        self.made = {**self.made, change.target: (*before, change)}
        self._lost.pop(change.target, None)
        if lost is not None:
            self._lost[change.target] = lost
        self._changed_at = self._patience()

    def _patience(self) -> Deadline:
        """Return the deadline by which AWS has to show a change that is made now."""
        return self._action.deadline.within(self._scenario.patience(self._action.settings))

    def _is_to_be_tried_again(self, outcome: Receipt | Exception) -> bool:
        """Tell whether the write is to be made again, after another look and, with a permit, another permit."""
        if not isinstance(outcome, AwsUnknown) or not outcome.retryable:
            return False
        if isinstance(outcome, PermitTooOld):
            return True  # no write is sent twice: either this one was not sent, or the next look shows it
        left_to_us = self._permit is not None or isinstance(outcome, NotSent)
        return outcome.may_be_repeated and (outcome.uncertain or left_to_us)

    def _is_worth_waiting(self, plan: Plan, pause: float) -> bool:
        """Tell whether an object is pending, and time is left for a pause and a look."""
        if self._action.deadline.remaining() <= pause:
            return False
        return self._changed_at.remaining() > 0 and bool(set(plan.pending) - set(self._failed))

    def _conclude(self, observed: Observed, plan: Plan) -> None:
        unchanged: dict[str, Statement] = {each.target: Reason.of(catalogue.UNCHANGED) for each in plan.changes}
        wrong = {**unchanged, **plan.pending, **plan.impossible}
        lost = {
            target: Reason.of(catalogue.PROBLEM_AND, problem=wrong[target], reason=each.reason)
            for target, each in self._lost.items()
        }
        known = {**lost, **self._failed}
        problems = {target: known.get(target, reason) for target, reason in wrong.items()}
        if problems:
            for each in gather(problems):
                self._action.log.error(each, told=True)
            raise not_brought_here(problems, {*self._scenario.objects(observed), *self.made}, wrote=bool(self.made))
        if self.made and not self._rounds and self._changed_at.elapsed() > _WORTH_TELLING:
            self._action.log.put(catalogue.VERIFIED_AFTER, seconds=f"{self._changed_at.elapsed():.1f}")
        remember(self._action, observed)


def not_brought_here(problems: Mapping[str, Statement], objects: Collection[str], *, wrote: bool) -> NotBroughtHere:
    """
    Return the failure of an action that leaves objects as they should not be.

    Args:
        problems: Object → what is the case.
        objects: All objects of the address that are known.
        wrote: Something was changed all the same.
    """
    everything = {*objects, *problems}
    done = len(everything) - len(problems)
    return NotBroughtHere(done=done, all=len(everything), problems=gather(problems), wrote=wrote)


def _so_far(done: Collection[str], everything: Collection[str]) -> Reason:
    return Reason.of(catalogue.CHANGES_SO_FAR, done=len(done), all=len(everything))


def log_change(action: Action, change: Change, receipt: Receipt) -> None:
    """Log the one line for a change made in AWS."""
    message, particular = action.scenario.message(change)
    fields: dict[str, object] = {
        **change.arguments,
        **particular,
        "target": change.target,
        "old": action.resource.with_names(change.old or "nothing"),
        "new": action.resource.with_names(change.new or "nothing"),
        "milliseconds": f"{receipt.milliseconds:g}",
        "attempts": receipt.attempts,
        "request_id": receipt.request_id,
    }
    action.log.put(message, **fields)


def _brief(error: Ec2KitError) -> Statement:
    """Return the error without the object and the request id, which the log has already named."""
    if "code" not in error.fields:
        return error
    return Reason.of(catalogue.NOT_CHANGED, operation=error.fields["operation"], code=error.fields["code"])


def _growing() -> Iterator[float]:
    """Yield the growing pauses between looks, in seconds."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 2, 2.0)
