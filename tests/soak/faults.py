"""What goes wrong during a soak: every effect that the sandbox has, by chance, for a while, on some server."""

from __future__ import annotations

import random
import time
from collections import Counter
from threading import Event
from typing import Any

from ec2kit.sandbox.client import NoSandbox, Sandbox

from .judge import Lie
from .stage import NODES, Stage

ARGUMENTS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 0.6},
    "drip": {"seconds": 0.2},
    "error": {"status": 503, "code": "Unavailable"},
    "late": {"seconds": 1.0},
    "back": {"seconds": 1.0},
    "spreading": {"seconds": 1.0},
}
"""What is told to an effect; all others have their defaults."""

SHOWN_AS_IT_WAS = {"stale": 0.0, "late": 1.0, "back": 1.0}
"""Effect → how long before the rule was set what it shows may have been true."""

SERVICES = ("ec2", "imds", "sts", "route53", "tls")
"""What the actions of a soak use, if the sandbox has it."""

MADE_UP = ("blackhole", "gone", "hollow")
"""Effects that show what never was."""

NEVER_MET = ("maintenance", "interruption", "rebalance")
"""Effects on what no action asks for."""

OPERATIONS = (None, None, "Describe*", "ReplaceRoute", "AssociateAddress", "*Address*", "Assign*", "Unassign*")


class Faults:
    """
    Puts rules in force and takes them away again.

    Attributes:
        lies: When EC2 showed whom what was not so.
        names: What there is: (service, effect), and servers that nobody can ask.
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._sandbox: Sandbox = stage.sandbox
        self._chance = random.Random(seed)
        self.lies: list[Lie] = []
        effects = self._sandbox.control("GET", "effects")
        self.names = [
            (service, name)
            for name, each in effects.items()
            for service in SERVICES
            if service in each["services"] and name not in NEVER_MET
        ]

    def go_on(self, over: Event) -> None:
        """Now this, now that, with times of peace between, until it is over."""
        while not over.wait(self._chance.uniform(0.1, 1.0)):
            if self._chance.random() < 0.1:
                self._cut_off(over)
            else:
                self._disturb(*self._chance.choice(self.names))
        self._sandbox.clear()

    def _disturb(self, service: str, effect: str) -> None:
        server = (
            self._chance.choice((*NODES, None)) if effect not in ("refuse", "drop") else self._chance.choice(NODES)
        )
        lasts, count = self._chance.uniform(0.5, 3.0), self._chance.choice((None, 1, 3))
        operation = self._chance.choice(OPERATIONS) if service == "ec2" else None
        told: dict[str, Any] = {"service": service, "server": server, "lasts": lasts, **ARGUMENTS.get(effect, {})}
        began = time.time()
        try:
            self._sandbox.fault(effect, operation=operation, count=count, **told)
        except NoSandbox:  # an effect on whole endpoints has neither operation nor count
            self._sandbox.fault(effect, **told)
        if service == "ec2" and (effect in SHOWN_AS_IT_WAS or effect in MADE_UP):
            reach, is_made_up = SHOWN_AS_IT_WAS.get(effect, 0.0), effect in MADE_UP
            self.lies.append(Lie(server, began, time.time() + lasts + 0.5, reach, is_made_up))

    def _cut_off(self, over: Event) -> None:
        """A server that the others cannot ask for a while, or that does not answer them."""
        how = self._chance.choice(("unreachable", "silent"))
        mark = self._sandbox.folder / self._chance.choice(NODES) / how
        mark.touch()
        self._stage.meets(f"peer {how}")
        over.wait(self._chance.uniform(0.5, 3.0))
        mark.unlink()


def met(stage: Stage) -> Counter[str]:
    """Each fault that an action really met, by its name."""
    found = Counter(stage.met)
    found.update(effect for call in stage.sandbox.calls() if call["server"] for effect in call["effects"])
    found.update(f"sts {effect}" for call in stage.sandbox.sts_calls() for effect in call.get("effects", ()))
    found.update(f"imds {effect}" for call in stage.sandbox.imds_calls() for effect in call.get("effects", ()))
    found.update(f"tls {effect}" for each in stage.sandbox.connections() for effect in each["effects"])
    found["refuse"] += sum("Connection refused" in each.stderr for each in stage.done)
    return +found
