"""An action has options; a command line gives values to them, and is read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Values = Mapping[str, Any]
"""Name of an option → its value, for every option of an action."""


class Option(NamedTuple):
    """
    One option of an action.

    Attributes:
        name: The name of its value, "virtual_ip".
        flags: ("-s", "--switchback"); empty: the option is only a word.
        metavar: Stands for the value in a usage line, "ADDRESS"; an option with choices shows these instead.
        kind: Makes the value from a text, and raises ValueError with the reason; bool: the flag has no value.
        default: The value if the option is not given.
        word: True: the option may be given without a flag, in its place among the other words.
        several: True: the flag may be repeated; the value is all of its texts, joined by commas.
        words: True: the word may be repeated, too.
    """

    name: str
    flags: tuple[str, ...]
    metavar: str
    help: str
    kind: Callable[[str], Any] = str
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    word: bool = False
    several: bool = False
    words: bool = False


TAG = Option("tag", ("-t", "--tag"), "TAG", "Tag of the resource.", required=True, word=True)

TAGS = TAG._replace(help="Tag of the resource; the flag may be repeated for several resources.", several=True)

# -- reading a command line ------------------------------------------------------------------------------------


class Misread(ValueError):
    """A command line cannot be understood; the text gives the reason."""


class Missing(Misread):
    """
    A required option is not given.

    Attributes:
        option: The missing option.
    """

    def __init__(self, option: Option) -> None:
        super().__init__(f"{option.metavar if option.word else option.flags[-1]} is missing")
        self.option = option


def read(options: Sequence[Option], given: Mapping[str, Any], words: Sequence[str] = ()) -> dict[str, Any]:
    """
    Return the values of the options: those given by their flags, those given as words, and the defaults.

    Args:
        given: Name → value; None if the flag was not given; a list for the tag and for options with several texts,
            because their flags may be repeated.
        words: The words without a flag, in their order; if more than one could be the tag, all of them are tags.

    Raises:
        Misread: The command line has different tags or too many words, or lacks a required option.
    """
    flagged, tags = list(given.get("tag") or ()), []
    values = {each.name: _default(each) if given.get(each.name) is None else given[each.name] for each in options}
    values |= {
        each.name: ",".join(given.get(each.name) or ()) or None
        for each in options
        if each.several and each.name != "tag"
    }
    for each, word in _in_their_places(options, words, tagged=bool(flagged)):
        if each.name == "tag":
            tags.append(word)
        else:
            values[each.name] = _value(each, word)
    if "tag" in values:
        several = any(each.name == "tag" and each.several and (each.words or not tags) for each in options)
        values["tag"] = (_all_of if several else _one_of)([*flagged, *tags])
    for each in options:
        if each.required and values[each.name] is None:
            raise Missing(each)
    return values


def tags_in(values: Values) -> tuple[str, ...]:
    """Return the tags that were given where several may be; none if none was."""
    given = values["tag"]
    return (given,) if isinstance(given, str) else tuple(given or ())


def answered(options: Sequence[Option], answers: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the options: those answered under their names, and the defaults."""
    return {each.name: answers.get(each.name, _default(each)) for each in options}


def _default(option: Option) -> Any:
    return False if option.kind is bool else option.default


def _in_their_places(options: Sequence[Option], words: Sequence[str], *, tagged: bool) -> list[tuple[Option, str]]:
    """Return each word with its option; the tag has no place among the words if its flag was given."""
    places = [each for each in options if each.word]
    at = next((place for place, each in enumerate(places) if each.name == "tag"), None)
    if at is not None:
        places[at : at + 1] = [places[at]] * max(len(words) - len(places) + 1, 0 if tagged else 1)
    if len(words) > len(places):
        raise Misread(f"too many words: {words[len(places)][:60]!a}")
    return list(zip(places, words, strict=False))


def _value(option: Option, word: str) -> Any:
    try:
        return option.kind(word)
    except ValueError as error:
        raise Misread(str(error)) from error


def _all_of(tags: Sequence[str]) -> str | tuple[str, ...] | None:
    """Return the tags in their order, each once; one alone, or none, as where only one is accepted."""
    different = tuple(dict.fromkeys(tags))
    return different if len(different) > 1 else _one_of(different)


def _one_of(tags: Sequence[str]) -> str | None:
    different = list(dict.fromkeys(tags))
    if len(different) > 1:
        raise Misread(f"one tag at a time: {', '.join(ascii(each[:60]) for each in different)}")
    return different[0] if different else None
