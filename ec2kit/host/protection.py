"""
A manager of the network keeps what its own files name; here is the text of such a file, made without looking.

systemd-networkd, also under netplan and amazon-ec2-net-utils, reads a drop-in for the .network file that it uses.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

from ec2kit.errors import BadRequest
from ec2kit.host.ip import Carried
from ec2kit.host.manager import Manager
from ec2kit.host.reply_path import PRIORITY, Way
from ec2kit.messages import catalogue

_MARK = "# Written by `ec2kit network protect`; `ec2kit network unprotect` removes it."


class Protection(NamedTuple):
    """
    One file that protects an address.

    Attributes:
        place: Its path below the root of this server's files, "etc/systemd/network/10-eth1.network.d/…".
    """

    place: str
    text: str


def protection(
    address: str, device: str, manager: Manager | None, way: Way | None, here: Sequence[Carried]
) -> Protection:
    """
    Return the file that makes the manager of the device keep an address; a pure function.

    Rule and route stand in it if replies could leave by another device, because this server has more than one.

    Args:
        way: The way of replies; None if the device has no address of its own now.
        here: All addresses of this server.

    Raises:
        BadRequest: No file can do that.
    """
    fields = {"device": device, "address": address}
    if manager is None:
        raise BadRequest(catalogue.PROTECTION_IMPOSSIBLE, **fields, reason="no manager is seen, so none takes it off")
    if not manager.is_networkd:
        reason = f"{manager.name} has no setting by which addresses of others stay"
        raise BadRequest(catalogue.PROTECTION_IMPOSSIBLE, **fields, reason=reason)
    lines = [f"# {address} is put on {device} by the cluster, and systemd-networkd leaves it there.", ""]
    lines += ["[Network]", "KeepConfiguration=static"]
    others = {each.device for each in here} - {device, "lo"}
    if others and way is not None:
        lines += ["", "[RoutingPolicyRule]", f"From={address}/32", f"Table={way.table}", f"Priority={PRIORITY}"]
        lines += ["", "[Route]", f"Gateway={way.gateway}", "GatewayOnLink=yes", f"Table={way.table}"]
    return Protection(place_of(address, manager.file), marked("\n".join([*lines, ""])))


def place_of(address: str, file: str) -> str:
    """Return the place of the drop-in for an address; it comes after the drop-ins of others."""
    return f"etc/systemd/network/{os.path.basename(file)}.d/zz-ec2kit-{address}.conf"


def marked(text: str) -> str:
    """Return the text with a first line by which ec2kit knows that nothing has changed it since."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{_MARK} {digest}\n{text}"


def is_ours(text: str) -> bool:
    """Tell whether a file is one that ec2kit wrote, and as it was written."""
    return text == marked(text.partition("\n")[2])
