"""A shell file's assignments, `NAME=value`, are read; nothing is executed."""

from __future__ import annotations

import os
import re
import stat
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice

_LARGEST = 1_000_000
"""Characters of a file; the last line that is read of a larger file may be incomplete."""


_MOST_NAMED = 5
"""Skipped lines that are named; a file that is no such file at all fills no log."""


def in_file(
    path: str, environment: Mapping[str, str], findings: list[Notice], *, heeded: Callable[[str], bool]
) -> dict[str, str]:
    """
    Read the assignments of a file; one that is missing, unsafe or unreadable has none.

    Args:
        findings: Takes a note about a file that is there and is not used, and about skipped lines.
        heeded: Tells whether a name has a meaning; a line that is skipped is noted if it has such a name.
    """
    if path == os.devnull:
        return {}
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # do not wait for a pipe
        with open(descriptor, encoding="utf-8", errors="replace", newline="\n") as file:
            unsafe = _unsafe(os.fstat(file.fileno()))
            if unsafe:
                findings.append((catalogue.SETTINGS_UNSAFE, {"path": path, "reason": unsafe}))
                return {}
            text = file.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                findings.append((catalogue.SETTINGS_UNREADABLE, {"path": path, "reason": "it is larger than 1 MB"}))
                return {}
            skipped: list[str] = []
            found = in_text(text, environment, lambda line, words: skipped.extend(_named(line, words, heeded)))
            if skipped:
                lines = ", ".join(skipped[:_MOST_NAMED]) + (", …" if len(skipped) > _MOST_NAMED else "")
                findings.append((catalogue.SETTINGS_SKIPPED, {"path": path, "lines": lines}))
            return found
    except FileNotFoundError:
        return {}
    except OSError as error:
        findings.append((catalogue.SETTINGS_UNREADABLE, {"path": path, "reason": error.strerror or str(error)}))
        return {}


def _unsafe(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {status.st_uid}"
    if status.st_mode & 0o022:
        return "others can write it"
    return ""


def _named(line: int, words: str, heeded: Callable[[str], bool]) -> Iterator[str]:
    """Yield "line 3 (EC2_MAX_RETRY)" for words with a name that has a meaning, and that is not only referred to."""
    names = [each for each in re.findall(r"(?<![\w${])[A-Za-z_]\w*", words, re.ASCII) if heeded(each)]
    if names:
        yield f"line {line} ({names[0]})"


_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|(?P<plain>[^\s'"\\;&|<>()]+)""", re.DOTALL
)
_DOLLAR = re.compile(
    r"""\\(?:(?P<escaped>[\\"$`])|\n)|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})|[`$]""", re.ASCII
)
_BLANK = re.compile(r"(?:[^\S\n]|\\\n)+")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=?)")
_COMMENT = re.compile(r"#[^\n]*")
_END = re.compile(r"[;\n]|&&")
_DECLARING = ("export", "readonly", "declare", "typeset")

_Word = list["re.Match[str]"]
"""One word of a command as its pieces: in quotes, escaped and plain."""


class _Command(NamedTuple):
    """
    One simple command.

    Attributes:
        rest: The line from this command on.
        is_whole: False: the command is part of a pipe or has a redirection, or only a shell can tell where it ends.
    """

    words: list[_Word]
    rest: str
    is_whole: bool


def _nobody(line: int, words: str) -> None:
    """Do nothing."""


def in_text(
    text: str, environment: Mapping[str, str] | None = None, skip: Callable[[int, str], None] = _nobody
) -> dict[str, str]:
    """
    Read the assignments of a shell file; the last one wins, and a command that is no assignment is skipped.

    Several assignments in a command or a line, `export`, quotes, continued lines, comments, and `$NAME` of an earlier
    line or of the environment are understood. A value with a command in it, or with a quote that is not closed, is
    skipped; so is a line with a NUL, which no value can have.

    Args:
        skip: Called with the number of a line and the part of it that is skipped.
    """
    found: dict[str, str] = {}
    known = ChainMap(found, dict(environment or {}))
    for number, line in _lines(text):
        if "\0" in line:
            skip(number, line)
            continue
        for command in _commands(line):
            if not _assigned(command, found, known):
                skip(number, command.rest)
                break  # whether a shell comes to the rest depends on what it skips here
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, joined with those that continue it; blank lines and comments are left out."""
    kept: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not kept and (not (stripped := line.lstrip()) or stripped[0] == "#"):
            continue
        kept.append(line)
        if (len(line) - len(line.rstrip("\\"))) % 2 == 0:
            yield number - len(kept) + 1, "\n".join(kept)
            kept = []
    if kept:
        yield text.count("\n") + 2 - len(kept), "\n".join(kept)


def _commands(line: str) -> Iterator[_Command]:
    """Yield the commands of a line, the last one not whole if it cannot be read to its end."""
    begin = position = 0
    words: list[_Word] = []
    while position < len(line):
        if skipped := _BLANK.match(line, position) or _COMMENT.match(line, position):
            position = skipped.end()
        elif word := _word(line, position):
            words.append(word)
            position = word[-1].end()
        elif end := _END.match(line, position):
            yield _Command(words, line[begin:], is_whole=True)
            begin, position, words = end.end(), end.end(), []
        else:
            break
    yield _Command(words, line[begin:], is_whole=position == len(line))


def _word(line: str, position: int) -> _Word:
    word: _Word = []
    while piece := _PIECE.match(line, position):
        word.append(piece)
        position = piece.end()
    return word


def _assigned(command: _Command, found: dict[str, str], known: Mapping[str, str]) -> bool:
    """Make the assignments of a command; return False if it has a part that only a shell can carry out."""
    words = command.words
    declares = bool(words) and words[0][0]["plain"] in _DECLARING and len(words[0]) == 1
    if declares:
        words = [each for each in words[1:] if each[0]["plain"] not in ("-x", "-r", "-g", "-gx", "--")]
    names = [_NAME.match(each[0]["plain"] or "") for each in words]
    if not command.is_whole or not all(_stands_alone(*each, declares) for each in zip(names, words, strict=True)):
        return False
    values: dict[str, str | None] = {}
    for name, word in zip(names, words, strict=True):
        if name is not None and name[2]:
            values[name[1]] = value = _value(word, name.end(), known)
            if value is not None and not declares:  # a shell expands all words of `export` before it
                found[name[1]] = value
    found.update({name: value for name, value in values.items() if value is not None})
    return None not in values.values()


def _stands_alone(name: re.Match[str] | None, word: _Word, declares: bool) -> bool:
    """Tell whether a word is an assignment, or the name alone of a variable that is exported."""
    if name is None:
        return False
    return bool(name[2]) or (declares and len(word) == 1 and name.end() == len(word[0][0]))


def _value(word: _Word, begin: int, known: Mapping[str, str]) -> str | None:
    """Return the value of an assignment that begins there in its first piece, None if only a shell could tell it."""
    first = _at_home(word[0][0][begin:], known)
    parts = [None if first is None else _expanded(first, known)]
    for piece in word[1:]:
        if piece["single"] is not None:
            parts.append(piece["single"])
        elif piece["escaped"] is not None:
            parts.append(piece["escaped"].replace("\n", ""))
        else:
            parts.append(_expanded(piece["plain"] or piece["double"] or "", known))
    return None if None in parts else "".join(filter(None, parts))


def _at_home(text: str, known: Mapping[str, str]) -> str | None:
    """Return a plain text with the folder that `~` stands for, None if that is not known."""
    if not re.search("(?:^|:)~", text):
        return text
    home = known.get("HOME", "")
    return home + text[1:] if text.startswith("~/") and ":" not in text and home else None


def _expanded(text: str, known: Mapping[str, str]) -> str | None:
    """Return the text with its references replaced, None if it contains a command or another expansion."""
    if any(each[0] in "`$" for each in _DOLLAR.finditer(text)):
        return None
    return _DOLLAR.sub(lambda found: found["escaped"] or known.get(found["name"] or found["braced"] or "", ""), text)
