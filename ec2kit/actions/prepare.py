"""Create makes objects that a person has asked for, before the resource comes in service; no other action does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ec2kit.deadline import as_they_end
from ec2kit.ec2.answers import Receipt
from ec2kit.engine.account import called
from ec2kit.engine.convergence import log_change
from ec2kit.errors import AwsRefused, Ec2KitError, PermissionMissing
from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason
from ec2kit.status import gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ec2kit.actions.undo import Journal
    from ec2kit.ec2.operations import Ec2
    from ec2kit.engine.action import Action
    from ec2kit.messages.statement import Statement
    from ec2kit.status import Change

_AT_ONCE = 8
"""Maximum number of changes side by side."""

_PAUSE = 0.3
"""Seconds from one look to the next."""


def prepare(action: Action, journal: Journal, changes: Sequence[Change]) -> None:
    """
    Make the changes, and wait until EC2 shows what was made.

    Args:
        journal: Notes for the undo what was made, and what may have been made.

    Raises:
        Ec2KitError: Not all was made, or EC2 does not show it in time; the others were tried.
    """
    if not changes:
        return
    ec2 = action.ec2()
    targets = [each.target for each in changes]
    journal.trace.begin_changes(targets)
    failed: dict[str, Statement] = {}
    jobs = [partial(action.scenario.apply, each, ec2, action.settings, action.deadline) for each in changes]
    made, not_made = [], []
    for place, outcome in as_they_end(jobs, action.deadline, at_most=_AT_ONCE):
        change = changes[place]
        called(action, change, outcome)
        if isinstance(outcome, Receipt):
            made.append(change.target)
            log_change(action, change, outcome)
        elif isinstance(outcome, Ec2KitError):
            failed[change.target] = outcome
            if isinstance(outcome, AwsRefused | PermissionMissing) and not getattr(outcome, "uncertain", False):
                not_made.append(change.target)
        else:
            raise outcome
    journal.trace.end_changes(made, not_made)
    journal.spare(not_made)
    if failed:
        raise Ec2KitError(catalogue.NOT_CREATED, reason=gather(failed))
    _wait(action, ec2, targets)


def _wait(action: Action, ec2: Ec2, targets: Sequence[str]) -> None:
    """Wait until EC2 shows the objects: its reads may be late."""
    limit = action.deadline.within(action.settings.verify_timeout)
    while True:
        observed = action.scenario.observe(ec2, action.resource, action.server, action.settings)
        if observed.unknown is not None:
            raise observed.unknown
        unseen = {*targets} - {*action.scenario.objects(observed)}
        if not unseen:
            return
        if limit.remaining() <= _PAUSE:
            why = dict.fromkeys(sorted(unseen), Reason.of(catalogue.NOT_SHOWN))
            raise Ec2KitError(catalogue.NOT_CREATED, reason=gather(why))
        limit.pause(_PAUSE, "waiting until EC2 shows the change")
