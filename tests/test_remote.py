"""Asking another server."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path

import pytest

from ec2kit import remote
from ec2kit.deadline import Deadline
from ec2kit.errors import RemoteRefused, RemoteSilent
from ec2kit.settings import Settings


def asking(folder: Path, script: str) -> Settings:
    """Settings whose way to another server is a small shell script."""
    path = folder / "way"
    path.write_text(script + "\n")
    return Settings(server="server-a", remote_command=f"/bin/sh {shlex.quote(str(path))}")


def test_ask_command_line_is_server_and_one_quoted_word(tmp_path: Path) -> None:
    """The way, the server's name, and one command line that begins with the absolute path of ec2kit."""
    script = f'printf \'%s\\n\' "$#" "$1" "$2" > {tmp_path}/seen; echo \'{{"protocol": 1, "server": "server-b"}}\''
    remote.ask("server-b", ["state", "it's; rm -rf"], asking(tmp_path, script), Deadline(10))
    count, server, line = (tmp_path / "seen").read_text().splitlines()
    program, *words = shlex.split(line)
    assert (count, server, words) == ("2", "server-b", ["peer", "state", "it's; rm -rf"])
    assert os.path.isabs(program)


def test_ask_answer_is_given_back(tmp_path: Path) -> None:
    """The answer's fields are those that the other server sent."""
    script = """echo 'a banner' >&2; echo '{"protocol": 1, "server": "server-b", "in_service": false}'"""
    answer = remote.ask("server-b", ["state", "t"], asking(tmp_path, script), Deadline(10))
    assert answer["in_service"] is False


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("echo 'ssh: no route to host' >&2; exit 255", "no route to host", id="failed"),
        pytest.param("exit 255", "exit status 255", id="failed-without-a-word"),
        pytest.param("true", "no answer", id="nothing"),
        pytest.param("echo 'Welcome!'", "no answer", id="no-json"),
        pytest.param("echo '[1]'", "no answer", id="list"),
        pytest.param("echo '7'", "no answer", id="number"),
        pytest.param("head -c 200000 /dev/zero | tr '\\0' '['", "no answer", id="deep"),
        pytest.param("echo '{}'", "no answer", id="no-protocol"),
        pytest.param("""echo '{"protocol": 1, "server": "server-z"}'""", "'server-z' answered", id="another-server"),
        pytest.param("""echo '{"protocol": 2, "in_service": false}'""", "protocol 2", id="later-protocol"),
        pytest.param("sleep 60", "no end within", id="hanging"),
    ],
)
def test_ask_no_usable_answer_raises_remote_silent(script: str, reason: str, tmp_path: Path) -> None:
    """Whatever is no answer is silence, with the reason that helps."""
    began = time.monotonic()
    with pytest.raises(RemoteSilent, match=reason):
        remote.ask("server-b", ["state", "t"], asking(tmp_path, script), Deadline(0.5 if "sleep" in script else 10))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["-oProxyCommand=touch x", "--", "-"])
def test_ask_server_that_would_be_an_option_is_not_asked(name: str, tmp_path: Path) -> None:
    """A name that ssh would take for an option, which may run a command, is the name of no server."""
    with pytest.raises(RemoteSilent, match="not the name of a server"):
        remote.ask(name, ["state", "t"], asking(tmp_path, f"touch {tmp_path}/asked"), Deadline(10))
    assert not (tmp_path / "asked").exists()


def test_ask_server_says_that_it_could_not_raises_remote_refused(tmp_path: Path) -> None:
    """An answer that says no is told from silence."""
    answer = {"protocol": 1, "server": "server-b", "error": "there is no resource t"}
    script = f"echo {shlex.quote(json.dumps(answer))}; exit 1"
    with pytest.raises(RemoteRefused, match="server-b says: there is no resource t"):
        remote.ask("server-b", ["state", "t"], asking(tmp_path, script), Deadline(10))


@pytest.mark.parametrize("command", ["", "   ", "ssh 'open", "/nonexistent/ssh"])
def test_ask_way_unusable_raises_remote_silent(command: str) -> None:
    """A wrong EC2_REMOTE_COMMAND makes the others silent, and nothing worse."""
    with pytest.raises(RemoteSilent):
        remote.ask("server-b", ["state", "t"], Settings(server="a", remote_command=command), Deadline(10))


def test_program_is_an_absolute_path() -> None:
    """The other server is told the whole path, since its PATH may be short."""
    assert os.path.isabs(remote.program())
    assert os.path.basename(remote.program()) == "ec2kit"
