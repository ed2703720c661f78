"""The demo, as the process that `make demo` runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..layouts import once_a_run
from ..patience import HANGS

CHECKOUT = Path(__file__).parents[2]
ACTIONS = CHECKOUT / "actions"
SCENES = (
    "1. Route table scenario",
    "2. Planned move, and back",
    "3. Drift",
    "4. node1 loses the EC2 API",
    "5. Elastic IP scenario",
    "6. Every other kind",
    "Summary",
)


@dataclass(frozen=True)
class Performance:
    """How a run of the demo ended, and what it left in its folder for temporary files."""

    status: int
    stdout: str
    stderr: str
    left_behind: list[str]


def start(folder: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """The demo from another folder, without a terminal, with temporary files in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, str(CHECKOUT / "demo" / "failover.py"), *options],
        env={**os.environ, "TMPDIR": str(folder), **environment},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finished(process: subprocess.Popen[str], folder: Path) -> Performance:
    try:
        stdout, stderr = process.communicate(timeout=HANGS)
    finally:
        process.kill()
    return Performance(process.returncode, stdout, stderr, os.listdir(folder))


def until_the_first_action(process: subprocess.Popen[str]) -> str:
    """What it says up to the moment at which an action is about to run."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "node1$ actions/create" in line:
            break
    return said


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    folder = tmp_path_factory.mktemp("demo")
    shell = {"EC2_RECOVER_TAKE_FROM_PEER": "1", "HTTP_PROXY": "http://127.0.0.1:1", "LC_ALL": "ja_JP.UTF-8"}
    return Performance(**once_a_run(tmp_path_factory, "demo", lambda: vars(finished(start(folder, **shell), folder))))


def a_kit_with_a_broken_restore(folder: Path) -> Path:
    """The real actions, but a restore that does nothing and says that all is well."""
    folder.mkdir()
    for script in ACTIONS.iterdir():
        (folder / script.name).symlink_to(script)
    (folder / "restore").unlink()
    (folder / "restore").write_text("#!/bin/sh\nexit 0\n")
    (folder / "restore").chmod(0o755)
    return folder


def test_demo_plays_every_scene_and_all_expectations_hold(shown: Performance) -> None:
    """Exit status 0, whatever tunables, proxies and locale the shell has; stderr empty, nothing left behind."""
    assert shown.status == 0, shown.stdout
    assert [scene for scene in SCENES if f"── {scene}" not in shown.stdout] == []
    assert re.search(r"✓ \d+ expectations checked, all held", shown.stdout)
    assert "FAILED" not in shown.stdout
    assert (shown.stderr, shown.left_behind) == ("", [])


def test_demo_runs_what_it_shows(shown: Performance) -> None:
    """The figures are of this run: as many actions as prompts."""
    prompts = re.findall(r"^  node\d\$ actions/", shown.stdout, re.MULTILINE)
    assert f"{len(prompts)} run" in shown.stdout
    assert "16 of them changes" in shown.stdout
    assert "figures are simulated" in shown.stdout


def test_demo_without_a_terminal_is_plain_text_of_a_page_width(shown: Performance) -> None:
    """No colours in a CI's log, and no line longer than 100 characters."""
    story = shown.stdout.partition("Play by hand")[0]  # the commands there hold paths of this machine
    assert "\033" not in story
    assert max(map(len, story.splitlines())) <= 100


def test_demo_with_a_restore_that_does_nothing_fails_and_shows_where(tmp_path: Path) -> None:
    """The demo can fail: what was expected and what was found stand in place, and the story goes on to its end."""
    kit, folder = a_kit_with_a_broken_restore(tmp_path / "actions"), tmp_path / "temporary"
    folder.mkdir()
    done = finished(start(folder, "--actions", str(kit)), folder)
    assert done.status == 1
    assert re.search(
        r"✗ FAILED: 10\.1\.0\.10 on node2 eth1\n +expected: node2 eth1\n +found: +node1 eth1\n", done.stdout
    )
    assert re.search(r"✗ FAILED: 203\.0\.113\.1 on node2 eth0\n", done.stdout)
    assert re.search(r"✗ \d+ expectations checked, \d+ FAILED", done.stdout)
    assert (done.stderr, done.left_behind) == ("", [])


def test_demo_ended_by_ctrl_c_cleans_up(tmp_path: Path) -> None:
    """130, no traceback, no folder left, while an action is running."""
    process = start(tmp_path)
    until_the_first_action(process)
    process.send_signal(signal.SIGINT)
    done = finished(process, tmp_path)
    assert done.status == 130
    assert "Traceback" not in done.stderr
    assert done.left_behind == []


def test_demo_with_an_encoding_without_boxes_draws_them_in_ascii(tmp_path: Path) -> None:
    """A terminal of the old kind sees + and - instead of a traceback."""
    process = start(tmp_path, PYTHONIOENCODING="ascii")
    picture = until_the_first_action(process)
    process.terminate()
    done = finished(process, tmp_path)
    assert "+- us-east-1a ---" in picture
    assert (done.status, done.stderr, done.left_behind) == (128 + signal.SIGTERM, "", [])


def test_demo_with_a_folder_without_actions_is_a_usage_error(tmp_path: Path) -> None:
    """A wrong --actions is told at once."""
    done = finished(start(tmp_path, "--actions", str(tmp_path)), tmp_path)
    assert done.status == 2
    assert "no create, extend, restore" in done.stderr
