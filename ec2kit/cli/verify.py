"""`ec2kit verify`."""

from __future__ import annotations

import sys

import click

from ec2kit import verification
from ec2kit.action import Action
from ec2kit.checks import Finding, Outcome
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.resource import checked_tag

_WELL = "✓"
_MARKS = {Outcome.OK: _WELL, Outcome.NOTE: _WELL, Outcome.WARN: _WELL, Outcome.UNSEEN: "?", Outcome.FAILED: "✗"}


@click.command("verify")
@deed.tag_argument
@click.option("--yes", is_flag=True, help="Do not ask before the address is moved.")
@json_option
def command(tag: str, yes: bool, as_json: bool) -> int:
    """Test a resource: in service, ping, switch over, ping, and back; its clients lose it for a moment."""
    question = f"{checked_tag(tag)} is moved to another server and back; its clients lose it for a moment. Go on?"
    if not yes:
        click.confirm(question, abort=True, err=True)

    def verify(action: Action) -> Result:
        tell: verification.Tell = _keep_quiet if as_json else _show
        done = verification.verify(action, tell)
        data = {"steps": [_as_data(each) for each in done.steps], "in_service_on": done.place}
        return Result(_summary(tag, done), data, status=1 if done.failed else 0)

    return deed.run("verify", tag, verify, as_json=as_json)


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
    """For a program, which gets all steps at the end."""


def _show(step: Finding) -> None:
    """On any terminal, also one that has no ticks."""
    click.echo(_line(step).encode(sys.stdout.encoding, errors="replace"))
