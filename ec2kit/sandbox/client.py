"""A running sandbox from Python: its description, a server's environment, its faults, the calls that it saw."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ec2kit.sandbox import folder as files


class NoSandbox(Exception):
    """No sandbox answers there, or it refuses what was asked; the text says which."""


class Sandbox:
    """
    A sandbox that runs in a folder.

    Raises:
        NoSandbox: There is none.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).absolute()
        try:
            text = (self.folder / files.DESCRIPTION).read_text(encoding="utf-8")
        except OSError as error:
            raise NoSandbox(f"no sandbox runs in {self.folder}: {error.strerror}") from error
        self.description: dict[str, Any] = json.loads(text)

    def environment(self, server: str) -> dict[str, str]:
        """This process's environment as it is after sourcing the server's file."""
        path = self.description["nodes"][server]["environment"]
        command = ["sh", "-c", '. "$1" && exec env -0', "sh", path]
        listed = subprocess.run(command, check=True, capture_output=True, timeout=10).stdout
        pairs = [line.partition("=") for line in os.fsdecode(listed).split("\0") if line]
        return {name: value for name, _, value in pairs}

    def fault(
        self,
        effect: str,
        *,
        server: str | None = None,
        operation: str | None = None,
        count: int | None = None,
        service: str = "ec2",
        **arguments: Any,
    ) -> int:
        """
        Disturb calls from now on; returns the rule's id.

        Args:
            server: One server's endpoint, or all servers'.
            operation: EC2's name, `ReplaceRoute`, or a path of the metadata service; `*` stands for anything.
            count: How many calls; None for all.
            arguments: The effect's own (`seconds=5`), and the rule's other ones: `skip`, `probability`, `seed`,
                `lasts`.

        Raises:
            NoSandbox: The rule cannot be, or nobody answers.
        """
        told = {"effect": effect, "server": server, "operation": operation, "count": count, "service": service}
        return int(self.control("POST", "rules", {**told, **arguments})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """The rules, with how often each was hit and how many hits are left."""
        return list(self.control("GET", "rules"))

    def clear(self, rule_id: int | None = None) -> None:
        """Take one rule away, or all."""
        self.control("DELETE", "rules" if rule_id is None else f"rules/{rule_id}")

    def page_size(self, size: int | None) -> None:
        """Let describing operations page by this size unasked: the effect `pages`; None only where asked."""
        for rule in self.faults():
            if rule["effect"] == "pages":
                self.clear(rule["id"])
        if size is not None:
            self.fault("pages", size=size)

    def reset(self) -> None:
        """Put EC2 back as it was at the start, without rules, and forget the calls."""
        self.control("POST", "reset")

    def calls(self) -> list[dict[str, Any]]:
        """Every call to EC2 since the start or the last reset, in the order in which they were answered."""
        return _entries(self.folder / files.CALLS)

    def imds_calls(self) -> list[dict[str, Any]]:
        """Every request to a metadata service, likewise."""
        return _entries(self.folder / files.IMDS_CALLS)

    def control(self, method: str, name: str, told: dict[str, Any] | None = None) -> Any:
        """One request to the sandbox's own interface, `control` says which there are."""
        place = urllib.parse.urlsplit(self.description["control_url"])
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        with contextlib.closing(connection):
            try:
                connection.request(method, place.path + name, body=json.dumps(told or {}))
                answer = connection.getresponse()
                body = json.loads(answer.read())
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise NoSandbox(f"no sandbox runs in {self.folder}: {error}") from error
        if answer.status != 200:
            raise NoSandbox(body["error"])
        return body


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@contextlib.contextmanager
def started(
    folder: str | os.PathLike[str],
    *,
    nodes: int = 2,
    tables: int = 2,
    region: str = "us-east-1",
    port: int | None = None,
    within: float = 60.0,
) -> Iterator[Sandbox]:
    """
    A sandbox in a process of its own, for as long as the block runs and this process lives.

    Args:
        within: Seconds that it may take to be ready.

    Raises:
        NoSandbox: It is not ready in time, or ended; the text is what it said.
    """
    folder = Path(folder).absolute()
    options = [f"--nodes={nodes}", f"--tables={tables}", f"--region={region}", "--stop-with-stdin"]
    options += [] if port is None else [f"--port={port}"]
    command = [sys.executable, "-m", "ec2kit.sandbox", str(folder), *options]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, cwd="/"
        ) as process,
    ):
        try:
            _wait_until_ready(folder, process, errors, last=f"node{nodes}.env", within=within)
            yield Sandbox(folder)
        finally:
            _stop(process)


def _wait_until_ready(
    folder: Path, process: subprocess.Popen[bytes], errors: IO[bytes], *, last: str, within: float
) -> None:
    end = time.monotonic() + within
    while not (_runs_in(folder, process.pid) and (folder / last).exists()):
        if process.poll() is not None:
            raise NoSandbox(_last_words(process, errors))
        if time.monotonic() > end:
            raise NoSandbox(f"the sandbox in {folder} was not ready within {within:g} s")
        time.sleep(0.02)


def _runs_in(folder: Path, pid: int) -> bool:
    try:
        description = json.loads((folder / files.DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(description["pid"] == pid)


def _last_words(process: subprocess.Popen[bytes], errors: IO[bytes]) -> str:
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip()
    return said or f"the sandbox ended with status {process.returncode}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
