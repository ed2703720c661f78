"""`ec2kit uninstall`."""

from __future__ import annotations

import click

from ec2kit import installation, messages
from ec2kit.action import Action
from ec2kit.cli.lkroot import Steps, lkroot_option, run
from ec2kit.cli.result import json_option
from ec2kit.lifekeeper import APPLICATION, TYPE


@click.command("uninstall")
@lkroot_option
@json_option
def command(lkroot: str | None, as_json: bool) -> int:
    """Take out of LifeKeeper's folder what install put there, and put back what it kept aside."""

    def uninstall(action: Action, root: str) -> Steps:
        return installation.uninstall(root)

    note = f"; ec2kit acts on no resource of type {APPLICATION}/{TYPE} there any more"
    return run("uninstall", lkroot, uninstall, messages.KIT_UNINSTALLED, note, as_json=as_json)
