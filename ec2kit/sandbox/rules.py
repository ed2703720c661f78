"""
Which calls are disturbed: a table of rules that tests and demonstrations change while the sandbox runs.

A rule as it is told and listed:
`{"id": 1, "service": "ec2", "server": "node1", "operation": "ReplaceRoute", "effect": "throttle", "count": 3,
"lasts": null, "left": 2, "hits": 1}`, and the effect's own arguments (`"seconds": 5`).
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ec2kit.sandbox.call import Call
from ec2kit.sandbox.view import Picture
from ec2kit.sandbox.wire import Answer

Proceed = Callable[[], Answer]
Apply = Callable[["Rule", Call, Proceed], Answer]


@dataclass(frozen=True)
class Effect:
    """
    One way to disturb a call.

    Args:
        apply: Called instead of carrying the call out; its last argument carries it out.
        arguments: The effect's own arguments with their defaults; the type of a default is the type of its argument.
        services: Where it makes sense.
        whole_endpoint: It works on the endpoint, not on calls: no operation, no count.
    """

    apply: Apply
    arguments: Mapping[str, Any] = field(default_factory=dict)
    services: tuple[str, ...] = ("ec2",)
    whole_endpoint: bool = False


@dataclass
class Rule:
    """One disturbance; `left` counts down to 0 where the rule has a count, and is None for ever."""

    id: int
    service: str
    server: str | None
    operation: str | None
    effect: str
    arguments: dict[str, Any]
    count: int | None
    lasts: float | None
    left: int | None
    view: Picture | None = None
    hits: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def concerns(self, *, service: str, server: str | None) -> bool:
        """Whether the rule is about this endpoint; the undisturbed one (no server) is never meant."""
        return self.service == service and server is not None and self.server in (None, server)

    def matches(self, call: Call) -> bool:
        """Whether the rule disturbs this call."""
        if self.left == 0 or not self.concerns(service=call.service, server=call.server):
            return False
        return self.operation is None or fnmatch.fnmatchcase(call.operation, self.operation)

    def described(self) -> dict[str, Any]:
        """The rule as JSON, in the form at the head of this module."""
        names = ("id", "service", "server", "operation", "effect", "count", "lasts", "left", "hits")
        return {**{name: getattr(self, name) for name in names}, **self.arguments}


class BadRule(ValueError):
    """A rule that cannot be; the text says why."""


class Rules:
    """
    The rules in the order in which they were set; the first one is the outermost.

    Args:
        effects: The effects there are, by name.
        servers: The names that a rule may name.
        view: Takes the picture that a rule of late consistency shows.
        changed: Called after each change, with every rule that is in force.
    """

    def __init__(
        self,
        *,
        effects: Mapping[str, Effect],
        servers: list[str],
        view: Callable[[], Picture],
        changed: Callable[[list[Rule]], None],
    ) -> None:
        self._effects = effects
        self._servers = servers
        self._view = view
        self._changed = changed
        self._lock = threading.RLock()
        self._rules: dict[int, Rule] = {}
        self._last_id = 0

    def add(self, told: Mapping[str, Any]) -> Rule:
        """
        Put a rule in force.

        Raises:
            BadRule: Unknown effect, argument or server, or a combination that makes no sense.
        """
        rule = self._read(dict(told))
        with self._lock:
            self._last_id += 1
            rule.id = self._last_id
            rule.view = self._view() if rule.effect == "stale" else None
            self._rules[rule.id] = rule
            self._changed(self.all())
        self._end_in_time(rule)
        return rule

    def all(self) -> list[Rule]:
        """Every rule, spent ones too."""
        with self._lock:
            return list(self._rules.values())

    def remove(self, rule_id: int | None = None) -> list[int]:
        """Take one rule out of force, or all; says which."""
        with self._lock:
            ended = [rule for rule in self.all() if rule_id in (None, rule.id)]
            for rule in ended:
                del self._rules[rule.id]
                rule.gone.set()
            self._changed(self.all())
        return [rule.id for rule in ended]

    def disturb(self, call: Call, proceed: Proceed) -> tuple[Answer, list[str]]:
        """Carry a call out under every rule that matches; says which effects those had."""
        matching = self._take(call)
        for rule in reversed(matching):
            proceed = self._under(rule, call, proceed)
        return proceed(), [rule.effect for rule in matching]

    def _under(self, rule: Rule, call: Call, proceed: Proceed) -> Proceed:
        apply = self._effects[rule.effect].apply
        return lambda: apply(rule, call, proceed)

    def _take(self, call: Call) -> list[Rule]:
        with self._lock:
            matching = [rule for rule in self._rules.values() if rule.matches(call)]
            for rule in matching:
                rule.hits += 1
                rule.left = None if rule.left is None else rule.left - 1
        return matching

    def _end_in_time(self, rule: Rule) -> None:
        if rule.lasts is not None:
            timer = threading.Timer(rule.lasts, self.remove, args=(rule.id,))
            timer.daemon = True
            timer.start()

    def _read(self, told: dict[str, Any]) -> Rule:
        effect = self._effect(told.get("effect"))
        rule = Rule(
            id=0,
            service=told.pop("service", None) or "ec2",
            server=told.pop("server", None),
            operation=told.pop("operation", None),
            effect=told.pop("effect"),
            count=_number(told, "count", int),
            lasts=_number(told, "lasts", float),
            left=None,
            arguments={},
        )
        rule.left = rule.count
        rule.arguments = _arguments(effect, rule.effect, told)
        self._check(rule, effect)
        return rule

    def _effect(self, name: Any) -> Effect:
        if name not in self._effects:
            raise BadRule(f"no effect {name!r}; there are {', '.join(self._effects)}")
        return self._effects[name]

    def _check(self, rule: Rule, effect: Effect) -> None:
        if rule.service not in effect.services:
            raise BadRule(f"{rule.effect} is for {' and '.join(effect.services)}, not for {rule.service!r}")
        if rule.server is not None and rule.server not in self._servers:
            raise BadRule(f"no server {rule.server!r}; there are {', '.join(self._servers)}")
        if effect.whole_endpoint and (rule.operation is not None or rule.count is not None):
            raise BadRule(f"{rule.effect} is for the whole endpoint: no operation, no count")


def _number(told: dict[str, Any], name: str, form: type[int] | type[float]) -> Any:
    value = told.pop(name, None)
    if value is None:
        return None
    try:
        number = form(value)
    except (TypeError, ValueError):
        raise BadRule(f"{name} is a number, not {value!r}") from None
    if number <= 0:
        raise BadRule(f"{name} is more than 0, not {value!r}")
    return number


def _arguments(effect: Effect, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    for given in told:
        if given not in effect.arguments:
            raise BadRule(f"{name} knows no {given!r}; it knows {', '.join(effect.arguments) or 'none'}")
    try:
        return {key: type(default)(told.get(key, default)) for key, default in effect.arguments.items()}
    except (TypeError, ValueError) as error:
        raise BadRule(f"an argument of {name} has the wrong form: {error}") from None
