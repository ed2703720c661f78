"""
A further endpoint of EC2 leads one server to the same EC2 as its regional one, under the rules for its own service.

Source: VPC user guide, "Access an AWS service using an interface VPC endpoint"; EC2 developer guide, "Amazon EC2
service endpoints".
"""

from __future__ import annotations

from collections.abc import Mapping

from ec2kit.sandbox.call import Call, Journal
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Endpoint, Received


class Door:
    """
    Answer requests of one server.

    Args:
        service: The name of the endpoint, "interface".
        ec2: Server → its regional endpoint, which carries the requests out.
    """

    def __init__(
        self, service: str, server: str, *, ec2: Mapping[str, Endpoint], rules: Rules, journal: Journal
    ) -> None:
        self._service = service
        self._server = server
        self._inner = ec2[server].answer
        self._rules = rules
        self._journal = journal

    def __call__(self, received: Received) -> Answer:
        era = self._journal.era
        call = Call(self._service, self._server, received.path, {}, received)
        answer, effects = self._rules.disturb(call, lambda: self._inner(received))
        self._journal.write({**call.at_the_door(effects), "status": answer.status or None}, era=era)
        return answer
