"""`ec2kit uninstall`."""

from __future__ import annotations

import click

from ec2kit import installation, messages
from ec2kit.action import Action
from ec2kit.cli.framework import Asked, Framework, Steps, lkroot_option, ocf_option, ocf_root_option, run
from ec2kit.cli.result import json_option
from ec2kit.errors import LifeKeeperFailed, ResourcesLeft
from ec2kit.tree import Tree


@click.command("uninstall")
@lkroot_option
@ocf_option
@ocf_root_option
@click.option("--force", is_flag=True, help="Although LifeKeeper has resources of ec2kit on this server.")
@json_option
def command(lkroot: str | None, ocf: bool, ocf_root: str | None, force: bool, as_json: bool) -> int:
    """Take out of LifeKeeper's or Pacemaker's folder what install put there, and put back what it kept aside."""

    def uninstall(action: Action, framework: Framework, tree: Tree) -> tuple[Steps, str]:
        if framework.keeps_resources and not force:
            _must_be_without_resources(tree.root, action)
        return installation.uninstall(tree), framework.afterwards

    return run("uninstall", Asked(lkroot, ocf, ocf_root), uninstall, messages.KIT_UNINSTALLED, as_json=as_json)


def _must_be_without_resources(root: str, action: Action) -> None:
    """
    Raises:
        ResourcesLeft: LifeKeeper has resources of ec2kit on this server, or does not tell.
    """
    from ec2kit.lifekeeper import LifeKeeper
    from ec2kit.registry.lifekeeper import tags_of_ours

    lifekeeper = LifeKeeper(root, seconds=action.deadline.seconds)
    try:
        tags = tags_of_ours(lifekeeper) if lifekeeper.is_there else []
    except LifeKeeperFailed as error:
        raise ResourcesLeft(root=root, reason=f"which resources it has cannot be said: {error}") from error
    if tags:
        raise ResourcesLeft(root=root, reason=f"it has {', '.join(tags)}")
