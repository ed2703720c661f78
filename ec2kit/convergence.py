"""Changing until it is as wanted: look, plan, change, and look again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from ec2kit import memory, messages
from ec2kit.action import Action
from ec2kit.answers import Receipt
from ec2kit.aws import IN_FLIGHT, Ec2
from ec2kit.deadline import side_by_side
from ec2kit.errors import (
    AwsRefused,
    AwsThrottled,
    AwsUnknown,
    ConfigurationInvalid,
    CredentialsRejected,
    DeadlinePassed,
    Ec2KitError,
    LocalCommandFailed,
    NotBroughtHere,
    PermissionMissing,
)
from ec2kit.resource import ROUTE_TABLE
from ec2kit.scenario import Observed
from ec2kit.status import Change, Plan, Wanted, gather

_WORTH_TELLING = 0.5
"""Seconds of waiting for EC2 to show a change, from which on the log says so."""

_FINAL = (AwsRefused, PermissionMissing, CredentialsRejected, AwsThrottled, ConfigurationInvalid, LocalCommandFailed)
"""Errors after which it is certain that a change was not made."""

Permit = Callable[[Observed, tuple[Change, ...]], None]
"""Asked before changes are made; raises if they may not be."""


class Convergence:
    """
    Looks, plans, changes and looks again, until the address is as wanted or no call of ours can help.

    Args:
        guard: Raises when the action may not write any more; `ec2` asks it before each write, this before each wait.
        permit: Asked before each round of changes.
        conditional: An address without owner is taken only if it still has none.
    """

    def __init__(
        self,
        action: Action,
        ec2: Ec2,
        *,
        guard: Callable[[], None],
        permit: Permit | None = None,
        conditional: bool = False,
    ) -> None:
        self._action = action
        self._scenario = action.scenario
        self._ec2 = ec2
        self._guard = guard
        self._permit = permit
        self._conditional = conditional
        self.made: dict[str, tuple[Change, ...]] = {}
        self._failed: dict[str, str] = {}
        self._changed_at = action.deadline.within(action.settings.verify_timeout)

    def reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        """
        Returns:
            What was changed, by target.

        Raises:
            NotBroughtHere: Some objects are not as wanted; all were tried.
            Ec2KitError: It could not be looked at, or may not be changed.
        """
        pauses = _growing()
        while True:
            observed = self._look(wanted)
            plan = self._scenario.plan(observed, wanted, self.made, conditional=self._conditional)
            changes = tuple(each for each in plan.changes if each.target not in self._failed)
            if changes:
                self._change(observed, changes)
                pauses = _growing()
            elif self._is_worth_waiting(plan, pause := next(pauses)):
                self._action.deadline.pause(pause, "waiting until EC2 shows the change")
                self._guard()
            else:
                break
        self._conclude(observed, plan)
        return self.made

    def _look(self, wanted: Wanted) -> Observed:
        action = self._action
        observed = self._scenario.observe(self._ec2, action.resource, action.server, action.settings)
        if observed.unknown is not None and wanted is Wanted.HERE:
            raise observed.unknown
        return observed

    def _change(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        action = self._action
        if self._permit is not None:
            self._permit(observed, changes)
        if not self.made:
            for message, fields in self._scenario.notices(observed):
                action.log.put(message, **fields)
        jobs = [partial(self._scenario.apply, each, self._ec2, action.settings, action.deadline) for each in changes]
        outcomes = side_by_side(jobs, action.deadline, at_most=IN_FLIGHT)
        stop: Exception | None = None
        for change, outcome in zip(changes, outcomes, strict=True):
            stop = self._note(change, outcome) or stop
        self._changed_at = action.deadline.within(action.settings.verify_timeout)
        if stop is not None:
            raise stop

    def _note(self, change: Change, outcome: Receipt | Exception) -> Exception | None:
        """Log and remember how one change went; an outcome that ends the action is given back."""
        log, target = self._action.log, change.target
        if isinstance(outcome, Receipt):
            self.made[target] = (*self.made.get(target, ()), change)
            fields = {**change.arguments, "cidr": change.arguments.get("destination_cidr_block")}
            log.put(
                self._scenario.message(change),
                **{
                    **fields,
                    "target": target,
                    "old": self._action.resource.with_names(change.old or "nothing"),
                    "new": self._action.resource.with_names(change.new or "nothing"),
                    "milliseconds": f"{outcome.milliseconds:g}",
                    "attempts": outcome.attempts,
                    "request_id": outcome.request_id,
                },
            )
        elif isinstance(outcome, _FINAL):
            self._failed[target] = _brief(outcome)
            log.put(messages.CHANGE_FAILED, target=target, reason=str(outcome))
        elif isinstance(outcome, AwsUnknown | DeadlinePassed):
            self.made[target] = (*self.made.get(target, ()), change)
            log.put(messages.CHANGE_UNCONFIRMED, target=target, operation=change.operation, reason=str(outcome))
        else:
            return outcome
        return None

    def _is_worth_waiting(self, plan: Plan, pause: float) -> bool:
        """Whether something is pending that was not refused, and there is time for a pause and a look."""
        time_left = self._changed_at.remaining() > 0 and self._action.deadline.remaining() > pause
        return time_left and bool(set(plan.pending) - set(self._failed))

    def _conclude(self, observed: Observed, plan: Plan) -> None:
        wrong = {**plan.pending, **{each.target: "unchanged" for each in plan.changes}, **plan.impossible}
        problems = {target: self._failed.get(target, reason) for target, reason in wrong.items()}
        if problems:
            everything = {*self._scenario.objects(observed), *self.made, *problems}
            done = len(everything) - len(problems)
            raise NotBroughtHere(done=done, all=len(everything), problems="; ".join(gather(problems)))
        if self.made and self._changed_at.elapsed() > _WORTH_TELLING:
            self._action.log.put(messages.VERIFIED_AFTER, seconds=f"{self._changed_at.elapsed():.1f}")
        if self._action.resource.scenario == ROUTE_TABLE:
            self._remember_tables(observed)

    def _remember_tables(self, observed: Observed) -> None:
        settings = self._action.settings
        try:
            kept = memory.recall(settings.run_dir, self._action.tag)
            tables = tuple(sorted(self._scenario.objects(observed)))
            memory.remember(settings.run_dir, self._action.tag, replace(kept, route_table_ids=tables))
        except Ec2KitError as error:
            self._action.log.error(error)


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
