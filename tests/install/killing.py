"""
Runs one deed on copies of a tree, in the first killed before its first step, in the second before its second, …

A step is whatever Python audits: opening, making, renaming, removing. Each copy stays as the kill left it; the last
one is complete. Arguments: tree, place of its manifest, folder for the copies, deed, its scripts as JSON.

Source: Python, "Audit events table"; fork(2).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ec2kit.frameworks.install import installation
from ec2kit.frameworks.install.tree import Tree

Deed = Callable[[Tree], object]


def killed_everywhere(tree: Path, manifest: str, copies: Path, deed: Deed) -> None:
    for number in itertools.count():
        copy = copies / f"{number:03}"
        shutil.copytree(tree, copy, symlinks=True)
        child = os.fork()
        if child == 0:
            sys.addaudithook(dying_before(number))
            deed(Tree(str(copy), manifest=manifest))
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


def dying_before(number: int) -> Callable[[str, tuple[object, ...]], None]:
    steps = itertools.count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(("os.", "open", "fcntl.", "shutil.")) and next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def main(tree: str, manifest: str, copies: str, deed: str, scripts: str) -> None:
    deeds: dict[str, Deed] = {
        "install": lambda tree: installation.install(tree, json.loads(scripts), replace=False),
        "replace": lambda tree: installation.install(tree, json.loads(scripts), replace=True),
        "uninstall": installation.uninstall,
    }
    killed_everywhere(Path(tree), manifest, Path(copies), deeds[deed])


if __name__ == "__main__":
    main(*sys.argv[1:])
