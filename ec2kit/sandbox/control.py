"""
The sandbox's own interface, JSON over HTTP on the undisturbed endpoint:

    GET    /_ec2kit/            sandbox.json
    GET    /_ec2kit/effects     the effects with their arguments
    GET    /_ec2kit/rules       the rules
    POST   /_ec2kit/rules       {"server": "node1", "effect": "throttle", "count": 3} → the rule, with its id
    DELETE /_ec2kit/rules/1     that rule
    DELETE /_ec2kit/rules       all rules
    POST   /_ec2kit/reset       everything as it was at the start: EC2, no rules, no calls
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
    """Answers requests under the prefix; `description` gives sandbox.json."""

    def __init__(
        self,
        *,
        rules: Rules,
        region: Region,
        memento: Memento,
        journals: Sequence[Journal],
        description: Callable[[], dict[str, Any]],
    ) -> None:
        self._rules = rules
        self._region = region
        self._memento = memento
        self._journals = journals
        self._description = description

    def __call__(self, received: Received) -> Answer:
        name, _, rest = received.path.removeprefix(PREFIX).partition("/")
        deed = {
            ("GET", ""): self._description,
            ("GET", "effects"): self._effects,
            ("GET", "rules"): self._listed,
            ("POST", "rules"): lambda: self._rules.add(_told(received)).described(),
            ("DELETE", "rules"): lambda: self._removed(rest),
            ("POST", "reset"): self._reset,
        }.get((received.method, name))
        if deed is None:
            return _json({"error": f"nothing at {received.method} {received.path}"}, status=404)
        try:
            return _json(deed())
        except (BadRule, ValueError) as wrong:
            return _json({"error": str(wrong)}, status=400)

    def _effects(self) -> dict[str, Any]:
        return {name: _described(effect) for name, effect in EFFECTS.items()}

    def _listed(self) -> list[dict[str, Any]]:
        return [rule.described() for rule in self._rules.all()]

    def _removed(self, rule_id: str) -> dict[str, Any]:
        return {"removed": self._rules.remove(int(rule_id) if rule_id else None)}

    def _reset(self) -> dict[str, Any]:
        removed = self._rules.remove()
        with self._region.lock:
            self._memento.restore()
            self._region.history.forget()
            for journal in self._journals:
                journal.forget()
        return {"removed": removed}


def _described(effect: Effect) -> dict[str, Any]:
    defaults = {argument.name: argument.default for argument in effect.arguments}
    return {"summary": effect.summary, "services": effect.services, "arguments": defaults}


def _told(received: Received) -> dict[str, Any]:
    told = json.loads(received.body or b"{}")
    if not isinstance(told, dict):
        raise ValueError("a JSON object is expected")
    return told


def _json(told: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(told, indent=2).encode() + b"\n", content_type="application/json")
