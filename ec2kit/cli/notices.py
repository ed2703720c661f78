"""
The command `ec2kit notices` looks once at what AWS announces of this instance, and acts; a timer runs it.

What is announced is never a failure; the exit status is 1 if the framework could not be asked or told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ec2kit.actions.option import Option, Values
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.engine.leaving import CHANGING, Mover
from ec2kit.errors import Ec2KitError
from ec2kit.frameworks import edge

if TYPE_CHECKING:
    from ec2kit.actions.leave import Looked
    from ec2kit.state.notices import Kept

FRAMEWORKS = ("lifekeeper", "pacemaker", "keepalived")


def _show(values: Values, as_json: bool) -> int:
    from ec2kit.actions import leave

    edge.mind_signals()
    action = edge.open_action("notices", "", watch=edge.Watch(1))
    name = values["framework"] or _framework(action)
    dry_run = values["dry_run"]
    try:
        looked = leave.look(action, lambda kept: _mover(name, action, kept), dry_run=dry_run)
    except Ec2KitError as error:
        action.log.error(error)
        return Result("", {"server": action.settings.server, "error": str(error)}, status=1).show(as_json=as_json)
    status = int(looked.failure is not None)
    data = {"server": action.settings.server, "framework": name, "dry_run": dry_run, **_told(looked)}
    return Result("\n".join(_lines(data)), data, status=status).show(as_json=as_json)


command = commands.make(
    "notices",
    "Look once at what AWS announces of this instance; leave before an interruption, and come back after it.",
    (
        Option(
            "framework",
            ("--framework",),
            "NAME",
            "The framework to tell; default: LifeKeeper if ec2kit is installed in it, Pacemaker if it is installed "
            "here, otherwise keepalived.",
            choices=FRAMEWORKS,
        ),
        Option("dry_run", ("--dry-run",), "", "Only say what would be done.", kind=bool),
    ),
    _show,
)


def _framework(action: Action) -> str:
    if action.lifekeeper is not None:
        return "lifekeeper"
    from ec2kit.frameworks.pacemaker import leaving

    return "pacemaker" if leaving.is_there(action.settings) else "keepalived"


def _mover(name: str, action: Action, kept: Kept) -> Mover:
    if name == "pacemaker":
        from ec2kit.frameworks.pacemaker.leaving import Pacemaker

        return Pacemaker(action.settings, action.deadline)
    if name == "keepalived":
        from ec2kit.frameworks.keepalived.leaving import Keepalived

        return Keepalived(action)
    from ec2kit.frameworks.lifekeeper.commands import LifeKeeper
    from ec2kit.frameworks.lifekeeper.leaving import LifeKeeperMover

    lifekeeper = LifeKeeper.of(action)
    if lifekeeper is None:
        raise click.UsageError("--framework lifekeeper: ec2kit is not installed in LifeKeeper here")
    return LifeKeeperMover(action, lifekeeper, kept)


def _told(looked: Looked) -> dict[str, Any]:
    return {
        "announced": [
            {
                "kind": each.kind.value,
                "code": each.code,
                "id": each.identifier,
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.moment)),
                "seconds_left": round(each.left),
                "due": each in looked.reasons,
                "text": str(each),
            }
            for each in looked.announced.found
        ],
        "unknown": None if looked.announced.unknown is None else str(looked.announced.unknown),
        "away": looked.is_away,
        "step": looked.step.value,
        "reason": looked.why,
        "told": looked.how,
        "complaint": looked.complaint,
        "trouble": None if looked.trouble is None else str(looked.trouble),
    }


def _lines(it: dict[str, Any]) -> Iterator[str]:
    would = "would do: " if it["dry_run"] and it["step"] in [each.value for each in CHANGING] else ""
    details = [each for each in (it["told"], it["reason"], it["complaint"], it["trouble"]) if each]
    yield f"{it['server']}  {it['framework']}  {would}{it['step']}" + (f": {'; '.join(details)}" if details else "")
    for each in it["announced"]:
        yield f"  {each['text']}" + ("" if each["due"] else ", not yet a reason to leave")
    if it["unknown"]:
        yield f"  not known: {it['unknown']}"
