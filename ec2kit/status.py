"""The three answers, and a change still to be made: the words in which the kit thinks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple


class Status(Enum):
    """What is known of an address on this server; no answer is never taken for a no."""

    IN_SERVICE = "IN_SERVICE"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"


_WEIGHT = (Status.IN_SERVICE, Status.UNKNOWN, Status.OUT_OF_SERVICE)


class Verdict(NamedTuple):
    """
    A status and what speaks for it.

    Attributes:
        reasons: One clause each, "10.1.0.10/32 points at eni-2: rtb-1"; empty when all is well.
    """

    status: Status
    reasons: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """All reasons as one clause for a log line."""
        return "; ".join(self.reasons)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Weigh verdicts: evidence of OUT_OF_SERVICE beats UNKNOWN, UNKNOWN beats IN_SERVICE."""
    found = tuple(verdicts)
    worst = max((each.status for each in found), key=_WEIGHT.index)
    return Verdict(worst, tuple(reason for each in found if each.status is worst for reason in each.reasons))


def gather(problems: Mapping[str, str]) -> tuple[str, ...]:
    """One clause for all targets with the same problem: "points at eni-2: rtb-1, rtb-2 and 118 more"."""
    targets: dict[str, list[str]] = {}
    for target, problem in sorted(problems.items()):
        targets.setdefault(problem, []).append(target)
    return tuple(f"{problem}: {_some(found)}" for problem, found in targets.items())


def _some(targets: list[str]) -> str:
    shown = ", ".join(targets[:_SHOWN])
    return shown if len(targets) <= _SHOWN else f"{shown} and {len(targets) - _SHOWN} more"


_SHOWN = 3


class Wanted(Enum):
    """What an action wants of an address: on this server, or not on this server."""

    HERE = "here"
    NOT_HERE = "not here"


_NONE: Mapping[str, Any] = MappingProxyType({})
"""A default that nobody can write into."""


class _Call(NamedTuple):
    operation: str
    target: str
    old: str | None
    new: str | None
    arguments: Mapping[str, str | bool]


class Change(_Call):
    """
    One call still to make.

    Attributes:
        operation: The EC2 operation, "ReplaceRoute", or "SetLinkUp" for this server's own link.
        target: The object that changes, "rtb-1" or "eipalloc-1".
        old, new: The ENI (or other target) before and after; None where there is none.
        arguments: Keyword arguments of the call, by the names of the method in `ec2kit.aws`.
    """

    __slots__ = ()

    def __new__(
        cls,
        operation: str,
        target: str,
        *,
        old: str | None,
        new: str | None,
        arguments: Mapping[str, str | bool] = _NONE,
    ) -> Change:
        return super().__new__(cls, operation, target, old, new, MappingProxyType(dict(arguments)))


class Plan(NamedTuple):
    """
    What is left to do until an observation is as wanted; empty when it is.

    Attributes:
        changes: Calls to make now; each may be made, repeated or left out without harm to the others.
        pending: Target → what it shows although its change was made; waiting may help.
        impossible: Target → why no call of ours can help.
    """

    changes: tuple[Change, ...] = ()
    pending: Mapping[str, str] = _NONE
    impossible: Mapping[str, str] = _NONE
