"""`ec2kit quickCheck`."""

from __future__ import annotations

import click

from ec2kit import judgement
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("quickCheck")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Tell whether a resource is in service here; exit status 1 only if it certainly is not."""
    return deed.run("quickCheck", tag, _check, as_json=as_json, trouble=0)


def _check(action: Action) -> Result:
    checked = judgement.quick_check(action)
    verdict = checked.verdict
    text = "busy" if checked.busy else verdict.status.value + (f": {verdict.reason}" if verdict.reasons else "")
    data = {"status": verdict.status.value, "busy": checked.busy, "reasons": list(verdict.reasons)}
    return Result(text, data, status=int(checked.says_no))
