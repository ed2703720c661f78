"""
One rule says which calls it disturbs, how often, and by which effect.

A rule as it is given and listed:
`{"id": 1, "service": "ec2", "server": "node1", "operation": "ReplaceRoute", "effect": "throttle", "count": 3,
"skip": 0, "probability": 1.0, "seed": 0, "lasts": null, "left": 2, "hits": 1}`, and the effect's own arguments
(`"seconds": 5.0`).
"""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ec2kit.sandbox.call import Call
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.wire import Answer

Proceed = Callable[[], Answer]
Told = dict[str, Any]


class BadRule(ValueError):
    """A rule is not possible; the text says why."""


@dataclass(frozen=True)
class Argument:
    """
    Describe one argument of a rule or of an effect.

    Args:
        default: Its value if it is left out. None: `help` says what leaving it out means.
        least, most: The range of a number.
        is_server: It names one of the servers.
        choices: The texts that are possible. Empty: any text.
    """

    name: str
    form: type[int] | type[float] | type[str]
    default: Any
    help: str
    least: float = 0
    most: float = 86400
    is_server: bool = False
    choices: tuple[str, ...] = ()

    def read(self, told: Told, servers: Sequence[str]) -> Any:
        """
        Take the argument out of those given, and return its value.

        Raises:
            BadRule: The value has another form, or is out of range.
        """
        value = told.pop(self.name, None)
        if value is None:
            return self.default
        if self.is_server and value not in servers:
            raise BadRule(f"no server {value!r}; there are {', '.join(servers)}")
        return self._text(value) if self.form is str else self._number(value)

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadRule(f"{self.name} is a text, not {value!r}")
        if self.choices and value not in self.choices:
            raise BadRule(f"{self.name} is one of {', '.join(self.choices)}, not {value!r}")
        return value

    def _number(self, value: Any) -> Any:
        try:
            number: Any = self.form(value)
        except (TypeError, ValueError, OverflowError):
            raise BadRule(f"{self.name} is a number, not {value!r}") from None
        if isinstance(value, bool) or not self.least <= number <= self.most:
            raise BadRule(f"{self.name} is from {self.least:g} to {self.most:g}, not {value!r}")
        return number


OPERATION = Argument(
    "operation", str, None, "The operation, ReplaceRoute; * stands for anything. Default: all operations."
)
SERVER = Argument(
    "server", str, None, "The server whose endpoint is disturbed. Default: all servers.", is_server=True
)
DOORS = ("interface", "dual-stack", "fips")
"""Further endpoints of EC2 besides the regional one: what disturbs one of them disturbs no other way to EC2."""

SERVICES = ("ec2", "imds", "sts", "tls", "proxy", *DOORS, "route53")
"""
What a rule can disturb; `tls` are the handshakes of all endpoints of AWS but the doors', `ec2` is behind every door.
"""

SERVICE = Argument("service", str, SERVICES[0], f"One of {', '.join(SERVICES)}.")
COUNT = Argument("count", int, None, "The number of calls to disturb. Default: all.", least=1, most=1_000_000)
SKIP = Argument("skip", int, 0, "The number of calls to leave alone first.", most=1_000_000)
PROBABILITY = Argument("probability", float, 1.0, "The probability that a call is disturbed, from 0 to 1.", most=1)
SEED = Argument("seed", int, 0, "The seed of chance: the same seed makes the same choices.", most=2**63)
LASTS = Argument("lasts", float, None, "Seconds after which the fault ends by itself.")

GENERAL = (SERVER, OPERATION, SERVICE, COUNT, SKIP, PROBABILITY, SEED, LASTS)
"""The arguments of every rule; each effect says which it has besides."""

_CHOOSING = (COUNT, SKIP, PROBABILITY)


def anything(call: Call) -> bool:
    """Tell that any call can be met."""
    return True


def nothing_kept(told: Mapping[str, Any], around: Surroundings) -> None:
    """Keep nothing when a rule is set, as most effects do."""


@dataclass(frozen=True)
class Effect:
    """
    Describe one way to disturb a call.

    Args:
        apply: The function that is called instead of carrying the call out.
        arguments: The effect's own arguments.
        services: The services for which it makes sense.
        calls: Tells whether it can meet a call; any other call neither counts nor is reported to have met it.
        prepare: Called when a rule is set; what it returns is the rule's `kept`.
        chooses: It can meet some calls and pass others by count, skip and probability.
        shuts: It works on the endpoint, not on calls, and so has no operation either.
        drops: An endpoint that it shuts refuses no connections, but lets their packets vanish.
    """

    apply: Callable[[Hit], Answer]
    arguments: tuple[Argument, ...] = ()
    services: tuple[str, ...] = ("ec2",)
    calls: Callable[[Call], bool] = anything
    prepare: Callable[[Mapping[str, Any], Surroundings], Any] = nothing_kept
    chooses: bool = True
    shuts: bool = False
    drops: bool = False

    @property
    def summary(self) -> str:
        """Return what the effect does, in one sentence, for the help."""
        return " ".join((self.apply.__doc__ or "").split("\n\n")[0].split())


@dataclass
class Rule:
    """
    Describe one disturbance.

    `left` counts down to 0 if the rule has a count, and is None if it has none; `chosen` counts up. `kept` is what
    the effect keeps from the moment when the rule was set; `gone` is set when the rule goes.
    """

    effect: str
    service: str
    server: str | None
    operation: str | None
    count: int | None
    skip: int
    probability: float
    seed: int
    lasts: float | None
    arguments: dict[str, Any]
    id: int = 0
    hits: int = 0
    kept: Any = None
    gone: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.left = self.count
        self.chance, self.spread = random.Random(self.seed), random.Random(self.seed)
        self.chosen = self._skipped = 0

    def concerns(self, *, service: str, server: str | None) -> bool:
        """Tell whether the rule is about this endpoint; it is never about the undisturbed one (no server)."""
        return self.service == service and server is not None and self.server in (None, server)

    def matches(self, call: Call) -> bool:
        """Tell whether the rule is about this call."""
        if self.left == 0 or not self.concerns(service=call.service, server=call.server):
            return False
        return self.operation is None or fnmatch.fnmatchcase(call.operation, self.operation)

    def chooses(self) -> bool:
        """Tell whether the next call that matches is disturbed; each question counts."""
        if self._skipped < self.skip:
            self._skipped += 1
            return False
        if self.chance.random() >= self.probability:
            return False
        self.left = None if self.left is None else self.left - 1
        self.chosen += 1
        return True

    def described(self) -> dict[str, Any]:
        """Return the rule as JSON, in the form at the head of this module."""
        names = ("id", "effect", *(each.name for each in GENERAL), "left", "hits")
        return {**{name: getattr(self, name) for name in names}, **self.arguments}


@dataclass
class Hit:
    """
    Describe one call under one rule.

    Args:
        proceed: Carries the call out, under the rules that are further in.
        number: The position of the call among those that the rule chose, from 1 on.
    """

    rule: Rule
    call: Call
    proceed: Proceed
    around: Surroundings
    number: int
    met: bool = False
    """True once the call has got as far as this rule, unless the effect lets it pass."""

    @property
    def told(self) -> Mapping[str, Any]:
        """Return the effect's arguments."""
        return self.rule.arguments

    @property
    def seconds(self) -> float:
        """Return the seconds to wait or to look back, by chance if the rule has a spread."""
        return float(self.told["seconds"]) + self.rule.spread.uniform(0, self.told.get("spread", 0.0))

    def pass_by(self) -> Answer:
        """Let the call pass as if the rule were not there."""
        self.met = False
        return self.proceed()


def read(told: Mapping[str, Any], *, effects: Mapping[str, Effect], servers: Sequence[str]) -> Rule:
    """
    Read a rule from its JSON form.

    Raises:
        BadRule: An effect, an argument or a server is unknown, or a combination makes no sense.
    """
    left = dict(told)
    name = left.pop("effect", None)
    if name not in effects:
        raise BadRule(f"no effect {name!r}; there are {', '.join(effects)}")
    effect = effects[name]
    general = {each.name: each.read(left, servers) for each in GENERAL}
    own = {each.name: each.read(left, servers) for each in effect.arguments}
    for unknown in left:
        known = ", ".join(each.name for each in effect.arguments) or "none"
        raise BadRule(f"{name} knows no {unknown!r}; it knows {known}")
    rule = Rule(effect=name, arguments=own, **general)
    _check(rule, effect)
    return rule


def _check(rule: Rule, effect: Effect) -> None:
    if rule.service not in effect.services:
        raise BadRule(f"{rule.effect} is for {' and '.join(effect.services)}, not for {rule.service!r}")
    if effect.shuts and rule.operation is not None:
        raise BadRule(f"{rule.effect} is for the whole endpoint: no operation")
    chosen = [each.name for each in _CHOOSING if getattr(rule, each.name) != each.default]
    if chosen and not effect.chooses:
        raise BadRule(f"{rule.effect} is for all calls: no {' and no '.join(chosen)}")
