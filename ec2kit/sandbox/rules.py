"""Tests and demonstrations change the rules that disturb calls while the sandbox runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ec2kit.sandbox.call import Call
from ec2kit.sandbox.rule import BadRule, Effect, Hit, Proceed, Rule, read
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.wire import Answer


class Rules:
    """
    Hold the rules in the order in which they were set; the first one is the outermost.

    Args:
        effects: The effects by name.
        around: What effects may look at.
        changed: Called after each change, with every rule that is in force.
    """

    def __init__(
        self, *, effects: Mapping[str, Effect], around: Surroundings, changed: Callable[[list[Rule]], None]
    ) -> None:
        self._effects = effects
        self._around = around
        self._changed = changed
        self._lock = threading.RLock()
        self._rules: dict[int, Rule] = {}
        self._last_id = 0

    @property
    def services(self) -> tuple[str, ...]:
        """Return what rules can disturb in this sandbox."""
        return self._around.services

    def add(self, told: Mapping[str, Any]) -> Rule:
        """
        Put a rule in force, and return it.

        Raises:
            BadRule: The rule is not possible.
        """
        rule = read(told, effects=self._effects, servers=list(self._around.interfaces))
        if rule.service not in self.services:
            raise BadRule(f"this sandbox has no {rule.service}: start it with --tls")
        rule.kept = self._effects[rule.effect].prepare(rule.arguments, self._around)
        with self._lock:
            self._last_id += 1
            rule.id = self._last_id
            self._rules[rule.id] = rule
            self._changed(self.all())
        self._end_in_time(rule)
        return rule

    def all(self) -> list[Rule]:
        """Return every rule, those without hits left too."""
        with self._lock:
            return list(self._rules.values())

    def remove(self, rule_id: int | None = None) -> list[int]:
        """Remove one rule, or all rules, and return their ids."""
        with self._lock:
            ended = [rule for rule in self.all() if rule_id in (None, rule.id)]
            for rule in ended:
                del self._rules[rule.id]
                rule.gone.set()
            self._changed(self.all())
        return [rule.id for rule in ended]

    def disturb(self, call: Call, proceed: Proceed) -> tuple[Answer, list[str]]:
        """Carry a call out under every rule that meets it; return the answer and the names of the effects."""
        hits: list[Hit] = []
        for rule, number in reversed(self._take(call)):
            hits.insert(0, Hit(rule, call, proceed, self._around, number))
            proceed = self._under(hits[0])
        answer = proceed()
        return answer, [hit.rule.effect for hit in hits if hit.met]

    def _under(self, hit: Hit) -> Proceed:
        apply = self._effects[hit.rule.effect].apply

        def proceed() -> Answer:
            with self._lock:
                hit.met = True
                hit.rule.hits += 1
            answer = apply(hit)
            with self._lock:
                hit.rule.hits -= not hit.met
            return answer

        return proceed

    def _take(self, call: Call) -> list[tuple[Rule, int]]:
        """Return the rules that choose this call, each with the call's number among those that the rule chose."""
        with self._lock:
            matching = [rule for rule in self._rules.values() if self._can_meet(rule, call)]
            return [(rule, rule.chosen) for rule in matching if rule.chooses()]

    def _can_meet(self, rule: Rule, call: Call) -> bool:
        return rule.matches(call) and self._effects[rule.effect].calls(call)

    def _end_in_time(self, rule: Rule) -> None:
        if rule.lasts is not None:
            timer = threading.Timer(rule.lasts, self.remove, args=(rule.id,))
            timer.daemon = True
            timer.start()
