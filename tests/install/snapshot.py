"""What a tree looks like: names, kinds, modes, contents, targets of links, and when files were changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

Snapshot = dict[str, tuple[object, ...]]


def snapshot(root: Path) -> Snapshot:
    """Everything below a folder; the times of folders are left out, since whatever is made in them changes those."""
    return {str(path.relative_to(root)): _seen(path) for path in sorted(root.rglob("*"))}


def _seen(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    seen: tuple[object, ...] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid)
    if path.is_symlink():
        return (*seen, os.readlink(path))
    return (*seen, path.read_bytes(), status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else seen


def contents(root: Path) -> Snapshot:
    """The same without times: what two installations of the same have in common."""
    return {path: seen[:4] for path, seen in snapshot(root).items()}
