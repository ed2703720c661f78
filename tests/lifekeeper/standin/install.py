"""Lays LifeKeeper out on a server: $LKROOT with its commands, an empty database, and the IP resource type."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from .commands import COMMANDS
from .database import EMPTY
from .server import Server

_HERE = Path(__file__).parent

_COMMAND = """#!/bin/sh
exec '{python}' -I -S '{core}' '{root}' {name} "$@"
"""


def install(root: Path) -> Server:
    """Make $LKROOT anew, `SANDBOX/node1/lk`; what was there is gone."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "config/running", "lkadm/bin", "lkadm/subsys", "subsys/comm/resources"):
        (root / folder).mkdir(parents=True)
    for name in " ".join(COMMANDS.values()).split():
        _command(root, name)
    server = Server(str(root))
    server.database.write({**EMPTY, "types": {"comm": ["ip"]}})
    shutil.copytree(_HERE / "ip", root / "subsys/comm/resources/ip/actions")
    return server


def _command(root: Path, name: str) -> None:
    path = root / "bin" / name
    path.write_text(_COMMAND.format(python=sys.executable, core=_HERE / "__main__.py", root=root, name=name))
    path.chmod(0o755)
