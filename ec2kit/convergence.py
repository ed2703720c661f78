"""Changing until it is as wanted: look, plan, change, and look again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ec2kit import memory, messages
from ec2kit.action import Action
from ec2kit.answers import Receipt
from ec2kit.deadline import side_by_side
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
    OutcomeUnknown,
    PermissionMissing,
    PermitTooOld,
    Unknown,
)
from ec2kit.resource import ROUTE_TABLE
from ec2kit.scenario import Observed
from ec2kit.status import Change, Plan, Wanted, gather

if TYPE_CHECKING:
    from ec2kit.aws import Ec2

_WORTH_TELLING = 0.5
"""Seconds of waiting for EC2 to show a change, from which on the log says so."""

_FINAL = (
    AwsRefused,
    PermissionMissing,
    CredentialsRejected,
    CredentialsExpired,
    CredentialsMissing,
    AwsThrottled,
    ConfigurationInvalid,
    LocalCommandFailed,
)
"""Errors after which it is certain that a change was not made."""


class Permit(Protocol):
    """Asked before changes are made."""

    def before_look(self) -> None:
        """What is permitted from now on rests on the look that begins now."""

    def __call__(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Raises if the changes may not be made."""


class _Lost(NamedTuple):
    """
    What is known of a change whose answer was lost, until a look shows that it was carried out.

    Attributes:
        reason: The clause that says what is not known, and why.
        may_be_repeated: Whether it is planned anew while EC2 does not show it.
    """

    reason: str
    may_be_repeated: bool


class Convergence:
    """
    Looks, plans, changes and looks again, until the address is as wanted or no call of ours can help.

    A change whose answer was lost counts as made. It is waited for like any other, and written again after a pause
    and a look that shows that it was not carried out, or not yet.

    Args:
        guard: Raises when the action may not write any more; `ec2` asks it before each write, this before each wait.
        permit: Asked before each round of changes; whatever is to be tried again is looked at and asked for again,
            so `ec2` must not repeat any write by itself.
        conditional: An address without owner is taken only if it still has none.
        confirm: Nothing to do is believed only when a second look agrees, since EC2's reads may go back in time.
        beside: Called once, right before the first changes are made.
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
        beside: Callable[[], None] | None = None,
    ) -> None:
        self._action = action
        self._scenario = action.scenario
        self._ec2 = ec2
        self._guard = guard
        self._permit = permit
        self._conditional = conditional
        self._confirm = confirm
        self._beside = beside
        self.made: dict[str, tuple[Change, ...]] = {}
        self._failed: dict[str, str] = {}
        self._lost: dict[str, _Lost] = {}
        self._rounds = 0
        self._changed_at = action.deadline.within(action.settings.verify_timeout)

    def reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        """
        Returns:
            What was changed, by target.

        Raises:
            NotBroughtHere: Some objects are not as wanted; all were tried.
            OutcomeUnknown: The answers to some changes were lost, and nothing shows what became of them.
            Ec2KitError: It could not be looked at, or may not be changed.
        """
        try:
            return self._reach(wanted)
        except Unknown as error:
            if not self._lost:
                raise
            unknown = gather({target: each.reason for target, each in self._lost.items()})
            raise OutcomeUnknown(unknown="; ".join(unknown), reason=error) from error

    def _reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        pauses = _growing()
        while True:
            observed = self._look(wanted)
            plan = self._plan(observed, wanted)
            changes = tuple(each for each in plan.changes if each.target not in self._failed)
            if changes and self._change(observed, changes):
                pauses = _growing()
            elif self._is_worth_waiting(plan, pause := next(pauses)):
                self._wait(pause)
            elif self._confirm and not (self.made or self._failed):
                self._confirm = False
                self._wait(self._action.settings.confirm_interval)
            else:
                break
        self._conclude(observed, plan)
        return self.made

    def _wait(self, seconds: float) -> None:
        self._action.deadline.pause(seconds, "waiting until EC2 shows the change")
        self._guard()

    def _look(self, wanted: Wanted) -> Observed:
        action = self._action
        if self._permit is not None:
            self._permit.before_look()
        observed = self._scenario.observe(self._ec2, action.resource, action.server, action.settings)
        if observed.unknown is not None and wanted is Wanted.HERE:
            raise observed.unknown
        return observed

    def _plan(self, observed: Observed, wanted: Wanted) -> Plan:
        """What is left to do, with the changes whose answers were lost and that EC2 does not show."""
        plan = partial(self._scenario.plan, observed, wanted, conditional=self._conditional)
        seen = plan(self.made)
        self._settle(seen)
        lost = {target for target, each in self._lost.items() if each.may_be_repeated}
        if not lost:
            return seen
        without = {target: made[:-1] if target in lost else made for target, made in self.made.items()}
        anew = plan({target: made for target, made in without.items() if made})
        repeated = tuple(each for each in anew.changes if each.target in lost)
        return seen._replace(changes=(*seen.changes, *repeated))

    def _settle(self, seen: Plan) -> None:
        """Forget the lost answers of which a look has told enough: it was carried out, or somebody came after it."""
        others = {*seen.impossible, *(each.target for each in seen.changes)}
        for target in sorted(self._lost.keys() - seen.pending.keys()):
            del self._lost[target]
            if target not in others:
                operation = self.made[target][-1].operation
                self._action.log.put(messages.ANSWER_NOT_NEEDED, target=target, operation=operation)

    def _change(self, observed: Observed, changes: tuple[Change, ...]) -> bool:
        """Whether another look is due: some were made, or may have been, or are to be tried again."""
        from ec2kit.aws import IN_FLIGHT, pause_after

        action = self._action
        self._prepare(observed, changes)
        jobs = [partial(self._scenario.apply, each, self._ec2, action.settings, action.deadline) for each in changes]
        outcomes = side_by_side(jobs, action.deadline, at_most=IN_FLIGHT)
        pause = pause_after(self._rounds + 1)
        there_is_time = pause < action.deadline.remaining()
        again = [there_is_time and self._is_to_be_tried_again(each) for each in outcomes]
        stops = [self._note(*each) for each in zip(changes, outcomes, again, strict=True)]
        if (stop := next(filter(None, stops), None)) is not None:
            raise stop
        if any(again):
            self._rounds += 1
            self._wait(pause)
        return any(each.target not in self._failed for each in changes)

    def _prepare(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        """What comes before changes are made: leave for them, a word about what they displace, work beside them."""
        if self._permit is not None:
            self._permit(observed, changes)
        if not self.made:
            for message, fields in self._scenario.notices(observed):
                self._action.log.put(message, **fields)
        if self._beside is not None:
            self._beside()
            self._beside = None

    def _note(self, change: Change, outcome: Receipt | Exception, again: bool) -> Exception | None:
        """Log and remember how one change went, and if it is tried again; what ends the action is given back."""
        log, target = self._action.log, change.target
        if isinstance(outcome, Receipt):
            self._remember_made(change)
            log_change(self._action, change, outcome)
        elif self._was_not_made(change, outcome) and again:
            log.put(messages.CHANGE_TO_BE_REPEATED, target=target, operation=change.operation, reason=outcome)
        elif self._was_not_made(change, outcome):
            self._failed[target] = _brief(outcome)
            log.put(messages.CHANGE_FAILED, target=target, reason=outcome)
        elif isinstance(outcome, AwsUnknown | AwsRefused | DeadlinePassed):
            unknown = f"whether EC2 carried out {change.operation} is not known ({_brief(outcome)})"
            self._remember_made(change, _Lost(unknown, again))
            log.put(messages.CHANGE_UNCONFIRMED, target=target, operation=change.operation, reason=outcome)
        else:
            return outcome
        return None

    def _was_not_made(self, change: Change, outcome: Exception) -> bool:
        """Whether it certainly was not, by this attempt or one before it. What was too late may not have left."""
        if isinstance(outcome, DeadlinePassed):
            return not self._ec2.has_sent(change.operation, (change.target, *change.arguments.values()))
        return isinstance(outcome, _FINAL) and not getattr(outcome, "uncertain", False)

    def _remember_made(self, change: Change, lost: _Lost | None = None) -> None:
        """One that was planned anew takes the place of the one whose answer was lost."""
        made = self.made.get(change.target, ())
        before = made[:-1] if change.target in self._lost else made
        self.made = {**self.made, change.target: (*before, change)}
        self._lost.pop(change.target, None)
        if lost is not None:
            self._lost[change.target] = lost
        self._changed_at = self._action.deadline.within(self._action.settings.verify_timeout)

    def _is_to_be_tried_again(self, outcome: Receipt | Exception) -> bool:
        """Whether the write may help later, but only after another look, and another question where one is asked."""
        if not isinstance(outcome, AwsUnknown) or not outcome.retryable:
            return False
        if isinstance(outcome, PermitTooOld):
            return True  # it is not sent again: this one was not sent, or the next look shows it
        return outcome.may_be_repeated and (outcome.uncertain or self._permit is not None)

    def _is_worth_waiting(self, plan: Plan, pause: float) -> bool:
        """Whether something is pending, and there is time for a pause and a look."""
        if self._action.deadline.remaining() <= pause:
            return False
        return self._changed_at.remaining() > 0 and bool(set(plan.pending) - set(self._failed))

    def _conclude(self, observed: Observed, plan: Plan) -> None:
        wrong = {**{each.target: "unchanged" for each in plan.changes}, **plan.pending, **plan.impossible}
        lost = {target: f"{wrong[target]}, and {each.reason}" for target, each in self._lost.items()}
        known = {**lost, **self._failed}
        problems = {target: known.get(target, reason) for target, reason in wrong.items()}
        if problems:
            everything = {*self._scenario.objects(observed), *self.made, *problems}
            done = len(everything) - len(problems)
            clauses = "; ".join(gather(problems))
            raise NotBroughtHere(done=done, all=len(everything), problems=clauses, wrote=bool(self.made))
        if self.made and not self._rounds and self._changed_at.elapsed() > _WORTH_TELLING:
            self._action.log.put(messages.VERIFIED_AFTER, seconds=f"{self._changed_at.elapsed():.1f}")
        if self._action.resource.scenario == ROUTE_TABLE:
            self._remember_tables(observed)

    def _remember_tables(self, observed: Observed) -> None:
        settings = self._action.settings
        try:
            kept = memory.recall(settings.run_dir, self._action.tag)
            tables = tuple(sorted(self._scenario.objects(observed)))
            memory.remember(settings.run_dir, self._action.tag, kept._replace(route_table_ids=tables))
        except Ec2KitError as error:
            self._action.log.error(error)


def log_change(action: Action, change: Change, receipt: Receipt) -> None:
    """The one line for a change made in AWS."""
    fields: dict[str, object] = {
        **change.arguments,
        "cidr": change.arguments.get("destination_cidr_block"),
        "target": change.target,
        "old": action.resource.with_names(change.old or "nothing"),
        "new": action.resource.with_names(change.new or "nothing"),
        "milliseconds": f"{receipt.milliseconds:g}",
        "attempts": receipt.attempts,
        "request_id": receipt.request_id,
    }
    action.log.put(action.scenario.message(change), **fields)


def _brief(error: Exception) -> str:
    """The error without the object and the request id, which the log has already named."""
    fields = getattr(error, "fields", {})
    return f"{fields['operation']}: {fields['code']}" if "code" in fields else str(error)


def _growing() -> Iterator[float]:
    """Pauses between looks, growing."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 2, 2.0)
