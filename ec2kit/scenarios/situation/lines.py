"""
A file consists of fields and entries; no line is skipped and none counts twice.

A field is "name: value", or "name:" with entries below it, each indented by two spaces; "name: none" has no entries.
An entry is "key: value" or any text; what is indented further belongs to the entry above it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

NONE = "none"
INDENT = "  "


class Malformed(ValueError):
    """A file is no situation; the text says where and why, "route-table/taken.txt:7: …"."""


class Line(NamedTuple):
    """A line, or the part of it that is still to be read, knows where it stands."""

    file: str
    number: int
    text: str

    def wrong(self, reason: str) -> Malformed:
        """Return the error that names this line."""
        return Malformed(f"{self.file}:{self.number}: {reason}")

    def split(self) -> tuple[str, Line]:
        """
        Return key and value of "key: value".

        Raises:
            Malformed: The line has no colon followed by a space.
        """
        key, colon, value = self.text.partition(": ")
        if not colon:
            raise self.wrong(f"{self.text!r} is not of the form 'name: value'")
        return key, self._replace(text=value)


class _Field(NamedTuple):
    line: Line
    value: str
    entries: list[Line]


class Fields:
    """
    Half a file gives out its fields by name, each once.

    Args:
        known: The names that a field may have.
        end: Where the half ends.

    Raises:
        Malformed: A line is of no form, a name is not known, or a field is given twice.
    """

    def __init__(self, lines: Iterable[Line], known: Collection[str], end: Line) -> None:
        self._end = end
        self._known = known
        self._unread: dict[str, _Field] = {}
        for line in lines:
            if line.text != line.text.rstrip() or "\t" in line.text:
                raise line.wrong("a tab, or a space at the end of the line")
            if line.text.startswith(INDENT):
                self._add_entry(line)
            elif line.text:
                self._add_field(line)

    def _add_field(self, line: Line) -> None:
        name, _, value = line.text.partition(":")
        if name not in self._known:
            raise line.wrong(f"{name!r} is none of: {', '.join(sorted(self._known))}")
        if name in self._unread:
            raise line.wrong(f"{name!r} is given twice")
        if value and (not value.startswith(" ") or value.startswith("  ")):
            raise line.wrong(f"{line.text!r} is not of the form 'name: value'")
        self._unread[name] = _Field(line, value[1:], [])

    def _add_entry(self, line: Line) -> None:
        if not self._unread:
            raise line.wrong(f"{line.text.strip()!r} belongs to no field")
        last = next(reversed(self._unread.values()))
        last.entries.append(line._replace(text=line.text.removeprefix(INDENT)))

    def __contains__(self, name: str) -> bool:
        return name in self._unread

    def value(self, name: str) -> Line:
        """
        Return the value of a field that must be there.

        Raises:
            Malformed: It is missing, or has entries.
        """
        field = self._take(name)
        if field.entries:
            raise field.entries[0].wrong(f"{name!r} takes no entries")
        if not field.value:
            raise field.line.wrong(f"{name!r} takes a value on its own line")
        return field.line._replace(text=field.value)

    def optional_value(self, name: str) -> str | None:
        """
        Return the value of a field, or None if there is no such field.

        Raises:
            Malformed: The field has entries.
        """
        return self.value(name).text if name in self._unread else None

    def optional_entries(self, name: str) -> list[Line]:
        """
        Return the entries of a field; [] also if there is no such field.

        Raises:
            Malformed: As `entries`.
        """
        return self.entries(name) if name in self._unread else []

    def entries(self, name: str) -> list[Line]:
        """
        Return the entries of a field that must be there; [] for "none".

        Raises:
            Malformed: It is missing, or has neither entries nor "none", or both.
        """
        field = self._take(name)
        if field.value != ("" if field.entries else NONE):
            raise field.line.wrong(f"{name!r} takes entries on lines below it, or {NONE!r}")
        return field.entries

    def skip(self, name: str) -> None:
        """
        Leave unread a field that must be there.

        Raises:
            Malformed: It is missing.
        """
        self._take(name)

    def _take(self, name: str) -> _Field:
        if name not in self._unread:
            raise self._end.wrong(f"the half that ends here has no {name!r}")
        return self._unread.pop(name)

    def finish(self, why: str) -> None:
        """
        Refuse a field that was not read.

        Args:
            why: Why a field that is known may not be there, "elastic-ip has no such field".

        Raises:
            Malformed: A field was not read.
        """
        for name, field in self._unread.items():
            raise field.line.wrong(f"{name!r}: {why}")


def keyed(entries: Iterable[Line]) -> dict[str, Line]:
    """
    Return the entries "key: value" by key.

    Raises:
        Malformed: One is not of this form, or a key is given twice.
    """
    found: dict[str, Line] = {}
    for line in entries:
        key, value = line.split()
        if key in found:
            raise line.wrong(f"{key!r} is given twice")
        found[key] = value
    return found


def field(name: str, value: str) -> list[str]:
    """Return the line of a field with a value."""
    return [f"{name}: {value}"]


def listed(name: str, entries: Iterable[str]) -> list[str]:
    """Return the lines of a field with entries."""
    lines = [INDENT + each for each in entries]
    return [f"{name}:", *lines] if lines else [f"{name}: {NONE}"]


def shown(value: str | None) -> str:
    """Return the word that shows a value."""
    return value or NONE


def meant(word: str) -> str | None:
    """Return the value that a word shows."""
    return None if word == NONE else word
