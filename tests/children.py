"""Processes that another one has started: whether they live on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from .patience import HANGS


def must_be_gone(pid: int) -> None:
    """Wait for the end of a process; one that lives on fails the test, and is killed."""
    ends = time.monotonic() + HANGS
    while time.monotonic() < ends:
        if not lives(pid):
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    pytest.fail(f"process {pid} lives on")


def lives(pid: int) -> bool:
    """Tell whether a process runs, or is stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
