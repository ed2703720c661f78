"""What install and uninstall share: whose tree they work in, the frame around the deed, and how it is told."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ec2kit import edge, messages, script
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result
from ec2kit.errors import Ec2KitError, FrameworkMissing
from ec2kit.installation import Step
from ec2kit.lifekeeper import APPLICATION, TYPE
from ec2kit.messages import Message
from ec2kit.script import Layout
from ec2kit.tree import Tree

Steps = Mapping[str, Step]

OCF_ROOT = "/usr/lib/ocf"

lkroot_option = click.option("--lkroot", metavar="DIR", help="LifeKeeper's folder; default: LKROOT of the settings.")
ocf_option = click.option("--ocf", is_flag=True, help="For Pacemaker: its agents, as ocf:ec2kit:NAME.")
ocf_root_option = click.option(
    "--ocf-root", metavar="DIR", help=f"The same in that folder; default: $OCF_ROOT, or {OCF_ROOT}."
)


@dataclass(frozen=True)
class Framework:
    """
    A framework whose tree the kit can be in.

    Attributes:
        root: What its root is called in the answer to a program.
        afterwards: What holds when the kit is taken out.
        resources: Gives the names of those that would be left without their hooks or agents; raises Ec2KitError if
            the framework does not tell.
        user: Who calls the kit there beside root; "": nobody.
    """

    layout: Layout
    root: str
    afterwards: str
    resources: Callable[[Action, str], list[str]]
    user: str = ""


def _of_lifekeeper(action: Action, root: str) -> list[str]:
    from ec2kit.lifekeeper import LifeKeeper
    from ec2kit.registry.lifekeeper import tags_of_ours

    lifekeeper = LifeKeeper(root, seconds=action.deadline.seconds)
    return tags_of_ours(lifekeeper) if lifekeeper.is_there else []


def _of_pacemaker(action: Action, root: str) -> list[str]:
    """Those of the cluster that this server is in, wherever its agents are."""
    from ec2kit import pacemaker

    return pacemaker.resources_of_ours(action.deadline)


_LIFEKEEPER = Framework(
    script.LIFEKEEPER,
    "lkroot",
    f"ec2kit acts on no resource of type {APPLICATION}/{TYPE} there any more",
    _of_lifekeeper,
)
_PACEMAKER = Framework(
    script.PACEMAKER,
    "ocf_root",
    "Pacemaker finds no agent ocf:ec2kit there any more",
    _of_pacemaker,
    user="hacluster",
)


@dataclass(frozen=True)
class Asked:
    """
    What the options say of the framework; each is one of the options of this module.

    Raises:
        click.UsageError: They say both.
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
        """LifeKeeper, unless Pacemaker is named."""
        return _PACEMAKER if self.ocf or self.ocf_root is not None else _LIFEKEEPER

    def root(self, action: Action) -> str:
        """The tree's root, absolute."""
        if self.framework is _PACEMAKER:
            return self._ocf_root
        return action.settings.lkroot if self.lkroot is None else _absolute(self.lkroot)

    @property
    def _ocf_root(self) -> str:
        return _absolute((os.environ.get("OCF_ROOT") or OCF_ROOT) if self.ocf_root is None else self.ocf_root)

    def tree(self, root: str) -> Tree:
        """
        Raises:
            FrameworkMissing: No framework is named, and the one that is meant then is not there.
        """
        if self.framework is _LIFEKEEPER and self.lkroot is None and not os.path.isdir(root):
            raise FrameworkMissing(lkroot=root, ocf_root=self._ocf_root)
        return Tree(root, manifest=self.framework.layout.manifest)


Change = Callable[[Action, Framework, Tree], tuple[Steps, str]]
"""Changes a tree; gives what became of each place, and the summary's last words."""


def run(name: str, asked: Asked, change: Change, done: Message, *, as_json: bool) -> int:
    """
    Change a framework's tree; gives the exit status, 1 also if something is left that should be gone.

    Args:
        done: What the log says in the end; its fields are root and summary.
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
        action.log.put(messages.PLACES_LEFT, root=root, places=left)
    told = [(place, step, tree.backup_of(place) if step is Step.REPLACED else "") for place, step in steps.items()]
    data = {**envelope, "success": not left, "files": [_as_dict(*each) for each in told]}
    text = "\n".join([*(_line(*each) for each in told), f"{root}: {summary}"])
    return Result(text, data, status=1 if left else 0).show(as_json=as_json)


def _absolute(path: str) -> str:
    """An empty path, of a variable that is not set, stays empty and is refused: it is not the current folder."""
    return os.path.abspath(path) if path else ""


def _counted(steps: Steps) -> str:
    counts = Counter(step.value for step in steps.values())
    return ", ".join(f"{count} {verb}" for verb, count in counts.items()) or "nothing of ec2kit was there"


def _line(place: str, step: Step, backup: str) -> str:
    return f"{step.value:<9}  {place}" + (f" (backup {backup})" if backup else "")


def _as_dict(place: str, step: Step, backup: str) -> dict[str, Any]:
    return {"path": place, "outcome": step.value, **({"backup": backup} if backup else {})}
