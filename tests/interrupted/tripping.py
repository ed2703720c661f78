"""
The script create as a process that sends itself a signal, or has no room on its disk, at one of its points.

A point is before a file of the server's state is put in its place or removed, before a command of LifeKeeper that
changes something runs, before a write to EC2 leaves, right
after it has left, and when it is answered. Under LifeKeeper, the hook makes the writes, in a process of its own.

Source: Python, "Audit events table".
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..actions.cluster import Done, finished

NO_ROOM = 0
"""In place of a signal: the file is not written, the command of LifeKeeper does not run."""

_PROGRAM = """
import errno, os, signal, sys, threading, time
from ec2kit.ec2.attempt import Attempt
from ec2kit.ec2.client import Client
from ec2kit.frameworks.lifekeeper import scripts

CHANGING = ("app_create", "typ_create", "ins_create", "dep_create", "ins_setinfo", "lcdsync", "perform_action")
number, which, note, *words = sys.argv[1:]
lock, passed, asked = threading.Lock(), 0, threading.local()

def point(what):
    global passed
    with lock:
        passed += 1
        if passed != int(number):
            return
        with open(note, "w") as file:
            file.write(what)
        if not int(which):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.kill(os.getpid(), int(which))
    time.sleep(0.3)  # the main thread has met the signal, whichever thread came here

def hook(event, arguments):
    if event == "os.rename" and arguments[3] != -1:
        point(f"before {arguments[1]} is written")
    elif event == "os.remove" and arguments[1] != -1 and arguments[0].endswith(".json"):
        point(f"before {arguments[0]} is removed")
    elif event == "subprocess.Popen" and os.path.basename(arguments[1][0]) in CHANGING:
        point(f"before {os.path.basename(arguments[1][0])} runs")

def call(what):
    if int(which):
        point(what)

def send(self, attempt, target, parameters, *more, really=Client.send):
    asked.writes = attempt.operation in ("ReplaceRoute", "AssociateAddress") and not parameters.get("DryRun")
    if asked.writes:
        call(f"before {attempt.operation}")
    try:
        return really(self, attempt, target, parameters, *more)
    finally:
        if asked.writes:
            call(f"{attempt.operation} is answered")

def leave(self, *arguments, really=Attempt.leave):
    really(self, *arguments)
    if getattr(asked, "writes", False):
        call(f"{self.operation} has left")

Client.send, Attempt.leave = send, leave
sys.addaudithook(hook)
scripts.main(["create", *words])
"""


@dataclass(frozen=True)
class Tripped:
    """How a create ended, and at which point the signal came; "" if it had ended before."""

    done: Done
    point: str


def tripped(words: Sequence[str], environment: Mapping[str, str], *, number: int, by: int) -> Tripped:
    """Run create until the point of that number, from 1 on; it gets the signal, or has NO_ROOM, there."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder, "point")
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, str(number), str(int(by)), str(note), *words],
            env={name: value for name, value in environment.items() if not name.startswith("COVERAGE_")},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        done = finished(process)
        return Tripped(done, note.read_text() if note.exists() else "")
