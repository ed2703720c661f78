"""One look at what AWS announces: this server leaves before AWS interrupts it, and comes back when that is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ec2kit.engine import leaving
from ec2kit.engine.action import Action
from ec2kit.engine.leaving import Mover, Others, Step, Told
from ec2kit.errors import Ec2KitError, StateUnusable
from ec2kit.host import announcement
from ec2kit.host.announcement import Announced, Announcement
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message
from ec2kit.state import notices
from ec2kit.state.notices import Kept

_SEVERAL = 3
"""Looks in a row without an answer, of which the last one warns."""

_ASKS_AGAIN = 60.0
"""Seconds until other servers that could not take over are asked again."""


class Looked(NamedTuple):
    """
    Hold the result of one look.

    Attributes:
        reasons: What of it is due.
        is_away: Before the step; None: not known.
        why: Why the step is not another one; "" if nothing else was possible.
        how: What the framework was told.
        complaint: Why that has no effect.
        trouble: The error because of which the framework could not be asked or told.
    """

    announced: Announced
    reasons: tuple[Announcement, ...]
    is_away: bool | None
    step: Step
    why: str = ""
    how: str = ""
    complaint: str = ""
    trouble: Ec2KitError | None = None

    @property
    def failure(self) -> Ec2KitError | None:
        """Return the trouble if it matters: something is due, or the framework should have been told."""
        return self.trouble if self.reasons or self.step in leaving.CHANGING else None


MoverOf = Callable[[Kept], Mover]
"""Returns the framework; its argument is the note of the last look."""


def look(action: Action, mover_of: MoverOf, *, dry_run: bool = False) -> Looked:
    """
    Look once, and do what follows.

    Args:
        dry_run: Tell the framework nothing, and leave no note.

    Raises:
        DeadlinePassed: Another look did not end in time.
    """
    if dry_run:
        return _Look(action, mover_of, notices.recall(action.settings.run_dir)).decided()
    lock = notices.lock(action.settings.run_dir)
    try:
        lock.wait(action.deadline, "another look at what AWS announces")
    except StateUnusable as error:  # that is no reason to stay
        action.log.error(error)
    try:
        it = _Look(action, mover_of, notices.recall(action.settings.run_dir))
        looked = it.done(it.decided())
        it.tell(looked)
    finally:
        lock.release()
    return looked


class _Look:
    """One look in the making."""

    def __init__(self, action: Action, mover_of: MoverOf, kept: Kept) -> None:
        self._action = action
        self._kept = kept
        self._now = action.deadline.clock.now()
        self._announced = announcement.look(action.settings, action.deadline)
        self._reasons = leaving.due(self._announced.found, action.settings)
        is_new = any(_key(each) not in kept.due for each in self._reasons)
        self._left = () if is_new else kept.left
        self._mover = mover_of(kept._replace(left=self._left))
        self._others_asked = False

    # -- deciding --

    def decided(self) -> Looked:
        """Return what has to be done; nothing is done yet."""
        is_away, trouble = self._is_away()
        others = self._others(is_away=is_away)
        step = leaving.decide(
            self._reasons,
            is_whole=self._announced.unknown is None,
            is_away=is_away,
            others=others,
            is_calm=self._calm_for() >= self._action.settings.notice_calm,
        )
        looked = Looked(self._announced, self._reasons, is_away, step, why=others.reason, trouble=trouble)
        return looked._replace(complaint=self._complaint(looked))

    def _is_away(self) -> tuple[bool | None, Ec2KitError | None]:
        """Ask the framework, unless nothing is due and the last look knows that this server is not away."""
        if not self._reasons and self._kept.is_away is False:
            return False, None
        try:
            return self._mover.is_away(is_due=bool(self._reasons)), None
        except Ec2KitError as error:
            return None, error

    def _others(self, *, is_away: bool | None) -> Others:
        """Ask about the other servers if that matters; again only after a while if they are not able."""
        if not self._reasons or is_away is None or leaving.presses(self._reasons):
            return Others(able=None)
        kept = self._kept
        is_asked = kept.step == Step.STAYS.value and self._now - kept.asked_at < _ASKS_AGAIN
        if is_asked and not is_away:
            return Others(able=None, reason=kept.reason)
        self._others_asked = True
        return self._mover.others()

    def _calm_for(self) -> float:
        """Return the seconds for which each look has found no reason to leave."""
        return self._now - (self._kept.calm_since or self._now)

    def _complaint(self, looked: Looked) -> str:
        if looked.step not in (Step.STAYS_AWAY, Step.LEAVES) or leaving.presses(looked.reasons):
            return ""
        try:
            return self._mover.ineffective()
        except Ec2KitError:
            return ""

    # -- doing --

    def done(self, looked: Looked) -> Looked:
        """Tell the framework what the step says, and return what it was told."""
        deeds: dict[Step, Callable[[], Told]] = {
            Step.LEAVES: self._mover.leave,
            Step.STAYS_AWAY: self._mover.leave,
            Step.COMES_BACK: self._mover.come_back,
            Step.COMES_BACK_AS_LAST: self._mover.come_back,
        }
        deed = deeds.get(looked.step)
        if deed is None:
            return looked
        try:
            told = deed()
        except Ec2KitError as error:
            return looked._replace(trouble=error)
        self._left = told.left
        return looked._replace(how=told.how, trouble=None)

    # -- telling --

    def tell(self, looked: Looked) -> None:
        """Log what is new, and leave a note for the next look."""
        self._tell_announcements()
        self._tell_step(looked)
        try:
            notices.keep(self._action.settings.run_dir, self._note(looked))
        except Ec2KitError as error:
            self._action.log.error(error)

    def _tell_announcements(self) -> None:
        log, kept, unknown = self._action.log, self._kept, self._announced.unknown
        for each in self._announced.found:
            if _key(each) not in kept.known:
                log.put(catalogue.AWS_ANNOUNCES, what=str(each))
        if unknown is not None and kept.unknown_count == _SEVERAL - 1:
            log.put(catalogue.ANNOUNCEMENTS_UNKNOWN, count=_SEVERAL, reason=unknown)
        if unknown is None and kept.unknown_count >= _SEVERAL:
            log.put(catalogue.ANNOUNCEMENTS_KNOWN, count=kept.unknown_count)

    def _tell_step(self, looked: Looked) -> None:
        log, kept = self._action.log, self._kept
        what, name = _listed(looked.reasons), self._mover.name
        if looked.failure is not None:
            self._put_once(catalogue.LEAVING_FAILED, looked.failure, framework=name)
        elif looked.step is Step.LEAVES:
            log.put(catalogue.SERVER_LEAVES, what=what, how=looked.how)
        elif looked.step is Step.STAYS:
            self._put_once(catalogue.STAYS_AS_LAST, looked.why, what=what)
        elif looked.step is Step.COMES_BACK:
            log.put(catalogue.SERVER_COMES_BACK, seconds=f"{self._calm_for():.0f}", how=looked.how)
        elif looked.step is Step.COMES_BACK_AS_LAST:
            log.put(catalogue.COMES_BACK_AS_LAST, what=what, reason=looked.why, how=looked.how)
        if looked.complaint not in ("", kept.complaint):
            log.put(catalogue.LEAVING_WITHOUT_EFFECT, framework=name, reason=looked.complaint)

    def _put_once(self, message: Message, reason: Ec2KitError | str, **fields: str) -> None:
        """Log a message unless the last look has logged it for the same reason."""
        if self._kept.reason != str(reason):
            self._action.log.put(message, reason=reason, **fields)

    def _note(self, looked: Looked) -> Kept:
        announced, kept = self._announced, self._kept
        keys = tuple(map(_key, announced.found))
        is_whole = announced.unknown is None
        is_calm = is_whole and not self._reasons
        is_known = looked.step is not Step.UNKNOWN
        return Kept(
            looked_at=self._now,
            announced=tuple(map(str, announced.found)) if is_whole else kept.announced,
            known=keys if is_whole else tuple(dict.fromkeys((*kept.known, *keys))),
            due=tuple(map(_key, self._reasons)) if is_whole or self._reasons else kept.due,
            step=looked.step.value if is_known else kept.step,
            reason=_reason(looked) if is_known or looked.failure else kept.reason,
            is_away=self._is_away_now(looked),
            left=() if looked.step in (Step.COMES_BACK, Step.COMES_BACK_AS_LAST) else self._left,
            calm_since=(kept.calm_since or self._now) if is_calm else 0.0,
            asked_at=self._now if self._others_asked else kept.asked_at,
            complaint=looked.complaint,
            published=self._published(),
            unknown_count=0 if is_whole else kept.unknown_count + 1,
        )

    def _published(self) -> str:
        """Let the other servers know what this one could not take over; the next look tries again."""
        try:
            return self._mover.publish(self._kept.published)
        except Ec2KitError:
            return self._kept.published

    def _is_away_now(self, looked: Looked) -> bool | None:
        if looked.trouble is not None or looked.step is Step.STAYS:
            return None  # the framework is asked again, also when the reason has gone
        if looked.step in leaving.CHANGING:
            return looked.step is Step.LEAVES
        return looked.is_away


def _key(each: Announcement) -> str:
    """Return the id of an announcement, and its time, which AWS may change."""
    return f"{each.code} {each.identifier} {each.moment:.0f}"


def _listed(announcements: tuple[Announcement, ...]) -> str:
    return ", ".join(map(str, announcements))


def _reason(looked: Looked) -> str:
    return str(looked.failure) if looked.failure is not None else looked.why
