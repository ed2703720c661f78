"""The scripts that the kit puts into a framework's tree, made from its own in `actions/`."""

from __future__ import annotations

import os
import shlex
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass

from ec2kit.command import run
from ec2kit.deadline import Deadline
from ec2kit.errors import KitIncomplete
from ec2kit.lifekeeper import APPLICATION, EVENT, EVENT_CLASS, TYPE
from ec2kit.settings import INSTALLED


@dataclass(frozen=True)
class Script:
    """
    A script in a framework's tree, and what it has other than its source.

    Attributes:
        source: Its name in `actions/`.
        calls: Place of what it calls and its source finds by itself; that place's last name is also the variable's.
        words: What it says there before its own arguments.
    """

    source: str
    calls: str
    words: str = ""


@dataclass(frozen=True)
class Layout:
    """
    What the kit is in one framework's tree; a place is a path below the tree's root.

    Attributes:
        manifest: Place of the list of what install put there.
        launcher: Place of the script that starts Python.
        scripts: Place → the scripts above it, each after those that it calls.
        front_end: The module that Python is started with.
        command: What an administrator installs it with.
        root_variable: By which the scripts tell the kit the root; "": they do not.
    """

    manifest: str
    launcher: str
    scripts: Mapping[str, Script]
    front_end: str
    command: str
    root_variable: str = ""


# -- LifeKeeper ------------------------------------------------------------------------------------------------

_RESOURCE = f"subsys/{APPLICATION}/resources/{TYPE}"
_ADMINISTRATION = f"lkadm/subsys/{APPLICATION}/{TYPE}/bin"

LAUNCHER = f"{_ADMINISTRATION}/launch"

HOOKS = {
    **{f"{_RESOURCE}/actions/{name}": name for name in ("restore", "remove", "quickCheck", "recover", "delete")},
    f"{_RESOURCE}/recovery/{EVENT_CLASS}/{EVENT}": "recover",
}
"""Place below $LKROOT → name in `actions/`; LifeKeeper calls these."""

PROGRAMS = {
    **{f"{_ADMINISTRATION}/{name}": name for name in ("create", "canextend", "extend", "unextend", "delete")},
    "lkadm/bin/aws_iam_migration": "aws_iam_migration",
}
"""The same of what administrators call."""

LIFEKEEPER = Layout(
    manifest=INSTALLED,
    launcher=LAUNCHER,
    scripts={
        **{place: Script(name, LAUNCHER, " --hook") for place, name in HOOKS.items()},
        **{place: Script(name, LAUNCHER) for place, name in PROGRAMS.items()},
    },
    front_end="ec2kit.frontends.actions",
    command="ec2kit install",
    root_variable="LKROOT",
)
"""Below $LKROOT."""

# -- Pacemaker -------------------------------------------------------------------------------------------------

_PROVIDER = "resource.d/ec2kit"
"""Whatever can be run in there, Pacemaker takes for an agent of the provider ec2kit: nothing else may be in it."""

_LIBRARY = "lib/ec2kit"
_GUARD = f"{_LIBRARY}/agent"

AGENTS = {f"{_PROVIDER}/{name}": name for name in ("route-table", "elastic-ip", "aws-vpc-move-ip", "awseip")}
"""Place below $OCF_ROOT → name in `actions/ocf/`; Pacemaker calls these."""

PACEMAKER = Layout(
    manifest=f"{_LIBRARY}/ec2kit.json",
    launcher=f"{_LIBRARY}/launch",
    scripts={
        _GUARD: Script("agent", f"{_LIBRARY}/launch"),
        **{place: Script(f"ocf/{name}", _GUARD) for place, name in AGENTS.items()},
    },
    front_end="ec2kit.frontends.ocf",
    command="ec2kit install --ocf",
)
"""
Below $OCF_ROOT.

Source: github.com/ClusterLabs/OCF-spec, resource agent API 1.1, "Filesystem Layout".
"""

# -- making them -----------------------------------------------------------------------------------------------

_ARGUMENTS = ' "$@"'
_SEAM = "# Up to here `ec2kit install` writes another beginning, which names the Python that it was run with.\n"

_LAUNCHER_HEAD = """\
#!/bin/sh
# Runs what its first word names, with the Python of the environment that `{command}` was run from.
#
# -I keeps PYTHON* variables, the user's site and the current folder out.
python={python}
{telling_root}advice="run '{command}' again, from where ec2kit is now"
"""


def installable(layout: Layout, root: str, *, python: str, deadline: Deadline) -> dict[str, str]:
    """
    All scripts for one tree: place → text.

    Args:
        root: Absolute.
        python: Absolute; the path through the environment, not what it leads to.

    Raises:
        KitIncomplete: The kit's own scripts are not what they should be, or that Python does not find the kit.
    """
    if run([python, "-I", "-c", f"import {layout.front_end}"], deadline).status:
        raise KitIncomplete(path=python, reason="with -I it does not find ec2kit, and so the scripts would not")
    return scripts(layout, _sources(layout), root=root, python=python)


def scripts(layout: Layout, sources: Mapping[str, str], *, root: str, python: str) -> dict[str, str]:
    """
    The scripts made from the kit's own: place → text, each after those that it calls.

    Args:
        sources: Name in `actions/` → text.

    Raises:
        KitIncomplete: A source lacks what has to be replaced.
    """
    launcher = _head(layout, root, python) + _once("launch", sources["launch"], _SEAM).partition(_SEAM)[2]
    made = {place: _made(script, sources[script.source], root) for place, script in layout.scripts.items()}
    return {layout.launcher: launcher, **made}


def _head(layout: Layout, root: str, python: str) -> str:
    variable = layout.root_variable
    telling_root = f"{variable}={_quoted(root)}\nexport {variable}\n" if variable else ""
    return _LAUNCHER_HEAD.format(command=layout.command, python=_quoted(python), telling_root=telling_root)


def _made(script: Script, text: str, root: str) -> str:
    name = os.path.basename(script.calls)
    up = "/*" * (1 + script.source.count("/"))
    finding = f'{name}=$(readlink -f -- "$0") && {name}=${{{name}%{up}}}/{name}\n'
    text = _once(script.source, text, finding).replace(
        finding, f"{name}={_quoted(os.path.join(root, script.calls))}\n"
    )
    return _once(script.source, text, _ARGUMENTS).replace(_ARGUMENTS, script.words + _ARGUMENTS)


def _once(name: str, text: str, part: str) -> str:
    """The text, which has that part exactly once."""
    if text.count(part) != 1:
        raise KitIncomplete(path=f"actions/{name}", reason=f"it should have this once: {part.strip()}")
    return text


def _quoted(path: str) -> str:
    """A path as a word of the shell, in scripts that are UTF-8 whatever the file system's names are."""
    return shlex.quote(os.fsencode(path).decode("utf-8", "surrogateescape"))


def _sources(layout: Layout) -> dict[str, str]:
    """The kit's own scripts: the checkout's, or what pip put below the environment's prefix."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "actions")
    if not os.path.isfile(os.path.join(folder, "launch")):
        folder = os.path.join(sysconfig.get_path("data"), "share", "ec2kit", "actions")
    names = {"launch", *(script.source for script in layout.scripts.values())}
    return {name: _read(os.path.join(folder, name)) for name in names}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise KitIncomplete(path=path, reason=str(error)) from error
