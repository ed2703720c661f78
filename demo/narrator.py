"""Only the narrator prints: as wide as a page, coloured if wanted, and as readable without."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TextIO

from expectations import Expectation
from picture import Cell
from stage import Done

WIDTH = 100

_CODES = {"bold": "1", "dim": "2", "red": "1;31", "green": "32", "yellow": "1;33", "blue": "1;34"}
_GLYPHS = "┌─┐│└┘·▶→✓✗…–×"
_ASCII = str.maketrans(_GLYPHS, "+-+|++.>>+!~-x")
_UNBROKEN = "\u00a0"
"""A space at which no line ends."""

_CHECK = re.compile(r"check (.+?): ")
_REQUEST = re.compile(r"(request [0-9a-f]{8})-[0-9a-f-]{27}")


class Narrator:
    """
    Tell the story to a stream.

    Args:
        colour: True if the reader sees colours.
    """

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._encoding = stream.encoding or "ascii"
        self._plain = not _can_show(self._encoding)

    def say(self, text: str = "", *styles: str, indent: str = "", hanging: str = "") -> None:
        """Print one paragraph, wrapped."""
        lines = textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent + hanging, break_on_hyphens=False
        )
        for line in lines or [""]:
            self._put(self._painted(line.replace(_UNBROKEN, " "), *styles))

    def picture(self, lines: Sequence[str]) -> None:
        """Print lines as they are."""
        for line in lines:
            self._put(line)
        self._put("")

    def headline(self, text: str, prose: str = "") -> None:
        """Print the title of a scene, and its subject."""
        self._put(self._painted(f"── {text} ".ljust(WIDTH, "─"), "blue"))
        if prose:
            self.say(prose, "dim")
        self._put("")

    def command(self, why: str, prompt: str, typed: str) -> None:
        """Print the next command with its reason, after the prompt of the person who types it."""
        if why:
            self.say(why, "dim", indent="  ")
        self.say(f"{prompt} {typed}", "bold", indent="  ", hanging="    ")

    def outcome(self, done: Done) -> None:
        """Print an action's output, exit status and time; checks that passed are only named."""
        passed = [found[1] for line in done.lines if (found := _CHECK.match(line))]
        for line in done.lines:
            if not _CHECK.match(line) and not line.startswith("BEGIN "):
                self._output(line)
            elif line.startswith("BEGIN ") and passed:
                self._output(f"{len(passed)} checks: {', '.join(passed)}")
        self.say(f"exit {done.status} · {done.milliseconds:.0f} ms", "bold", indent="      ")

    def _output(self, line: str) -> None:
        styles = {"ERROR": ("red",), "WARN:": ("yellow",)}.get(line[:5], ())
        self.say(_REQUEST.sub(r"\1…", line), *styles, indent="    │ ", hanging="  ")

    def table(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Print cells in columns, the first row as the heading; changed ones stand out."""
        widths = [max(len(cell.text) for cell in column) for column in zip(*rows, strict=True)]
        self._put("")
        for number, row in enumerate(rows):
            cells = [
                self._painted(
                    f"{cell.text:<{width}}", *(["yellow"] if cell.changed else ["dim"] if number == 0 else [])
                )
                for cell, width in zip(row, widths, strict=True)
            ]
            self._put("      " + "   ".join(cells).rstrip())
        self._put("")

    def verdicts(self, expectations: Sequence[Expectation]) -> None:
        """Print what held, in a line, and what did not, with what was expected and what was found."""
        held = [f"✓ {each.promise}".replace(" ", _UNBROKEN) for each in expectations if each.held]
        if held:
            self.say("  ".join(held), "green", indent="      ")
        for each in expectations:
            if not each.held:
                self.say(f"✗ FAILED: {each.promise}", "red", indent="      ")
                self.say(f"expected: {each.expected}", "red", indent="          ", hanging="  ")
                self.say(f"found:    {each.found}", "red", indent="          ", hanging="  ")
        self._put("")

    def _painted(self, text: str, *styles: str) -> str:
        if not (self._colour and styles):
            return text
        return f"\033[{';'.join(_CODES[style] for style in styles)}m{text}\033[0m"

    def _put(self, line: str) -> None:
        text = line.translate(_ASCII) if self._plain else line
        self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding) + "\n")
        self._stream.flush()


def _can_show(encoding: str) -> bool:
    try:
        _GLYPHS.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
