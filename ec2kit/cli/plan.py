"""The command `ec2kit plan`, and the flag --dry-run of each action, show what an action would do, and do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ec2kit.actions.option import Values
from ec2kit.actions.table import ACTIONS, FAILURE, SUCCESS, WOULD_CHANGE, ActionSpec
from ec2kit.cli import commands
from ec2kit.cli.deed import failure
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.engine.foresight import Foreseen, Step
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.frameworks import edge
from ec2kit.messages import catalogue, stderr
from ec2kit.messages.catalogue import Level
from ec2kit.messages.language import catalogue_in
from ec2kit.messages.statement import Reason, said

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement

PLANS = {name: spec for name, spec in ACTIONS.items() if spec.plan is not None and spec.command}
"""Name → action, for each action that changes something."""


class _Actions(click.Group):
    """The group has the actions that change something, each with its own options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PLANS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        spec = PLANS.get(cmd_name)
        if spec is None:
            return None
        sentence = f"Show what {spec.name} would do, and do nothing."
        ask = partial(commands.asked, spec) if spec.ask is not None else None
        return commands.make(spec.name, sentence, spec.options(), partial(run, spec), ask=ask)


@click.group("plan", cls=_Actions)
def command() -> None:
    """Show what an action would do, and do nothing: exit status 3 if it would change something, 0 if not."""


def run(spec: ActionSpec, values: Values, as_json: bool) -> int:
    """Show the plan of an action for each resource that is named; return the exit status."""
    assert spec.plan is not None
    edge.mind_signals()
    watch = edge.Watch(FAILURE)
    shown: list[Result] = []
    try:
        for tag, each in [(spec.tag(each), each) for each in spec.each(values)]:
            action = edge.open_action(spec.name, tag, watch=watch)
            with edge.shown(action):
                shown.append(_result(action, spec.plan(action, each)))
    except (Ec2KitError, Stopped) as error:
        stderr.say(Level.ERROR, f"ec2kit: {edge.in_spoken_language(error)}")
        return FAILURE
    if len(shown) == 1:
        return shown[0].show(as_json=as_json)
    data = {"action": "plan", "plans": [each.data for each in shown]}
    statuses = [each.status for each in shown]
    status = FAILURE if FAILURE in statuses else max(statuses)
    return Result("\n\n".join(each.text for each in shown), data, status).show(as_json=as_json)


def _result(action: Action, found: Foreseen) -> Result:
    words = catalogue_in(edge.spoken_language())
    lines = list(_lines(action, found, lambda statement: said(statement, words)))
    return Result("\n".join(lines), _data(action, found), _status(found))


def _status(found: Foreseen) -> int:
    if found.changes:
        return WOULD_CHANGE
    return FAILURE if found.error is not None else SUCCESS


# -- for a person ----------------------------------------------------------------------------------------------


def _lines(action: Action, found: Foreseen, say: Callable[[object], str]) -> Iterator[str]:
    yield say(_headline(action, found))
    if found.error is not None and not found.is_unknown:
        yield say(Reason.of(catalogue.PLAN_FAILS, reason=found.error))
    for each in found.steps:
        yield f"  {'+' if each.is_made else '-'} {_told(action, each)}"
        yield from (f"      {say(reason)}" for reason in each.reasons)
    for notice in found.notices:
        yield f"  ! {say(notice)}"


def _headline(action: Action, found: Foreseen) -> Reason:
    subject = {"action": action.name, "tag": action.tag, "server": action.settings.server}
    count = sum(each.is_made for each in found.steps)
    if found.is_unknown:
        return Reason(catalogue.PLAN_UNKNOWN, {**subject, "reason": found.error})
    if count:
        return Reason(catalogue.PLAN_CHANGES, {**subject, "count": count})
    return Reason(catalogue.PLAN_NOTHING, subject)


def _told(action: Action, step: Step) -> str:
    words = " ".join(filter(None, (step.place, step.operation, step.target)))
    if not step.operation:
        return f"{words}: {step.old}" if step.old else words
    old, new = (_named(action, each) if each is not None else "nothing" for each in (step.old, step.new))
    return f"{words}: {old} -> {new}"


def _named(action: Action, text: str) -> str:
    """Return the text with the names of servers behind their network interfaces, if the definition is known."""
    try:
        return action.resource.with_names(text)
    except Ec2KitError:
        return text


# -- for a program ---------------------------------------------------------------------------------------------


def _data(action: Action, found: Foreseen) -> dict[str, Any]:
    return {
        "action": "plan",
        "plan_of": action.name,
        "tag": action.tag,
        "server": action.settings.server,
        "would_change": found.changes,
        "would_fail": None if found.is_unknown else found.error is not None,
        "steps": [_step(each) for each in found.steps],
        "notices": [_statement(each) for each in found.notices],
        **(failure(found.error) if found.error is not None else {}),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        **step._asdict(),
        "reasons": [_statement(each) for each in step.reasons],
        "arguments": dict(step.arguments),
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {"code": statement.message.code, "text": said(statement)}
