"""Small loopback servers that answer as they are told: EC2's bodies, and all that goes wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


class ScriptedServer(ThreadingHTTPServer):
    """
    Behaves as the script says, request by request; the last behaviour goes on.

    Attributes:
        asked: The parameters of each request that arrived, in order.
        agents: The user agent of each.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *script: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.asked: list[dict[str, str]] = []
        self.agents: list[str] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_behaviour(self) -> Behaviour:
        with self._lock:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was left behind hangs up, which is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        question = {name: values[0] for name, values in parse_qs(body).items()}
        behaviour = self.server.next_behaviour()
        self.server.agents.append(self.headers.get("User-Agent", ""))
        self.server.asked.append({"method": self.command, "path": self.path, **question})
        behaviour(self)

    do_POST = do_GET = do_PUT = _serve  # noqa: N815  (names of http.server)

    def log_message(self, *_: object) -> None:
        """Silence is golden."""


Behaviour = Callable[[Any], None]


@contextmanager
def scripted(*script: Behaviour) -> Iterator[ScriptedServer]:
    server = ScriptedServer(*script)
    server.thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        server.thread.join()


def answers(body: str, status: int = 200) -> Behaviour:
    """One whole answer."""

    def behave(handler: Any) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "text/xml")
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return behave


def cut_short(body: str, *, at: int = -1) -> Behaviour:
    """An answer that breaks off; without `at` in its last byte."""

    def behave(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode()[:at])

    return behave


def says(operation: str, inner: str = "<return>true</return>", request_id: str = "req-1") -> Behaviour:
    """An answer of EC2's form."""
    return answers(
        f"<{operation}Response {NAMESPACE}><requestId>{request_id}</requestId>{inner}</{operation}Response>"
    )


def fails(code: str, status: int = 400, text: str = "it says no", request_id: str = "req-err") -> Behaviour:
    """An error answer of EC2's form."""
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    return answers(f"<Response><Errors>{error}</Errors><RequestID>{request_id}</RequestID></Response>", status)


def silent(handler: Any) -> None:
    """Accepts, and says nothing."""
    handler.server.over.wait()


def drips(handler: Any) -> None:
    """One byte at a time, without end, each before a read time-out can strike."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.server.over.wait(0.1):
        handler.wfile.write(b"<")
        handler.wfile.flush()


def hangs_up(handler: Any) -> None:
    """Hears the request, and closes the connection without an answer."""


def a_table(route_table_id: str, *routes: tuple[str, str], state: str = "active") -> str:
    items = "".join(
        f"<item><destinationCidrBlock>{cidr}</destinationCidrBlock><instanceId>i-0123456789abcdef0</instanceId>"
        f"<instanceOwnerId>123456789012</instanceOwnerId><networkInterfaceId>{eni}</networkInterfaceId>"
        f"<origin>CreateRoute</origin><state>{state}</state></item>"
        for cidr, eni in routes
    )
    return f"<item><routeTableId>{route_table_id}</routeTableId><routeSet>{items}</routeSet></item>"


def tables(*items: str, token: str = "") -> Behaviour:
    """One page of route tables."""
    more = f"<nextToken>{token}</nextToken>" if token else ""
    return says("DescribeRouteTables", f"<routeTableSet>{''.join(items)}</routeTableSet>{more}")
