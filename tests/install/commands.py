"""`ec2kit` as a command, the scripts that it installs, and what they answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..patience import HANGS

EC2KIT = Path(sys.executable).with_name("ec2kit")

WEAK = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""Runs a command that permissions hold for, also where root runs the tests."""

BASE = {
    "EC2KIT_DEFAULTS": os.devnull,
    "EC2KIT_LOG_FILE": os.devnull,
    "PATH": "/usr/bin:/bin",
    "LKROOT": "/nowhere/LifeKeeper",
    "OCF_ROOT": "/nowhere/ocf",
}
"""The machine's own frameworks are out of reach, whatever a broken kit might do."""

Done = subprocess.CompletedProcess[str]


def ec2kit(
    *words: str | Path, program: Path = EC2KIT, through: Sequence[str] = (), umask: int = -1, **more: str
) -> Done:
    return subprocess.run(
        [*through, program, *words],
        env={**BASE, **more},
        cwd="/",
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )


def call(path: Path, *words: str, **environment: str) -> Done:
    return subprocess.run(
        [path, *words], env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=HANGS
    )


def told(done: Done) -> dict[str, str]:
    """Place → verb, from the lines of the answer."""
    rows = [line.split("  ") for line in done.stdout.splitlines()[:-1]]
    return {row[-1].strip(): row[0].strip() for row in rows}


def envelope(done: Done) -> dict[str, Any]:
    content = json.loads(done.stdout)
    assert isinstance(content, dict)
    return content


@contextmanager
def gone(path: Path) -> Iterator[None]:
    aside = path.rename(path.with_name("aside"))
    yield
    aside.rename(path)
