"""What the labs need of the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..debian.root import Release

AWS_CLI = Path(__file__).parents[2] / ".bench" / "rivals" / "bin" / "aws"
"""Which the AWS agents of resource-agents call; Debian's own cannot be told where EC2 is."""

OUTSIDE = ("ping", "ip", "unshare", "nsenter", "sysctl")
"""What the lab itself runs, whatever its nodes boot from."""

CLUSTER = (
    "corosync",
    "fence_aws",
    "pacemakerd",
    "crm_mon",
    "crm_resource",
    "cibadmin",
    "socat",
    "dbus-daemon",
    "networkctl",
    *OUTSIDE,
)

BUILDING = (*OUTSIDE, "chroot", "debootstrap")

RELEASES = {
    "12": None,
    "13": Release(
        "trixie",
        (
            "corosync",
            "dbus-daemon",
            "fence-agents",
            "iproute2",
            "iputils-ping",
            "keepalived",
            "libxml2-utils",
            "pacemaker",
            "pacemaker-cli-utils",
            "procps",
            "python3-boto3",
            "python3-click",
            "python3-venv",
            "resource-agents",
            "socat",
            "systemd",
            "util-linux",
        ),
    ),
}
"""Release of Debian → what nodes of that release boot from; None: this machine."""

KEEPALIVED = ("keepalived", "ip", "sysctl")


def why_not(needed: tuple[str, ...]) -> str:
    """Why there can be no lab here that needs these programs; empty if there can."""
    if os.geteuid() != 0:
        return "only root may make namespaces"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in needed if shutil.which(name, path=path) is None]
    return f"{', '.join(missing)} not found: run 'make cluster-setup'" if missing else ""
