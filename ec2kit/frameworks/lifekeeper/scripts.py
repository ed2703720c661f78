"""
The action scripts read their command lines here, and end with a line in the log and an exit status.

The exit statuses are those of the table of actions. quickCheck and remove must not fail because of their own trouble:
for no and for usage they have statuses that no breakdown of Python has, and their scripts translate these.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, NoReturn

from ec2kit.actions.table import ACTIONS, FAILURE, SUCCESS, USAGE
from ec2kit.errors import BadRequest, Ec2KitError, Stopped, TagUnknown, Unknown, UsageError
from ec2kit.frameworks import edge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ec2kit.actions.option import Values
    from ec2kit.actions.table import ActionSpec
    from ec2kit.engine.action import Action


def main(arguments: list[str]) -> NoReturn:
    """Run one action; the first word is its name."""
    name, words = arguments[0], arguments[1:]
    spec = ACTIONS.get(name) or _own(name)
    status = spec.trouble
    try:
        edge.take_over()
        edge.mind_signals()
        if "--hook" in words:
            os.environ["LC_ALL"] = "C"  # LifeKeeper may copy a hook's output into its own log, which is English
            spec, words = as_hook(spec, words)
        status = _run(spec, words)
    except SystemExit:
        status = SUCCESS  # --help
    except (Ec2KitError, Stopped) as error:
        edge.open_action(name, "").log.error(error)  # in the dialogue, before anything began
    except BaseException as error:
        edge.unexpected(edge.open_action(name, "").log, error)
    edge.leave(spec.to_the_script(status))


def _own(name: str) -> ActionSpec:
    from ec2kit.frameworks.lifekeeper.hooks import OWN

    return OWN[name]


def as_hook(spec: ActionSpec, words: list[str]) -> tuple[ActionSpec, list[str]]:
    """Return the action that LifeKeeper calls, and the words without --hook; nothing changes for any other action."""
    from ec2kit.frameworks.lifekeeper import hooks

    if spec.name not in hooks.HOOKS:
        return spec, words
    return hooks.as_hook(spec), [each for each in words if each != "--hook"]


# -- the command line ------------------------------------------------------------------------------------------


def values_of(spec: ActionSpec, words: Sequence[str]) -> Values:
    """
    Return the values that a command line gives to the options of an action.

    Raises:
        UsageError: The command line cannot be understood.
    """
    plain = _plainly(spec, words)
    if plain is not None:
        return plain
    from ec2kit.frameworks.lifekeeper.arguments import parse

    return parse(spec, words)


def _plainly(spec: ActionSpec, words: Sequence[str]) -> Values | None:
    """Return the values of a framework's plain call, "-t TAG -i ID", without argparse; None: it has another form."""
    given: dict[str, str] = {}
    for flag, value in zip(words[::2], words[1::2], strict=False):
        if flag not in ("-t", "-i") or flag in given or value.startswith("-"):
            return None
        given[flag] = value
    if len(words) % 2 or "-t" not in given or not spec.takes_only_a_tag:
        return None
    return {"tag": given["-t"]}


# -- running it ------------------------------------------------------------------------------------------------


def _run(spec: ActionSpec, words: Sequence[str]) -> int:
    values = None if words else edge.asked_for(spec)
    watch = edge.Watch(spec.trouble, grace=spec.grace() + edge.OVERDUE)
    try:
        values = values or values_of(spec, words)
        each_one = [(spec.tag(each), each) for each in spec.each(values)]
    except Ec2KitError as error:
        edge.open_action(spec.name, "", watch=watch).log.error(error)
        return USAGE if isinstance(error, UsageError) else spec.no_such_tag
    worst = SUCCESS
    for tag, each in each_one:  # one after the other; a failure keeps no other resource from being tried
        status = _do(edge.open_action(spec.name, tag, watch=watch), spec, each)
        if status is None:
            return spec.trouble
        worst = max(worst, status)
    return worst


def _do(action: Action, spec: ActionSpec, values: Values) -> int | None:
    """Run the action on one resource; return its exit status, None if a signal has stopped it."""
    if spec.about_one_resource and _is_unknown(action):
        return spec.no_such_tag
    action.begin()
    try:
        with edge.shown(action) if spec.by_a_person else nullcontext():
            outcome = spec.run(action, values)
        if outcome.is_no:
            action.fail(outcome.note)
            return FAILURE
        action.end(str(outcome.note))
        return SUCCESS
    except Ec2KitError as error:
        action.fail(error)
        return FAILURE if isinstance(error, BadRequest) else spec.trouble
    except Stopped as error:
        action.fail(error)
        return None
    except Exception as error:
        edge.unexpected(action.log, error)
        action.fail("unexpected trouble")
        return spec.trouble


def _is_unknown(action: Action) -> bool:
    """Tell whether there is certainly no such resource here; then log one line, and the action does not begin."""
    try:
        action.resource  # noqa: B018  (raises)
    except TagUnknown as error:
        action.log.error(error)
        return True
    except Unknown:
        pass  # each action treats this trouble in its own way
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
