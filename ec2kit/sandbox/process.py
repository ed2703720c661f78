"""
A sandbox process is the only one in its folder, is ready once the last environment file is there, ends on SIGTERM.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import ssl
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ec2kit.sandbox import folder as files

PORTS = 7
"""The number of ports of each server."""


class CannotStart(Exception):
    """A sandbox cannot start; the text is for the person who tried."""


def serve(
    folder: Path,
    *,
    nodes: int = 2,
    tables: int = 2,
    zones: int = 2,
    region: str = "us-east-1",
    port: int | None = None,
    tls: bool = False,
    say: Callable[[str], None] = print,
    stop_with_stdin: bool = False,
) -> None:
    """
    Run a sandbox until SIGTERM or SIGINT, or until standard input ends if `stop_with_stdin` is set.

    Raises:
        CannotStart: moto is missing, the folder cannot be used or is in use, a port is taken.
    """
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    if stop_with_stdin:
        threading.Thread(target=_wait_for_end, args=(sys.stdin, stop), daemon=True).start()
    with running(folder, nodes=nodes, tables=tables, zones=zones, region=region, port=port, tls=tls) as description:
        say(told(description))
        stop.wait()


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    nodes: int,
    tables: int,
    zones: int = 2,
    region: str = "us-east-1",
    port: int | None = None,
    tls: bool = False,
) -> Iterator[dict[str, Any]]:
    """
    Run a sandbox in this process until the block ends, and yield its description.

    Args:
        tls: The servers' endpoints of EC2 and STS speak HTTPS.

    Raises:
        CannotStart: moto is missing, the folder cannot be used or is in use, a port is taken.
    """
    _check(nodes=nodes, tables=tables, port=port)
    folder = folder.absolute()
    with _locked(folder):
        files.clear(folder)
        world = _world(folder, nodes=nodes, tables=tables, zones=zones, region=region, port=port, tls=tls)
        try:
            world.open()
            for endpoint in world.endpoints():
                _answers(endpoint.url, world.authority)
            for journal in world.journals:
                journal.forget()
            world.description = files.write(folder, world.described())
            yield world.description
        finally:
            files.remove_environments(folder)
            world.close()


def told(description: dict[str, Any]) -> str:
    """Return a few lines that tell a person the places of the sandbox."""
    nodes = description["nodes"]
    environments = [node["environment"] for node in nodes.values()]
    return "\n".join(
        [
            f"EC2 sandbox in {description['region']}: {len(nodes)} servers, VIP {description['vip']} in "
            f"{len(description['route_table_ids'])} route tables, Elastic IP {description['elastic_ip']}.",
            *(
                f"  {name}: {node['endpoint_url']}  . {files.quoted(node['environment'])}"
                for name, node in nodes.items()
            ),
            f"Undisturbed endpoint: {description['endpoint_url']}",
            f"Everything else: {Path(environments[0]).parent / files.DESCRIPTION}",
            "Ctrl-C stops it.",
        ]
    )


def _check(*, nodes: int, tables: int, port: int | None) -> None:
    if not 1 <= nodes <= 99:
        raise CannotStart(f"1 to 99 servers are possible, not {nodes}")
    if not 1 <= tables <= 1000:
        raise CannotStart(f"1 to 1000 route tables are possible, not {tables}")
    if port is not None and not 1 <= port <= 65535 - PORTS * nodes:
        raise CannotStart(f"no room for {PORTS * nodes + 1} ports from {port} on")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / files.LOCK, "a+", encoding="utf-8")  # noqa: SIM115  # closed just below
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used: {error.strerror}") from error
    with lock:
        _take(lock, folder)
        yield


def _take(lock: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        raise CannotStart(f"a sandbox already runs in {folder} (process {holder})") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _world(folder: Path, *, nodes: int, tables: int, zones: int, region: str, port: int | None, tls: bool) -> Any:
    try:
        from ec2kit.sandbox.world import PortInUse, World
    except ImportError as error:
        raise CannotStart(f"the sandbox needs moto ({error}): pip install 'ec2kit[sandbox]'") from error
    try:
        return World(folder, nodes=nodes, tables=tables, zones=zones, region=region, port=port, tls=tls)
    except (PortInUse, ValueError) as error:
        raise CannotStart(str(error)) from error


def _answers(url: str, authority: Any) -> None:
    """Ask an endpoint anything, to see that it answers at all."""
    place = urllib.parse.urlsplit(url)
    host, port = place.hostname or "", place.port
    connection = http.client.HTTPConnection(host, port, timeout=10)
    if place.scheme == "https":
        context = ssl.create_default_context(cafile=str(authority.certificate))
        connection = http.client.HTTPSConnection(host, port, timeout=10, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/_ec2kit/ready")
        connection.getresponse().read()


def _wait_for_end(stream: IO[str], stop: threading.Event) -> None:
    while stream.read(1):
        pass
    stop.set()
