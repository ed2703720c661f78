"""
The kit where everybody may read and run it.

Pacemaker's controller asks for meta-data as the user hacluster, and ocf-tester as nobody; a checkout, its environment
and pytest's temporary folder may be root's alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lent() -> str:
    """The packages of whoever runs the tests; the system's Python has to be the one they were installed for."""
    return sysconfig.get_path("purelib")


def installed(folder: Path) -> Path:
    """Install the kit with the system's Python, and the SDK of the tests; returns the folder of agents."""
    folder.mkdir(mode=0o755)
    for name in ("actions", "ec2kit"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (site,) = (folder / ".venv" / "lib").glob("python3.*/site-packages")
    (site / "lent.pth").write_text(f"{folder}\n{lent()}\n")
    subprocess.run([folder / ".venv" / "bin" / "python", "-m", "compileall", "-q", folder / "ec2kit"], check=True)
    (folder / ".venv" / "bin" / "ec2kit").touch(mode=0o755)
    return folder / "actions" / "ocf"
