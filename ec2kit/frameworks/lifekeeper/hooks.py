"""
LifeKeeper's own part of the table of actions has the differences of its hooks, and the actions that only it has.

The scripts that `ec2kit install` makes for LifeKeeper pass --hook; no other caller does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ec2kit.actions.table import ACTIONS, SUCCESS, ActionSpec, Outcome, changed
from ec2kit.errors import Ec2KitError, Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ec2kit.actions.option import Values
    from ec2kit.engine.action import Action
    from ec2kit.status import Change

    Made = Mapping[str, tuple[Change, ...]]

# -- hooks -----------------------------------------------------------------------------------------------------


def as_hook(spec: ActionSpec) -> ActionSpec:
    """Return an action as LifeKeeper calls it; the name of the action has to be in HOOKS."""
    return spec.but(by_a_person=False, **HOOKS[spec.name])


def _restore(action: Action, values: Values) -> Outcome:
    """Restore directly, because LifeKeeper itself is the caller; a person restores by LifeKeeper."""
    from ec2kit.actions import restore

    return changed(_reported(action, restore.restore(action)), "in service here")


def _remove(action: Action, values: Values) -> Outcome:
    """Remove directly, because LifeKeeper itself is the caller."""
    from ec2kit.actions import remove

    return changed(_reported(action, remove.remove(action)), "out of service here", "nothing changed in AWS")


def _reported(action: Action, made: Made) -> Made:
    """Report the changes to the command by which a person may have let LifeKeeper run this hook."""
    from ec2kit.state.report import Report

    Report(action.settings.run_dir, action.tag).write(made)
    return made


def _quick_check(action: Action, values: Values) -> Outcome:
    """Tell LifeKeeper, too, if the answer is no."""
    outcome = ACTIONS["quickCheck"].run(action, values)
    if outcome.is_no:
        _report(action)
    return outcome


def _report(action: Action) -> None:
    """Let LifeKeeper recover by an event; LifeKeeper may also recover by the exit status, but both count as one."""
    from ec2kit.frameworks.lifekeeper.commands import EVENT, EVENT_CLASS, LifeKeeper
    from ec2kit.frameworks.lifekeeper.recovery import Recovery
    from ec2kit.messages import catalogue

    Recovery(action).report()
    lifekeeper = LifeKeeper.of(action)
    if lifekeeper is None:
        return
    try:
        lifekeeper.send_event(action.tag)
        action.log.put(catalogue.EVENT_SENT, event_class=EVENT_CLASS, event=EVENT)
    except (Ec2KitError, Stopped) as error:
        action.log.error(error)  # the result of the check stays the same


def _recover(action: Action, values: Values) -> Outcome:
    """Recover once for one failure, although LifeKeeper may begin it twice."""
    from ec2kit.actions import recover
    from ec2kit.frameworks.lifekeeper.recovery import Recovery

    nothing: dict[str, tuple[Change, ...]] = {}
    return changed(Recovery(action).once(partial(recover.recover, action), nothing), "in service here")


def _delete(action: Action, values: Values) -> Outcome:
    """Remove this server's files; LifeKeeper forgets the resource itself."""
    from ec2kit.peers import here

    try:
        here.clean(action)
    except Ec2KitError as error:
        action.log.error(error)  # ec2kit's files must not keep LifeKeeper from removing the resource
    return Outcome("this server's files", "this server's files")


HOOKS: Mapping[str, Mapping[str, Any]] = {
    "restore": {"run": _restore},
    "remove": {"run": _remove, "no_such_tag": SUCCESS},  # LifeKeeper halts the server for a failure
    "quickCheck": {"run": _quick_check},
    "recover": {"run": _recover},
    "delete": {"run": _delete, "about_one_resource": False},  # the resource may be gone from the database already
}
"""Name of each action that LifeKeeper calls → the differences."""

# -- actions ---------------------------------------------------------------------------------------------------


def _migrate(action: Action, values: Values) -> Outcome:
    from ec2kit.frameworks.lifekeeper import migration

    done = migration.migrate(action)
    text = f"{', '.join(done)} without keys now" if done else "nothing to do"
    return Outcome(text, text)


OWN: Mapping[str, ActionSpec] = {
    "aws_iam_migration": ActionSpec(
        "aws_iam_migration",
        "Remove the access keys that are stored in old EC2 and Route 53 resources of this server.",
        tuple,
        _migrate,
        command=False,
    )
}
"""Name → action, for the actions that exist only under LifeKeeper."""
