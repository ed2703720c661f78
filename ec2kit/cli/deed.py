"""Runs one deed of the core for the admin CLI: the frame around it, and its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from ec2kit import edge
from ec2kit.action import Action
from ec2kit.cli.result import Result
from ec2kit.errors import BadRequest, Ec2KitError, Stopped
from ec2kit.resource import checked_tag
from ec2kit.status import Change

Deed = Callable[[Action], Result]

tag_argument = click.argument("tag")


def run(name: str, tag: str, deed: Deed, *, as_json: bool, grace: float = edge.OVERDUE, trouble: int = 1) -> int:
    """
    Do it within its deadline, with BEGIN and END in the log; gives the exit status.

    Args:
        trouble: Exit status where nothing can be said or done for trouble on the way.
    """
    tag = checked_tag(tag)
    try:
        edge.mind_signals()
        action = edge.open_action(name, tag, watch=edge.Watch(trouble, grace=grace))
        result = _framed(action, deed, trouble)
    except Stopped as error:
        click.echo(f"ec2kit: {edge.in_spoken_language(error)}", err=True)
        return trouble
    except Exception as error:
        edge.unexpected(edge.open_action(name, tag).log, error)
        return trouble
    envelope = {"action": name, "tag": tag, "server": action.settings.server}
    success = result.status == 0 and "error" not in result.data
    return Result(result.text, {**envelope, "success": success, **result.data}, result.status).show(as_json=as_json)


def _framed(action: Action, deed: Deed, trouble: int) -> Result:
    """The deed between BEGIN and END."""
    action.begin()
    try:
        result = deed(action)
    except Ec2KitError as error:
        action.fail(error)
        return Result("", failure(error), status=1 if isinstance(error, BadRequest) else trouble)
    except Stopped as error:
        action.fail(error)
        return Result("", {"error": {"code": error.message.code, "text": str(error)}}, status=trouble)
    _end(action, result)
    return result


def _end(action: Action, result: Result) -> None:
    if result.status == 0:
        action.end(result.text)
    else:
        action.fail(result.text)


def failure(error: Ec2KitError) -> dict[str, Any]:
    """An error for a program."""
    return {"error": {"code": error.message.code, "text": str(error), "action": error.message.action}}


def changes(text: str, made: dict[str, tuple[Change, ...]]) -> Result:
    """The result of a deed that changes AWS."""
    listed: Iterable[Change] = (change for each in made.values() for change in each)
    told = [{"operation": each.operation, "target": each.target, "old": each.old, "new": each.new} for each in listed]
    return Result(f"{text}, {len(told)} changed" if told else f"{text}, nothing to change", {"changes": told})
