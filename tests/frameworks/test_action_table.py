"""The table of actions and its renderings: the scripts, the admin CLI, what stands in LifeKeeper's tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from ec2kit import cli
from ec2kit.actions import dialogue
from ec2kit.actions.option import TAG, TAGS, Option, Values
from ec2kit.actions.table import ACTIONS, ActionSpec
from ec2kit.actions.wish import Wish
from ec2kit.cli import commands
from ec2kit.errors import UsageError
from ec2kit.frameworks.lifekeeper import hooks, layout, scripts
from ec2kit.frameworks.lifekeeper.arguments import parser_of
from ec2kit.scenarios import table as scenarios

SCRIPTS = Path(__file__).parents[2] / "actions"
MACHINERY = {"agent", "guard", "keepalived", "launch", "ocf", "patroni"}
"""What lies beside the scripts of the actions."""

EVERY = {**ACTIONS, **hooks.OWN}
ABOUT_A_TAG = [spec for spec in EVERY.values() if "tag" in {each.name for each in spec.options()}]
BY_TAG = [
    spec for spec in ABOUT_A_TAG if spec.script and [each.name for each in spec.options() if each.word] == ["tag"]
]

each_action = pytest.mark.parametrize("spec", EVERY.values(), ids=EVERY)
each_about_a_tag = pytest.mark.parametrize("spec", ABOUT_A_TAG, ids=lambda spec: spec.name)


class Misread(Exception):
    """A front end did not understand."""


def by_script(spec: ActionSpec, words: Sequence[str]) -> Values:
    try:
        return scripts.values_of(spec, words)
    except UsageError as error:
        raise Misread(str(error)) from error


def by_command(spec: ActionSpec, words: Sequence[str]) -> Values:
    read: list[Values] = []

    def call(values: Values, as_json: bool) -> int:
        read.append(values)
        return 0

    command = commands.make(spec.name, spec.sentence, spec.options(), call)
    try:
        command.main(list(words), standalone_mode=False)
    except click.UsageError as error:
        raise Misread(error.format_message()) from error
    return read[0]


def front_ends(spec: ActionSpec) -> list[Callable[[ActionSpec, Sequence[str]], Values]]:
    return [by_script] * spec.script + [by_command] * spec.command


# -- every option ----------------------------------------------------------------------------------------------


def sample(option: Option) -> tuple[str, Any]:
    """A text for an option, and its value."""
    text = option.choices[-1] if option.choices else "7" if option.kind is int else f"{option.name}=x"
    return text, option.kind(text)


def forms(option: Option) -> Iterator[tuple[list[str], Any]]:
    """Every way in which an option can be given, and its value."""
    text, value = sample(option)
    if option.word:
        yield [text], value
    for flag in option.flags:
        if option.kind is bool:
            yield [flag], True
        elif flag.startswith("--"):
            yield from (([flag, text], value), ([f"{flag}={text}"], value))
        else:
            yield from (([flag, text], value), ([flag + text], value))


def command_lines(spec: ActionSpec) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Every form of every option, with what else is required, before it and behind it."""
    needed = [each for each in spec.options() if each.required]
    for option in spec.options():
        others = [each for each in needed if each != option]
        for words, value in forms(option):
            rest = [(next(forms(each))[0], each) for each in others]
            expected = {option.name: value, **{each.name: sample(each)[1] for each in others}}
            ordered = sorted([*rest, (words, option)], key=lambda each: spec.options().index(each[1]))
            yield [word for each, _ in ordered for word in each], expected
            if words[0].startswith("-"):
                yield [*(word for each, _ in rest for word in each), *words], expected
                yield [*words, *(word for each, _ in rest for word in each)], expected


@each_action
def test_every_option_is_read_alike_by_the_script_and_by_the_command(spec: ActionSpec) -> None:
    """A tag as a word or by a flag, a flag with its value in any form, before the words or behind them."""
    defaults = {each.name: False if each.kind is bool else each.default for each in spec.options()}
    lines = list(command_lines(spec))
    assert {name for _, given in lines for name in given} == set(defaults)
    for words, given in lines:
        for front_end in front_ends(spec):
            assert front_end(spec, words) == {**defaults, **given}, (front_end, words)


@each_action
def test_help_names_every_option_once(spec: ActionSpec) -> None:
    """Of the script and of the command: each flag has one line, each word stands in the usage."""
    command = commands.of_action(spec)
    shown = [parser_of(spec).format_help()] * spec.script
    shown += [command.get_help(click.Context(command, info_name=spec.name))] * spec.command
    for text in shown:
        usage, _, rest = text.partition("\n\n")
        for option in spec.options():
            for flag in option.flags:
                assert len(re.findall(rf"^  (?:-.*, )?{flag}(?=[ ,\n])", rest, re.MULTILINE)) == 1, (flag, text)
            if option.word:
                assert re.search(rf" \[?{option.metavar}\]?(?: |\n|$)", usage), text


# -- one tag ---------------------------------------------------------------------------------------------------


def with_tags(spec: ActionSpec, *words: str) -> list[str]:
    """A command line with these for the tag, and with what else is required."""
    line = [(each, words if each.name == "tag" else next(forms(each))[0]) for each in spec.options()]
    return [word for each, given in line if each.required or each.name == "tag" for word in given]


@each_about_a_tag
def test_two_different_tags_are_refused_and_both_are_named(spec: ActionSpec) -> None:
    """By flags, as words, or by one of each; the same tag twice is one. Only restore takes several, by its flag."""
    by_flags = [["-t", "one", "-t", "two"], ["--tag=one", "-ttwo"]]
    for words in ([] if spec.name == "restore" else by_flags) + [["one", "two"]]:
        for front_end in front_ends(spec):
            with pytest.raises(Misread, match="'one', 'two'"):
                front_end(spec, with_tags(spec, *words))
    with pytest.raises(Misread, match="'one', 'two'"):
        by_command(spec, with_tags(spec, "-t", "one", "two"))  # a script may be given more by a framework
    for words in (["-t", "one", "-t", "one"], ["one", "one"], ["one", "-t", "one"]):
        for front_end in front_ends(spec):
            assert front_end(spec, with_tags(spec, *words))["tag"] == "one"


def test_restore_takes_several_tags_by_its_flag_each_once() -> None:
    """In their order, and the values for each are those of one."""
    spec = ACTIONS["restore"]
    for words in (["-t", "one", "-t", "two"], ["--tag=one", "-ttwo", "-t", "one"]):
        for front_end in front_ends(spec):
            assert [spec.tag(each) for each in spec.each(front_end(spec, words))] == ["one", "two"]


@each_action
def test_what_is_required_is_missed_by_its_name(spec: ActionSpec) -> None:
    """Nothing begins without it, and the line says what it is."""
    needed = [each for each in spec.options() if each.required]
    for option in needed:
        rest = [[*forms(each)][-1][0] for each in needed if each != option]
        missing = [each.metavar for each in needed if each.word] if option.word else option.flags
        for front_end in front_ends(spec):
            with pytest.raises(Misread, match="|".join(missing)):
                front_end(spec, [word for words in rest for word in words])


@pytest.mark.parametrize("spec", BY_TAG, ids=lambda spec: spec.name)
def test_what_a_framework_adds_beside_the_tag_means_nothing(spec: ActionSpec) -> None:
    """An id, surplus words, unknown short flags; a word that may be the value of one is no tag."""
    given = with_tags(spec, "-t", "one")
    plain = by_script(spec, given)
    for more in (["-i", "x"], ["--id=x"], ["surplus"], ["-R", "-F", "x"], ["-i", "x", "-i", "y"]):
        assert by_script(spec, [*given, *more]) == plain
    unknown = with_tags(spec, "-F", "x")
    if {TAG, TAGS} & {*spec.options()}:
        with pytest.raises(Misread, match="TAG is missing"):
            by_script(spec, unknown)
    else:
        assert by_script(spec, unknown)["tag"] is None


def test_only_the_hooks_of_lifekeeper_know_hook() -> None:
    """What only administrators call is never told that LifeKeeper calls; a hook does not show the word."""
    for spec in EVERY.values():
        if spec.script and spec.name not in hooks.HOOKS:
            assert scripts.as_hook(spec, ["--hook"]) == (spec, ["--hook"])
            with pytest.raises(Misread, match="unknown option '--hook'"):
                by_script(spec, [*with_tags(spec, "one"), "--hook"])
        elif spec.script:
            assert scripts.as_hook(spec, ["--hook", "-t", "x"])[1] == ["-t", "x"]
            assert "--hook" not in parser_of(hooks.as_hook(spec)).format_help()


# -- who offers what -------------------------------------------------------------------------------------------


def test_there_is_a_script_for_every_action_that_has_one_and_for_no_other() -> None:
    """Each names itself; those whose failure would do harm, and only those, are guarded."""
    texts = {path.name: path.read_text() for path in SCRIPTS.iterdir() if path.name not in MACHINERY}
    assert set(texts) == {name for name, spec in EVERY.items() if spec.script}
    for name, text in texts.items():
        start = (
            f'set -- {name} "$@"\n. "${{launch%/*}}/guard"' if EVERY[name].guarded else f'exec "$launch" {name} "$@"'
        )
        assert text.endswith(f"{start}\n")
        assert text.startswith(f"#!/bin/sh\n# {name}")


def test_the_guard_translates_the_statuses_of_the_table() -> None:
    """What a guarded action says in place of failure and usage becomes just that."""
    text = (SCRIPTS / "guard").read_text()
    said = {int(inner): int(outer) for inner, outer in re.findall(r"^(\d+)\) verdict=(\d+)", text, re.MULTILINE)}
    for spec in ACTIONS.values():
        if spec.guarded:
            assert {spec.to_the_script(outer): outer for outer in spec.meanings if outer} == said
            assert spec.trouble == 0


def test_there_is_a_command_for_every_action_that_has_one() -> None:
    """The group shows the actions first, and a command of its own never stands in the way of one."""
    context = click.Context(cli.ec2kit)
    names = cli.ec2kit.list_commands(context)
    assert [name for name in names if name in EVERY] == [name for name, spec in EVERY.items() if spec.command]
    assert len(set(names)) == len(names)
    for name, spec in EVERY.items():
        assert (cli.ec2kit.get_command(context, name) is not None) is spec.command


def test_lifekeepers_tree_has_only_actions_of_the_table() -> None:
    """Its hooks are those that the kit knows as such, and each action that has a script has a place."""
    assert set(layout.HOOKS.values()) == set(hooks.HOOKS)
    assert {*layout.HOOKS.values(), *layout.PROGRAMS.values()} == {name for name, it in EVERY.items() if it.script}


def test_the_dialogue_of_create_asks_for_its_options_by_their_names() -> None:
    """An answer, an option and a field of the wish are one name."""
    options = {each.name for each in ACTIONS["create"].options()}
    wish = {each.name for each in fields(Wish)} - {"given"} | {each.name for each in scenarios.fields()}
    assert wish == options - {"tag", "server"}
    asked = {each.name for each in dialogue.questions()}
    assert asked <= options
    assert {each.name for each in scenarios.fields()} <= asked
