"""The commands install and uninstall share this: the framework and its tree, the frame, and the output."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ec2kit.cli import deed
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, Ec2KitError
from ec2kit.frameworks import edge
from ec2kit.frameworks.install.layout import Layout
from ec2kit.frameworks.install.plan import Step
from ec2kit.frameworks.install.tree import Tree
from ec2kit.frameworks.lifekeeper.commands import APPLICATION, TYPE
from ec2kit.frameworks.lifekeeper.layout import LIFEKEEPER
from ec2kit.frameworks.pacemaker.layout import PACEMAKER
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message

Steps = Mapping[str, Step]

OCF_ROOT = "/usr/lib/ocf"

lkroot_option = click.option("--lkroot", metavar="DIR", help="LifeKeeper's folder; default: LKROOT of the settings.")
ocf_option = click.option("--ocf", is_flag=True, help="For Pacemaker: its agents, as ocf:ec2kit:NAME.")
ocf_root_option = click.option(
    "--ocf-root", metavar="DIR", help=f"For Pacemaker in this folder; default: $OCF_ROOT, or {OCF_ROOT}."
)


@dataclass(frozen=True)
class Framework:
    """
    A framework in whose tree the kit can be installed.

    Attributes:
        root: The name of the root in the answer to a program.
        afterwards: What is the case after the kit has been taken out.
        resources: Returns the names of the resources that would lose their hooks or agents; raises Ec2KitError if
            the framework gives no usable answer.
        user: The user who calls the kit there, beside root; "": none.
    """

    layout: Layout
    root: str
    afterwards: str
    resources: Callable[[Action, str], list[str]]
    user: str = ""


def _of_lifekeeper(action: Action, root: str) -> list[str]:
    from ec2kit.frameworks.lifekeeper.commands import LifeKeeper
    from ec2kit.frameworks.lifekeeper.registry import tags_of_ours

    lifekeeper = LifeKeeper(root, seconds=action.deadline.seconds)
    return tags_of_ours(lifekeeper) if lifekeeper.is_there else []


def _of_pacemaker(action: Action, root: str) -> list[str]:
    """Return the resources of this server's cluster; its agents may be in any tree."""
    from ec2kit.frameworks.pacemaker import commands as pacemaker

    return pacemaker.resources_of_ours(action.deadline)


_LIFEKEEPER = Framework(
    LIFEKEEPER,
    "lkroot",
    f"ec2kit acts on no resource of type {APPLICATION}/{TYPE} there any more",
    _of_lifekeeper,
)
_PACEMAKER = Framework(
    PACEMAKER,
    "ocf_root",
    "Pacemaker finds no agent ocf:ec2kit there any more",
    _of_pacemaker,
    user="hacluster",
)


@dataclass(frozen=True)
class Asked:
    """
    The options by which a person names the framework.

    Raises:
        click.UsageError: The options name both frameworks.
    """

    lkroot: str | None
    ocf: bool
    ocf_root: str | None

    def __post_init__(self) -> None:
        if self.lkroot is not None and self.framework is _PACEMAKER:
            raise click.UsageError(
                "--lkroot is for LifeKeeper, --ocf and --ocf-root are for Pacemaker: one at a time"
            )

    @property
    def framework(self) -> Framework:
        """Return Pacemaker if it is named, otherwise LifeKeeper."""
        return _PACEMAKER if self.ocf or self.ocf_root is not None else _LIFEKEEPER

    def root(self, action: Action) -> str:
        """Return the absolute path of the tree's root."""
        if self.framework is _PACEMAKER:
            return self._ocf_root
        return action.settings.lkroot if self.lkroot is None else _absolute(self.lkroot)

    @property
    def _ocf_root(self) -> str:
        return _absolute((os.environ.get("OCF_ROOT") or OCF_ROOT) if self.ocf_root is None else self.ocf_root)

    def tree(self, root: str) -> Tree:
        """
        Return the framework's tree.

        Raises:
            BadRequest: No framework is named, and LifeKeeper is not installed.
        """
        if self.framework is _LIFEKEEPER and self.lkroot is None and not os.path.isdir(root):
            raise BadRequest(catalogue.FRAMEWORK_MISSING, lkroot=root, ocf_root=self._ocf_root)
        return Tree(root, manifest=self.framework.layout.manifest)


Change = Callable[[Action, Framework, Tree], tuple[Steps, str]]
"""Changes a tree; returns place → step, and the last words of the summary."""


def run(name: str, asked: Asked, change: Change, done: Message, *, as_json: bool) -> int:
    """
    Change a framework's tree.

    Args:
        done: The message for the log at the end; its fields are root and summary.

    Returns:
        The exit status; 1 also if a file is left that should be gone.
    """
    edge.mind_signals()
    action = edge.open_action(name, "", watch=edge.Watch(1))
    root = asked.root(action)
    envelope = {"action": name, asked.framework.root: root}
    try:
        tree = asked.tree(root)
        steps, note = change(action, asked.framework, tree)
    except Ec2KitError as error:
        action.log.error(error)
        return Result("", {**envelope, "success": False, **deed.failure(error)}, status=1).show(as_json=as_json)
    summary = f"{_counted(steps)}; {note}"
    action.log.record(done, root=root, summary=summary)
    left = ", ".join(place for place, step in steps.items() if step is Step.LEFT)
    if left:
        action.log.put(catalogue.PLACES_LEFT, root=root, places=left)
    told = [(place, step, tree.backup_of(place) if step is Step.REPLACED else "") for place, step in steps.items()]
    data = {**envelope, "success": not left, "files": [_as_dict(*each) for each in told]}
    text = "\n".join([*(_line(*each) for each in told), f"{root}: {summary}"])
    return Result(text, data, status=1 if left else 0).show(as_json=as_json)


def _absolute(path: str) -> str:
    """Return an absolute path; an empty one, as of an unset variable, stays empty, and will be refused."""
    return os.path.abspath(path) if path else ""


def _counted(steps: Steps) -> str:
    counts = Counter(step.value for step in steps.values())
    return ", ".join(f"{count} {verb}" for verb, count in counts.items()) or "nothing of ec2kit was there"


def _line(place: str, step: Step, backup: str) -> str:
    return f"{step.value:<9}  {place}" + (f" (backup {backup})" if backup else "")


def _as_dict(place: str, step: Step, backup: str) -> dict[str, Any]:
    return {"path": place, "outcome": step.value, **({"backup": backup} if backup else {})}
