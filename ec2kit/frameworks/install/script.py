"""The scripts of a framework's tree are made from the kit's own scripts in `actions/`."""

from __future__ import annotations

import os
import shlex
import sysconfig
from collections.abc import Mapping

import ec2kit
from ec2kit.deadline import Deadline
from ec2kit.errors import OwnTrouble
from ec2kit.frameworks.install.layout import Layout, Script
from ec2kit.host.command import run
from ec2kit.messages import catalogue

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
    Return all scripts for one tree: place → text.

    Args:
        root: Absolute path.
        python: Absolute path through the environment, not the target of its link.

    Raises:
        OwnTrouble: The kit's own scripts are incomplete, or this Python does not find the kit.
    """
    if run([python, "-IB", "-c", f"import {layout.front_end}"], deadline).status:
        raise OwnTrouble(
            catalogue.KIT_INCOMPLETE,
            path=python,
            reason="with -I it does not find ec2kit, and so the scripts would not",
        )
    return scripts(layout, _sources(layout), root=root, python=python)


def scripts(layout: Layout, sources: Mapping[str, str], *, root: str, python: str) -> dict[str, str]:
    """
    Make the scripts from the kit's own: place → text, each after those that it calls.

    Args:
        sources: Name in `actions/` → text.

    Raises:
        OwnTrouble: A source lacks the part that has to be replaced.
    """
    launcher = _head(layout, root, python) + _once("launch", sources["launch"], _SEAM).partition(_SEAM)[2]
    made = {place: _made(script, sources[script.source], root) for place, script in layout.scripts.items()}
    return {layout.launcher: launcher, **made}


def _head(layout: Layout, root: str, python: str) -> str:
    variable = layout.root_variable
    telling_root = f"{variable}={_quoted(root)}\nexport {variable}\n" if variable else ""
    return _LAUNCHER_HEAD.format(command=layout.command, python=_quoted(python), telling_root=telling_root)


def _made(script: Script, text: str, root: str) -> str:
    if not script.calls:
        return text
    name = os.path.basename(script.calls)
    up = "/*" * (1 + script.source.count("/"))
    finding = f'{name}=$(readlink -f -- "$0") && {name}=${{{name}%{up}}}/{name}\n'
    text = _once(script.source, text, finding).replace(
        finding, f"{name}={_quoted(os.path.join(root, script.calls))}\n"
    )
    return _once(script.source, text, _ARGUMENTS).replace(_ARGUMENTS, script.words + _ARGUMENTS)


def _once(name: str, text: str, part: str) -> str:
    """Return the text; raises OwnTrouble unless it has the part exactly once."""
    if text.count(part) != 1:
        raise OwnTrouble(
            catalogue.KIT_INCOMPLETE, path=f"actions/{name}", reason=f"it should have this once: {part.strip()}"
        )
    return text


def _quoted(path: str) -> str:
    """Quote a path for the shell; the scripts are UTF-8, even if the file system's names are not."""
    return shlex.quote(os.fsencode(path).decode("utf-8", "surrogateescape"))


def _sources(layout: Layout) -> dict[str, str]:
    """Return the kit's own scripts: those of the checkout, or those that pip put below the environment's prefix."""
    folder = os.path.join(os.path.dirname(os.path.dirname(ec2kit.__file__)), "actions")
    if not os.path.isfile(os.path.join(folder, "launch")):
        folder = os.path.join(sysconfig.get_path("data"), "share", "ec2kit", "actions")
    names = {"launch", *(script.source for script in layout.scripts.values())}
    return {name: _read(os.path.join(folder, name)) for name in names}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise OwnTrouble(catalogue.KIT_INCOMPLETE, path=path, reason=str(error)) from error
