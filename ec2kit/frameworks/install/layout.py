"""A layout lists the kit's places in a framework's tree; each framework has its own layout, in its room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """
    A script in a framework's tree, and its differences from its source.

    Attributes:
        source: The source's name in `actions/`.
        calls: Place of the script that it calls, and that its source finds by itself. The place's last part is also
            the name of the shell variable. "": the script calls none, and has the same text everywhere.
        words: Arguments that it passes before its own arguments.
    """

    source: str
    calls: str = ""
    words: str = ""


@dataclass(frozen=True)
class Layout:
    """
    The kit's files in one framework's tree; a place is a path below the tree's root.

    Attributes:
        manifest: Place of the list of the files of install.
        launcher: Place of the script that starts Python.
        scripts: Place → script, for all other scripts; each comes after those that it calls or reads in.
        front_end: The module that Python is started with.
        command: The command by which an administrator installs the kit.
        root_variable: Environment variable by which the scripts pass the root to the kit; "": there is none.
    """

    manifest: str
    launcher: str
    scripts: Mapping[str, Script]
    front_end: str
    command: str
    root_variable: str = ""
