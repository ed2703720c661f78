"""A LifeKeeper that is no more than one database for all servers, and the few commands that are needed of it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ec2kit.settings import INSTALLED

from .cluster import ACTIONS

_COMMANDS = ("ins_list", "ins_setinfo", "eqv_list", "dep_list", "lcdsync", "perform_action", "lcdremexec")

_PROGRAM = """#!{python} -IS
import json, os, shlex, subprocess, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
name, words, own = os.path.basename(sys.argv[0]), sys.argv[1:], os.environ["EC2KIT_SERVER"]
place = os.path.join(root, "database.json")
with open("/proc/self/cmdline", "rb") as line, open(os.path.join(root, "commands"), "ab") as kept:
    kept.write(own.encode() + b"\\0" + line.read() + b"\\n")
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

def remote(server, command):
    return subprocess.run([*shlex.split(os.environ["EC2_REMOTE_COMMAND"]), server, command]).returncode

def needed(tag):  # what it stands on first
    below = [child for parent, child in database["dependencies"] if parent == tag]
    return [each for child in below for each in needed(child)] + [tag]

def needing(tag):  # what stands on it first
    above = [parent for parent, child in database["dependencies"] if child == tag]
    return [each for parent in above for each in needing(parent)] + [tag]

def put(server, tag, state, action):
    (row,) = [row for row in database["instances"][server] if row[2] == tag]
    if row[5] == state:
        return
    hook = "{actions}/" + action + " -t " + tag + " --hook"
    if row[1] == "ec2" and (os.system(hook) if server == own else remote(server, hook)):
        ends(1, action + " of " + tag + " failed")
    row[5] = state
    keep()

system, tag = option("-d") or own, option("-t")
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
    others = [each for each, rows in database["instances"].items() if each != own and tag in [row[2] for row in rows]]
    listed([[own, tag, each, tag, "SHARED", "1", "10"] for each in others])
if name == "dep_list":
    listed([row for row in database["dependencies"] if row[1] == option("-p")])
if name == "ins_setinfo":
    (row,) = [row for row in instances if row[2] == tag]
    if tag in database["refused"]:
        ends(3, "cannot replace " + row[4])
    if tag not in database["ignored"]:
        row[4] = option("-v")
    keep()
if name == "lcdremexec":
    sys.exit(remote(system, " ".join(words[words.index("--") + 1 :])))
if name == "perform_action":
    for other in [each for each in database["instances"] if each != own]:
        for each in [above for below in needed(tag) for above in needing(below)]:
            if each in [row[2] for row in database["instances"][other]]:
                put(other, each, "OSU", "remove")
    for each in needed(tag):
        put(own, each, "ISP", "restore")
"""
"""All commands in one; the script is that one which it was called by. perform_action only restores."""


@dataclass
class PretendedLifeKeeper:
    """LifeKeeper in `root`, for whichever server of the sandbox a process is; what it keeps can be set and seen."""

    root: Path

    def __post_init__(self) -> None:
        (self.root / "bin").mkdir(parents=True)
        program = _PROGRAM.replace("{python}", sys.executable).replace("{actions}", str(ACTIONS))
        for name in _COMMANDS:
            path = self.root / "bin" / name
            path.write_text(program)
            path.chmod(0o755)
        manifest = self.root / INSTALLED
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        self.set(down=False, unreachable=[], refused=[], ignored=[], meanwhile={}, dependencies=[], instances={})

    @property
    def database(self) -> dict[str, Any]:
        content = json.loads((self.root / "database.json").read_text())
        assert isinstance(content, dict)
        return content

    def set(self, **different: Any) -> None:
        before = self.database if (self.root / "database.json").exists() else {}
        (self.root / "database.json").write_text(json.dumps({**before, **different}))

    def add(self, tag: str, info: str = "", *, kind: str = "ec2", state: str = "OSU", system: str = "node1") -> None:
        """A resource on a server; resources of one tag are equivalents."""
        instances = self.database["instances"]
        row = ["comm", kind, tag, f"id-{tag}", info, state, "", "AUTORES_ISP"]
        self.set(instances={**instances, system: [*instances.get(system, []), row]})

    def depends(self, *, parent: str, child: str) -> None:
        self.set(dependencies=[*self.database["dependencies"], [parent, child]])

    def info(self, tag: str) -> str:
        """The info of one of node1's resources."""
        (info,) = [row[4] for row in self.database["instances"]["node1"] if row[2] == tag]
        return str(info)

    def states(self, system: str) -> dict[str, str]:
        """Tag → state."""
        return {row[2]: row[5] for row in self.database["instances"][system]}

    def commands(self, name: str = "") -> list[list[str]]:
        """The server and the words of every command that was started, as its process list showed them."""
        path = self.root / "commands"
        lines = path.read_text().splitlines() if path.exists() else []
        started = [line.rstrip("\0").split("\0") for line in lines]
        ours = [[server, Path(program).name, *words] for server, _, _, program, *words in started]
        return [each for each in ours if each[1] == (name or each[1])]
