"""Everything put together: one EC2, its endpoints, one metadata service for each server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ec2kit import __version__
from ec2kit.sandbox import control, topology
from ec2kit.sandbox import folder as files
from ec2kit.sandbox.call import Journal
from ec2kit.sandbox.control import Control
from ec2kit.sandbox.ec2 import Ec2
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.imds import Imds
from ec2kit.sandbox.memento import Memento
from ec2kit.sandbox.region import Region
from ec2kit.sandbox.rule import Rule
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.wire import Answer, Endpoint, Received

ACCOUNT_ID = "123456789012"


class PortInUse(OSError):
    """A port that was asked for is taken."""


class World:
    """
    A sandbox that is not open yet.

    Args:
        port: The undisturbed endpoint's; the servers' EC2 endpoints and then their metadata services follow it. None
            for any free ones.

    Raises:
        PortInUse: One of them is taken.
    """

    def __init__(self, folder: Path, *, nodes: int, tables: int, region: str, port: int | None) -> None:
        here = Region(_empty_ec2(region))
        self.topology = topology.build(here.backend, nodes=nodes, tables=tables)
        self.description: dict[str, Any] = {}
        around = Surroundings(
            here,
            topology.interfaces(self.topology),
            self.topology.third_party.id,
            lambda received: undisturbed(received),  # noqa: PLW0108  # it is made below
        )
        rules = Rules(effects=EFFECTS, around=around, changed=self._open_or_shut)
        calls, imds_calls = Journal(folder / files.CALLS), Journal(folder / files.IMDS_CALLS)
        self.journals = (calls, imds_calls)
        own = Control(
            rules=rules,
            region=here,
            memento=Memento(here.backend),
            journals=self.journals,
            description=lambda: self.description,
        )
        undisturbed = Ec2(server=None, region=here, rules=rules, journal=calls)
        ports = Ports(port)
        self.front = ports.endpoint(lambda received: _front(received, own, undisturbed))
        self.ec2 = {
            name: ports.endpoint(Ec2(server=name, region=here, rules=rules, journal=calls))
            for name in around.interfaces
        }
        self.imds = {
            node.name: ports.endpoint(Imds(node, region=here, rules=rules, journal=imds_calls))
            for node in self.topology.nodes
        }

    def open(self) -> None:
        """Answer on every endpoint."""
        for endpoint in self.endpoints():
            endpoint.open()

    def close(self) -> None:
        """Give every port back."""
        for endpoint in self.endpoints():
            endpoint.close()

    def described(self) -> dict[str, Any]:
        """The content of sandbox.json without its files."""
        told = {
            "ec2kit_version": __version__,
            "pid": os.getpid(),
            "endpoint_url": self.front.url,
            "control_url": self.front.url + control.PREFIX,
            **topology.described(self.topology),
        }
        for name, node in told["nodes"].items():
            node["endpoint_url"] = self.ec2[name].url
            node["metadata_url"] = self.imds[name].url
        return told

    def endpoints(self) -> list[Endpoint]:
        """Every endpoint, the undisturbed one first."""
        return [self.front, *self.ec2.values(), *self.imds.values()]

    def _open_or_shut(self, rules: list[Rule]) -> None:
        """A server's endpoint is shut while a rule says that it refuses."""
        for service, endpoints in (("ec2", self.ec2), ("imds", self.imds)):
            for name, endpoint in endpoints.items():
                refused = any(
                    EFFECTS[rule.effect].shuts and rule.concerns(service=service, server=name) for rule in rules
                )
                endpoint.shut() if refused else endpoint.open()


class Ports:
    """Endpoints on one port after the other, or each on any free one."""

    def __init__(self, first: int | None) -> None:
        self._next = first

    def endpoint(self, answer: Callable[[Received], Answer]) -> Endpoint:
        """
        The next endpoint.

        Raises:
            PortInUse: Its port is taken.
        """
        try:
            endpoint = Endpoint(answer, port=self._next or 0)
        except OSError as error:
            raise PortInUse(f"port {self._next} cannot be used: {error.strerror or error}") from error
        self._next = None if self._next is None else self._next + 1
        return endpoint


def _front(received: Received, own: Control, undisturbed: Ec2) -> Answer:
    return (own if received.path.startswith(control.PREFIX) else undisturbed)(received)


def _empty_ec2(region: str) -> Any:
    """
    moto's EC2 of one region, without the images it would load for a second.

    Raises:
        ValueError: There is no such region.
    """
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    from moto.ec2.models import ec2_backends

    with contextlib.suppress(KeyError):
        return ec2_backends[ACCOUNT_ID][region]
    raise ValueError(f"there is no region {region!r}")
