"""The scripts that the kit puts into LifeKeeper's tree, made from its own in `actions/`."""

from __future__ import annotations

import os
import shlex
import sysconfig

from ec2kit.command import run
from ec2kit.deadline import Deadline
from ec2kit.errors import KitIncomplete
from ec2kit.lifekeeper import APPLICATION, EVENT, EVENT_CLASS, TYPE

_RESOURCE = f"subsys/{APPLICATION}/resources/{TYPE}"
_ADMINISTRATION = f"lkadm/subsys/{APPLICATION}/{TYPE}/bin"

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

LAUNCHER = f"{_ADMINISTRATION}/launch"
"""What all of them run."""

_LAUNCHER_LINE = 'launch=$(readlink -f -- "$0") && launch=${launch%/*}/launch\n'
_ARGUMENTS = ' "$@"'
_SEAM = "# Up to here `ec2kit install` writes another beginning, which names the Python that it was run with.\n"

_LAUNCHER_HEAD = """\
#!/bin/sh
# Runs one action, named by the first word, with the Python of the environment that `ec2kit install` was run from.
#
# -I keeps PYTHON* variables, the user's site and the current folder out.
python={python}
LKROOT={root}
export LKROOT
advice="run 'ec2kit install' again, from where ec2kit is now"
"""


def installable(root: str, *, python: str, deadline: Deadline) -> dict[str, str]:
    """
    All scripts for one $LKROOT: place below it → text.

    Args:
        root: $LKROOT, absolute.
        python: Absolute; the path through the environment, not what it leads to.

    Raises:
        KitIncomplete: The kit's own scripts are not what they should be, or that Python does not find the kit.
    """
    if run([python, "-I", "-c", "import ec2kit.frontends.actions"], deadline).status:
        raise KitIncomplete(path=python, reason="with -I it does not find ec2kit, and so the scripts would not")
    return scripts(_sources(), root=root, python=python)


def scripts(sources: dict[str, str], *, root: str, python: str) -> dict[str, str]:
    """
    The scripts made from the kit's own: place below root → text.

    Args:
        sources: Name in `actions/` → text.

    Raises:
        KitIncomplete: A source lacks what has to be replaced.
    """
    launcher = f"launch={_quoted(os.path.join(root, LAUNCHER))}\n"
    made = {LAUNCHER: _launcher(sources["launch"], root, python)}
    for place, name in {**HOOKS, **PROGRAMS}.items():
        arguments = " --hook" + _ARGUMENTS if place in HOOKS else _ARGUMENTS
        text = _once(name, sources[name], _ARGUMENTS).replace(_ARGUMENTS, arguments)
        made[place] = _once(name, text, _LAUNCHER_LINE).replace(_LAUNCHER_LINE, launcher)
    return made


def _launcher(text: str, root: str, python: str) -> str:
    tail = _once("launch", text, _SEAM).partition(_SEAM)[2]
    return _LAUNCHER_HEAD.format(python=_quoted(python), root=_quoted(root)) + tail


def _once(name: str, text: str, part: str) -> str:
    """The text, which has that part exactly once."""
    if text.count(part) != 1:
        raise KitIncomplete(path=f"actions/{name}", reason=f"it should have this once: {part.strip()}")
    return text


def _quoted(path: str) -> str:
    """A path as a word of the shell, in scripts that are UTF-8 whatever the file system's names are."""
    return shlex.quote(os.fsencode(path).decode("utf-8", "surrogateescape"))


def _sources() -> dict[str, str]:
    """The kit's own scripts: the checkout's, or what pip put below the environment's prefix."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "actions")
    if not os.path.isfile(os.path.join(folder, "launch")):
        folder = os.path.join(sysconfig.get_path("data"), "share", "ec2kit", "actions")
    return {name: _read(os.path.join(folder, name)) for name in ("launch", *HOOKS.values(), *PROGRAMS.values())}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise KitIncomplete(path=path, reason=str(error)) from error
