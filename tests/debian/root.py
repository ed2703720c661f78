"""A root file system with more packages: that of this machine, or of another release of Debian."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..actions.cluster import ACTIONS

HERE = Path(__file__).parent
CHECKOUT = Path(__file__).parents[2]
ENVIRONMENT = Path("/opt/ec2kit")
"""Where the kit is in the root of another release."""

_CLEAN = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}


class Release(NamedTuple):
    """
    A release of Debian.

    Attributes:
        name: As debootstrap knows it; "": that of this machine, in whose root the kit of this checkout runs.
        packages: What is installed in the root.
    """

    name: str
    packages: tuple[str, ...]


class Root:
    """
    A root file system; it lives in the mount namespace of one process.

    Args:
        folder: An empty folder; it is in memory.
        init: The script that is /usr/local/sbin/lab-init in the root.

    Attributes:
        actions: The folder of the kit's actions in it.
        command: `ec2kit` in it.
    """

    def __init__(self, folder: Path, release: Release, wheel: Path | None, init: Path) -> None:
        self.path = folder / "root"
        self.actions, self.command = ACTIONS, ACTIONS.parent / ".venv" / "bin" / "ec2kit"
        if release.name:
            self.actions, self.command = ENVIRONMENT / "share/ec2kit/actions", ENVIRONMENT / "bin/ec2kit"
        words = [str(HERE / "root.sh"), str(folder), release.name, str(wheel or ""), str(init), *release.packages]
        command = ["unshare", "--mount", "--propagation", "private", *words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said == "ready\n", f"the packages cannot be installed: {said}"

    def entered(self, namespace: str) -> list[str]:
        """The words before a command that shall see the root at its path, in a network namespace."""
        return ["nsenter", "-t", str(self._process.pid), "-m", f"--net=/run/netns/{namespace}"]

    @property
    def inside(self) -> list[str]:
        """The words before a command that runs in the root, on this machine's network."""
        return ["nsenter", "-t", str(self._process.pid), "-m", "chroot", str(self.path)]

    def run(self, *words: str) -> str:
        """What a command prints in it."""
        command = [*self.inside, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_CLEAN, cwd="/", timeout=120)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def close(self) -> None:
        self._process.communicate()


@contextlib.contextmanager
def built(release: Release, init: Path) -> Iterator[Root]:
    """A root, for as long as the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="ec2kit-root-", dir="/var/tmp"))
    try:
        with tempfile.TemporaryDirectory() as place:
            made = Root(folder, release, _wheel(place) if release.name else None, init)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wheel(folder: str) -> Path:
    """The kit of this checkout, built outside of the root, where there is no network."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(CHECKOUT)]
    subprocess.run(command, check=True, timeout=300, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (wheel,) = Path(folder).glob("*.whl")
    return wheel
