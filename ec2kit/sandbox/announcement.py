"""Effects by which the metadata service announces what AWS will do to an instance: events, interruptions, advice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ec2kit.sandbox.call import Announced, Call
from ec2kit.sandbox.rule import Argument, Effect, Hit
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.wire import Answer

EVENTS = ("system-reboot", "system-maintenance", "instance-reboot", "instance-stop", "instance-retirement")
"""The codes of scheduled events."""

ENDS = ("completed", "canceled")
"""The states of an event that is over."""

ACTIONS = ("terminate", "stop", "hibernate")
"""What becomes of an interrupted Spot Instance."""

_LENGTH = 1000.0
"""Seconds from the begin to the end of an event."""

_WITHOUT_END = ("instance-stop", "instance-retirement")


def maintenance(hit: Hit) -> Answer:
    """
    Tell of a scheduled event that begins so many seconds after the fault was set, or of one that is over.

    Source: EC2 user guide, "Scheduled events for your instances": active events are in `scheduled`, others in
    `history`, and `[]` stands for none.
    """
    code, ended = hit.told["event"], hit.told["ended"]
    begins = hit.rule.kept + hit.seconds
    event = {
        "NotBefore": _gmt(begins),
        "Code": code,
        "Description": f"[{ended.capitalize()}] {_SENTENCES[code]}" if ended else _SENTENCES[code],
        "EventId": f"instance-event-{hit.rule.id:017x}",
        **({} if code in _WITHOUT_END else {"NotAfter": _gmt(begins + _LENGTH)}),
        "State": ended or "active",
    }
    return _announced(hit, Announced("history" if ended else "scheduled", event))


_SENTENCES = {
    "system-reboot": "scheduled reboot",
    "system-maintenance": "scheduled network maintenance",
    "instance-reboot": "scheduled reboot",
    "instance-stop": "The instance is running on degraded hardware",
    "instance-retirement": "The instance is running on degraded hardware",
}


def interruption(hit: Hit) -> Answer:
    """
    Tell that the Spot Instance is interrupted so many seconds after the fault was set.

    Source: EC2 user guide, "Spot Instance interruption notices"; without a notice the item does not exist (404).
    """
    told = {"action": hit.told["action"], "time": _iso(hit.rule.kept + hit.seconds)}
    return _announced(hit, Announced("interruption", told))


def rebalance(hit: Hit) -> Answer:
    """
    Give the recommendation to rebalance: the Spot Instance is at elevated risk of interruption.

    Source: EC2 user guide, "EC2 instance rebalance recommendations"; without one the item does not exist (404).
    """
    return _announced(hit, Announced("rebalance", {"noticeTime": _iso(hit.rule.kept)}))


def _announced(hit: Hit, what: Announced) -> Answer:
    hit.call.announced.append(what)
    return hit.proceed()


def folders(announced: list[Announced]) -> dict[str, Any]:
    """Return the folders `events` and `spot` of the meta-data, with what is announced to the call."""
    by_kind: dict[str, list[Mapping[str, str]]] = {}
    for each in announced:
        by_kind.setdefault(each.kind, []).append(each.told)
    interruptions, advice = by_kind.get("interruption", []), by_kind.get("rebalance", [])
    events = {name: _listed(by_kind.get(name, [])) for name in ("history", "scheduled")}
    return {
        "events": {
            "maintenance": events,
            **({"recommendations": {"rebalance": json.dumps(advice[0])}} if advice else {}),
        },
        **({"spot": _spot(interruptions[0])} if interruptions else {}),
    }


def _spot(notice: Mapping[str, str]) -> dict[str, str]:
    ends = {"termination-time": notice["time"]} if notice["action"] == "terminate" else {}
    return {"instance-action": json.dumps(notice), **ends}


def _listed(events: list[Mapping[str, str]]) -> str:
    return json.dumps(events, indent=2, separators=(",", " : ")) if events else "[]"


def _gmt(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%d %b %Y %H:%M:%S GMT")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(told: Mapping[str, Any], around: Surroundings) -> float:
    return time.time()


_FOLDERS = ("/latest/meta-data/events", "/latest/meta-data/spot")


def _looks_at_announcements(call: Call) -> bool:
    return call.received.method == "GET" and (
        call.operation.startswith(_FOLDERS) or call.operation.rstrip("/") == "/latest/meta-data"
    )


_BEGIN = Argument("seconds", float, 600.0, "The time, in seconds; less than 0: it has begun.", least=-86400, most=1e8)
_LEFT = Argument("seconds", float, 120.0, "The time, in seconds.")
_EVENT = Argument("event", str, EVENTS[0], f"The code of the event: {', '.join(EVENTS)}.", choices=EVENTS)
_ENDED = Argument("ended", str, None, "completed or canceled. Default: the event is active.", choices=ENDS)
_ACTION = Argument("action", str, ACTIONS[0], "What AWS does: terminate, stop or hibernate.", choices=ACTIONS)

_IMDS = ("imds",)

ANNOUNCEMENTS = {
    "maintenance": Effect(
        maintenance, (_EVENT, _BEGIN, _ENDED), services=_IMDS, calls=_looks_at_announcements, prepare=_moment
    ),
    "interruption": Effect(
        interruption, (_ACTION, _LEFT), services=_IMDS, calls=_looks_at_announcements, prepare=_moment
    ),
    "rebalance": Effect(rebalance, services=_IMDS, calls=_looks_at_announcements, prepare=_moment),
}
"""A part of the table of effects."""
