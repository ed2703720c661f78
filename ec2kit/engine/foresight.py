"""
A plan foresees the calls of an action: the same look, the same decisions, and no call.

What EC2 would show after each call is foreseen, too, so that a plan of several rounds is whole; it holds if nothing
else changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.engine.convergence import not_brought_here
from ec2kit.engine.neighbours import Neighbours
from ec2kit.errors import AwsRefused, Ec2KitError, Unknown
from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason
from ec2kit.status import UNSEEN, Change, Plan, Wanted

if TYPE_CHECKING:
    from collections.abc import Collection

    from ec2kit.ec2.operations import Ec2
    from ec2kit.engine.action import Action
    from ec2kit.messages.statement import Statement
    from ec2kit.resource import Server
    from ec2kit.scenarios.scenario import Observed

AWS = "AWS"
"""The place of a step that is a call to AWS."""

_MOST_ROUNDS = 10
"""More rounds than the plan of any kind has."""

_NONE: Mapping[str, str | bool] = MappingProxyType({})


class Step(NamedTuple):
    """
    One call, or one record on a server, that an action would make, or would not make.

    Attributes:
        is_made: True: the action would make it.
        place: AWS, or the name of the server whose record changes.
        operation: "ReplaceRoute"; of a record "state", "intention" or "definition"; "" if there is no call to make.
        old, new: What it shows before and after; None: nothing.
        reasons: Why it would be made, or would not be.
        arguments: The arguments of the call.
    """

    is_made: bool
    place: str
    operation: str
    target: str
    old: str | None = None
    new: str | None = None
    reasons: tuple[Statement, ...] = ()
    arguments: Mapping[str, str | bool] = _NONE


class Foreseen(NamedTuple):
    """
    Hold what an action would do.

    Attributes:
        error: Why the action would fail, or why nothing is known; None: it would succeed.
        notices: What the action would log as a warning.
    """

    steps: tuple[Step, ...] = ()
    error: Ec2KitError | None = None
    notices: tuple[Statement, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Tell whether the error is that nothing could be seen: no answer is never "nothing to do"."""
        return isinstance(self.error, Unknown | AwsRefused)

    @property
    def changes(self) -> bool | None:
        """Tell whether something would change; None: that is not known."""
        return None if self.is_unknown else any(each.is_made for each in self.steps)


Permit = Callable[["Observed", "tuple[Change, ...]"], None]
"""Raises if the changes may not be made; asked before each round."""


def foresee(
    action: Action,
    ec2: Ec2,
    server: Server,
    wanted: Wanted,
    *,
    permit: Permit | None = None,
    conditional: bool = False,
    first_writes: tuple[Change, ...] = (),
    prepared: tuple[Change, ...] = (),
    has_companion: bool = False,
) -> Foreseen:
    """
    Return what `Convergence.reach` would do in AWS by the same arguments.

    Args:
        prepared: Changes that are made before, as create makes routes.
        has_companion: The setting of the ENI that has to be right beside the address is corrected in the end.
    """
    sight = _Sight(action, permit, conditional)
    try:
        observed = action.scenario.observe(ec2, action.resource, server, action.settings)
        if observed.unknown is not None and wanted is Wanted.HERE:
            raise observed.unknown
    except Ec2KitError as error:
        sight.note(first_writes, None)
        return Foreseen(tuple(sight.steps), error)
    found = sight.reach(observed, wanted, first_writes, prepared)
    if found.error is None and has_companion and (step := _companion(action, ec2, server)) is not None:
        return found._replace(steps=(*found.steps, step))
    return found


class _Sight:
    """One look, and what would follow from it."""

    def __init__(self, action: Action, permit: Permit | None, conditional: bool) -> None:
        self._action = action
        self._scenario = action.scenario
        self._permit = permit
        self._conditional = conditional
        self._neighbours = Neighbours(action)
        self._made: dict[str, tuple[Change, ...]] = {}
        self.steps: list[Step] = []

    def reach(
        self, observed: Observed, wanted: Wanted, first_writes: tuple[Change, ...], prepared: tuple[Change, ...]
    ) -> Foreseen:
        seen = self._after(observed, prepared, first_writes, wanted)
        plan = self._plan(seen, wanted)
        for _ in range(_MOST_ROUNDS):
            if not plan.changes:
                break
            try:
                if self._permit is not None:
                    self._permit(seen, plan.changes)
            except Ec2KitError as refusal:
                self.steps += [_step(each, refusal, is_made=False) for each in plan.changes]
                return Foreseen((*self.steps, *self._left(observed, plan)), refusal)
            seen = self._carried_out(seen, plan.changes)
            plan = self._plan(seen, wanted)
        notices = tuple(Reason(*each) for each in self._scenario.notices(observed)) if self._made else ()
        problems = {**plan.pending, **plan.impossible}
        objects = {*self._scenario.objects(seen), *self._made}
        error = not_brought_here(problems, objects, wrote=bool(self._made)) if problems else None
        return Foreseen((*self.steps, *self._left(observed, plan)), error, notices)

    def _after(
        self, observed: Observed, prepared: tuple[Change, ...], first_writes: tuple[Change, ...], wanted: Wanted
    ) -> Observed:
        """Return what a look shows after what precedes the first plan; a write that EC2 refuses changes nothing."""
        seen = observed
        for each in prepared:
            seen = self._scenario.foreseen(seen, each)
        self.steps += [_step(each, Reason.of(catalogue.PLAN_ASKED_FOR), is_made=True) for each in prepared]
        plan = self._scenario.plan(seen, wanted, {})
        known = {*self._scenario.objects(seen)} - {*plan.pending, *plan.impossible}
        planned = {each.target: each._replace(old=each.new) for each in first_writes if each.target in known}
        planned |= {each.target: each for each in plan.changes}
        self.note(tuple(planned.get(each.target, each) for each in first_writes), seen)
        for each in first_writes:
            if each.target in self._scenario.objects(seen):
                self._made[each.target] = (planned.get(each.target, each),)
                seen = self._scenario.foreseen(seen, each)
        return seen

    def _plan(self, observed: Observed, wanted: Wanted) -> Plan:
        plan = self._scenario.plan(observed, wanted, self._made, conditional=self._conditional)
        return self._neighbours.spared_by(plan)

    def _carried_out(self, observed: Observed, changes: tuple[Change, ...]) -> Observed:
        self.note(changes, observed)
        for each in changes:
            self._made[each.target] = (*self._made.get(each.target, ()), each)
            observed = self._scenario.foreseen(observed, each)
        return observed

    def note(self, changes: tuple[Change, ...], observed: Observed | None) -> None:
        """Note changes that would be made, because of what was observed; None: nothing could be."""
        targets = {each.target for each in changes}
        for each in changes:
            is_unseen = observed is None or each.old in (UNSEEN, each.new)
            own = (Reason.of(catalogue.PLAN_REMEMBERED),) if is_unseen else self._reasons(observed, each, targets)
            self.steps.append(_step(each, *own, is_made=True))

    def _reasons(self, observed: Observed | None, change: Change, targets: Collection[str]) -> tuple[Statement, ...]:
        """Return the reasons of the verdict that are about the change: those that name its object, or none."""
        reasons = self._scenario.judge(observed).reasons
        own = tuple(_of_one(each, change.target) for each in reasons if change.target in _named(each))
        common = tuple(each for each in reasons if not {*_named(each)} & {*targets})
        return own or common or (Reason.of(catalogue.PLAN_SHOWN, old=change.old or "nothing"),)

    def _left(self, observed: Observed, plan: Plan) -> Iterator[Step]:
        """Yield what would not be changed, and why: right already, impossible, or another's."""
        left: dict[str, Statement] = {**plan.pending, **plan.impossible, **self._neighbours.spared}
        changed = {each.target for each in self.steps if each.is_made}
        others = {name: each for each in self._scenario.left_alone(observed) for name in _named(each)}
        planned = {each.target for each in self.steps}
        right = {name: Reason.of(catalogue.PLAN_AS_WANTED) for name in self._scenario.objects(observed)}
        for name, why in {**right, **others, **left}.items():
            if name not in planned or (name in left and name in changed):
                yield Step(False, AWS, "", name, reasons=(_of_one(why, name),))


def _named(reason: Statement) -> tuple[str, ...]:
    """Return the objects that a reason names."""
    return (*getattr(reason, "objects", ()), *(each for each in reason.fields.values() if isinstance(each, str)))


def _of_one(reason: Statement, target: str) -> Statement:
    """Return the reason as it holds for one of its objects."""
    is_one_of_several = isinstance(reason, Reason) and target in reason.objects
    return reason._replace(objects=()) if isinstance(reason, Reason) and is_one_of_several else reason


def _step(change: Change, *reasons: Statement, is_made: bool) -> Step:
    call = change.operation, change.target, change.old, change.new
    return Step(is_made, AWS, *call, reasons, change.arguments)


def _companion(action: Action, ec2: Ec2, server: Server) -> Step | None:
    """Return the step of the setting beside the address; its failure does not fail the action."""
    companion = action.scenario.companion(ec2, server)
    if companion is None:
        return None
    eni = server.network_interface_id
    try:
        change = companion.due(action.deadline)
    except Ec2KitError as error:
        return Step(False, AWS, "", eni, reasons=(error,))
    if change.old == change.new:
        return Step(False, AWS, "", eni, change.old, change.new, (Reason.of(catalogue.PLAN_AS_WANTED),))
    return _step(change, Reason.of(catalogue.PLAN_SHOWN, old=change.old), is_made=True)
