"""
What one server's LifeKeeper knows: applications and types, resources, relations, flags.

[assumed] One file, in a form that needs no module to be read; LifeKeeper has files of its own form, which nobody may
touch. [confirmed resources]
"""

from __future__ import annotations

import fcntl
import marshal
import os

from .failure import MISSING, Failed

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from collections.abc import Callable
    from typing import IO, Any

Instance = dict[str, str]
"""One resource: app, type, tag, id, info, state, reason, init, switchback."""

IN_SERVICE = ("ISP", "ISU")


class Content:
    """
    The database in memory.

    Attributes:
        types: Application → its types.
        dependencies: [parent, child]; the parent needs the child.
        equivalencies: tag, system, other_tag, priority, other_priority; from this server's point of view.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.types: dict[str, list[str]] = raw["types"]
        self.instances: list[Instance] = raw["instances"]
        self.dependencies: list[list[str]] = raw["dependencies"]
        self.equivalencies: list[dict[str, Any]] = raw["equivalencies"]
        self.flags: list[str] = raw["flags"]

    def find(self, tag: str) -> Instance | None:
        return next((each for each in self.instances if each["tag"] == tag), None)

    def need(self, tag: str) -> Instance:
        """Raises Failed MISSING where there is none."""
        instance = self.find(tag)
        if instance is None:
            raise Failed(MISSING, f'no resource has the tag "{tag}"')
        return instance

    def parents(self, tag: str) -> list[str]:
        return [parent for parent, child in self.dependencies if child == tag]

    def children(self, tag: str) -> list[str]:
        return [child for parent, child in self.dependencies if parent == tag]

    def all_parents(self, tag: str) -> list[str]:
        """Everything that depends on it, nearest first."""
        return _closure(tag, self.parents)

    def all_children(self, tag: str) -> list[str]:
        """Everything that it depends on, nearest first."""
        return _closure(tag, self.children)

    def roots(self, tag: str) -> list[str]:
        """The resources at the top of the hierarchy that the tag is in."""
        return [each for each in [tag, *self.all_parents(tag)] if not self.parents(each)]

    def equivalents(self, tag: str) -> list[dict[str, Any]]:
        """The other servers that have the resource."""
        return [row for row in self.equivalencies if row["tag"] == tag]


def _closure(tag: str, step: Callable[[str], list[str]]) -> list[str]:
    found: list[str] = []
    waiting = list(step(tag))
    while waiting:
        each = waiting.pop(0)
        if each not in found:
            found.append(each)
            waiting += step(each)
    return found


class Database:
    """The file of one server; a change is whole or not there, and nobody else changes it meanwhile."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "database")

    def read(self) -> Content:
        return Content(self.raw())

    def raw(self) -> dict[str, Any]:
        """As it is in the file, to be compared."""
        with open(self.path, "rb") as file:
            raw: dict[str, Any] = marshal.load(file)
        return raw

    def changing(self) -> Change:
        """Change the content; an error in the block leaves it as it was. Scripts are never run inside."""
        return Change(self)

    def write(self, raw: dict[str, Any]) -> None:
        new = f"{self.path}.new"
        with open(new, "wb") as file:
            marshal.dump(raw, file)
        os.replace(new, self.path)


class Change:
    """A block that has the database for itself, and what it leaves of the content is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock: IO[bytes]

    def __enter__(self) -> Content:
        self._lock = open(f"{self._database.path}.lock", "wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._content = self._database.read()
        return self._content

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            if kind is None:
                self._database.write(vars(self._content))


EMPTY: dict[str, Any] = {"types": {}, "instances": [], "dependencies": [], "equivalencies": [], "flags": []}
