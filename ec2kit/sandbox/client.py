"""
A running sandbox can be used from Python: its description, a server's environment, its faults, its record of calls.
"""

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
    """No sandbox answers, or it refuses the request; the text says which."""


class Sandbox:
    """
    A sandbox that runs in a folder.

    Raises:
        NoSandbox: No sandbox runs in the folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).absolute()
        try:
            text = (self.folder / files.DESCRIPTION).read_text(encoding="utf-8")
        except OSError as error:
            raise NoSandbox(f"no sandbox runs in {self.folder}: {error.strerror}") from error
        self.description: dict[str, Any] = json.loads(text)

    def environment(self, server: str) -> dict[str, str]:
        """Return this process's environment as it is after sourcing the server's file."""
        path = self.description["nodes"][server]["environment"]
        command = ["sh", "-c", '. "$1" && exec env -0', "sh", path]
        listed = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
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
        Disturb calls from now on, and return the rule's id.

        Args:
            server: The server whose endpoint is disturbed. None: all servers.
            operation: The name at EC2 or STS, `ReplaceRoute`, a path of the metadata service, the service behind a
                handshake, the host and port at a proxy; `*` stands for anything.
            count: The number of calls. None: all calls.
            service: `ec2`, `imds`, `sts`, `tls` (the handshakes of EC2 and STS), `proxy`, or one of the further
                endpoints of EC2: `interface`, `dual-stack`, `fips`.
            arguments: The effect's own (`seconds=5`), and the rule's other ones: `skip`, `probability`, `seed`,
                `lasts`.

        Raises:
            NoSandbox: The rule is not possible, or no sandbox answers.
        """
        told = {"effect": effect, "server": server, "operation": operation, "count": count, "service": service}
        return int(self.control("POST", "rules", {**told, **arguments})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the rules, each with the number of its hits so far and of those left."""
        return list(self.control("GET", "rules"))

    def clear(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all rules."""
        self.control("DELETE", "rules" if rule_id is None else f"rules/{rule_id}")

    def page_size(self, size: int | None) -> None:
        """Let describing operations page by this size unasked (the effect `pages`). None: only if the client asks."""
        for rule in self.faults():
            if rule["effect"] == "pages":
                self.clear(rule["id"])
        if size is not None:
            self.fault("pages", size=size)

    def reset(self, *, tables: int | None = None) -> None:
        """
        Put EC2 back as it was at the start, remove all rules, and forget the calls.

        Args:
            tables: Number of route tables that hold the VIP from now on; None for all that were made.
        """
        told = self.control("POST", "reset", {"tables": tables})
        self.description["route_table_ids"] = told["route_table_ids"]

    def calls(self) -> list[dict[str, Any]]:
        """Return every call to EC2 since the start or the last reset, in the order of answers."""
        return _entries(self.folder / files.CALLS)

    def imds_calls(self) -> list[dict[str, Any]]:
        """Return every request to a metadata service since the start or the last reset, in the order of answers."""
        return _entries(self.folder / files.IMDS_CALLS)

    def sts_calls(self) -> list[dict[str, Any]]:
        """Return every request to STS since the start or the last reset, in the order of answers."""
        return _entries(self.folder / files.STS_CALLS)

    def connections(self) -> list[dict[str, Any]]:
        """Return every connection over TLS, and every request to a proxy, since the start or the last reset."""
        return _entries(self.folder / files.CONNECTIONS)

    def control(self, method: str, name: str, told: dict[str, Any] | None = None) -> Any:
        """Send one request to the sandbox's own interface, which `control` describes, and return the answer."""
        place = urllib.parse.urlsplit(self.description["control_url"])
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
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
    zones: int = 2,
    region: str = "us-east-1",
    port: int | None = None,
    tls: bool = False,
    within: float = 300.0,
) -> Iterator[Sandbox]:
    """
    Run a sandbox in a process of its own until the block ends or this process dies.

    Args:
        zones: The zones in which the servers are: with 1 all are in one subnet.
        tls: The servers' endpoints of EC2 and STS speak HTTPS.
        within: Seconds that the sandbox may take to be ready.

    Raises:
        NoSandbox: The sandbox is not ready in time, or it ended; then the text is what it wrote to standard error.
    """
    folder = Path(folder).absolute()
    options = [f"--nodes={nodes}", f"--tables={tables}", f"--zones={zones}", f"--region={region}"]
    options += ["--stop-with-stdin"]
    options += [f"--port={port}"] * (port is not None) + ["--tls"] * tls
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
