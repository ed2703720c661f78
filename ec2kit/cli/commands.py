"""Commands are made from options here, also those of the table of actions; their code is loaded when they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from ec2kit.actions.option import Misread, Missing, Option, Values, read
from ec2kit.actions.table import ActionSpec

Call = Callable[[Values, bool], int]
"""Runs the command with its values, for a program if the second argument is true; returns the exit status."""

Ask = Callable[[], Values | None]
"""Asks a person at the terminal for all values; returns None if no person is there."""


def of_action(spec: ActionSpec) -> click.Command:
    """Make the command of an action."""
    ask = partial(asked, spec) if spec.ask is not None else None
    plan = partial(_plan, spec) if spec.plan is not None else None
    return make(spec.name, spec.sentence, spec.options(), partial(_run, spec), ask=ask, plan=plan)


def _run(spec: ActionSpec, values: Values, as_json: bool) -> int:
    from ec2kit.cli import deed

    return deed.run(spec, values, as_json=as_json)


def _plan(spec: ActionSpec, values: Values, as_json: bool) -> int:
    from ec2kit.cli import plan

    return plan.run(spec, values, as_json)


def asked(spec: ActionSpec) -> Values | None:
    """Return the values that a person at the terminal gives; None: no person is there."""
    from ec2kit.frameworks import edge

    edge.mind_signals()
    return edge.asked_for(spec)


def make(
    name: str,
    sentence: str,
    options: Sequence[Option],
    call: Call,
    *,
    ask: Ask | None = None,
    plan: Call | None = None,
) -> click.Command:
    """
    Make a command; if it takes a tag, the tag may be given as a word or by its flag.

    Args:
        ask: Called if the command line is empty.
        plan: Called instead of `call` with the flag --dry-run; None: there is no such flag.
    """

    def answer(as_json: bool, words: tuple[str, ...] = (), **given: Any) -> int:
        run = plan if plan is not None and given.pop("dry_run") else call
        nothing = not words and not any(given.values())
        asked = ask() if ask is not None and nothing else None
        return run(_values(options, given, words) if asked is None else asked, as_json)

    places = [each for each in options if each.word]
    params: list[click.Parameter] = [_flag(each) for each in options if each.flags]
    if places:
        params.append(click.Argument(["words"], nargs=-1, metavar=" ".join(map(_place, places))))
    if plan is not None:
        params.append(click.Option(["--dry-run"], is_flag=True, help="Show what it would do, and do nothing."))
    params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object."))
    return click.Command(name, params=params, callback=answer, help=sentence)


def _place(option: Option) -> str:
    return f"[{option.metavar}]" if option.flags else option.metavar


def _flag(option: Option) -> click.Option:
    default = "" if option.default is None else f"  [default: {option.default}]"
    more: dict[str, Any] = {"multiple": True} if option.several or option.name == "tag" else {}
    if option.kind is bool:
        more = {"is_flag": True}
    elif option.choices:
        more = {"type": click.Choice(option.choices)}
    else:
        more |= {"type": option.kind, "metavar": option.metavar}
    return click.Option([*option.flags, option.name], help=option.help + default, **more)


def _values(options: Sequence[Option], given: Mapping[str, Any], words: Sequence[str]) -> Values:
    """
    Return the values of the options.

    Raises:
        click.UsageError: The command line cannot be understood.
    """
    try:
        return read(options, given, words)
    except Missing as error:
        option = error.option
        what = f"argument '{option.metavar}'" if option.word else f"option '{option.flags[-1]}'"
        raise click.UsageError(f"Missing {what}.") from error
    except Misread as error:
        raise click.UsageError(str(error)) from error
