"""
The command `ec2kit status` shows the answers of AWS and of the registry, and since when AWS has not answered.

It names the way to the credentials, too: keys in a file or in the environment hide the role of the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ec2kit.actions.option import TAG, Values
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.deadline import Deadline, side_by_side
from ec2kit.ec2.snapshot import Survey
from ec2kit.engine import judgement
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError
from ec2kit.frameworks import edge
from ec2kit.host.ip import Carried, carried, shown
from ec2kit.host.reply_path import Rule, rule_of, rules_of
from ec2kit.resource import Resource, checked_tag, is_ipv4
from ec2kit.scenarios.table import scenario_of
from ec2kit.state import memory, notices, probed
from ec2kit.state.probed import Heard
from ec2kit.status import Status, Verdict

_AT_A_TIME = 8

_TO_SHOW = 0.5
"""Seconds of the deadline, half of it at most, that no look uses, so that what is known can still be shown."""


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    tag = values["tag"]
    first = edge.open_action("status", checked_tag(tag) if tag else "", watch=edge.Watch(1))
    known = [first.registry.load(tag)] if tag else first.registry.survey()
    resources = [each for each in known if isinstance(each, Resource)]
    broken = [str(each) for each in known if not isinstance(each, Resource)]
    with edge.shown(first):
        found = _looked_at(first, resources)
    kept = _notices(first)
    text = "\n\n".join([*("\n".join(_lines(each)) for each in found), *broken, *_notice_lines(kept)])
    empty = f"no resources on {first.settings.server}: its registry ({first.registry.place}) is missing or empty"
    data = {"server": first.settings.server, "resources": found, "broken": broken, "notices": kept}
    return Result(text or empty, data, status=1 if broken else 0).show(as_json=as_json)


command = commands.make(
    "status",
    "Show where each address is: what AWS says, and what this server's registry says.",
    (TAG._replace(help="Tag of a resource; default: all of them.", required=False),),
    _show,
)


def _looked_at(first: Action, resources: list[Resource]) -> list[dict[str, Any]]:
    """Return what is to be shown of each resource; a look that does not end in time is UNKNOWN."""
    left = first.deadline.remaining()
    kept = min(_TO_SHOW, left / 2)
    limit, patience = first.deadline.within(round(left - kept, 1)), first.deadline.within(left - kept / 2)
    here = _here(first, resources)
    actions = [_action(each, limit) for each in resources]
    surveys = list(_surveys(actions))
    jobs = [
        partial(judgement.look, action, action.scenario.shared(survey, action.resource, lambda: resources))
        for action, survey in zip(actions, surveys, strict=True)
    ]
    looks = side_by_side(jobs, patience, at_most=_AT_A_TIME)
    return [
        {
            **_told(action, look),
            "network": _network(action.resource, here),
            "credentials": ", role ".join((survey.credentials, *action.scenario.roles(action.resource))),
            "way": survey.way,
        }
        for action, survey, look in zip(actions, surveys, looks, strict=True)
    ]


def _action(resource: Resource, limit: Deadline) -> Action:
    """Return the action that looks at one resource; its deadline is that of all looks."""
    opened = edge.open_action("status", resource.tag, watched=False)
    return opened._replace(given=resource, deadline=limit)


def _surveys(actions: list[Action]) -> Iterator[Survey]:
    """Yield the survey for each resource: one for all with the same region, endpoint and credentials."""
    surveys: dict[tuple[str, str], Survey] = {}
    for action in actions:
        place = (action.resource.region, action.settings.origin)
        if place not in surveys:
            ec2 = action.ec2(look_retries=judgement.LOOK_RETRIES)
            surveys[place] = Survey(ec2)
        yield surveys[place]


def _told(action: Action, look: judgement.Look | Exception) -> dict[str, Any]:
    """Return what is to be shown of one resource; raises what is no answer of AWS but a fault of ec2kit."""
    if isinstance(look, Ec2KitError):
        look = judgement.Look(Verdict(Status.UNKNOWN, (look,)), {})
    if isinstance(look, Exception):
        raise look
    resource = action.resource
    kept = memory.recall(action.settings.run_dir, resource.tag)
    probe = probed.recall(action.settings.run_dir, resource.tag)
    reasons = list(map(str, look.verdict.reasons))
    now = action.deadline.clock.now()
    age = kept.age(now)
    return {
        **resource.as_dict(),
        "status": look.verdict.status.value,
        "reasons": reasons,
        "owners": {target: _owner(resource, eni) for target, eni in look.owners.items()},
        "left_alone": [str(each) for each in look.left_alone if str(each) not in reasons],
        "state": _state(action),
        "unknown": {"count": kept.unknown_count, "age": round(age, 1), "reason": kept.reason},
        "probe": probe.as_dict(now) if probe else None,
    }


class _Here(NamedTuple):
    """The addresses on the devices of this server, and the rules of its kernel."""

    carried: tuple[Carried, ...]
    rules: tuple[Rule, ...]


def _here(first: Action, resources: list[Resource]) -> _Here | None:
    """Look at this server, once for all resources; return None if no device carries any, or that cannot be seen."""
    settings, deadline = first.settings, first.deadline.within(first.deadline.remaining() / 4)
    if not any(scenario_of(each).ON_THE_DEVICE for each in resources):
        return None
    try:
        return _Here(tuple(carried(settings, deadline)), rules_of(shown(["rule", "show"], settings, deadline)))
    except Ec2KitError:
        return None


def _network(resource: Resource, here: _Here | None) -> dict[str, Any] | None:
    """Return where the address is on this server; None if no device carries such addresses, or that was not seen."""
    if here is None or not scenario_of(resource).ON_THE_DEVICE or not is_ipv4(resource.address):
        return None
    on = [each.device for each in here.carried if each.address == resource.address]
    return {"on": on, "rule": rule_of(resource.address) in here.rules}


def _notices(first: Action) -> dict[str, Any] | None:
    """Return what the last `ec2kit notices` of this boot has found; None: there was none."""
    kept = notices.recall(first.settings.run_dir)
    if not kept.looked_at:
        return None
    return {
        "announced": list(kept.announced),
        "step": kept.step,
        "reason": kept.reason,
        "away": kept.is_away,
        "unknown_count": kept.unknown_count,
        "age": round(first.deadline.clock.now() - kept.looked_at, 1),
    }


def _notice_lines(it: dict[str, Any] | None) -> list[str]:
    """Return one text about this server if AWS announces something, or this server is away; otherwise none."""
    if it is None or not (it["announced"] or it["away"]):
        return []
    what = f"AWS announces {', '.join(it['announced'])}" if it["announced"] else "AWS announces nothing any more"
    where = "it has left" if it["away"] else it["step"]
    return [f"this server: {what}; {where} ({it['age']:.0f} s ago)"]


def _state(action: Action) -> str:
    try:
        return action.registry.state(action.tag)
    except Ec2KitError as error:
        return f"unknown ({error})"


def _owner(resource: Resource, network_interface_id: str | None) -> dict[str, str | None]:
    holder = resource.find_holder(network_interface_id)
    return {"network_interface_id": network_interface_id, "server": holder.name if holder else None}


def _lines(it: dict[str, Any]) -> Iterator[str]:
    yield f"{it['tag']}  {it['scenario']}  {it['address']}  {it['region']}  {it['vpc_id']}"
    yield f"  AWS       {it['status']} here" + (f": {'; '.join(it['reasons'])}" if it["reasons"] else "")
    holders: dict[str, list[str]] = {}
    for target, owner in it["owners"].items():
        name = owner["server"] or owner["network_interface_id"] or "nothing"
        holders.setdefault(name, []).append(target)
    for name, targets in sorted(holders.items()):
        shown = ", ".join(targets[:4]) + (f" and {len(targets) - 4} more" if len(targets) > 4 else "")
        yield f"            on {name}: {shown}"
    for each in it["left_alone"]:
        yield f"            beside: {each}"
    yield f"  SDK       credentials: {it['credentials']}"
    yield f"  way       {it['way']}"
    if it["network"] is not None:
        on = ", ".join(it["network"]["on"]) or "no device"
        rule = "ec2kit's rule" if it["network"]["rule"] else "no rule of ec2kit's"
        yield f"  server    {it['address']} on {on}; {rule} for replies"
    servers = sorted(it["servers"], key=lambda each: int(each["priority"]))
    listed = ", ".join(f"{each['name']} ({each['priority']}, {each['device']})" for each in servers)
    yield f"  registry  {it['state']} here; servers {listed}; switchback {it['switchback']}"
    if it["probe"] is not None:
        yield f"  probe     {_last_probe(it['probe'])}"
    unknown = it["unknown"]
    if unknown["count"]:
        checks = "1 check" if unknown["count"] == 1 else f"{unknown['count']} checks in a row"
        yield f"  unknown   {checks} without an answer, for {unknown['age']:.0f} s: {unknown['reason']}"


def _last_probe(it: dict[str, Any]) -> str:
    servers = "; ".join(f"{name} {Heard.of(each)}" for name, each in it["servers"].items()) or "no server was asked"
    seconds = it["effective"]
    effective = f"; effective at most {seconds:g} s after AWS had accepted it" if seconds is not None else ""
    return f"{it['age']:.0f} s ago, by {it['way']}: {servers}{effective}"
