"""`ec2kit install`."""

from __future__ import annotations

import sys

import click

from ec2kit import installation, messages, script
from ec2kit.action import Action
from ec2kit.cli.framework import Asked, Framework, Steps, lkroot_option, ocf_option, ocf_root_option, run
from ec2kit.cli.result import json_option
from ec2kit.tree import Tree


@click.command("install")
@lkroot_option
@ocf_option
@ocf_root_option
@click.option("--replace", is_flag=True, help="Keep what stands in the way aside, until uninstall.")
@json_option
def command(lkroot: str | None, ocf: bool, ocf_root: str | None, replace: bool, as_json: bool) -> int:
    """Put hooks and administration programs into LifeKeeper's folder, or agents into Pacemaker's; may be repeated."""

    def install(action: Action, framework: Framework, tree: Tree) -> tuple[Steps, str]:
        scripts = script.installable(framework.layout, tree.root, python=sys.executable, deadline=action.deadline)
        return installation.install(tree, scripts, replace=replace), f"run by {sys.executable}"

    return run("install", Asked(lkroot, ocf, ocf_root), install, messages.KIT_INSTALLED, as_json=as_json)
