"""argparse reads a script's command line here from the table of actions, if it is not a framework's plain one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ec2kit.actions.option import Misread, Option, Values, read
from ec2kit.actions.table import ActionSpec
from ec2kit.frameworks.parser import Parser

_ID = Option("id", ("-i", "--id"), "ID", "Accepted and never compared.")
"""LifeKeeper gives the id to each action that it calls by a tag."""

_EVENT = "-n"
"""The flag of a recovery program for the instance of the event, which is the tag."""


def parse(spec: ActionSpec, arguments: Sequence[str]) -> Values:
    """
    Return the values of a command line; unknown short flags are ignored, because a framework may add some.

    Raises:
        UsageError: The command line cannot be understood.
    """
    options, parser = spec.options(), parser_of(spec)
    given, others = parser.parse_known_args(arguments)
    flags = [each for each in others if each.startswith("-") and each != "--"]
    unknown = [each for each in flags if each.startswith("--")]
    if unknown:
        parser.error(f"unknown option {unknown[0][:60]!a}")
    several = {each.name for each in options if _is_repeated(each)}
    for name, value in vars(given).items():
        for each in value if isinstance(value, list) and name in several else [value]:
            if each == "--" or isinstance(
                each, list
            ):  # before 3.13 argparse drops "--" even as the value of --tag=--
                parser.error(f"argument {name}: expected one argument")
    words = [each for each in others if not each.startswith("-")]
    if _is_by_tag(options) and (given.tag or flags):
        words = []  # a framework may pass more, and a word may be the value of an unknown flag
    try:
        return read(options, vars(given), words)
    except Misread as error:
        parser.error(str(error))


def _is_by_tag(options: Iterable[Option]) -> bool:
    """Tell whether the tag is the only word, as for all actions that a framework calls."""
    return [each.name for each in options if each.word] == ["tag"]


def parser_of(spec: ActionSpec) -> Parser:
    """Return the parser that reads the flags of a script, and shows all its options and words."""
    return _Parser(spec, spec.options())


class _Parser(Parser):
    """The parser reads only the flags, because argparse takes words only in one piece; the help shows both."""

    def __init__(self, spec: ActionSpec, options: Sequence[Option]) -> None:
        super().__init__(spec.name)
        self._shown = shown = Parser(spec.name, spec.sentence)
        for each in _with_id(options):
            flags = (*each.flags, _EVENT) if (spec.name, each.name) == ("recover", "tag") else each.flags
            for parser in (self, shown) if flags else ():
                parser.add_argument(*flags, dest=each.name, **_form(each))
        for each in options:
            if each.word:
                shown.add_argument(f"word {each.name}", metavar=each.metavar, **_as_word(each))

    def format_usage(self) -> str:
        return self._shown.format_usage()

    def format_help(self) -> str:
        return self._shown.format_help()


def _with_id(options: Sequence[Option]) -> Sequence[Option]:
    return (options[0], _ID, *options[1:]) if _is_by_tag(options) else options


def _as_word(option: Option) -> dict[str, Any]:
    return {"nargs": "?", "help": f"The same as {option.flags[0]}."} if option.flags else {"help": option.help}


def _is_repeated(option: Option) -> bool:
    return option.several or option.name == "tag"


def _form(option: Option) -> dict[str, Any]:
    default = "" if option.default is None else f" [default: {option.default}]"
    form: dict[str, Any] = {"help": option.help + default}
    if option.kind is bool:
        return {**form, "action": "store_true"}
    form |= {"metavar": option.metavar or "|".join(option.choices), "required": option.required and not option.word}
    if _is_repeated(option):
        return {**form, "action": "append"}
    return {**form, "type": option.kind}
