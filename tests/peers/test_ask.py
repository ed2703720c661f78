"""Asking another server."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from ec2kit.errors import RemoteRefused, RemoteSilent
from ec2kit.peers.ask import ask, program

from ..builders import Desk
from ..patience import HANGS


def asked(desk: Desk, script: str, *words: str, server: str = "server-b", seconds: float = HANGS) -> dict[str, Any]:
    """What a server answers to which a small shell script is the way."""
    desk.peer_answers(script)
    return ask(desk.action(), server, list(words), seconds=seconds)


def test_ask_command_line_is_server_and_one_quoted_word(tmp_path: Path, desk: Desk) -> None:
    """The way, the server's name, and one command line that begins with the absolute path of ec2kit."""
    script = f'printf \'%s\\n\' "$#" "$1" "$2" > {tmp_path}/seen; echo \'{{"protocol": 1, "server": "server-b"}}\''
    asked(desk, script, "state", "it's; rm -rf")
    count, server, line = (tmp_path / "seen").read_text().splitlines()
    path, *words = shlex.split(line)
    assert (count, server, words) == ("2", "server-b", ["peer", "state", "it's; rm -rf"])
    assert os.path.isabs(path)


def test_ask_answer_is_given_back(desk: Desk) -> None:
    """The answer's fields are those that the other server sent."""
    script = """echo 'a banner' >&2; echo '{"protocol": 1, "server": "server-b", "in_service": false}'"""
    answer = asked(desk, script, "state", "t")
    assert answer["in_service"] is False


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("echo; echo 'Welcome to server-b {1}!'; {answer}", id="before"),
        pytest.param("{answer}; echo 'Good bye'", id="after"),
        pytest.param("printf '\\033]0;server-b\\007$ '; {answer}", id="on-the-same-line"),
        pytest.param("""echo '{"motd": "Welcome"}'; {answer}""", id="json"),
    ],
)
def test_ask_answer_beside_the_words_of_a_login_shell_is_given_back(script: str, desk: Desk) -> None:
    """A greeting is no silence, for which recover would leave the address where it is."""
    answer = """echo '{"protocol": 1, "server": "server-b", "in_service": false}'"""
    assert asked(desk, script.replace("{answer}", answer), "state", "t")["in_service"] is False


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("echo 'ssh: no route to host' >&2; exit 255", "no route to host", id="failed"),
        pytest.param("exit 255", "exit status 255", id="failed-without-a-word"),
        pytest.param("true", "no answer", id="nothing"),
        pytest.param("echo 'Welcome!'", "no answer but 'Welcome!'", id="no-json"),
        pytest.param("echo '[1]'", "no answer", id="list"),
        pytest.param("echo '7'", "no answer", id="number"),
        pytest.param("head -c 200000 /dev/zero | tr '\\0' '['", "no answer", id="deep"),
        pytest.param("echo '{}'", "no answer", id="no-protocol"),
        pytest.param("""echo '{"protocol": 1, "server": "server-z"}'""", "'server-z' answered", id="another-server"),
        pytest.param("""echo '{"protocol": 2, "in_service": false}'""", "protocol 2", id="later-protocol"),
        pytest.param("sleep 600", "no end within", id="hanging"),
    ],
)
def test_ask_no_usable_answer_raises_remote_silent(script: str, reason: str, desk: Desk) -> None:
    """Whatever is no answer is silence, with the reason that helps."""
    began = time.monotonic()
    with pytest.raises(RemoteSilent, match=reason):
        asked(desk, script, "state", "t", seconds=0.5 if "sleep" in script else HANGS)
    assert time.monotonic() - began < HANGS / 2


@pytest.mark.parametrize("name", ["-oProxyCommand=touch x", "--", "-"])
def test_ask_server_that_would_be_an_option_is_not_asked(name: str, tmp_path: Path, desk: Desk) -> None:
    """A name that ssh would take for an option, which may run a command, is the name of no server."""
    with pytest.raises(RemoteSilent, match="not the name of a server"):
        asked(desk, f"touch {tmp_path}/asked", "state", "t", server=name)
    assert not (tmp_path / "asked").exists()


def test_ask_server_says_that_it_could_not_raises_remote_refused(desk: Desk) -> None:
    """An answer that says no is told from silence."""
    answer = {"protocol": 1, "server": "server-b", "error": "there is no resource t"}
    script = f"echo {shlex.quote(json.dumps(answer))}; exit 1"
    with pytest.raises(RemoteRefused, match="server-b says: there is no resource t"):
        asked(desk, script, "state", "t")


@pytest.mark.parametrize("command", ["", "   ", "ssh 'open", "/nonexistent/ssh"])
def test_ask_way_unusable_raises_remote_silent(command: str, desk: Desk) -> None:
    """A wrong EC2_REMOTE_COMMAND makes the others silent, and nothing worse."""
    desk.set(remote_command=command)
    with pytest.raises(RemoteSilent):
        ask(desk.action(), "server-b", ["state", "t"], seconds=HANGS)


def test_program_is_an_absolute_path() -> None:
    """The other server is told the whole path, since its PATH may be short."""
    assert os.path.isabs(program())
    assert os.path.basename(program()) == "ec2kit"
