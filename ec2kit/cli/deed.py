"""One action runs for the admin CLI in this frame, which shows its outcome to a person or to a program."""

from __future__ import annotations

from typing import Any

from ec2kit.actions.option import Values
from ec2kit.actions.table import FAILURE, SUCCESS, ActionSpec
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, Ec2KitError, Stopped
from ec2kit.frameworks import edge
from ec2kit.messages import stderr
from ec2kit.messages.catalogue import Level


def run(spec: ActionSpec, values: Values, *, as_json: bool) -> int:
    """
    Do an action within its deadline, with BEGIN and END in the log, and show its outcome; return its status.

    Several resources come one after the other, each with a deadline of its own.
    """
    each_one = [(spec.tag(each), each) for each in spec.each(values)]
    shown: list[Result] = []
    try:
        edge.mind_signals()
        watch = edge.Watch(spec.trouble, grace=spec.grace() + edge.OVERDUE)
        for tag, each in each_one:
            action = edge.open_action(spec.name, tag, watch=watch)
            result = _framed(action, spec, each)
            shown.append(_in_envelope(action, result))
            if result.data.get("error", {}).get("code") == Stopped.message.code:
                break
    except Stopped as error:
        stderr.say(Level.ERROR, f"ec2kit: {edge.in_spoken_language(error)}")
        return spec.trouble
    except Exception as error:
        edge.unexpected(edge.open_action(spec.name, each_one[0][0]).log, error)
        return spec.trouble
    return (shown[0] if len(each_one) == 1 else _together(spec, shown)).show(as_json=as_json)


def _in_envelope(action: Action, result: Result) -> Result:
    envelope = {"action": action.name, "tag": action.tag, "server": action.settings.server}
    success = result.status == SUCCESS and "error" not in result.data
    return Result(result.text, {**envelope, "success": success, **result.data}, result.status)


def _together(spec: ActionSpec, shown: list[Result]) -> Result:
    """Return the results for several resources as one: a failure of one is the failure of all."""
    text = "\n".join(f"{each.data['tag']}: {each.text}" for each in shown if each.text)
    success = all(each.data["success"] for each in shown)
    data = {"action": spec.name, "success": success, "resources": [each.data for each in shown]}
    return Result(text, data, max(each.status for each in shown))


def _framed(action: Action, spec: ActionSpec, values: Values) -> Result:
    """Do the action between BEGIN and END."""
    action.begin()
    try:
        with edge.shown(action):
            outcome = spec.run(action, values)
    except Ec2KitError as error:
        action.fail(error)
        return Result("", failure(error), status=FAILURE if isinstance(error, BadRequest) else spec.trouble)
    except Stopped as error:
        action.fail(error)
        return Result("", {"error": {"code": error.message.code, "text": str(error)}}, status=spec.trouble)
    if outcome.is_no:
        action.fail(outcome.text)
    else:
        action.end(outcome.text)
    return Result(outcome.text, {**outcome.data}, FAILURE if outcome.is_no else SUCCESS)


def failure(error: Ec2KitError) -> dict[str, Any]:
    """Return an error in the form for a program."""
    return {"error": {"code": error.message.code, "text": str(error), "action": error.message.action}}
