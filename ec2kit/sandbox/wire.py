"""HTTP/1.1 endpoints on loopback can be shut and opened again; one function answers the requests of each."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl import SSLSocket

LOOPBACK = "127.0.0.1"
_LONGEST_LINE = 65536
_FULL = 4
"""Connections that fill the queue of an endpoint which accepts none."""

Deliver = Callable[[socket.socket, bytes, bytes], bool]
"""Puts head and body on a connection and tells whether the connection goes on."""

Secure = Callable[[socket.socket], "SSLSocket | None"]
"""Lays TLS over a connection, and leaves the handshake to the caller; None: the connection has ended."""


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
    """Hold one HTTP answer and the way in which it goes out."""

    status: int
    body: bytes
    content_type: str = "text/xml;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    deliver: Deliver = whole


@dataclass(frozen=True)
class Received:
    """Hold one HTTP request; the names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: socket.socket

    def client_left(self) -> bool:
        """Tell whether the client has closed its side of the connection, which TLS hides from `recv`."""
        try:
            ended = select.poll()
            ended.register(self.connection, select.POLLRDHUP)
            return bool(ended.poll(0))
        except (OSError, ValueError):
            return True


class BadBody(ValueError):
    """The length of a request's body cannot be read; the text says why."""


class Endpoint:
    """
    Serve one port on loopback; while the endpoint is shut it keeps the port, but connections are refused.

    Args:
        answer: Called in the connection's own thread, once for each request.
        port: 0: any free port.
        secure: Called in the connection's own thread before the first request. None: the endpoint speaks plain HTTP.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, answer: Callable[[Received], Answer], *, port: int = 0, secure: Secure | None = None) -> None:
        self.answer = answer
        self._secure = secure
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listening = False
        self._waiting: list[socket.socket] = []
        self._socket = bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if secure else 'http'}://{LOOPBACK}:{self.port}"

    def open(self) -> None:
        """Accept connections; do nothing if the endpoint is open already."""
        with self._lock:
            if self._listening:
                return
            if self._waiting:
                self._stop_listening()
                self._socket = bound(self.port)
            self._socket.listen(128)
            self._listening = True
            threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections and drop those that are open, but keep the port."""
        with self._lock:
            if self._listening or self._waiting:
                self._stop_listening()
                self._socket = bound(self.port)
        self._drop_connections()

    def vanish(self) -> None:
        """
        Let the packets of connections vanish, and drop those that are open; do nothing if that is so already.

        Source: Linux, tcp(7) and listen(2): a queue of connections that is full drops the packets of further ones.
        """
        with self._lock:
            if self._waiting:
                return
            self._stop_listening()
            self._socket = bound(self.port)
            self._socket.listen(0)
            self._waiting = [_begun(self.port) for _ in range(_FULL)]
        self._drop_connections()

    def close(self) -> None:
        """Give the port back."""
        with self._lock:
            self._stop_listening()
        self._drop_connections()

    def _stop_listening(self) -> None:
        self._listening = False
        for each in self._waiting:
            each.close()
        self._waiting = []
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _drop_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # that of TLS would pull it from under a reader

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._known(connection):
            if self._secure is None:
                self._handle(connection)
            elif secured := self._secure(connection):
                with self._known(secured):
                    secured.do_handshake()
                    self._handle(secured)

    @contextlib.contextmanager
    def _known(self, connection: socket.socket) -> Iterator[None]:
        """Let a connection be dropped when the endpoint is shut, and close it in the end."""
        self._connections.add(connection)
        with connection, contextlib.suppress(OSError):
            try:
                yield
            finally:
                self._connections.discard(connection)

    def _handle(self, connection: socket.socket) -> None:
        _Handler(connection, ("", 0), self)  # type: ignore[arg-type]  # a handler needs only `answer`


def _begun(port: int) -> socket.socket:
    """Begin a connection to a port on loopback without waiting for it."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.connect_ex((LOOPBACK, port))
    return connection


def bound(port: int) -> socket.socket:
    """
    Take a port on loopback without listening on it.

    Raises:
        OSError: The port is in use.
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
    """Read requests off one connection until either side ends it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def handle_any(self) -> None:
        try:
            received = self._received()
        except BadBody as wrong:
            self.send_error(400, explain=str(wrong))
            self.close_connection = True
            return
        try:
            answer = self.server.answer(received)
        except Exception:
            sys.stderr.write(f"{received.method} {received.path}:\n{traceback.format_exc()}")
            answer = Answer(500, b"the sandbox failed, see its standard error\n", content_type="text/plain")
        goes_on = answer.deliver(self.connection, self._head(answer), answer.body)
        self.close_connection = self.close_connection or not goes_on

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_CONNECT = handle_any  # noqa: N815  # as http.server calls

    def _received(self) -> Received:
        return Received(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            connection=self.connection,
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(_number(self.headers.get("Content-Length") or "0", base=10))

    def _chunks(self) -> Iterator[bytes]:
        """
        Yield the chunks of a body, and read the trailer after the last one.

        Source: RFC 9112, 7.1.
        """
        while size := _number(self._line().partition(";")[0], base=16):
            yield self.rfile.read(size)
            self._line()
        while self._line():
            pass

    def _line(self) -> str:
        return self.rfile.readline(_LONGEST_LINE).decode("latin-1").strip()

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
        """Log nothing to the terminal; the journal records the requests."""


def _number(text: str, *, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if number < 0:
        raise BadBody(f"no length of a body: {text!r}")
    return number


def phrase(status: int) -> str:
    """Return the words beside a status code, "Unknown" if HTTP has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
