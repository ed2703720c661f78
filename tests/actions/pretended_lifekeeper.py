"""A LifeKeeper that is no more than its database and the few commands that read and write it, for one server."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ec2kit.settings import INSTALLED

_COMMANDS = ("ins_list", "ins_setinfo", "eqv_list", "dep_list", "lcdsync", "perform_action")

_PROGRAM = """#!{python} -IS
import json, os, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
place = os.path.join(root, "database.json")
with open("/proc/self/cmdline", "rb") as own, open(os.path.join(root, "commands"), "ab") as kept:
    kept.write(own.read() + b"\\n")
with open(place) as file:
    database = json.load(file)

def ends(status, text):
    sys.stderr.write(name + ": " + text + "\\n")
    sys.exit(status)

def option(letter):
    return next((words[number + 1] for number, word in enumerate(words) if word == letter), "")

def listed(rows):
    separator = next((word[2:] for word in words if word.startswith("-f")), "\\x01")
    sys.stdout.write("".join(separator.join(row) + "\\n" for row in rows))
    sys.exit(0 if rows else 7)

def keep():
    with open(place, "w") as file:
        json.dump(database, file)

system, tag = option("-d") or database["own"], option("-t")
if database["down"]:
    ends(1, "LifeKeeper is not running")
if system in database["unreachable"]:
    ends(9, "system " + system + " cannot be reached")
instances = database["instances"].get(system, [])
if name == "ins_list":
    listed([[system, *row] for row in instances if row[2] == (tag or row[2]) and row[1] == (option("-r") or row[1])])
if name == "eqv_list":
    for row in instances:
        row[4] = database["meanwhile"].pop(row[2], row[4])
    keep()
    listed([row for row in database["equivalents"] if row[0] == system and row[1] == tag])
if name == "dep_list":
    listed([row for row in database["dependencies"] if row[1] == option("-p")])
if name == "ins_setinfo":
    (row,) = [row for row in instances if row[2] == tag]
    if tag in database["refused"]:
        ends(3, "cannot replace " + row[4])
    if tag not in database["ignored"]:
        row[4] = option("-v")
    keep()
"""


@dataclass
class PretendedLifeKeeper:
    """
    LifeKeeper on one server, as far as `root` goes; what it keeps can be set and looked at.

    Args:
        own: The server's name.
    """

    root: Path
    own: str = "node1"

    def __post_init__(self) -> None:
        (self.root / "bin").mkdir(parents=True)
        for name in _COMMANDS:
            path = self.root / "bin" / name
            path.write_text(_PROGRAM.format(python=sys.executable))
            path.chmod(0o755)
        manifest = self.root / INSTALLED
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        self.set(
            own=self.own,
            down=False,
            unreachable=[],
            refused=[],
            ignored=[],
            meanwhile={},
            equivalents=[],
            dependencies=[],
            instances={},
        )

    @property
    def database(self) -> dict[str, Any]:
        content = json.loads((self.root / "database.json").read_text())
        assert isinstance(content, dict)
        return content

    def set(self, **different: Any) -> None:
        before = self.database if (self.root / "database.json").exists() else {}
        (self.root / "database.json").write_text(json.dumps({**before, **different}))

    def add(self, tag: str, info: str = "", *, kind: str = "ec2", state: str = "OSU", system: str = "") -> None:
        """A resource on this server, or on another one, where it is the equivalent of this server's."""
        system = system or self.own
        instances = self.database["instances"]
        row = ["comm", kind, tag, f"id-{tag}", info, state, "", "AUTORES_ISP"]
        self.set(instances={**instances, system: [*instances.get(system, []), row]})
        if system != self.own:
            self.set(equivalents=[*self.database["equivalents"], [self.own, tag, system, tag, "SHARED", "1", "10"]])

    def depends(self, *, parent: str, child: str) -> None:
        self.set(dependencies=[*self.database["dependencies"], [parent, child]])

    def info(self, tag: str) -> str:
        """The info of one of this server's resources."""
        (info,) = [row[4] for row in self.database["instances"][self.own] if row[2] == tag]
        return str(info)

    def commands(self, name: str = "") -> list[list[str]]:
        """The words of every command that was started, as the process list showed them."""
        path = self.root / "commands"
        lines = path.read_text().splitlines() if path.exists() else []
        started = [line.rstrip("\0").split("\0")[2:] for line in lines]
        return [words for words in started if words[0].endswith(f"/{name or ''}") or not name]
