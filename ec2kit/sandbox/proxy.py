"""
The proxy of one server answers CONNECT and leads to loopback only, under the rules for the service `proxy`.

Names below the sandbox's domain lead there without a resolver.

Source: RFC 9110, 9.3.6, CONNECT.
"""

from __future__ import annotations

import ipaddress
import selectors
import socket

from ec2kit.sandbox.call import Call, Journal
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import LOOPBACK, Answer, Received

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_OURS = ("localhost", ".sandbox.test")


class Proxy:
    """Answer requests of one server."""

    def __init__(self, *, server: str, rules: Rules, journal: Journal) -> None:
        self._server = server
        self._rules = rules
        self._journal = journal

    def __call__(self, received: Received) -> Answer:
        era = self._journal.era
        call = Call("proxy", self._server, received.path, {}, received)
        answer, effects = self._rules.disturb(call, lambda: _carry_out(call))
        self._journal.write({**call.at_the_door(effects), "status": answer.status or None}, era=era)
        return answer


def _carry_out(call: Call) -> Answer:
    if call.received.method != "CONNECT":
        return _text("only CONNECT is possible", status=405)
    host, _, port = call.operation.rpartition(":")
    address = _on_loopback(host)
    if address is None:
        return _text("no request leaves this machine", status=403)
    try:
        there = socket.create_connection((address, int(port)), timeout=5)
    except (OSError, ValueError, OverflowError) as error:
        return _text(str(error), status=502)
    there.settimeout(None)
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Answer(200, b"", deliver=lambda here, head, body: _tunnel(here, there))


def _on_loopback(host: str) -> str | None:
    """Return the address that a host has on loopback, None if it is elsewhere."""
    if host.endswith(_OURS):
        return LOOPBACK
    try:
        return host if ipaddress.ip_address(host).is_loopback else None
    except ValueError:
        return None


def _tunnel(here: socket.socket, there: socket.socket) -> bool:
    """Carry bytes both ways until one side ends."""
    with there, selectors.DefaultSelector() as ready:
        here.sendall(_ESTABLISHED)
        ready.register(here, selectors.EVENT_READ, there)
        ready.register(there, selectors.EVENT_READ, here)
        while all(_passed_on(key.fileobj, key.data) for key, _ in ready.select()):  # type: ignore[arg-type]
            pass
    return False


def _passed_on(source: socket.socket, sink: socket.socket) -> bool:
    """Pass on what one side has sent; return False at its end."""
    data = source.recv(65536)
    sink.sendall(data)
    return bool(data)


def _text(text: str, *, status: int) -> Answer:
    return Answer(status, f"{text}\n".encode(), content_type="text/plain")
