"""The kit thinks in these words: the three answers, and a change still to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.messages.statement import Reason, Reasons

if TYPE_CHECKING:
    from ec2kit.holding import Holding
    from ec2kit.messages.statement import Statement
    from ec2kit.role import Role


class Status(Enum):
    """The state of an address on this server; no answer never counts as a no."""

    IN_SERVICE = "IN_SERVICE"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"


_WEIGHT = (Status.IN_SERVICE, Status.UNKNOWN, Status.OUT_OF_SERVICE)


class Verdict(NamedTuple):
    """
    Hold a status and the reasons for it.

    Attributes:
        reasons: Each with a code of its own: "10.1.0.10/32 points at eni-2: rtb-1"; empty if all is well.
    """

    status: Status
    reasons: tuple[Statement, ...] = ()

    @property
    def reason(self) -> Reasons:
        """Return all reasons as one field of a message."""
        return Reasons(self.reasons)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Weigh verdicts: evidence of OUT_OF_SERVICE beats UNKNOWN, UNKNOWN beats IN_SERVICE."""
    found = tuple(verdicts)
    worst = max((each.status for each in found), key=_WEIGHT.index)
    return Verdict(worst, tuple(reason for each in found if each.status is worst for reason in each.reasons))


def gather(problems: Mapping[str, Statement]) -> Reasons:
    """Return one reason for all targets with the same problem: "points at eni-2: rtb-1, rtb-2 and 118 more"."""
    gathered: dict[str, tuple[Statement, list[str]]] = {}
    for target, problem in sorted(problems.items(), key=lambda each: each[0]):
        gathered.setdefault(str(problem), (problem, []))[1].append(target)
    return Reasons(Reason(each.message, each.fields, tuple(targets)) for each, targets in gathered.values())


class Wanted(Enum):
    """An action wants the address in one of these places: on this server, or not on this server."""

    HERE = "here"
    NOT_HERE = "not here"


ABSENT = "absent"
"""The former target of an object that create has made itself; undoing means that it does not exist again."""

UNSEEN = "what was not looked at"
"""The target before a change that is made beside the first look."""

_NONE: Mapping[str, Any] = MappingProxyType({})
"""A default that cannot be written into."""


class _Call(NamedTuple):
    operation: str
    target: str
    old: str | None
    new: str | None
    arguments: Mapping[str, str | bool]
    displaces: Holding | None
    role: Role | None


class Change(_Call):
    """
    Describe one call still to make.

    Attributes:
        operation: The EC2 operation, "ReplaceRoute", or "SetLinkUp" for this server's own link.
        target: The object that changes, "rtb-1" or "eipalloc-1".
        old, new: The ENI (or other target) before and after; None if there is none.
        arguments: Keyword arguments of the call, by the names of the method of `ec2kit.ec2.operations.Ec2`.
        displaces: What the call takes away although it is not the resource's; never what another resource has.
        role: The role under which the call is made; None: the server's own credentials.
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
        displaces: Holding | None = None,
        role: Role | None = None,
    ) -> Change:
        return super().__new__(cls, operation, target, old, new, MappingProxyType(dict(arguments)), displaces, role)


class Plan(NamedTuple):
    """
    Describe what is left to do until an observation is as wanted; nothing is left if it is empty.

    Attributes:
        changes: Calls to make now; each may be made, repeated or left out without harm to the others.
        pending: Target → what it shows although its change was made; waiting may help.
        impossible: Target → why no call of the kit can help.
    """

    changes: tuple[Change, ...] = ()
    pending: Mapping[str, Statement] = _NONE
    impossible: Mapping[str, Statement] = _NONE
