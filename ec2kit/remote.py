"""Asks another server of the cluster: one command line there, one JSON object back."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import Any

from ec2kit.command import Completed, run
from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, RemoteRefused, RemoteSilent
from ec2kit.lifekeeper import LifeKeeper
from ec2kit.settings import Settings

PROTOCOL = 1
"""Version of the answers; another one is not understood."""


def ask(
    server: str, words: list[str], settings: Settings, deadline: Deadline, lifekeeper: LifeKeeper | None = None
) -> dict[str, Any]:
    """
    Run `ec2kit peer WORDS` on another server, by LifeKeeper where that is the framework.

    Raises:
        RemoteSilent: No usable answer within the deadline.
        RemoteRefused: The server answered that it could not.
    """
    if server.startswith("-"):  # ssh would take it for an option, and options can run commands
        raise RemoteSilent(server=server, reason="that is not the name of a server")
    if lifekeeper is not None:
        way = lifekeeper.remote_command(server, deadline.remaining())
    else:
        way = [*_command(server, settings), server]
    words = [*way, shlex.join([program(), "peer", *words])]
    try:
        return _answer(server, run(words, deadline))
    except LocalCommandFailed as error:
        raise RemoteSilent(server=server, reason=error.fields["reason"]) from error


def program() -> str:
    """Absolute path of the `ec2kit` command; the same on all servers."""
    beside = os.path.join(os.path.dirname(sys.executable), "ec2kit")
    if os.path.exists(beside):
        return beside
    import sysconfig

    return os.path.join(sysconfig.get_path("scripts"), "ec2kit")


def _command(server: str, settings: Settings) -> list[str]:
    try:
        words = shlex.split(settings.remote_command)
    except ValueError as error:
        raise RemoteSilent(server=server, reason=f"EC2_REMOTE_COMMAND cannot be split: {error}") from error
    if not words:
        raise RemoteSilent(server=server, reason="EC2_REMOTE_COMMAND is empty")
    return words


def _answer(server: str, done: Completed) -> dict[str, Any]:
    try:
        answer = json.loads(done.stdout)
        known = answer["protocol"] == PROTOCOL
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.status}, no answer"]
        raise RemoteSilent(server=server, reason=lines[-1][:300]) from error
    if not known:
        raise RemoteSilent(server=server, reason=f"it speaks protocol {answer['protocol']!r}, not {PROTOCOL}")
    if answer.get("server") != server:
        raise RemoteSilent(server=server, reason=f"{answer.get('server')!r} answered in its place")
    if "error" in answer:
        raise RemoteRefused(server=server, reason=answer["error"])
    result: dict[str, Any] = answer
    return result
