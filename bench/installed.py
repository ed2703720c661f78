"""ec2kit is measured as it is installed: a wheel of this checkout in an environment without developers' tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PREFIX = ROOT / ".bench" / "ec2kit"
PYTHON = str(PREFIX / "bin" / "python")
ACTIONS = PREFIX / "share" / "ec2kit" / "actions"


def install() -> None:
    """Make the environment, once, and put the present state of ec2kit into it."""
    if not Path(PYTHON).exists():
        subprocess.run([sys.executable, "-m", "venv", PREFIX], check=True)
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, ROOT], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", ROOT], check=True)
