"""The command `ec2kit probe` lets servers send packets to an address, and shows which of them had an answer."""

from __future__ import annotations

from typing import Any

from ec2kit.actions import probe
from ec2kit.actions.option import TAG, Values
from ec2kit.actions.probe import Probe
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.frameworks import edge
from ec2kit.resource import checked_tag
from ec2kit.state.probed import Outcome

_STATUSES = {Outcome.REACHED: 0, Outcome.SILENT: 1, None: 3}
"""Result → exit status; 3: no server says no, and not all of them can say yes."""


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    action = edge.open_action("probe", checked_tag(values["tag"]), watch=edge.Watch(1))
    with edge.shown(action):
        done = probe.on_demand(action)
    text = "\n".join(probe.shown(action.resource, done))
    return Result(text, _told(action, done), status=_STATUSES[done.result]).show(as_json=as_json)


def _told(action: Action, done: Probe) -> dict[str, Any]:
    return {
        "tag": action.tag,
        "server": action.settings.server,
        "address": action.resource.address,
        "packets_to": list(done.addresses),
        "status": done.verdict.status.value,
        "holder": done.holder.name if done.holder else None,
        "reasons": list(map(str, done.verdict.reasons)),
        "result": done.result.value if done.result else "not known",
        "look_at": list(done.look_at),
        **done.last.as_dict(done.last.at),
    }


command = commands.make(
    "probe",
    "Let the other servers send packets to the address: 0 if all have an answer, 1 if one has none, 3 if not known.",
    (TAG,),
    _show,
)
