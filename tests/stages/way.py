"""
The way of one server to EC2: its proxy and EC2's door, over TLS; at each stage a run may wait, or stop the process.

What arrives is carried out by the sandbox. Each connection carries one request, so that each write passes all stages.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from ..patience import HANGS
from ..resolver import black_hole

STAGES = ("name", "connection", "tunnel", "tls", "secured")
"""
Stages in their order: the resolver is asked; the connection stands; the proxy is asked for a tunnel; the first bytes
of TLS have come; TLS stands on the side of EC2, at which a run may stop the process, but must not wait.
"""

DEAD = ("127.0.0.2", "::1")
"""Addresses at which the ports of a way neither take nor refuse connections."""

FLEETING = "127.0.0.3"
"""An address at which the ports of a way take one connection and refuse all later ones."""


@dataclass(frozen=True)
class Request:
    """What has arrived: the SDK's name of the attempt, the operation, and the route table of a write."""

    invocation: str
    operation: str
    table: str


class Traveller(Protocol):
    """The run that is under way."""

    def reached(self, stage: str) -> None:
        """A stage is reached, which ends when this returns."""

    def arrived(self, request: Request) -> None:
        """A whole request has arrived."""


class Way:
    """
    Two doors on loopback, which serve one run after the other.

    Attributes:
        ports: The ports of the proxy and of EC2.
    """

    def __init__(self, ec2_url: str, context: ssl.SSLContext) -> None:
        self._ec2 = urlsplit(ec2_url)
        self._context = context
        self._run: Traveller | None = None
        self._threads: list[threading.Thread] = []
        self._reading: set[ssl.SSLSocket] = set()
        self.ports: dict[str, int] = {}

    @contextlib.contextmanager
    def open(self) -> Iterator[Way]:
        """Listen until the block ends."""
        with contextlib.ExitStack() as stack:
            for name, serve in (("proxy", self._as_proxy), ("ec2", self._as_ec2)):
                door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
                stack.callback(_shut, door)
                self.ports[name] = door.getsockname()[1]
                for address in DEAD:
                    stack.enter_context(black_hole(self.ports[name], address=address))
                threading.Thread(target=self._accept, args=(door, serve), daemon=True).start()
            yield self

    @contextlib.contextmanager
    def serving(self, run: Traveller, *, fleeting: bool) -> Iterator[None]:
        """
        Serve a run; in the end all that it has sent has been read.

        Args:
            fleeting: Serve at the fleeting address, too.
        """
        self._run, self._threads = run, []
        with contextlib.ExitStack() as stack:
            for name, serve in (("proxy", self._as_proxy), ("ec2", self._as_ec2)) if fleeting else ():
                door = stack.enter_context(socket.create_server((FLEETING, self.ports[name])))
                stack.callback(_shut, door)
                threading.Thread(target=self._accept, args=(door, serve, True), daemon=True).start()
            yield
        for each in self._threads:
            each.join(HANGS)
            assert not each.is_alive(), f"a stage does not end:\n{_place_of(each)}"

    def _accept(
        self, door: socket.socket, serve: Callable[[socket.socket, Traveller], None], once: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = door.accept()
                if once:
                    door.close()
                if self._run is None:
                    connection.close()
                    continue
                thread = threading.Thread(target=_carefully, args=(serve, connection, self._run), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _as_proxy(self, connection: socket.socket, run: Traveller) -> None:
        run.reached("connection")
        if connection.recv(65536):
            run.reached("tunnel")
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._secured(connection, run)

    def _as_ec2(self, connection: socket.socket, run: Traveller) -> None:
        run.reached("connection")
        self._secured(connection, run)

    def _secured(self, connection: socket.socket, run: Traveller) -> None:
        if connection.recv(1, socket.MSG_PEEK):
            run.reached("tls")
            with self._context.wrap_socket(connection, server_side=True) as secured:
                run.reached("secured")
                self._answer(secured, run)

    def has_unread(self) -> bool:
        """Tell whether something has come on a connection over which EC2 waits for a request."""
        reading = list(self._reading)
        return bool(reading and select.select(reading, [], [], 0)[0])

    def _answer(self, connection: ssl.SSLSocket, run: Traveller) -> None:
        self._reading.add(connection)
        try:
            self._read_and_answer(connection, run)
        finally:
            self._reading.discard(connection)

    def _read_and_answer(self, connection: ssl.SSLSocket, run: Traveller) -> None:
        with connection.makefile("rb") as incoming:
            if not incoming.readline().endswith(b"\r\n"):
                return
            headers = http.client.parse_headers(incoming)
            body = incoming.read(int(headers["Content-Length"]))
        if len(body) < int(headers["Content-Length"]):
            return
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        invocation = headers["amz-sdk-invocation-id"]
        run.arrived(Request(invocation, asked["Action"], asked.get("RouteTableId", "")))
        self._reading.discard(connection)
        inside = http.client.HTTPConnection(self._ec2.hostname or "", self._ec2.port, timeout=HANGS)
        with contextlib.closing(inside):
            inside.request("POST", "/", body=body, headers=dict(headers))
            answer = inside.getresponse()
            content = answer.read()
        head = f"HTTP/1.1 {answer.status} -\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + content)


def _carefully(serve: Callable[[socket.socket, Traveller], None], connection: socket.socket, run: Traveller) -> None:
    """Serve a connection, which the other side may break at any time."""
    connection.settimeout(HANGS)
    with contextlib.suppress(OSError), connection:
        serve(connection, run)


def _place_of(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame))


def _shut(door: socket.socket) -> None:
    with contextlib.suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)
