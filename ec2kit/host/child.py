"""
The children of this process are killed when the process ends, except those that are to go on.

Nothing is loaded for it: most processes have no children.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

_inherited: set[int] = set()
_commands: set[int] = set()


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int


def inherit() -> None:
    """Note the children that this process has from before it began: a shell that becomes a program keeps its own."""
    _inherited.update(each.pid for each in _processes() if each.parent == os.getpid())


@contextmanager
def bound(pid: int) -> Iterator[None]:
    """Let a command with a session of its own, which would go on, not outlive this process, within the block."""
    _commands.add(pid)
    try:
        yield
    finally:
        _commands.discard(pid)


def kill_all() -> None:
    """
    Kill the children of this process with their descendants, unless they made a session of their own.

    Programs that the SDK starts, such as a credential helper, are of this kind. Each process is stopped before its
    children are looked for, so that it starts no more.
    """
    found: set[int] = set()
    while more := _bound() - found:
        _signal(more, signal.SIGSTOP)
        found |= more
    _signal(found, signal.SIGKILL)


def _bound() -> set[int]:
    """Return the processes that shall not go on, each with its descendants of the same session."""
    processes = _processes()
    own, session = os.getpid(), os.getsid(0)
    found = {each.pid for each in processes if each.parent == own and each.session in {session, *_commands}}
    found -= _inherited
    sessions = {each.pid: each.session for each in processes}
    before: set[int] = set()
    while found != before:
        before = found.copy()
        found |= {each.pid for each in processes if each.parent in before and each.session == sessions[each.parent]}
    return found


def _processes() -> list[_Process]:
    """Return the processes of this machine, [] if this process has no child."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    return [found for name in os.listdir("/proc") if name.isdigit() and (found := _process(name))]


def _process(name: str) -> _Process | None:
    """
    Return the process with this number, None if it has ended.

    Source: proc_pid_stat(5); the name of the program, in parentheses, may contain anything.
    """
    try:
        with open(f"/proc/{name}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return _Process(int(name), int(fields[1]), int(fields[3]))


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)
