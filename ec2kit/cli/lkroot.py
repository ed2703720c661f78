"""What install and uninstall share: LifeKeeper's folder, the frame around the deed, and how it is told."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import click

from ec2kit import edge, messages
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result
from ec2kit.errors import Ec2KitError
from ec2kit.installation import Step, backup_of
from ec2kit.messages import Message

Steps = Mapping[str, Step]

lkroot_option = click.option("--lkroot", metavar="DIR", help="LifeKeeper's folder; default: LKROOT of the settings.")


def run(
    name: str, lkroot: str | None, change: Callable[[Action, str], Steps], done: Message, note: str, *, as_json: bool
) -> int:
    """
    Change LifeKeeper's tree; gives the exit status, 1 also if something is left that should be gone.

    Args:
        done: What the log says in the end; its fields are root and summary.
        note: The summary's last words.
    """
    edge.mind_signals()
    action = edge.open_action(name, "", watch=edge.Watch(1))
    root = action.settings.lkroot if lkroot is None else _absolute(lkroot)
    envelope = {"action": name, "lkroot": root}
    try:
        steps = change(action, root)
    except Ec2KitError as error:
        action.log.error(error)
        return Result("", {**envelope, "success": False, **deed.failure(error)}, status=1).show(as_json=as_json)
    summary = _counted(steps) + note
    action.log.record(done, root=root, summary=summary)
    left = ", ".join(place for place, step in steps.items() if step is Step.LEFT)
    if left:
        action.log.put(messages.PLACES_LEFT, root=root, places=left)
    data = {**envelope, "success": not left, "files": [_as_dict(*each) for each in steps.items()]}
    text = "\n".join([*(_line(*each) for each in steps.items()), f"{root}: {summary}"])
    return Result(text, data, status=1 if left else 0).show(as_json=as_json)


def _absolute(path: str) -> str:
    """An empty path, of a variable that is not set, stays empty and is refused: it is not the current folder."""
    return os.path.abspath(path) if path else ""


def _counted(steps: Steps) -> str:
    counts = Counter(step.value for step in steps.values())
    return ", ".join(f"{count} {verb}" for verb, count in counts.items()) or "nothing of ec2kit was there"


def _line(place: str, step: Step) -> str:
    backup = f" (backup {backup_of(place)})" if step is Step.REPLACED else ""
    return f"{step.value:<9}  {place}{backup}"


def _as_dict(place: str, step: Step) -> dict[str, Any]:
    backup = {"backup": backup_of(place)} if step is Step.REPLACED else {}
    return {"path": place, "outcome": step.value, **backup}
