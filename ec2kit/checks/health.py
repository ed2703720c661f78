"""A server looks at all that a resource needs of it, at any time: in service or standing by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.checks import frame
from ec2kit.checks.preflight import Preflight
from ec2kit.errors import AwsRefused, Ec2KitError, Unknown
from ec2kit.finding import Finding, Outcome
from ec2kit.status import Status

if TYPE_CHECKING:
    from ec2kit.engine.action import Action

_ASK_AGAIN = "ask again; see docs/troubleshooting.md"


def findings(action: Action, *, in_service: bool) -> list[Finding]:
    """
    Return the findings of all checks of this server, those that are fine included; changes nothing in AWS.

    Args:
        in_service: What this server itself says of the resource.
    """
    try:
        preflight = Preflight.of(action, stands_by=not in_service)
    except Ec2KitError as error:
        advice = "from here the address cannot be moved; see docs/troubleshooting.md"
        return [Finding("instance metadata", Outcome.FAILED, str(error), advice)]
    found = frame.examine(preflight)
    if preflight.unreachable is None:
        found.insert(0, _place(preflight, in_service=in_service))
    return found


def _place(preflight: Preflight, *, in_service: bool) -> Finding:
    """Compare where AWS has the address with what this server says."""
    name = "address"
    try:
        verdict = preflight.scenario.judge(preflight.seen)
    except (Unknown, AwsRefused) as error:
        return Finding(name, Outcome.UNSEEN, str(error), _ASK_AGAIN)
    if verdict.status is Status.UNKNOWN:
        return Finding(name, Outcome.UNSEEN, str(verdict.reason), _ASK_AGAIN)
    is_here = verdict.status is Status.IN_SERVICE
    if in_service is is_here:
        return Finding(name, Outcome.OK, "in service here, and in AWS" if is_here else "neither here, nor in AWS")
    if in_service:
        advice = "recover takes it back, unless another server has it in service"
        return Finding(name, Outcome.FAILED, f"in service here, but not in AWS: {verdict.reason}", advice)
    advice = "as remove leaves it; restore brings it in service"
    return Finding(name, Outcome.NOTE, "AWS has it here, and it is not in service on this server", advice)
