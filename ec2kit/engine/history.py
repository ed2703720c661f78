"""A record says what was decided or changed on this server, so that it can be shown, and replayed without AWS."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.ec2.answers import Receipt
from ec2kit.errors import Ec2KitError
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.resource import Resource
    from ec2kit.scenarios.scenario import Observed
    from ec2kit.status import Change, Verdict

Content = dict[str, Any]

DECISION, END, CALL, VERDICT, STATE, DEFINITION = "decision", "end", "call", "verdict", "state", "definition"
"""
The kinds of records.

A round of calls; the end of all rounds; a call of another part; another verdict; a state; a definition.
"""


_NOTHING_SEEN = "nothing was looked at"


class Basis(NamedTuple):
    """
    Hold what a decision rests on.

    Attributes:
        observed: None: the look has failed, and `error` says why.
        made: Target → the changes to it that were made before.
        lost: The targets of which the answer to the last change was lost.
    """

    action: Action
    observed: Observed | None
    error: Ec2KitError | None = None
    wanted: Wanted = Wanted.HERE
    is_conditional: bool = False
    made: Mapping[str, tuple[Change, ...]] = {}
    lost: Collection[str] = ()


def decided(
    basis: Basis, changes: Sequence[Change], outcomes: Sequence[Receipt | Exception], *, is_beside_look: bool
) -> Content:
    """
    Return the record of one round of calls.

    Args:
        is_beside_look: The calls were made beside the look, and rest on what this server remembered.
    """
    calls = [_call(change, outcome) for change, outcome in zip(changes, outcomes, strict=True)]
    text = ", ".join(f"{each['operation']} {each['target']}: {each['outcome']}" for each in calls)
    return {**_head(basis.action, DECISION, text), "beside_look": is_beside_look, "calls": calls, **_situation(basis)}


def ended(basis: Basis, error: Ec2KitError | None) -> Content:
    """Return the record of the end of the calls of an action: reached or not, and what the last look showed."""
    made = sum(map(len, basis.made.values()))
    text = f"{made} changed, " + (f"failed: {error}" if error is not None else "as wanted")
    code = error.message.code if error is not None else None
    return {**_head(basis.action, END, text), "error": code, **_situation(basis)}


def called(action: Action, change: Change, outcome: Receipt | Exception) -> Content:
    """Return the record of a call that rests on no look of its own."""
    call = _call(change, outcome)
    text = f"{call['operation']} {call['target']}: {call['outcome']}"
    without = "it rests on no look of its own"
    return {**_head(action, CALL, text), "calls": [call], "situation": None, "without": without}


def verdict(basis: Basis, before: str, found: Verdict) -> Content:
    """Return the record of a verdict that is another one than the one before."""
    text = f"{before or 'nothing known'} -> {found.status.value}" + (f": {found.reason}" if found.reasons else "")
    return {**_head(basis.action, VERDICT, text), "status": found.status.value, **_situation(basis)}


def state(action: Action, now: str) -> Content:
    """Return the record of a state that was written."""
    return {**_head(action, STATE, f"state {now}"), "state": now}


def definition(action: Action, tag: str, now: Resource | None) -> Content:
    """Return the record of a definition that was stored, or forgotten."""
    text = f"definition of {tag} forgotten"
    if now is not None:
        text = f"definition of {tag}, revision {now.revision} on {', '.join(now.names)}"
    return {**_head(action, DEFINITION, text), "tag": tag, "revision": now.revision if now is not None else None}


def _head(action: Action, kind: str, text: str) -> Content:
    return {"server": action.settings.server, "tag": action.tag, "action": action.name, "kind": kind, "text": text}


def _call(change: Change, outcome: Receipt | Exception) -> Content:
    call = {name: getattr(change, name) for name in ("operation", "target", "old", "new")}
    if isinstance(outcome, Receipt):
        told = f"request {outcome.request_id}, attempt {outcome.attempts}, {outcome.milliseconds:g} ms"
        return {**call, "outcome": "made", "told": told, "code": None}
    code = outcome.message.code if isinstance(outcome, Ec2KitError) else None
    word = "not known" if getattr(outcome, "uncertain", False) else "not made"
    return {**call, "outcome": word, "told": str(outcome), "code": code}


def _situation(basis: Basis) -> Content:
    """Return the whole file of the situation; None if there is none, with the reason."""
    if basis.observed is None and basis.error is None:
        return {"situation": None, "without": _NOTHING_SEEN}
    from ec2kit.engine.recorded import NotRecorded, text

    try:
        return {"situation": text(basis)}
    except NotRecorded as error:
        return {"situation": None, "without": str(error) or _NOTHING_SEEN}
