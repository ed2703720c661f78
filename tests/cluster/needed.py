"""What a lab needs of the machine."""

from __future__ import annotations

import os
import shutil

_NEEDED = (
    "corosync",
    "fence_aws",
    "pacemakerd",
    "crm_mon",
    "crm_resource",
    "cibadmin",
    "ping",
    "ip",
    "unshare",
    "nsenter",
    "sysctl",
)


def why_not() -> str:
    """Why there can be no cluster here; empty if there can."""
    if os.geteuid() != 0:
        return "only root may make namespaces"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in _NEEDED if shutil.which(name, path=path) is None]
    return f"{', '.join(missing)} not found: run 'make cluster-setup'" if missing else ""
