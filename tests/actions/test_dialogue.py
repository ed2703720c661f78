"""create as a dialogue: the real script and the admin CLI at a real terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..patience import HANGS
from .cluster import ACTIONS, Cluster

PROGRAMS = [
    pytest.param([str(ACTIONS / "create")], id="actions-create"),
    pytest.param([str(Path(sys.executable).parent / "ec2kit"), "create"], id="ec2kit-create"),
]


def at_a_terminal(cluster: Cluster, words: list[str], *typed: str) -> tuple[int, str]:
    """Type one line after each prompt; gives the exit status and all that the terminal showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words],  # as its controlling terminal, so that Ctrl-C is a signal
        env=cluster.environment("node1"),
        cwd="/",
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown, lines = "", list(typed)
    ends = time.monotonic() + HANGS
    while time.monotonic() < ends:
        if select.select([master], [], [], 0.1)[0]:
            try:
                shown += os.read(master, 10000).decode()
            except OSError:  # the other end is closed
                break
        if lines and shown.endswith(": ") and not shown.endswith("\n"):
            os.write(master, lines.pop(0).encode())
            shown += "\0"  # so that one prompt gets one line
    os.close(master)
    return process.wait(timeout=HANGS), shown.replace("\0", "")


@pytest.mark.parametrize("words", PROGRAMS)
def test_create_at_a_terminal_asks_and_makes_what_was_answered(cluster: Cluster, words: list[str]) -> None:
    """Return after return, and only the virtual IP typed: the resource is in service."""
    answers = ["\n", "\n", "\n", "\n", "10.1.0.10\n", "\n", "\n", "\n", "\n", "\n", "yes\n"]
    status, shown = at_a_terminal(cluster, words, *answers)
    assert status == 0, shown
    assert f"eth1  {cluster.eni('node1')}" in shown
    assert "Tag [ec2-10.1.0.10]" in shown
    assert cluster.act("node1", "quickCheck", "ec2-10.1.0.10").status == 0


@pytest.mark.parametrize("words", PROGRAMS)
def test_create_at_a_terminal_that_is_cancelled_changes_nothing(cluster: Cluster, words: list[str]) -> None:
    """Cancel abandons the whole creation; nothing was asked of EC2 but what there is to choose from."""
    before = cluster.writes("node1")
    status, shown = at_a_terminal(cluster, words, "\n", "automatic\n", "cancel\n")
    assert status == 1
    assert "cancelled; nothing was changed" in shown
    assert not list(cluster.path("node1", "EC2KIT_STATE_DIR").rglob("*.json"))
    assert cluster.writes("node1") == before


@pytest.mark.parametrize("words", PROGRAMS)
def test_create_at_a_terminal_interrupted_by_ctrl_c_changes_nothing(cluster: Cluster, words: list[str]) -> None:
    """Ctrl-C at a prompt is one line, not a traceback."""
    status, shown = at_a_terminal(cluster, words, "\n", "\x03")
    assert status == 1
    assert "Traceback" not in shown
    assert not list(cluster.path("node1", "EC2KIT_STATE_DIR").rglob("*.json"))


def test_create_without_options_and_without_a_terminal_is_a_usage_error(cluster: Cluster) -> None:
    """A framework is never asked anything."""
    done = cluster.run("node1", "create")
    assert done.status == 2
    assert "--type" in done.stderr
