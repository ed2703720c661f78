"""
The command `ec2kit standby` looks whether this server could take its resources over; a timer runs it.

LifeKeeper and keepalived check only the active server. What this command finds is logged as WARN, and is never a
failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ec2kit.actions.option import TAG, Values
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError
from ec2kit.finding import Finding, Outcome
from ec2kit.frameworks import edge
from ec2kit.messages import catalogue
from ec2kit.resource import Resource, checked_tag

_AT_A_TIME = 4

_TO_SHOW = 0.5
"""Seconds of the deadline, half of it at most, that no check uses, so that what is known can still be shown."""


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    tag = values["tag"]
    first = edge.open_action("standby", checked_tag(tag) if tag else "", watch=edge.Watch(0))
    try:
        known = [first.registry.load(tag)] if tag else first.registry.survey()
    except Ec2KitError as error:
        known = []
        first.log.error(error)
    resources = [each for each in known if isinstance(each, Resource) and each.find_server(first.settings.server)]
    waiting = [each for each in resources if not first.registry.in_service(each.tag)]
    found = dict(zip([each.tag for each in waiting], _looked_at(first, waiting), strict=True))
    told = [_told(each, found) for each in resources]
    text = "\n".join(line for each in told for line in _lines(each))
    data = {"server": first.settings.server, "resources": told}
    return Result(text or f"no resources on {first.settings.server}", data).show(as_json=as_json)


command = commands.make(
    "standby",
    "Look whether this server could take over what is in service elsewhere; never a failure.",
    (TAG._replace(help="Tag of a resource; default: all of them.", required=False),),
    _show,
)


def _looked_at(first: Action, resources: list[Resource]) -> list[list[Finding]]:
    """Return what was found of each resource; what was found is logged, too."""
    left = first.deadline.remaining()
    limit = first.deadline.within(left - min(_TO_SHOW, left / 2))
    jobs = [partial(_findings, _action(each)._replace(given=each, deadline=limit)) for each in resources]
    return [_ended(first, each) for each in side_by_side(jobs, limit, at_most=_AT_A_TIME)]


def _action(resource: Resource) -> Action:
    return edge.open_action("standby", resource.tag, watched=False)


def _findings(action: Action) -> list[Finding]:
    from ec2kit.checks import standby

    found = standby.findings(action)
    for each in found:
        action.log.put(catalogue.NOT_READY, check=each.check, found=each.found, advice=each.advice)
    return found


def _ended(first: Action, end: list[Finding] | Exception) -> list[Finding]:
    """Return the findings; a check that did not come to its end has one, and a fault of ec2kit is logged as such."""
    if not isinstance(end, Exception):
        return end
    if not isinstance(end, Ec2KitError):
        edge.unexpected(first.log, end)
    return [Finding("readiness", Outcome.UNSEEN, str(end), "check by hand")]


def _told(resource: Resource, found: dict[str, list[Finding]]) -> dict[str, Any]:
    findings = [each.as_dict() for each in found.get(resource.tag, ())]
    return {
        "tag": resource.tag,
        "address": resource.address,
        "stands_by": resource.tag in found,
        "findings": findings,
    }


def _lines(it: dict[str, Any]) -> Iterator[str]:
    state = "in service here" if not it["stands_by"] else "stands by" if it["findings"] else "stands by, ready"
    yield f"{it['tag']}  {it['address']}  {state}"
    for each in it["findings"]:
        yield f"  {each['check']}: {each['found']}; {each['advice']}"
