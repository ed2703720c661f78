"""The sandbox that all tests of a worker share: a reset puts back EC2 and the files of its servers."""

from __future__ import annotations

import copy
import os
import shutil
from functools import cached_property
from pathlib import Path

from ec2kit.sandbox import folder as files
from ec2kit.sandbox.client import Sandbox

from .layouts import Layouts
from .leaks import must_not_be_left_in

NODES, TABLES = 3, 120
"""Enough for every test; a test that wants fewer tables says so to the reset."""

_NOT_OF_A_TEST = (files.LOCK, files.DESCRIPTION, *files.JOURNALS)


class OneSandbox(Sandbox):
    """
    A sandbox as it was when this was made, again after each reset.

    Attributes:
        layouts: What tests have made and want to have again; no reset takes it away.
    """

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        super().__init__(folder)
        described = {"folder": str(self.folder), **copy.deepcopy(self.description)}
        self.layouts = Layouts(folder.parent / "kept", shared or folder.parent / "layouts", described)
        self._contents = {path: path.read_bytes() for path in self._present() if path.is_file()}
        self._modes = {path: path.stat().st_mode for path in self._present()}
        self._user = ""

    @cached_property
    def environments(self) -> dict[str, dict[str, str]]:
        """Each server's environment; a shell is asked for them once."""
        return {server: self.environment(server) for server in self.description["nodes"]}

    def reset(self, *, tables: int | None = None) -> None:
        """
        Put EC2 back with so many tables, and the servers' files: devices, commands, tunables; no state, no log.

        What the test before has left is looked through for secrets first.
        """
        super().reset(tables=tables)
        for server in self.description["nodes"]:
            must_not_be_left_in(self.folder / server, by=self._user)
        self._user = os.environ.get("PYTEST_CURRENT_TEST", "")
        for path in self._present():
            if path not in self._modes or path.is_symlink():
                _remove(path)
        for path, mode in self._modes.items():
            self._put_back(path, mode)

    def _present(self) -> list[Path]:
        """All below the folder but the sandbox's own files, a folder before what is in it."""
        return [
            Path(place, name)
            for place, folders, names in os.walk(self.folder)
            for name in (*folders, *names)
            if name not in _NOT_OF_A_TEST
        ]

    def _put_back(self, path: Path, mode: int) -> None:
        if path not in self._contents:
            path.mkdir(exist_ok=True)
        elif not path.exists() or path.read_bytes() != self._contents[path]:
            path.write_bytes(self._contents[path])
        if path.stat().st_mode != mode:
            path.chmod(mode)


def _remove(path: Path) -> None:
    """Remove a file or a folder that may be gone with its own folder already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
