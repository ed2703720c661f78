"""
What real actions once left on disk, to be laid out again: it is made once a run, and all workers have it.

Each worker has a sandbox of its own, with other ids, ports and folders, which have the same lengths. So what one
worker has made becomes another one's when these are replaced, also in files that are no text, and the digests of
files in a manifest with them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of a run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once_a_run(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """Return what JSON can hold, made by the first worker that asks for it."""
    place = run_folder(factory) / f"{name}.json"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            place.write_text(json.dumps(make()))
    return json.loads(place.read_text())


@dataclass(frozen=True)
class Layouts:
    """
    The layouts of one worker's sandbox.

    Attributes:
        own: Those that fit this sandbox, by name.
        shared: Those of all workers, each with the description of the sandbox that it was made on.
        description: Folder and description of this sandbox.
    """

    own: Path
    shared: Path
    description: dict[str, Any]

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the folder of a layout; if no worker has made it yet, let it be made there."""
        place = self.own / name
        if not place.exists():
            self.shared.mkdir(parents=True, exist_ok=True)
            with (self.shared / f"{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._taken_over(name, place):
                    make(place)
                    self._share(name, place)
        return place

    def _share(self, name: str, place: Path) -> None:
        if not (self.shared / name).exists():
            shutil.copytree(place, self.shared / name, symlinks=True)
            (self.shared / f"{name}.json").write_text(json.dumps(self.description))

    def _taken_over(self, name: str, place: Path) -> bool:
        """Copy a layout of another worker, in this sandbox's words; False if there is none, or it does not fit."""
        description = self.shared / f"{name}.json"
        words = _translation(json.loads(description.read_text()), self.description) if description.exists() else None
        if words is None:
            return False
        shutil.copytree(self.shared / name, place, symlinks=True)
        _translate(place, _translate(place, words))
        return True


def _translate(place: Path, words: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Replace words in all files; return the digests of files that were changed by that, old → new."""
    digests = {}
    found = re.compile(b"|".join(re.escape(each) for each in sorted(words, key=len, reverse=True)) or b"(?!)")
    for path in place.rglob("*"):
        if path.is_file() and not path.is_symlink():
            before = path.read_bytes()
            after = found.sub(lambda match: words[match[0]], before)
            if after != before:
                path.write_bytes(after)
                digests[_digest(before)] = _digest(after)
    return digests


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _translation(theirs: Any, ours: Any) -> dict[bytes, bytes] | None:
    """Return their words → ours; None if one of them has another length."""
    pairs = dict(zip(_texts(theirs), _texts(ours), strict=True))
    words = {one.encode(): other.encode() for one, other in pairs.items() if one != other}
    return words if all(len(one) == len(other) for one, other in words.items()) else None


def _texts(description: Any) -> Iterator[str]:
    """Return all texts of a description, in the order in which it has them."""
    if isinstance(description, dict):
        for each in description.values():
            yield from _texts(each)
    elif isinstance(description, list):
        for each in description:
            yield from _texts(each)
    elif isinstance(description, str):
        yield description
