"""A standby server looks at its own ability to take a resource over, before it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.checks import frame
from ec2kit.checks.preflight import Preflight
from ec2kit.errors import Ec2KitError
from ec2kit.finding import Finding, Outcome

if TYPE_CHECKING:
    from ec2kit.engine.action import Action

_FINE = (Outcome.OK, Outcome.NOTE)


def findings(
    action: Action, *, address_device: str = "", brings_its_way: bool = False, stands_by: bool = True
) -> list[Finding]:
    """
    Return what needs attention before this server can take the resource over; logs nothing, changes nothing.

    Args:
        address_device, brings_its_way, stands_by: The same as of `Preflight`.
    """
    try:
        preflight = Preflight.of(
            action, address_device=address_device, brings_its_way=brings_its_way, stands_by=stands_by
        )
    except Ec2KitError as error:
        return [Finding("instance metadata", Outcome.FAILED, str(error), "bringing it in service here would fail")]
    found = frame.readiness(preflight)
    return [each for each in found if each.outcome not in _FINE]
