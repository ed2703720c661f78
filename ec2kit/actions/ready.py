"""Before a server leaves, it asks the other servers of its resources whether they could take over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.engine.leaving import HAS_REASON_TO_LEAVE, Others
from ec2kit.errors import Ec2KitError
from ec2kit.finding import Outcome
from ec2kit.peers import here
from ec2kit.peers.answer import Questions
from ec2kit.peers.ask import ask
from ec2kit.state import notices

_AT_A_TIME = 4

_TO_ANSWER = 5.0
"""Seconds of the time for an answer that no check of the asked server uses."""


def others(action: Action, tags: Sequence[str]) -> Others:
    """
    Ask the other servers of these resources; one that is able is enough for each.

    Args:
        tags: The resources that are in service here.
    """
    jobs = [partial(_one, action.called(tag)) for tag in tags]
    found = [_known(each) for each in side_by_side(jobs, action.deadline, at_most=_AT_A_TIME)]
    return _worst(found)


def _known(outcome: Others | Exception) -> Others:
    if isinstance(outcome, Ec2KitError):
        return Others(able=None, reason=str(outcome))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _one(action: Action) -> Others:
    """Ask about one resource; raises Ec2KitError if its definition cannot be read."""
    names = [each.name for each in action.resource.servers if each.name != action.registry.server]
    if not names:
        return Others(able=False, reason=f"{action.tag} has no other server")
    reasons, is_known = [], True
    for name in names:
        there = _asked(action, name)
        if there.able:
            return there
        is_known = is_known and there.able is not None
        reasons.append(f"{name}: {there.reason}")
    return Others(able=False if is_known else None, reason=f"{action.tag} on {'; '.join(reasons)}")


def _asked(action: Action, name: str) -> Others:
    try:
        told = ask(action, name, ["ready", action.tag], seconds=here.SECONDS)
    except Ec2KitError as error:
        return Others(able=None, reason=str(error))
    able = told.get("ready")
    return Others(able if isinstance(able, bool) else None, str(told.get("reason", "")))


def _worst(found: list[Others]) -> Others:
    reason = ", ".join(each.reason for each in found if not each.able)
    if any(each.able is False for each in found):
        return Others(able=False, reason=reason)
    return Others(able=None if reason else True, reason=reason)


def _ready(action: Action, words: list[str]) -> dict[str, Any]:
    """
    Tell whether this server could take the resource over.

    Returns:
        "ready": None: the checks could not look; "reason".
    """
    from ec2kit.checks import standby

    step = notices.recall(action.settings.run_dir).step
    if step in [each.value for each in HAS_REASON_TO_LEAVE]:
        return {"ready": False, "reason": f"AWS announces its interruption, too: it {step}"}
    found = standby.findings(action.within(here.SECONDS - _TO_ANSWER))
    for outcome, ready in ((Outcome.FAILED, False), (Outcome.UNSEEN, None)):
        reasons = [f"{each.check}: {each.found}" for each in found if each.outcome is outcome]
        if reasons:
            return {"ready": ready, "reason": "; ".join(reasons)}
    return {"ready": True, "reason": ""}


PEER_QUESTIONS: Questions = {"ready": _ready}
"""The question that is asked here: ready TAG."""
