"""EC2 tells an id that cannot be from an id that leads to nothing; moto knows the second only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ec2kit.sandbox.call import Refused

if TYPE_CHECKING:
    from ec2kit.sandbox.strict import Desk

_FORMS = {
    "RouteTableId": ("rtb", "InvalidRouteTableId.Malformed"),
    "NetworkInterfaceId": ("eni", "InvalidNetworkInterfaceId.Malformed"),
    "InstanceId": ("i", "InvalidInstanceID.Malformed"),
}
"""Parameter → how its ids begin, and the code of a malformed one."""


def well_formed(desk: Desk) -> None:
    """
    Refuse a malformed id of a route table, a network interface or an instance; a filter may have any text.

    Source: EC2 API, "Error codes"; EC2 user guide, "Resource IDs": 8 or 17 hexadecimal digits.
    """
    for name, value in desk.call.parameters.items():
        prefix, code = _FORMS.get(name.partition(".")[0], ("", ""))
        if prefix and not re.fullmatch(f"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", value):
            raise Refused(code, f'Invalid id: "{value}"')
