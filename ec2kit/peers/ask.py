"""This server asks another one: it runs one command line there, and one JSON object comes back."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from ec2kit.engine.action import Action
from ec2kit.errors import LocalCommandFailed, RemoteRefused, RemoteSilent
from ec2kit.host.command import Completed, run
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason
from ec2kit.settings import Settings

PROTOCOL = 1
"""Version of the protocol; answers of another version are not understood."""


class Told(dict[str, Any]):
    """
    The answer of another server; one that lacks what is looked up in it is none.

    Args:
        server: The server that answered.
    """

    def __init__(self, server: str, answer: dict[str, Any]) -> None:
        super().__init__(answer)
        self._server = server

    def __missing__(self, name: str) -> Any:
        reason = f"its answer has no {name}: install the same version on all servers"
        raise RemoteSilent(server=self._server, reason=reason)


def ask(action: Action, server: str, words: list[str], *, seconds: float) -> dict[str, Any]:
    """
    Run `ec2kit peer WORDS` on another server, by LifeKeeper if that is the framework.

    Args:
        seconds: The limit for the answer; the action's deadline holds, too.

    Raises:
        RemoteSilent: There was no usable answer in time.
        RemoteRefused: The server answered with an error.
    """
    deadline = action.deadline.within(seconds)
    if server.startswith("-"):  # ssh would take it for an option, and options can run commands
        raise RemoteSilent(server=server, reason="that is not the name of a server")
    if action.lifekeeper is not None:
        way = action.lifekeeper.remote_command(server, deadline.remaining())
    else:
        way = [*_command(server, action.settings), server]
    words = [*way, shlex.join([program(), "peer", *words])]
    try:
        with doing(partial(Reason.of, catalogue.AWAITS_PEER, server=server)):
            return _answer(server, run(words, deadline))
    except LocalCommandFailed as error:
        raise RemoteSilent(server=server, reason=error.fields["reason"]) from error


def program() -> str:
    """Return the absolute path of the `ec2kit` command; it must be the same on all servers."""
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
    answer = _object(done.stdout)
    if answer is None:
        raise RemoteSilent(server=server, reason=_instead_of_an_answer(done)[:300])
    if answer["protocol"] != PROTOCOL:
        raise RemoteSilent(server=server, reason=f"it speaks protocol {answer['protocol']!r}, not {PROTOCOL}")
    if answer.get("server") != server:
        raise RemoteSilent(server=server, reason=f"{answer.get('server')!r} answered in its place")
    if "error" in answer:
        raise RemoteRefused(server=server, reason=answer["error"])
    return Told(server, answer)


_BEGIN = '{"protocol"'
"""The first letters of each answer."""


def _object(text: str) -> dict[str, Any] | None:
    """Return the last answer that ends its line; the shell there may print a greeting, or a prompt before it."""
    for line in reversed(text.split("\n")):
        with suppress(ValueError, RecursionError):
            answer = json.loads(line[line.index(_BEGIN) :])
            if isinstance(answer, dict):
                return answer
    return None


def _instead_of_an_answer(done: Completed) -> str:
    """Return the last words that came, for a person: those of ssh if there are any."""
    errors, others = done.stderr.strip().splitlines(), done.stdout.strip().splitlines()
    if errors:
        return errors[-1]
    return f"exit status {done.status}, no answer" + (f" but {others[-1][:100]!a}" if others else "")
