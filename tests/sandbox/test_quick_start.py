"""README's quick start, pasted as one block into a shell, moves an address in the sandbox and asks no other EC2."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ec2kit.sandbox import folder as files
from ec2kit.sandbox.client import started

from ..patience import HANGS

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

(BLOCK,) = re.findall(
    r"^```sh\n(make setup\n.*?)^```$", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
"""The whole quick start, as a person pastes it."""

(DEEDS,) = re.findall(r"sh -ec '\n(.*)'", BLOCK, re.DOTALL)
"""What the block does once the sandbox is ready, without the sandbox."""


class Elsewhere:
    """A door on loopback that stands for all of the outside world, and counts who comes."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.requests: list[bytes] = []
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):  # the door is closed
            while True:
                visitor, _ = self._door.accept()
                with visitor:
                    visitor.settimeout(5)
                    self.requests.append(visitor.recv(200))

    def close(self) -> None:
        self._door.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    door = Elsewhere()
    yield door
    door.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout right after `make setup`, in a folder in which the block may leave its files."""
    place = tmp_path / "checkout"
    (place / ".venv").mkdir(parents=True)
    (place / ".venv" / "bin").symlink_to(BIN)
    for name in ("Makefile", "actions"):
        (place / name).symlink_to(CHECKOUT / name)
    (place / "pyproject.toml").touch()
    (place / ".venv" / ".installed").touch()
    return place


def a_shell_of_an_administrator(elsewhere: Elsewhere, home: Path) -> dict[str, str]:
    """An environment in which each request that is not the sandbox's reaches `elsewhere`."""
    leading_out = (
        "AWS_ENDPOINT_URL AWS_ENDPOINT_URL_EC2 AWS_ENDPOINT_URL_STS EC2_ENDPOINT_URL EC2_ENDPOINT_URL_ec2_vip1 "
        "AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_EC2_METADATA_SERVICE_ENDPOINT_ec2_vip1 "
        "HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy"
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        **dict.fromkeys(leading_out.split(), elsewhere.url),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "AWS_REGION": "eu-central-1",
        "EC2KIT_STATE_DIR": str(home / "state"),
        "EC2KIT_RUN_DIR": str(home / "run"),
        "EC2KIT_LOG_FILE": "-",
        "EC2KIT_SERVER": "node1",
        "EC2_REMOTE_COMMAND": "false",
        "EC2_REMOTE_COMMAND_ec2_vip1": "false",
    }


def paste(
    text: str, place: Path, environment: Mapping[str, str], *, shell: str = "bash"
) -> subprocess.CompletedProcess[str]:
    """Give a shell lines as a terminal does: the next one also follows after one that failed."""
    return subprocess.run(
        [shell],
        input=text,
        cwd=place,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_quick_start_moves_the_address_in_the_sandbox_and_asks_nothing_else(checkout, elsewhere, tmp_path, shell):
    """The block as it stands in README ends in service on node2, with requests to the sandbox only."""
    done = paste(BLOCK, checkout, a_shell_of_an_administrator(elsewhere, tmp_path), shell=shell)
    assert (done.returncode, elsewhere.requests) == (0, []), done.stderr
    *_, before, last = done.stderr.splitlines()
    assert (before, "IN_SERVICE" in last) == ("10.1.0.10 is in service here", True)
    journal = (checkout / "sb" / files.CALLS).read_text(encoding="utf-8")
    assert journal.count('"operation": "ReplaceRoute"') >= 2
    assert not list((checkout / "sb").glob("*.env"))


@contextlib.contextmanager
def a_file_in_place_of_the_folder(place: Path) -> Iterator[str]:
    (place / "sb").write_text("mine")
    yield "'sb' is a file"


@contextlib.contextmanager
def another_sandbox_in_the_folder(place: Path) -> Iterator[str]:
    with started(place / "sb"):
        yield "already runs in"


@contextlib.contextmanager
def no_file_descriptors_for_its_ports(place: Path) -> Iterator[str]:
    inner = (place / ".venv" / "bin").readlink()
    (place / ".venv" / "bin").unlink()
    (place / ".venv" / "bin").mkdir()
    (place / ".venv" / "bin" / "ec2kit").write_text(
        f'#!/bin/sh\nulimit -n 8\nexec {shlex.quote(str(inner))}/ec2kit "$@"\n'
    )
    (place / ".venv" / "bin" / "ec2kit").chmod(0o755)
    yield "Too many open files"


@contextlib.contextmanager
def no_set_up(place: Path) -> Iterator[str]:
    (place / ".venv" / "bin").unlink()
    (place / "Makefile").unlink()
    yield ".venv/bin/ec2kit: No such file"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(a_file_in_place_of_the_folder, id="a file in place of the folder"),
        pytest.param(another_sandbox_in_the_folder, id="another sandbox in the folder"),
        pytest.param(no_file_descriptors_for_its_ports, id="no port can be opened"),
        pytest.param(no_set_up, id="no set-up"),
    ],
)
def test_quick_start_whose_sandbox_cannot_start_runs_no_action(checkout, elsewhere, tmp_path, trouble):
    """Where no sandbox starts, the block says why and fails; no action runs, and no request leaves."""
    with trouble(checkout) as reason:
        done = paste(BLOCK, checkout, a_shell_of_an_administrator(elsewhere, tmp_path))
    assert (done.returncode != 0, elsewhere.requests) == (True, [])
    assert reason in done.stderr
    assert "BEGIN" not in done.stderr


def test_quick_start_whose_sandbox_dies_midway_asks_nothing_else(checkout, elsewhere, tmp_path):
    """Actions that outlive the sandbox meet a closed port of loopback, never the outside world."""
    killed = DEEDS.replace("(. sb/node2.env", "kill -9 $PPID; export EC2_RESTORE_TIMEOUT=5\n (. sb/node2.env", 1)
    assert killed != DEEDS
    done = paste(BLOCK.replace(DEEDS, killed), checkout, a_shell_of_an_administrator(elsewhere, tmp_path))
    assert (done.returncode != 0, elsewhere.requests) == (True, [])
    assert ("BEGIN extend" in done.stderr, "END successful extend" in done.stderr) == (True, False)


def test_deeds_of_the_quick_start_without_the_sandbox_would_leave(checkout, elsewhere, tmp_path):
    """The control: the same lines in the same shell, but without a sandbox, do reach what stands for the outside."""
    paste(DEEDS, checkout, {**a_shell_of_an_administrator(elsewhere, tmp_path), "EC2_RESTORE_TIMEOUT": "5"})
    assert elsewhere.requests
