"""
The sandbox's own interface, JSON over HTTP on the undisturbed endpoint:

    GET    /_ec2kit/            sandbox.json
    GET    /_ec2kit/effects     the effects with their arguments
    GET    /_ec2kit/rules       the rules
    POST   /_ec2kit/rules       {"server": "node1", "effect": "throttle", "count": 3} → the rule, with its id
    DELETE /_ec2kit/rules/1     that rule
    DELETE /_ec2kit/rules       all rules
    POST   /_ec2kit/page-size   {"size": 5}; null: pages only where asked for
    POST   /_ec2kit/reset       everything as it was at the start: rules, page size, EC2
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.memento import Memento
from ec2kit.sandbox.rules import BadRule, Rules
from ec2kit.sandbox.strict import Habits
from ec2kit.sandbox.wire import Answer, Received

PREFIX = "/_ec2kit/"


class Control:
    """Answers requests under the prefix; `description` gives sandbox.json."""

    def __init__(
        self, *, rules: Rules, habits: Habits, memento: Memento, description: Callable[[], dict[str, Any]]
    ) -> None:
        self._rules = rules
        self._habits = habits
        self._memento = memento
        self._description = description

    def __call__(self, received: Received) -> Answer:
        name, _, rest = received.path.removeprefix(PREFIX).partition("/")
        deed = {
            ("GET", ""): self._description,
            ("GET", "effects"): self._effects,
            ("GET", "rules"): self._listed,
            ("POST", "rules"): lambda: self._rules.add(_told(received)).described(),
            ("DELETE", "rules"): lambda: self._removed(rest),
            ("POST", "page-size"): lambda: self._page_size(_told(received)),
            ("POST", "reset"): self._reset,
        }.get((received.method, name))
        if deed is None:
            return _json({"error": f"nothing at {received.method} {received.path}"}, status=404)
        try:
            return _json(deed())
        except (BadRule, ValueError) as wrong:
            return _json({"error": str(wrong)}, status=400)

    def _effects(self) -> dict[str, Any]:
        return {name: {"services": each.services, **each.arguments} for name, each in EFFECTS.items()}

    def _listed(self) -> list[dict[str, Any]]:
        return [rule.described() for rule in self._rules.all()]

    def _removed(self, rule_id: str) -> dict[str, Any]:
        return {"removed": self._rules.remove(int(rule_id) if rule_id else None)}

    def _page_size(self, told: dict[str, Any]) -> dict[str, Any]:
        size = told.get("size")
        if size is not None and (not isinstance(size, int) or size < 1):
            raise ValueError(f"a page has at least one item, not {size!r}")
        self._habits.page_size = size
        return {"size": size}

    def _reset(self) -> dict[str, Any]:
        removed = self._rules.remove()
        with self._habits.lock:
            self._habits.page_size = None
            self._memento.restore()
        return {"removed": removed}


def _told(received: Received) -> dict[str, Any]:
    told = json.loads(received.body or b"{}")
    if not isinstance(told, dict):
        raise ValueError("a JSON object is expected")
    return told


def _json(told: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(told, indent=2).encode() + b"\n", content_type="application/json")
