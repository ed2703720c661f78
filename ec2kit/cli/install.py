"""The command `ec2kit install` puts the kit into a framework's tree."""

from __future__ import annotations

import os
import stat
import sys

import click

import ec2kit
from ec2kit.cli.framework import Asked, Framework, Steps, lkroot_option, ocf_option, ocf_root_option, run
from ec2kit.cli.result import json_option
from ec2kit.engine.action import Action
from ec2kit.frameworks.install import installation, script
from ec2kit.frameworks.install.tree import Tree
from ec2kit.messages import catalogue


@click.command("install")
@lkroot_option
@ocf_option
@ocf_root_option
@click.option("--replace", is_flag=True, help="Keep foreign files aside that are in the way, until uninstall.")
@json_option
def command(lkroot: str | None, ocf: bool, ocf_root: str | None, replace: bool, as_json: bool) -> int:
    """Put hooks and administration programs into LifeKeeper's folder, or agents into Pacemaker's; may be repeated."""

    def install(action: Action, framework: Framework, tree: Tree) -> tuple[Steps, str]:
        scripts = script.installable(framework.layout, tree.root, python=sys.executable, deadline=action.deadline)
        steps = installation.install(tree, scripts, replace=replace)
        if framework.user:
            _warn_of_closed(action, framework.user)
        return steps, f"run by {sys.executable}"

    return run("install", Asked(lkroot, ocf, ocf_root), install, catalogue.KIT_INSTALLED, as_json=as_json)


def _warn_of_closed(action: Action, user: str) -> None:
    closed = {_closed(path) for path in (sys.executable, os.path.realpath(sys.executable), ec2kit.__file__)} - {""}
    if closed:
        action.log.put(catalogue.KIT_CLOSED, user=user, paths=", ".join(sorted(closed)))


def _closed(path: str) -> str:
    """Return the path nearest to the root, on the way to a file, that is closed to other users; "" if none is."""
    above, name = os.path.split(path)
    if name and (found := _closed(above)):
        return found
    mode = os.stat(path).st_mode
    return "" if mode & (stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH) else path
