"""The layout has the places below $OCF_ROOT where Pacemaker looks for the kit's agents."""

from __future__ import annotations

from ec2kit.frameworks.install.layout import Layout, Script
from ec2kit.scenarios import table

_PROVIDER = "resource.d/ec2kit"
"""Pacemaker takes every executable in this folder for an agent of the provider ec2kit; only agents may be there."""

_LIBRARY = "lib/ec2kit"
_GUARD = f"{_LIBRARY}/agent"

AGENTS = {f"{_PROVIDER}/{name}": name for name in table.agents()}
"""Place below $OCF_ROOT → name in `actions/ocf/`; Pacemaker calls these."""

PACEMAKER = Layout(
    manifest=f"{_LIBRARY}/ec2kit.json",
    launcher=f"{_LIBRARY}/launch",
    scripts={
        _GUARD: Script("agent", f"{_LIBRARY}/launch"),
        **{place: Script(f"ocf/{name}", _GUARD) for place, name in AGENTS.items()},
    },
    front_end="ec2kit.frameworks.pacemaker.ocf",
    command="ec2kit install --ocf",
)
"""
The kit below $OCF_ROOT.

Source: github.com/ClusterLabs/OCF-spec, resource agent API 1.1, "Filesystem Layout".
"""
