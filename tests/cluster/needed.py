"""What the labs need of the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

AWS_CLI = Path(__file__).parents[2] / ".bench" / "rivals" / "bin" / "aws"
"""Which the AWS agents of resource-agents call; Debian's own cannot be told where EC2 is."""

CLUSTER = (
    "corosync",
    "fence_aws",
    "pacemakerd",
    "crm_mon",
    "crm_resource",
    "cibadmin",
    "ping",
    "socat",
    "ip",
    "unshare",
    "nsenter",
    "sysctl",
)

KEEPALIVED = ("keepalived", "ip", "sysctl")


def why_not(needed: tuple[str, ...]) -> str:
    """Why there can be no lab here that needs these programs; empty if there can."""
    if os.geteuid() != 0:
        return "only root may make namespaces"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in needed if shutil.which(name, path=path) is None]
    return f"{', '.join(missing)} not found: run 'make cluster-setup'" if missing else ""
