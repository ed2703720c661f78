"""The flags of a command: single letters as getopt(3) reads them, and what follows `--`."""

from __future__ import annotations

from .failure import ILLEGAL, SYNTAX, Failed

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from collections.abc import Iterator

SEPARATOR = "\x01"
"""Between the fields of a list, unless -fC says another. [confirmed genapp]"""


class Options:
    """
    Args:
        letters: getopt's: "d:t:G" for -d VALUE -t VALUE -G. (getopt itself is slow to import.)

    Raises:
        Failed: SYNTAX, where a flag is not known, has no value, or something is left over.
    """

    def __init__(self, words: list[str], letters: str, *, needed: str = "", more: bool = False) -> None:
        self.rest: list[str] = []
        self._values = dict(self._read(iter(words), letters, more))
        for letter in needed:
            if letter not in self._values:
                raise Failed(SYNTAX, f"-{letter} is missing")

    def _read(self, words: Iterator[str], letters: str, more: bool) -> Iterator[tuple[str, str]]:
        for word in words:
            if word == "--" and more:
                self.rest = list(words)
            elif len(word) < 2 or word[0] != "-":
                raise Failed(SYNTAX, f"unexpected word {word!r}")
            else:
                yield from self._flags(word[1:], words, letters)

    def _flags(self, text: str, words: Iterator[str], letters: str) -> Iterator[tuple[str, str]]:
        while text:
            letter, text = text[0], text[1:]
            place = letters.find(letter)
            if place < 0 or letter == ":":
                raise Failed(SYNTAX, f"unknown flag -{letter}")
            if letters[place + 1 : place + 2] != ":":
                yield letter, ""
                continue
            value = text or next(words, None)
            if value is None:
                raise Failed(SYNTAX, f"-{letter} needs a value")
            yield letter, value
            return

    def __contains__(self, letter: str) -> bool:
        return letter in self._values

    def __getitem__(self, letter: str) -> str:
        return self._values[letter]

    def get(self, letter: str, default: str = "") -> str:
        return self._values.get(letter, default)

    @property
    def separator(self) -> str:
        """What -f says. [confirmed LCDI-instances, LCDI-relationship]"""
        character = self.get("f", SEPARATOR)
        if len(character) != 1:
            raise Failed(SYNTAX, "-f takes one character")
        return character

    def one_of(self, letter: str, *allowed: str) -> str:
        """A value out of a few; the first one where it is not given. Raises Failed ILLEGAL."""
        value = self.get(letter, allowed[0])
        if value not in allowed:
            raise Failed(ILLEGAL, f"-{letter} {value}: must be one of {', '.join(allowed)}")
        return value
