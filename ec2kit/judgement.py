"""What can be said of a resource on this server: quick_check and look, and the memory of what could not be said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from ec2kit import memory, messages
from ec2kit.action import Action
from ec2kit.errors import AwsRefused, Ec2KitError, Unknown
from ec2kit.resource import ROUTE_TABLE
from ec2kit.status import Status, Verdict

if TYPE_CHECKING:
    from ec2kit.aws import Ec2
    from ec2kit.scenario import Observed, Source

_RETRIES = 2
"""Retries of a look-up: the next check is near."""


class Checked(NamedTuple):
    """
    What a check found.

    Attributes:
        verdict: UNKNOWN while busy.
        busy: Another action is at work, so nothing was judged.
        observed: What the verdict rests on; None where nothing could be seen.
    """

    verdict: Verdict
    busy: bool = False
    observed: Observed | None = None

    @property
    def says_no(self) -> bool:
        """Whether the address is confirmed not to be in service here: the only failure of a check."""
        return self.verdict.status is Status.OUT_OF_SERVICE


_BUSY = Checked(Verdict(Status.UNKNOWN, ("another action is under way",)), busy=True)


class _Judged(NamedTuple):
    """
    A verdict, what it is about, and where it comes from.

    Attributes:
        trouble: It rests on something that a person has to mend.
        objects: The tables that hold the virtual IP, if all could be seen.
        observed: None where nothing could be seen.
    """

    verdict: Verdict
    address: str
    trouble: bool = False
    objects: tuple[str, ...] | None = None
    observed: Observed | None = None


def quick_check(action: Action) -> Checked:
    """
    Tell whether the resource is in service here; never waits for another action.

    Raises:
        TagUnknown: The tag is none.
    """
    try:
        before = action.intentions.current()
        if action.intentions.writing.is_held:
            return _busy(action)
        judged = _confirmed(action)
        overtaken = action.intentions.writing.is_held or action.intentions.current() != before
        if judged.verdict.status is Status.OUT_OF_SERVICE and overtaken:
            return _busy(action)
    except (Unknown, AwsRefused) as error:
        judged = _cannot_say(error, _address(action))
    _report(action, judged)
    return Checked(judged.verdict, observed=judged.observed)


def _busy(action: Action) -> Checked:
    action.log.put(messages.BUSY, busy="another action on this resource")
    return _BUSY


def _address(action: Action) -> str:
    try:
        return action.resource.address
    except Unknown:
        return action.tag


def _cannot_say(error: Ec2KitError, address: str) -> _Judged:
    return _Judged(Verdict(Status.UNKNOWN, (str(error),)), address, trouble=getattr(error, "trouble", True))


def _confirmed(action: Action) -> _Judged:
    """Look, and look again before OUT_OF_SERVICE is said."""
    ec2 = cache(partial(action.ec2, look_retries=_RETRIES))
    first = _first_look(action, ec2)
    if first.verdict.status is not Status.OUT_OF_SERVICE:
        return first
    interval = action.settings.confirm_interval
    action.deadline.pause(interval, f"the second look that must confirm: {first.verdict.reason}")
    second = _judge(action, ec2())
    if second.verdict.status is not Status.OUT_OF_SERVICE:
        action.log.put(messages.STATUS_SECOND_LOOK, reason=first.verdict.reason, seconds=f"{interval:g}")
    return second


def _first_look(action: Action, ec2: Callable[[], Ec2]) -> _Judged:
    """By what the checks of this server share; that an answer of a moment ago says no counts for nothing."""
    if not action.settings.snapshot_max_age:
        return _judge(action, ec2())
    snapshot = action.snapshot(ec2)
    judged = _judge(action, snapshot)
    if judged.verdict.status is Status.OUT_OF_SERVICE and not snapshot.is_fresh:
        return _judge(action, ec2())
    return judged


def _judge(action: Action, source: Source) -> _Judged:
    scenario, address = action.scenario, action.resource.address
    observed = scenario.observe(source, action.resource, action.server, action.settings)
    verdict = scenario.judge(observed)
    if observed.unknown is None:
        return _Judged(verdict, address, objects=scenario.objects(observed), observed=observed)
    return _Judged(verdict, address, trouble=getattr(observed.unknown, "trouble", True), observed=observed)


def _report(action: Action, judged: _Judged) -> None:
    """Log the verdict, and remember when it was known and for how long nothing has been."""
    before = memory.recall(action.settings.run_dir, action.tag)
    if judged.verdict.status is Status.UNKNOWN:
        now = _report_unknown(action, judged, before)
    else:
        now = _report_known(action, judged, before)
    try:
        memory.remember(action.settings.run_dir, action.tag, now)
    except Ec2KitError as error:
        action.log.error(error)


def _report_unknown(action: Action, judged: _Judged, before: memory.Memory) -> memory.Memory:
    reason = judged.verdict.reason
    since = before.unknown_since or time.time()
    now = before._replace(unknown_since=since, unknown_count=before.unknown_count + 1, reason=reason[:500])
    message = messages.STATUS_TROUBLE if judged.trouble else messages.STATUS_UNKNOWN
    fields = {"address": judged.address, "count": now.unknown_count, "age": f"{now.age:.0f}", "reason": reason}
    action.log.put(message, **fields)
    return now


def _report_known(action: Action, judged: _Judged, before: memory.Memory) -> memory.Memory:
    if before.unknown_count:
        action.log.put(messages.STATUS_KNOWN_AGAIN, count=before.unknown_count, age=f"{before.age:.0f}")
    if judged.verdict.status is Status.IN_SERVICE:
        action.log.put(messages.STATUS_IN, address=judged.address)
    else:
        action.log.record(messages.STATUS_OUT, address=judged.address, reason=judged.verdict.reason)
    tables = before.route_table_ids
    if judged.objects is not None and action.resource.scenario == ROUTE_TABLE:
        for lost in sorted(set(tables) - set(judged.objects)):
            action.log.put(messages.TABLE_LOST_ROUTE, route_table_id=lost, cidr=action.resource.cidr)
        tables = tuple(sorted({*tables, *judged.objects}))
    now = before._replace(unknown_since=0.0, unknown_count=0, reason="", route_table_ids=tables)
    return now._replace(in_service_at=time.time()) if judged.verdict.status is Status.IN_SERVICE else now


class Look(NamedTuple):
    """
    What is known of an address right now, for a person.

    Attributes:
        owners: What holds the address (a table, an allocation) → the ENI that it points at.
    """

    verdict: Verdict
    owners: Mapping[str, str | None]


def look(action: Action) -> Look:
    """Look once, judge, and remember nothing."""
    try:
        observed = action.scenario.observe(
            action.ec2(look_retries=_RETRIES), action.resource, action.server, action.settings
        )
    except (Unknown, AwsRefused) as error:
        return Look(Verdict(Status.UNKNOWN, (str(error),)), {})
    return Look(action.scenario.judge(observed), action.scenario.owners(observed))
