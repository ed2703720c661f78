"""
The kit where everybody may read and run it, its agents put in place by `ec2kit install --ocf`.

Pacemaker's controller asks for meta-data as the user hacluster, and ocf-tester as nobody; a checkout, its environment
and pytest's temporary folder may be root's alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from ..debian.root import ENVIRONMENT, Root

ROOT = Path(__file__).parents[2]


def lent() -> str:
    """The packages of whoever runs the tests; the system's Python has to be the one they were installed for."""
    return sysconfig.get_path("purelib")


def ec2kit(folder: Path, *words: str) -> list[str]:
    """A command line of the kit's CLI, as it is installed in the folder."""
    python = str(folder / ".venv" / "bin" / "python")
    return [python, "-I", "-c", "from ec2kit.cli import main; main()", *words]


def installed(folder: Path, root: Root | None = None) -> Path:
    """
    Install the kit with the system's Python, and the SDK of the tests; returns the folder of agents.

    Args:
        root: The kit and the SDK are those of this root; the folder has the agents, and a Python that is found there.
    """
    if root is not None:
        return _installed_in(root, folder)
    folder.mkdir(mode=0o755)
    for name in ("actions", "ec2kit"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (site,) = (folder / ".venv" / "lib").glob("python3.*/site-packages")
    (site / "lent.pth").write_text(f"{folder}\n{lent()}\n")
    command = folder / ".venv" / "bin" / "ec2kit"  # by which actions/launch knows an environment of the kit
    command.write_text(f'#!/bin/sh\nexec "{folder}/.venv/bin/python" -IB -m ec2kit "$@"\n')
    command.chmod(0o755)
    subprocess.run([folder / ".venv" / "bin" / "python", "-m", "compileall", "-q", folder / "ec2kit"], check=True)
    root = folder / "ocf"
    root.mkdir(mode=0o755)
    words = ec2kit(folder, "install", "--ocf", "--ocf-root", str(root))
    quiet = {"EC2KIT_DEFAULTS": os.devnull, "EC2KIT_LOG_FILE": os.devnull}
    done = subprocess.run(words, env={**os.environ, **quiet}, capture_output=True, text=True, check=True)
    assert "hacluster" not in done.stderr, done.stderr
    return root / "resource.d" / "ec2kit"


def _installed_in(root: Root, folder: Path) -> Path:
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {ENVIRONMENT}/bin/python "$@"\n')
    python.chmod(0o755)
    (folder / "ocf").mkdir(mode=0o755)
    root.run(str(root.command), "install", "--ocf", "--ocf-root", str(folder / "ocf"))
    return folder / "ocf" / "resource.d" / "ec2kit"
