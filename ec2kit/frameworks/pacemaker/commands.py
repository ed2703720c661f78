"""Pacemaker is asked here which of its resources are ec2kit's; nothing is changed in its configuration."""

from __future__ import annotations

import shutil
from xml.etree import ElementTree

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host.command import run

PROVIDER = "ec2kit"
"""The provider of ec2kit's agents, as in ocf:ec2kit:awseip."""

_NO_SUCH, _DISCONNECTED = 105, 102


def resources_of_ours(deadline: Deadline) -> list[str]:
    """
    Return the names of the cluster's resources and templates whose agent is ec2kit's.

    The list is empty if Pacemaker is not installed or does not run.

    Raises:
        LocalCommandFailed: Pacemaker gives no usable answer.

    Source: cibadmin (8), crm_error (8).
    """
    cibadmin = shutil.which("cibadmin") or shutil.which("cibadmin", path="/usr/sbin")
    if cibadmin is None:
        return []
    done = run([cibadmin, "--query", "--xpath", f"//configuration//*[@provider='{PROVIDER}']"], deadline)
    if done.status in (_NO_SUCH, _DISCONNECTED):
        return []
    if done.status != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.status}"]
        raise LocalCommandFailed(command="cibadmin", reason=lines[-1][:300])
    try:
        found = ElementTree.fromstring(done.stdout)  # noqa: S314  # of this server's own Pacemaker
    except ElementTree.ParseError as error:
        raise LocalCommandFailed(command="cibadmin", reason=f"no answer in XML: {error}") from error
    return [each.get("id", "?") for each in found.iter() if each.get("provider") == PROVIDER]
