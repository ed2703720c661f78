"""The command `ec2kit uninstall` takes the kit out of a framework's tree."""

from __future__ import annotations

import click

from ec2kit.cli.framework import Asked, Framework, Steps, lkroot_option, ocf_option, ocf_root_option, run
from ec2kit.cli.result import json_option
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, Ec2KitError
from ec2kit.frameworks.install import installation
from ec2kit.frameworks.install.tree import Tree
from ec2kit.messages import catalogue


@click.command("uninstall")
@lkroot_option
@ocf_option
@ocf_root_option
@click.option("--force", is_flag=True, help="Uninstall even if LifeKeeper or Pacemaker has resources of ec2kit.")
@json_option
def command(lkroot: str | None, ocf: bool, ocf_root: str | None, force: bool, as_json: bool) -> int:
    """Remove the files of install from LifeKeeper's or Pacemaker's folder, and put back the files kept aside."""

    def uninstall(action: Action, framework: Framework, tree: Tree) -> tuple[Steps, str]:
        if not force:
            _must_be_without_resources(action, framework, tree.root)
        return installation.uninstall(tree), framework.afterwards

    return run("uninstall", Asked(lkroot, ocf, ocf_root), uninstall, catalogue.KIT_UNINSTALLED, as_json=as_json)


def _must_be_without_resources(action: Action, framework: Framework, root: str) -> None:
    """
    Refuse to uninstall if the framework still has resources of ec2kit.

    Raises:
        BadRequest: The framework has such resources, or gives no usable answer.
    """
    try:
        names = framework.resources(action, root)
    except Ec2KitError as error:
        raise BadRequest(
            catalogue.RESOURCES_LEFT, root=root, reason=f"its resources cannot be listed: {error}"
        ) from error
    if names:
        raise BadRequest(catalogue.RESOURCES_LEFT, root=root, reason=f"there are resources: {', '.join(names)}")
