"""
The scripts' own door in a process for each run, which writes down when it asks for a permit and when it gives up.

A Python that has everything loaded forks for each; it has the names of a resolver of the tests.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..patience import HANGS
from ..resolver import Resolver

_DRIVER = """
import boto3, functools, json, os, signal, sys, threading, time
from botocore.loaders import JSONFileLoader
from ec2kit.actions import recover, remove, restore
from ec2kit.ec2 import operations, transport
from ec2kit.ec2.attempt import Attempt
from ec2kit.engine import convergence
from ec2kit.frameworks import edge
from ec2kit.frameworks.lifekeeper import scripts
from ec2kit.registry import local

read = functools.lru_cache(maxsize=None)(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
JSONFileLoader.load_file = lambda _, path: read(path)  # EC2's model is large, and each process would read it anew
boto3.session.Session(region_name="us-east-1").client("ec2")

note = permits = stops = 0

def put(what, attempt, more=""):
    if attempt is None or attempt.operation == "ReplaceRoute":
        which = getattr(attempt, "invocation", "-")
        os.write(note, f"{what} {which} {time.clock_gettime(time.CLOCK_BOOTTIME)} {more}\\n".encode())

def send(self, request, attempt, awaited, really=transport.Transport.send, **more):
    which = request.headers["amz-sdk-invocation-id"]
    attempt.invocation = which.decode() if isinstance(which, bytes) else which
    return really(self, request, attempt, awaited, **more)

def attempt(self, operation, *, last_look, really=Attempt.__init__, **arguments):
    def looked():
        global permits
        asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        last_look()
        if operation == "ReplaceRoute":
            put("permit", self, asked)
            permits += 1
            if permits == stops:
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # this very thread, at once
    really(self, operation, last_look=looked, **arguments)

def leave(self, *arguments, really=Attempt.leave):
    try:
        really(self, *arguments)
    except BaseException as error:
        put("possibly" if self.sent else "held", self, type(error).__name__)
        raise

def give_up(self, really=Attempt.give_up):
    error = really(self)
    put("given-up", self, "sent" if self.sent else "not-sent")
    return error

def over(self, action, really=edge.Watch.over):
    put("deadline", None, action.deadline.ends)
    really(self, action)

Attempt.__init__ = attempt
transport.Transport.send, Attempt.leave, Attempt.give_up, edge.Watch.over = send, leave, give_up, over

names = {}

def reap(*_):
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            os.write(1, f"ended {names.pop(ended[0])} {os.waitstatus_to_exitcode(ended[1])}\\n".encode())
    except ChildProcessError:
        pass

signal.signal(signal.SIGCHLD, reap)
for line in sys.stdin:
    example = json.loads(line)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until the child has its name
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            os.setsid()
            stops = example["stops"]
            note = os.open(example["note"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(os.open(example["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 1)
            os.dup2(1, 2)
            os.environ.clear()
            os.environ.update(example["environment"])
            scripts.main(example["words"])
        finally:
            os._exit(99)
    names[child] = example["name"]
    os.write(1, f"begun {example['name']} {child}\\n".encode())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
"""


@dataclass
class Running:
    """A process; `pid` is 0 until it has begun, `status` is known when `ended` is set."""

    pid: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    status: int | None = None


class Writer:
    """Begins processes, each of which has a name of its own: a number of a process may come again."""

    def __init__(self, driver: subprocess.Popen[str]) -> None:
        self._driver = driver
        self._names = itertools.count()
        self._known: dict[str, Running] = {}
        self._news = threading.Condition()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def join(self) -> None:
        """Wait until nothing more can be heard."""
        self._listening.join()

    def begin(
        self, words: Sequence[str], environment: Mapping[str, str], *, note: Path, said: Path, stops: int = 0
    ) -> Running:
        """
        Begin an action, named by the first word.

        Args:
            stops: The permit to write after which the process stops itself, from 1 on.
        """
        assert self._driver.stdin is not None
        with self._news:
            name, running = str(next(self._names)), Running()
            self._known[name] = running
            told = {"name": name, "words": list(words), "environment": dict(environment), "stops": stops}
            print(json.dumps({**told, "note": str(note), "said": str(said)}), file=self._driver.stdin, flush=True)
            assert self._news.wait_for(lambda: running.pid, timeout=HANGS)
        return running

    def _listen(self) -> None:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            what, name, number = line.split()
            with self._news:
                if what == "begun":
                    self._known[name].pid = int(number)
                else:
                    process = self._known.pop(name)
                    process.status = int(number)
                    process.ended.set()
                self._news.notify_all()


@contextlib.contextmanager
def writing(resolver: Resolver, folder: Path) -> Iterator[Writer]:
    """Keep the Python that forks until the block ends."""
    with subprocess.Popen(
        resolver.command(sys.executable, "-I", "-c", _DRIVER),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
    ) as driver:
        writer = Writer(driver)
        try:
            yield writer
        finally:
            driver.kill()
            writer.join()
