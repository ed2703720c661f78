"""A connection to an endpoint becomes TLS, under the rules for the service `tls`."""

from __future__ import annotations

import socket
import ssl

from ec2kit.sandbox.authority import Authority
from ec2kit.sandbox.call import Call, Journal
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Received

_GOES_ON = Answer(0, b"")


class Handshakes:
    """
    Lay TLS over the connections of one endpoint.

    Args:
        service: The service behind the endpoint, ec2, sts or route53; rules know it as the operation.
    """

    def __init__(self, service: str, *, server: str, authority: Authority, rules: Rules, journal: Journal) -> None:
        self._service = service
        self._server = server
        self._authority = authority
        self._rules = rules
        self._journal = journal

    def __call__(self, connection: socket.socket) -> ssl.SSLSocket | None:
        era = self._journal.era
        call = Call("tls", self._server, self._service, {}, Received("", "", {}, b"", connection))
        answer, effects = self._rules.disturb(call, lambda: _GOES_ON)
        self._journal.write(call.at_the_door(effects), era=era)
        if not answer.deliver(connection, b"", b""):
            return None
        context = self._authority.contexts[call.certificate]
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
