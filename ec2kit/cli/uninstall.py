"""`ec2kit uninstall`."""

from __future__ import annotations

import click

from ec2kit import installation, messages
from ec2kit.action import Action
from ec2kit.cli.framework import Asked, Framework, Steps, lkroot_option, ocf_option, ocf_root_option, run
from ec2kit.cli.result import json_option
from ec2kit.errors import Ec2KitError, ResourcesLeft
from ec2kit.tree import Tree


@click.command("uninstall")
@lkroot_option
@ocf_option
@ocf_root_option
@click.option("--force", is_flag=True, help="Although LifeKeeper or Pacemaker has resources of ec2kit.")
@json_option
def command(lkroot: str | None, ocf: bool, ocf_root: str | None, force: bool, as_json: bool) -> int:
    """Take out of LifeKeeper's or Pacemaker's folder what install put there, and put back what it kept aside."""

    def uninstall(action: Action, framework: Framework, tree: Tree) -> tuple[Steps, str]:
        if not force:
            _must_be_without_resources(action, framework, tree.root)
        return installation.uninstall(tree), framework.afterwards

    return run("uninstall", Asked(lkroot, ocf, ocf_root), uninstall, messages.KIT_UNINSTALLED, as_json=as_json)


def _must_be_without_resources(action: Action, framework: Framework, root: str) -> None:
    """
    Raises:
        ResourcesLeft: The framework has resources of ec2kit, or does not tell.
    """
    try:
        names = framework.resources(action, root)
    except Ec2KitError as error:
        raise ResourcesLeft(root=root, reason=f"which resources there are cannot be said: {error}") from error
    if names:
        raise ResourcesLeft(root=root, reason=f"there are resources: {', '.join(names)}")
