"""The command `ec2kit verify` tests a resource by moving it to another server and back."""

from __future__ import annotations

import sys
from functools import partial

import click

from ec2kit import finding
from ec2kit.actions import verify as verification
from ec2kit.actions.option import TAG, Option, Values
from ec2kit.actions.table import ActionSpec, Outcome
from ec2kit.cli import commands, deed
from ec2kit.engine.action import Action
from ec2kit.finding import Finding
from ec2kit.messages import stderr
from ec2kit.messages.catalogue import Level
from ec2kit.messages.outlet import Outlet

_WELL = "✓"
_MARKS = {
    finding.Outcome.OK: _WELL,
    finding.Outcome.NOTE: _WELL,
    finding.Outcome.WARN: _WELL,
    finding.Outcome.UNSEEN: "?",
    finding.Outcome.FAILED: "✗",
}


def _verify(tell: verification.Tell, action: Action, values: Values) -> Outcome:
    done = verification.verify(action, tell)
    summary = _summary(action.tag, done)
    data = {"steps": [_as_data(each) for each in done.steps], "in_service_on": done.place}
    return Outcome(summary, summary, data, is_no=bool(done.failed))


def _test(values: Values, as_json: bool) -> int:
    question = f"{_SPEC.tag(values)} is moved to another server and back; its clients lose it for a moment. Go on?"
    if not values["yes"] and not _agrees(question):
        raise click.Abort
    tell = _keep_quiet if as_json else _show
    return deed.run(_SPEC.but(run=partial(_verify, tell)), values, as_json=as_json)


def _agrees(question: str) -> bool:
    """Ask at the terminal, and take no answer for a no; `confirm` of click 8.1 puts a blank into standard output."""
    click.echo(f"{question} [y/N]: ", nl=False, err=True)
    answer = sys.stdin.readline() if sys.stdin else ""
    return answer.strip().lower() in ("y", "yes")


def _summary(tag: str, done: verification.Verification) -> str:
    result = f"{len(done.failed)} steps failed: {', '.join(done.failed)}" if done.failed else "verified"
    return f"{tag}: {result}; in service on {done.place}"


def _line(step: Finding) -> str:
    found = step.found + (f"; {step.advice}" if step.advice else "")
    outcome = "" if _MARKS[step.outcome] == _WELL else f"{step.outcome.value}: "
    return f"{_MARKS[step.outcome]} {step.check}: {outcome}{found}"


def _as_data(step: Finding) -> dict[str, str]:
    return {"step": step.check, "outcome": step.outcome.value, "found": step.found, "advice": step.advice}


def _keep_quiet(step: Finding) -> None:
    """Show nothing to a program, which gets all steps at the end."""


def _show(step: Finding) -> None:
    """Show one step; an output that no program reads must not stop verify while the address is elsewhere."""
    line = _line(step)
    if sys.stdout.isatty():  # as a rule the terminal on which progress is shown
        stderr.above(partial(_print, Level.INFO, line))
    else:
        _STEPS(Level.INFO, line)


def _print(level: Level, line: str) -> None:
    """Print on any terminal, also on one that has no ticks."""
    click.echo(line.encode(sys.stdout.encoding, errors="replace"))


_STEPS = Outlet(_print)


_OPTIONS = (TAG, Option("yes", ("--yes",), "", "Do not ask before the address is moved.", kind=bool))
_SPEC = ActionSpec(
    "verify",
    "Test a resource: in service, ping, switch over, ping, and back; its clients lose it for a moment.",
    lambda: _OPTIONS,
    partial(_verify, _show),
)

command = commands.make(_SPEC.name, _SPEC.sentence, _OPTIONS, _test)
