"""The action quickCheck tells whether a resource is in service here, and remembers since when that is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.engine.action import Action
from ec2kit.engine.judgement import LOOK_RETRIES, Judged, judge
from ec2kit.errors import AwsRefused, Ec2KitError, Unknown
from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason
from ec2kit.state import memory
from ec2kit.status import Status, Verdict

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.scenarios.scenario import Observed


class Checked(NamedTuple):
    """
    The result of a check.

    Attributes:
        verdict: UNKNOWN while busy.
        busy: True: another action is at work, so nothing was judged.
        observed: The observation on which the verdict rests; None: nothing could be seen.
    """

    verdict: Verdict
    busy: bool = False
    observed: Observed | None = None

    @property
    def says_no(self) -> bool:
        """Tell whether two looks agree that the address is not in service here: the only failure of a check."""
        return self.verdict.status is Status.OUT_OF_SERVICE


_BUSY = Checked(Verdict(Status.UNKNOWN, (Reason.of(catalogue.ANOTHER_ACTION),)), busy=True)


def quick_check(action: Action) -> Checked:
    """
    Tell whether the resource is in service here; never waits for another action.

    Raises:
        TagUnknown: There is no resource with this tag.
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
    action.log.put(catalogue.BUSY, busy="another action on this resource")
    return _BUSY


def _address(action: Action) -> str:
    try:
        return action.resource.address
    except Unknown:
        return action.tag


def _cannot_say(error: Ec2KitError, address: str) -> Judged:
    return Judged(Verdict(Status.UNKNOWN, (error,)), address, trouble=getattr(error, "trouble", True))


def _confirmed(action: Action) -> Judged:
    """Look once, and confirm OUT_OF_SERVICE by a second look."""
    ec2 = cache(partial(action.ec2, look_retries=LOOK_RETRIES))
    first = _first_look(action, ec2)
    if first.verdict.status is not Status.OUT_OF_SERVICE:
        return first
    interval = action.settings.confirm_interval
    action.deadline.pause(interval, f"the second look that must confirm: {first.verdict.reason}")
    second = judge(action, ec2())
    if second.verdict.status is not Status.OUT_OF_SERVICE:
        action.log.put(catalogue.STATUS_SECOND_LOOK, reason=first.verdict.reason, seconds=f"{interval:g}")
    return second


def _first_look(action: Action, ec2: Callable[[], Ec2]) -> Judged:
    """Judge by the shared answer if there is one; an older shared answer that says OUT_OF_SERVICE does not count."""
    if not action.settings.snapshot_max_age:
        return judge(action, ec2())
    snapshot = action.snapshot(ec2)
    judged = judge(action, action.scenario.shared(snapshot, action.resource, action.all_resources))
    if judged.verdict.status is Status.OUT_OF_SERVICE and not snapshot.is_fresh:
        return judge(action, ec2())
    return judged


def _report(action: Action, judged: Judged) -> None:
    """Log the verdict, and remember it, or since when it is UNKNOWN."""
    before = memory.recall(action.settings.run_dir, action.tag)
    if judged.verdict.status is Status.UNKNOWN:
        now = _report_unknown(action, judged, before)
    else:
        now = _report_known(action, judged, before)
    status = judged.verdict.status.value
    if status != before.verdict:
        _record(action, judged, before.verdict)
    try:
        memory.remember(action.settings.run_dir, action.tag, now._replace(verdict=status))
    except Ec2KitError as error:
        action.log.error(error)


def _record(action: Action, judged: Judged, before: str) -> None:
    """Record another verdict than the one before in this server's history."""

    def verdict() -> Mapping[str, Any]:
        from ec2kit.engine import history

        reasons = judged.verdict.reasons
        error = next((each for each in reasons if isinstance(each, Ec2KitError)), None)
        basis = history.Basis(action, judged.observed, None if judged.observed is not None else error)
        return history.verdict(basis, before, judged.verdict)

    action.record(verdict)


def _report_unknown(action: Action, judged: Judged, before: memory.Memory) -> memory.Memory:
    reason = judged.verdict.reason
    for each in reason:
        action.log.error(each, told=True)
    clock = action.deadline.clock
    since = before.unknown_since if before.unknown_count else clock.now()
    now = before._replace(unknown_since=since, unknown_count=before.unknown_count + 1, reason=str(reason)[:500])
    message = catalogue.STATUS_TROUBLE if judged.trouble else catalogue.STATUS_UNKNOWN
    age = f"{now.age(clock.now()):.0f}"
    fields = {"address": judged.address, "count": now.unknown_count, "age": age, "reason": reason}
    action.log.put(message, **fields)
    return now


def _report_known(action: Action, judged: Judged, before: memory.Memory) -> memory.Memory:
    clock = action.deadline.clock
    if before.unknown_count:
        age = f"{before.age(clock.now()):.0f}"
        action.log.put(catalogue.STATUS_KNOWN_AGAIN, count=before.unknown_count, age=age)
    if judged.verdict.status is not Status.IN_SERVICE:
        for each in judged.verdict.reasons:
            action.log.error(each, told=True)
    for address, verdict in action.scenario.verdicts(judged.observed).items():
        if verdict.status is Status.IN_SERVICE:
            action.log.put(catalogue.STATUS_IN, address=address)
        elif verdict.status is Status.OUT_OF_SERVICE:
            action.log.record(catalogue.STATUS_OUT, address=address, reason=verdict.reason)
    objects = before.objects
    if judged.complete:
        for message, fields in action.scenario.news(judged.observed, objects):
            action.log.put(message, **fields)
        objects = action.scenario.remembered(judged.observed, objects)
    now = before._replace(unknown_since=0.0, unknown_count=0, reason="", objects=objects)
    return now._replace(in_service_at=clock.now()) if judged.verdict.status is Status.IN_SERVICE else now
