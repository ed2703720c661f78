"""ec2kit is measured as it is installed: a wheel of this checkout in an environment without developers' tools."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BENCH = ROOT / ".bench"
_ACTIONS = Path("share", "ec2kit", "actions")
PREFIX = _BENCH / "ec2kit"
PYTHON = str(PREFIX / "bin" / "python")
ACTIONS = PREFIX / _ACTIONS


def install() -> None:
    """Make the environment, once, and put the present state of ec2kit into it."""
    _installed(ROOT, PREFIX)


def install_before(commit: str) -> None:
    """
    Make an environment with the ec2kit of an earlier commit.

    Raises:
        subprocess.CalledProcessError: There is no such commit, or it cannot be installed.
    """
    prefix = _prefix(commit)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=_said("git", "archive", prefix.name), check=True)
        _installed(Path(folder), prefix)


def actions_before(commit: str) -> Path:
    """Return the folder of the actions of an earlier commit that is installed."""
    return _prefix(commit) / _ACTIONS


def _prefix(commit: str) -> Path:
    return _BENCH / _said("git", "rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()


def _installed(source: Path, prefix: Path) -> None:
    if not (prefix / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    pip = [prefix / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, source], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", source], check=True)


def _said(*command: str) -> bytes:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
