"""HTTP/1.1 endpoints on loopback that can be shut and opened again, each answered by one function."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

LOOPBACK = "127.0.0.1"

Deliver = Callable[[socket.socket, bytes, bytes], bool]
"""Puts head and body on a connection and says whether the connection goes on."""


def whole(connection: socket.socket, head: bytes, body: bytes) -> bool:
    """Send head and body in one piece."""
    connection.sendall(head + body)
    return True


def nothing(connection: socket.socket, head: bytes, body: bytes) -> bool:
    """Send nothing and close, as a server does that dies after its work."""
    return False


def reset(connection: socket.socket, head: bytes, body: bytes) -> bool:
    """Send nothing; the client sees "connection reset by peer"."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return False


@dataclass(frozen=True)
class Answer:
    """One HTTP answer and how it goes out."""

    status: int
    body: bytes
    content_type: str = "text/xml;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    deliver: Deliver = whole


@dataclass(frozen=True)
class Received:
    """One HTTP request; the names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: socket.socket

    def client_left(self) -> bool:
        """Whether the client has closed its side of the connection."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True


class Endpoint:
    """
    One port on loopback; while it is shut the port stays taken, but connections are refused.

    Args:
        answer: Called in the connection's own thread, once for each request.
        port: 0 for any free one.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, answer: Callable[[Received], Answer], *, port: int = 0) -> None:
        self.answer = answer
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listening = False
        self._socket = bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"

    def open(self) -> None:
        """Accept connections; nothing happens if it does already."""
        with self._lock:
            if self._listening:
                return
            self._socket.listen(128)
            self._listening = True
            threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and drop those that are open; the port stays ours."""
        with self._lock:
            if self._listening:
                self._stop_listening()
                self._socket = bound(self.port)
        self._drop_connections()

    def close(self) -> None:
        """Give the port back."""
        with self._lock:
            self._stop_listening()
        self._drop_connections()

    def _stop_listening(self) -> None:
        self._listening = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _drop_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        with connection, contextlib.suppress(OSError):
            try:
                _Handler(connection, ("", 0), self)  # type: ignore[arg-type]  # it needs only `answer`
            finally:
                self._connections.discard(connection)


def bound(port: int) -> socket.socket:
    """
    Take a port on loopback without listening on it.

    Raises:
        OSError: It is in use.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((LOOPBACK, port))
    except OSError:
        taken.close()
        raise
    return taken


class _Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection until either side has enough."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def handle_any(self) -> None:
        received = self._received()
        try:
            answer = self.server.answer(received)
        except Exception:
            sys.stderr.write(f"{received.method} {received.path}:\n{traceback.format_exc()}")
            answer = Answer(500, b"the sandbox failed, see its standard error\n", content_type="text/plain")
        goes_on = answer.deliver(self.connection, self._head(answer), answer.body)
        self.close_connection = self.close_connection or not goes_on

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815  # http.server calls them so

    def _received(self) -> Received:
        return Received(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            connection=self.connection,
        )

    def _head(self, answer: Answer) -> bytes:
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Date": self.date_time_string(),
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {answer.status} {phrase(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def log_message(self, *_: Any) -> None:
        """The journal keeps the requests, not the terminal."""


def phrase(status: int) -> str:
    """The words beside a status code; the code itself is enough where HTTP knows none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
