"""`ec2kit install`."""

from __future__ import annotations

import sys

import click

from ec2kit import installation, messages, script
from ec2kit.action import Action
from ec2kit.cli.lkroot import Steps, lkroot_option, run
from ec2kit.cli.result import json_option


@click.command("install")
@lkroot_option
@click.option("--replace", is_flag=True, help="Keep what stands in the way aside, until uninstall.")
@json_option
def command(lkroot: str | None, replace: bool, as_json: bool) -> int:
    """Put hooks and administration programs into LifeKeeper's folder; may be repeated."""

    def install(action: Action, root: str) -> Steps:
        scripts = script.installable(root, python=sys.executable, deadline=action.deadline)
        return installation.install(root, scripts, replace=replace)

    note = f"; run by {sys.executable}"
    return run("install", lkroot, install, messages.KIT_INSTALLED, note, as_json=as_json)
