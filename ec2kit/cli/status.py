"""`ec2kit status`: what AWS says, what the registry says, and for how long nothing has been known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from ec2kit import edge, judgement, memory
from ec2kit.action import Action
from ec2kit.cli.result import Result, json_option
from ec2kit.deadline import side_by_side
from ec2kit.errors import Ec2KitError
from ec2kit.resource import Resource, checked_tag

_AT_A_TIME = 8


@click.command("status")
@click.argument("tag", required=False)
@json_option
def command(tag: str | None, as_json: bool) -> int:
    """Show where each address is: what AWS says, and what this server's registry says."""
    edge.mind_signals()
    first = edge.open_action("status", checked_tag(tag) if tag else "", watch=edge.Watch(1))
    resources = [first.registry.load(tag)] if tag else first.registry.resources()
    jobs = [partial(_look, edge.open_action("status", each.tag, watched=False), each) for each in resources]
    looks = side_by_side(jobs, first.deadline, at_most=_AT_A_TIME)
    found = [each for each in looks if not isinstance(each, Exception)]
    for error in (each for each in looks if isinstance(each, Exception)):
        raise error
    text = "\n\n".join("\n".join(_lines(each)) for each in found)
    empty = f"no resources on {first.settings.server} ({first.registry.place})"
    return Result(text or empty, {"server": first.settings.server, "resources": found}).show(as_json=as_json)


def _look(action: Action, resource: Resource) -> dict[str, Any]:
    seen = judgement.look(action)
    kept = memory.recall(action.settings.run_dir, resource.tag)
    return {
        **resource.as_dict(),
        "status": seen.verdict.status.value,
        "reasons": list(seen.verdict.reasons),
        "owners": {target: _owner(resource, eni) for target, eni in seen.owners.items()},
        "state": _state(action),
        "unknown": {"count": kept.unknown_count, "age": round(kept.age, 1), "reason": kept.reason},
    }


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
    servers = sorted(it["servers"], key=lambda each: int(each["priority"]))
    listed = ", ".join(f"{each['name']} ({each['priority']}, {each['device']})" for each in servers)
    yield f"  registry  {it['state']} here; servers {listed}; switchback {it['switchback']}"
    unknown = it["unknown"]
    if unknown["count"]:
        checks = "1 check" if unknown["count"] == 1 else f"{unknown['count']} checks in a row"
        yield f"  unknown   {checks} without an answer, for {unknown['age']:.0f} s: {unknown['reason']}"
