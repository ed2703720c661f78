"""The situation that a decision rests on is written here; a record that rests on no look does without this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ec2kit.scenarios.situation import file
from ec2kit.scenarios.situation.replay import conclusion, nothing_observed
from ec2kit.scenarios.situation.situation import CONDITIONAL, HERE, NOT_HERE, Made, Situation
from ec2kit.settings import TUNABLES
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.engine.history import Basis


class NotRecorded(Exception):
    """There is no situation to be written, or its file cannot hold it; the text is the reason, if there is one."""


def text(basis: Basis) -> str:
    """
    Return the whole file of the situation.

    Raises:
        NotRecorded: There is none.
    """
    kind = basis.action.scenario.recorded()
    if kind is None:
        raise NotRecorded
    try:
        return file.write(file.Record(*_concluded(basis, kind)))
    except ValueError as error:
        raise NotRecorded(str(error)) from error


def _concluded(basis: Basis, kind: Any) -> tuple[Situation, tuple[str, ...]]:
    action, observed, error = basis.action, basis.observed, basis.error
    tunables = {name: _text(action, name) for name in kind.TUNABLES}
    made = tuple(
        Made(change._replace(role=None), answer_lost=target in basis.lost and change is changes[-1])
        for target, changes in basis.made.items()
        for change in changes
    )
    wanted = NOT_HERE if basis.wanted is Wanted.NOT_HERE else CONDITIONAL if basis.is_conditional else HERE
    resource = action.resource
    if observed is not None:
        here = observed.server  # type: ignore[attr-defined]
        resource = resource._replace(
            servers=tuple(here if each.name == here.name else each for each in resource.servers)
        )
    found = Situation(
        sentence=f"{action.name} of {action.tag} on {action.registry.server}.",
        resource=resource,
        here=action.registry.server,
        shown=kind.of(observed) if observed is not None else kind.silent(str(error)),
        wanted=wanted,
        made=made,
        before=None,
        tunables={name: text for name, text in tunables.items() if text},
    )
    if observed is None:
        assert error is not None
        return found, nothing_observed(error)
    return found, tuple(conclusion(found, observed))


def _text(action: Action, name: str) -> str:
    """Return the text of a switch that is on; "" for one that is off."""
    attribute = next(attribute for attribute, each in TUNABLES.items() if each.name == name)
    return "1" if getattr(action.settings, attribute) else ""
