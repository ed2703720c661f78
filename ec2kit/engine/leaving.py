"""A server leaves before AWS interrupts it: what is due, and what follows, is decided here without a question."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ec2kit.host.announcement import Announcement, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ec2kit.settings import Settings


class Others(NamedTuple):
    """
    Tell whether other servers can take over what is in service here.

    Attributes:
        able: None: not known.
        reason: Why not, or why that is not known.
    """

    able: bool | None
    reason: str = ""


class Told(NamedTuple):
    """
    Tell what a framework was told.

    Attributes:
        how: For the log, "#health-ec2kit is red".
        left: The resources for which it was told so, if it is told of each.
    """

    how: str
    left: tuple[str, ...] = ()


class Mover(Protocol):
    """The framework that moves the resources; every method raises Ec2KitError if the framework cannot be asked."""

    name: str
    """ "Pacemaker", for a person."""

    def is_away(self, *, is_due: bool) -> bool:
        """
        Tell whether the framework was told that this server leaves.

        Args:
            is_due: There is a reason to leave; then False also if something came into service here again since.
        """

    def others(self) -> Others:
        """Tell whether other servers can take over what is in service here."""

    def leave(self) -> Told:
        """Tell the framework that this server leaves; to tell it again does no harm."""

    def come_back(self) -> Told:
        """Tell the framework that this server takes resources again."""

    def publish(self, published: str) -> str:
        """
        Let the other servers know which resources this one could not take over, if they do not ask for it.

        Args:
            published: What the last look returned.
        """

    def ineffective(self) -> str:
        """Return why it has no effect that the framework was told to move the resources; "" if nothing is known."""


class Step(Enum):
    """One look comes to one of these."""

    NOTHING = "nothing to do"
    UNKNOWN = "not known, nothing is changed"
    STAYS = "stays"
    LEAVES = "leaves"
    STAYS_AWAY = "stays away"
    WAITS = "waits before it comes back"
    COMES_BACK = "comes back"
    COMES_BACK_AS_LAST = "comes back as the last one"


HAS_REASON_TO_LEAVE = (Step.STAYS, Step.LEAVES, Step.STAYS_AWAY, Step.COMES_BACK_AS_LAST)
"""The steps of a server on which something is due."""

CHANGING = (Step.LEAVES, Step.COMES_BACK, Step.COMES_BACK_AS_LAST)
"""The steps that tell the framework something new."""


def due(announced: Iterable[Announcement], settings: Settings) -> tuple[Announcement, ...]:
    """Return what is a reason to leave now: of events, those that begin within the lead time."""

    def is_due(each: Announcement) -> bool:
        if each.kind is Kind.EVENT:
            return each.left <= settings.notice_lead
        return each.kind is Kind.INTERRUPTION or settings.notice_rebalance

    return tuple(each for each in announced if is_due(each))


def presses(reasons: Iterable[Announcement]) -> bool:
    """Tell whether a server leaves even if no other one can take over: AWS takes it away in two minutes."""
    return any(each.kind is Kind.INTERRUPTION for each in reasons)


def decide(
    reasons: tuple[Announcement, ...],
    *,
    is_whole: bool,
    is_away: bool | None,
    others: Others,
    is_calm: bool,
) -> Step:
    """
    Decide on the next step; what is not known changes nothing, but an interruption does not wait for it.

    Args:
        reasons: What is due.
        is_whole: The metadata service has answered everything.
        is_away: None: the framework does not say.
        others: Asked only if something is due.
        is_calm: For long enough, nothing was due.
    """
    if not reasons:
        return _without_reasons(is_whole=is_whole, is_away=is_away, is_calm=is_calm)
    if is_away:
        is_last = others.able is False and not presses(reasons)
        return Step.COMES_BACK_AS_LAST if is_last else Step.STAYS_AWAY
    if presses(reasons):
        return Step.LEAVES
    if is_away is None:
        return Step.UNKNOWN
    return Step.LEAVES if others.able else Step.STAYS


def _without_reasons(*, is_whole: bool, is_away: bool | None, is_calm: bool) -> Step:
    if not is_whole:
        return Step.UNKNOWN
    if not is_away:
        return Step.NOTHING
    return Step.COMES_BACK if is_calm else Step.WAITS
