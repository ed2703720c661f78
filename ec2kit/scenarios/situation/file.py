"""A file has one sentence, what was recorded, a line of dashes, and what must come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ec2kit.scenarios.situation import situation
from ec2kit.scenarios.situation.lines import Fields, Line, Malformed
from ec2kit.scenarios.situation.situation import Situation

DASHES = "----"
EXPECTED = ("verdict", "changes", "pending", "impossible", "owners", "objects", "notices")
"""What must come of an observation. `replay` writes it; it is compared as it stands."""

IF_NOT_CARRIED_OUT = "changes if not carried out"
NOT_OBSERVED = "not observed"


class Record(NamedTuple):
    """
    A record is what stands in a file.

    Attributes:
        expected: The lines of the expected half.
    """

    situation: Situation
    expected: tuple[str, ...]


def read(text: str, file: str) -> Record:
    """
    Read a whole file.

    Args:
        file: Its name, for errors.

    Raises:
        Malformed: A half is missing, or a line of either is none of its lines.
    """
    recorded, middle, expected = _halves(text, file)
    found = _read_recorded(recorded, middle)
    if not any(line.text for line in expected):
        raise middle.wrong(f"no {DASHES!r} with an expected half below it; `make situations` writes it")
    _check_expected(expected, has_lost=any(each.answer_lost for each in found.made))
    return Record(found, tuple(line.text for line in expected if line.text))


def read_recorded(text: str, file: str) -> Situation:
    """
    Read the recorded half of a file, and not what is below it.

    Raises:
        Malformed: A line of it is none of its lines, or one is missing.
    """
    recorded, middle, _ = _halves(text, file)
    return _read_recorded(recorded, middle)


def write(record: Record) -> str:
    """
    Return the text of a file.

    Raises:
        ValueError: A value has a form that would be read as another one.
    """
    found = record.situation
    recorded = [found.sentence, "", *situation.write(found), ""]
    text = "\n".join([*recorded, DASHES, "", *record.expected, ""])
    kept = replace(found, resource=situation.essential(found.resource))
    try:
        is_the_same = read(text, "what was written") == record._replace(situation=kept)
    except Malformed as error:
        raise ValueError(f"this situation cannot be written: {error}") from error
    if not is_the_same:
        raise ValueError(f"this situation would be read as another one:\n{text}")
    return text


def _halves(text: str, file: str) -> tuple[list[Line], Line, list[Line]]:
    """Return what is above the dashes, the dashes (or the last line, where there are none), and what is below."""
    lines = [Line(file, number, line) for number, line in enumerate(text.split("\n"), 1)]
    middle = next((place for place, line in enumerate(lines) if line.text == DASHES), len(lines))
    return lines[:middle], lines[min(middle, len(lines) - 1)], lines[middle + 1 :]


def _read_recorded(lines: Sequence[Line], end: Line) -> Situation:
    blank = next((place for place, line in enumerate(lines) if not line.text), len(lines))
    sentence = "\n".join(line.text for line in lines[:blank])
    if not sentence.endswith("."):
        raise end._replace(number=1).wrong("a file begins with a sentence, which ends with a full stop")
    return situation.read(sentence, lines[blank:], end)


def _check_expected(lines: Sequence[Line], *, has_lost: bool) -> None:
    """Refuse a field that is missing or not known; the content of fields is compared, not read."""
    fields = Fields(lines, {*EXPECTED, IF_NOT_CARRIED_OUT, NOT_OBSERVED}, lines[-1])
    if NOT_OBSERVED in fields:
        fields.skip(NOT_OBSERVED)
    else:
        for name in (*EXPECTED, *([IF_NOT_CARRIED_OUT] if has_lost else [])):
            fields.skip(name)
    fields.finish("the other fields leave no place for it")
