"""
The sandbox's own interface is JSON over HTTP on the undisturbed endpoint:

    GET    /_ec2kit/            sandbox.json, as it is now
    GET    /_ec2kit/effects     the effects with their arguments
    GET    /_ec2kit/rules       the rules
    POST   /_ec2kit/rules       {"server": "node1", "effect": "throttle", "count": 3} → the rule, with its id
    DELETE /_ec2kit/rules/1     that rule
    DELETE /_ec2kit/rules       all rules
    POST   /_ec2kit/reset       everything as it was at the start: EC2, no rules, no calls; with {"tables": 3} only so
                                many of the route tables that hold the VIP
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from ec2kit.sandbox.call import Journal
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.memento import Memento
from ec2kit.sandbox.region import Region
from ec2kit.sandbox.rule import BadRule, Effect
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Received

PREFIX = "/_ec2kit/"


class Control:
    """
    Answer requests under the prefix.

    Args:
        keep: Remove all but the first N route tables that hold the VIP, and return the ids of the rest.
        description: Return the content of sandbox.json.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        region: Region,
        memento: Memento,
        journals: Sequence[Journal],
        keep: Callable[[int | None], list[str]],
        description: Callable[[], dict[str, Any]],
    ) -> None:
        self._rules = rules
        self._region = region
        self._memento = memento
        self._journals = journals
        self._keep = keep
        self._description = description

    def __call__(self, received: Received) -> Answer:
        name, _, rest = received.path.removeprefix(PREFIX).partition("/")
        deed: Callable[[], Any] | None = {
            ("GET", ""): self._description,
            ("GET", "effects"): self._effects,
            ("GET", "rules"): self._listed,
            ("POST", "rules"): lambda: self._rules.add(_told(received)).described(),
            ("DELETE", "rules"): lambda: self._removed(rest),
            ("POST", "reset"): lambda: self._reset(_told(received)),
        }.get((received.method, name))
        if deed is None:
            return _json({"error": f"nothing at {received.method} {received.path}"}, status=404)
        try:
            return _json(deed())
        except (BadRule, ValueError) as wrong:
            return _json({"error": str(wrong)}, status=400)

    def _effects(self) -> dict[str, Any]:
        return {name: _described(effect, self._rules.services) for name, effect in EFFECTS.items()}

    def _listed(self) -> list[dict[str, Any]]:
        return [rule.described() for rule in self._rules.all()]

    def _removed(self, rule_id: str) -> dict[str, Any]:
        return {"removed": self._rules.remove(int(rule_id) if rule_id else None)}

    def _reset(self, told: dict[str, Any]) -> dict[str, Any]:
        tables = None if told.get("tables") is None else int(told["tables"])
        with self._region.lock:  # a call that a rule lets go waits for it, and then belongs to an era that has ended
            removed = self._rules.remove()
            self._memento.restore()
            left = self._keep(tables)
            self._region.history.forget()
            self._region.zones.reset()
            for journal in self._journals:
                journal.forget()
        return {"removed": removed, "route_table_ids": left}


def _described(effect: Effect, present: Sequence[str]) -> dict[str, Any]:
    defaults = {argument.name: argument.default for argument in effect.arguments}
    services = [each for each in effect.services if each in present]
    return {"summary": effect.summary, "services": services, "arguments": defaults}


def _told(received: Received) -> dict[str, Any]:
    told = json.loads(received.body or b"{}")
    if not isinstance(told, dict):
        raise ValueError("a JSON object is expected")
    return told


def _json(told: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(told, indent=2).encode() + b"\n", content_type="application/json")
