"""Replaying gives what the scenario makes of a situation now, as the expected half of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.errors import Ec2KitError
from ec2kit.scenarios.situation.file import IF_NOT_CARRIED_OUT, NOT_OBSERVED
from ec2kit.scenarios.situation.lines import INDENT, field, listed, shown
from ec2kit.scenarios.situation.situation import CONDITIONAL, NOT_HERE, UNDO, Made, Situation, change_lines
from ec2kit.scenarios.table import scenario_of
from ec2kit.settings import Settings
from ec2kit.status import Change, Plan, Verdict, Wanted

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement


def replay(situation: Situation) -> tuple[str, ...]:
    """Return the lines of the expected half: what is judged and planned in this situation now."""
    with TemporaryDirectory() as root:
        try:
            observed = _observe(situation, Path(root))
        except Ec2KitError as error:
            return nothing_observed(error)
        return tuple(line.replace(root, "") for line in conclusion(situation, observed))


def _observe(situation: Situation, root: Path) -> Any:
    resource, source = situation.resource, situation.shown
    server = resource.server(situation.here)
    around: dict[str, Any] = {**situation.settings, **source.prepare(root, server)}
    observed = scenario_of(resource).observe(source, resource, server, Settings()._replace(**around))
    return source.completed(observed)


def nothing_observed(error: Ec2KitError) -> tuple[str, ...]:
    """Return the lines of the expected half where the look raised this."""
    return tuple(field(NOT_OBSERVED, str(error)))


def conclusion(situation: Situation, observed: Any) -> Iterator[str]:
    """
    Yield the lines of the expected half.

    Args:
        observed: The observation on which the situation rests, as it was or as it is replayed.
    """
    scenario = scenario_of(situation.resource)
    plan = _plan(situation, observed, situation.made)
    yield from _verdict(scenario.judge(observed))
    yield from _changes("changes", plan)
    if any(each.answer_lost for each in situation.made):
        certain = [each for each in situation.made if not each.answer_lost]
        yield from _changes(IF_NOT_CARRIED_OUT, _plan(situation, observed, certain))
    yield from _mapping("pending", plan.pending)
    yield from _mapping("impossible", plan.impossible)
    yield from _mapping("owners", scenario.owners(observed))
    yield from listed("objects", scenario.objects(observed))
    notices = [f"{message.code} {message.render(**fields)}" for message, fields in scenario.notices(observed)]
    yield from listed("notices", notices)


def _plan(situation: Situation, observed: Any, made: Iterable[Made]) -> Plan:
    scenario, wanted = scenario_of(situation.resource), situation.wanted
    if wanted == UNDO:
        return scenario.undo(observed, situation.before or {})
    by_target: dict[str, tuple[Change, ...]] = {}
    for each in made:
        by_target[each.change.target] = (*by_target.get(each.change.target, ()), each.change)
    wish = Wanted.NOT_HERE if wanted == NOT_HERE else Wanted.HERE
    return scenario.plan(observed, wish, by_target, conditional=wanted == CONDITIONAL)


class Rule(NamedTuple):
    """
    Hold the rule by which one object is treated.

    Attributes:
        box: One of RULES.
        target: The object.
        reason: The reason with its code; None: the rule says it all.
    """

    box: str
    target: str
    reason: Statement | None = None


RULES = {
    "right": "it is as wanted, and is left alone",
    "to change": "it shows another target, and no change of this action explains that: a call is made",
    "pending": "it does not show a change that was made: the action waits, and fails if it does not come",
    "impossible": "no call can help: the action fails",
}
"""The box into which a plan puts an object → what follows."""


def explained(situation: Situation) -> tuple[Verdict, list[Rule]] | Ec2KitError:
    """Return the verdict, and the rule for each object; the error if nothing could be observed."""
    with TemporaryDirectory() as root:
        try:
            observed = _observe(situation, Path(root))
        except Ec2KitError as error:
            return error
    scenario = scenario_of(situation.resource)
    plan = _plan(situation, observed, situation.made)
    rules = [Rule("to change", each.target) for each in plan.changes]
    rules += [Rule("pending", target, why) for target, why in plan.pending.items()]
    rules += [Rule("impossible", target, why) for target, why in plan.impossible.items()]
    known = {each.target for each in rules}
    rules += [Rule("right", target) for target in scenario.objects(observed) if target not in known]
    return scenario.judge(observed), rules


def _verdict(verdict: Verdict) -> list[str]:
    return [*field("verdict", verdict.status.value), *(INDENT + str(reason) for reason in verdict.reasons)]


def _changes(name: str, plan: Plan) -> list[str]:
    return listed(name, [line for change in plan.changes for line in change_lines(change)])


def _mapping(name: str, found: Mapping[str, object]) -> list[str]:
    return listed(name, [f"{key}: {shown(None if value is None else str(value))}" for key, value in found.items()])
