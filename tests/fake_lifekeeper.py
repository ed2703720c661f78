"""LifeKeeper's commands as scripts that print what a test says; for what they really do see lifekeeper/standin."""

from __future__ import annotations

from pathlib import Path

from ec2kit.frameworks.lifekeeper.commands import LifeKeeper
from ec2kit.frameworks.lifekeeper.registry import LifeKeeperRegistry
from ec2kit.registry.states import States

SEPARATOR = b"\x02"

_COMMAND = """#!/bin/sh
case " $* " in *" -t "*) what=tag ;; *) what=type ;; esac
cat "$0.$what"
exit "$(cat "$0.$what.status")"
"""


class FakeLifeKeeper:
    """
    A $LKROOT whose ins_list knows two answers: asked for a tag, and asked for a type.

    Args:
        folder: Where $LKROOT is made.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "LifeKeeper"
        self._states = folder / "states"
        (self.root / "bin").mkdir(parents=True)
        self.says()

    def says(self, by_tag: bytes = b"", by_type: bytes = b"", *, status: int = 0, type_status: int = 0) -> None:
        self._put("ins_list", "tag", by_tag, status)
        self._put("ins_list", "type", by_type, type_status)

    def prints(self, name: str, text: bytes, status: int = 0) -> None:
        """Another command that says one thing, whatever it is asked."""
        self._put(name, "tag", text, status)
        self._put(name, "type", text, status)

    def _put(self, name: str, what: str, text: bytes, status: int) -> None:
        command = self.root / "bin" / name
        if not command.exists():
            command.write_text(_COMMAND)
            command.chmod(0o755)
        Path(f"{command}.{what}").write_bytes(text)
        Path(f"{command}.{what}.status").write_text(str(status))

    @property
    def commands(self) -> LifeKeeper:
        return LifeKeeper(str(self.root), seconds=20)

    @property
    def registry(self) -> LifeKeeperRegistry:
        return LifeKeeperRegistry(
            LifeKeeper(str(self.root), seconds=20), States(str(self._states)), server="server-a"
        )


def row(tag: str, info: str, *, type: str = "ec2", state: str = "ISP") -> bytes:  # noqa: A002  (LifeKeeper's word)
    """One line of ins_list."""
    fields = ("server-a", "comm", type, tag, f"id-{tag}", info, state, "", "AUTORES_ISP")
    return SEPARATOR.join(field.encode() for field in fields) + b"\n"
