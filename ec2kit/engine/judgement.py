"""One look at a resource gives a verdict; nothing is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.errors import AwsRefused, Unknown
from ec2kit.messages.statement import Reasons
from ec2kit.status import Status, Verdict

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.scenarios.scenario import Observed

LOOK_RETRIES = 2
"""Maximum retries of a look-up; few, because the next check comes soon."""


class Judged(NamedTuple):
    """
    A verdict with its address and the observation that it rests on.

    Attributes:
        trouble: True: a person has to fix the cause.
        observed: None: nothing could be seen.
    """

    verdict: Verdict
    address: str
    trouble: bool = False
    observed: Observed | None = None

    @property
    def complete(self) -> bool:
        """Tell whether everything could be seen."""
        return self.observed is not None and self.observed.unknown is None


def judge(action: Action, source: Any) -> Judged:
    """Observe and judge; the source is EC2, or the answer that the checks share."""
    scenario, address = action.scenario, action.resource.address
    observed = scenario.observe(source, action.resource, action.server, action.settings)
    verdict = scenario.judge(observed)
    if observed.unknown is None:
        return Judged(verdict, address, observed=observed)
    return Judged(verdict, address, trouble=getattr(observed.unknown, "trouble", True), observed=observed)


class Look(NamedTuple):
    """
    The present verdict on an address and its owners, for a person.

    Attributes:
        owners: The object that holds the address (a table, an allocation) → the ENI that it points at.
        left_alone: The objects that another mechanism made for the address, and that no action changes.
    """

    verdict: Verdict
    owners: Mapping[str, str | None]
    left_alone: Reasons = Reasons()


def look(action: Action, source: Any = None) -> Look:
    """
    Look once, judge, and remember nothing.

    Args:
        source: The answers that several looks of this command share. None: EC2, asked for this resource alone.
    """
    try:
        source = source or action.ec2(look_retries=LOOK_RETRIES)
        observed = action.scenario.observe(source, action.resource, action.server, action.settings)
    except (Unknown, AwsRefused) as error:
        return Look(Verdict(Status.UNKNOWN, (error,)), {})
    scenario = action.scenario
    return Look(scenario.judge(observed), scenario.owners(observed), scenario.left_alone(observed))
