"""The parts are put together here: one EC2, and for each server its endpoints, metadata service and proxy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ec2kit import __version__
from ec2kit.sandbox import control, topology
from ec2kit.sandbox import folder as files
from ec2kit.sandbox.authority import Authority
from ec2kit.sandbox.call import Journal
from ec2kit.sandbox.control import Control
from ec2kit.sandbox.door import Door
from ec2kit.sandbox.ec2 import Ec2
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.handshake import Handshakes
from ec2kit.sandbox.imds import Imds
from ec2kit.sandbox.memento import Memento
from ec2kit.sandbox.proxy import Proxy
from ec2kit.sandbox.region import Region
from ec2kit.sandbox.route53 import PREFIX, Route53
from ec2kit.sandbox.rule import DOORS, SERVICES, Rule
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.sts import Sts
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.wire import Answer, Endpoint, Received, Secure

ACCOUNT_ID = "123456789012"

_URLS = {
    "ec2": "endpoint_url",
    "imds": "metadata_url",
    "sts": "sts_url",
    "proxy": "proxy_url",
    **{each: f"{each.replace('-', '_')}_url" for each in DOORS},
    "route53": "route53_url",
}
"""The names in sandbox.json of a server's endpoints."""


class PortInUse(OSError):
    """A port that was asked for is taken."""


class World:
    """
    Build a sandbox that is not open yet.

    Args:
        port: The undisturbed endpoint's port; those of the servers' EC2 endpoints follow it, then those of their
            metadata services, of STS, of the proxies, of the further endpoints of EC2, of Route 53. None: any free
            ports.
        tls: The servers' endpoints of EC2, STS and Route 53 speak HTTPS.

    Raises:
        PortInUse: One of the ports is taken.
    """

    def __init__(
        self, folder: Path, *, nodes: int, tables: int, zones: int, region: str, port: int | None, tls: bool = False
    ) -> None:
        here = Region(_empty_ec2(region))
        self.topology = topology.build(here.backend, nodes=nodes, tables=tables, zones=zones)
        here.zones.vpc_id = self.topology.vpc.id
        here.zones.reset()
        self.description: dict[str, Any] = {}
        around = Surroundings(
            here,
            tuple(each for each in SERVICES if tls or each != "tls"),
            topology.interfaces(self.topology),
            self.topology.third_party.id,
            lambda received: undisturbed(received),  # noqa: PLW0108  # `undisturbed` is made below
        )
        rules = Rules(effects=EFFECTS, around=around, changed=self._open_or_shut)
        self.journals = tuple(Journal(folder / name) for name in files.JOURNALS)
        calls, imds_calls, sts_calls, connections = self.journals
        own = Control(
            rules=rules,
            region=here,
            memento=Memento(here.backend),
            journals=self.journals,
            keep=self._keep,
            description=lambda: self.description,
        )
        undisturbed = Ec2(server=None, region=here, rules=rules, journal=calls)
        dns = Route53(server=None, zones=here.zones, rules=rules, journal=calls)
        ports = Ports(port)
        self.front = ports.endpoint(lambda received: _front(received, own, undisturbed, dns))
        self.authority = Authority(folder) if tls else None
        nodes_by_name = {node.name: node for node in self.topology.nodes}

        def at_each(
            answering: Callable[[str], Callable[[Received], Answer]], *, secured: str = ""
        ) -> dict[str, Endpoint]:
            return {name: ports.endpoint(answering(name), secure=secure(secured, name)) for name in around.interfaces}

        def secure(service: str, server: str) -> Secure | None:
            if not service or not self.authority:
                return None
            return Handshakes(service, server=server, authority=self.authority, rules=rules, journal=connections)

        self.servers: dict[str, dict[str, Endpoint]] = {
            "ec2": at_each(lambda name: Ec2(server=name, region=here, rules=rules, journal=calls), secured="ec2"),
            "imds": at_each(lambda name: Imds(nodes_by_name[name], region=here, rules=rules, journal=imds_calls)),
            "sts": at_each(lambda name: Sts(server=name, rules=rules, journal=sts_calls), secured="sts"),
            "proxy": at_each(lambda name: Proxy(server=name, rules=rules, journal=connections)),
        }
        for each in DOORS:
            opened = partial(Door, each, ec2=self.servers["ec2"], rules=rules, journal=connections)
            self.servers[each] = at_each(opened, secured="ec2")
        self.servers["route53"] = at_each(
            lambda name: Route53(server=name, zones=here.zones, rules=rules, journal=calls), secured="route53"
        )
        """The endpoints of each server, by service and server."""

    def open(self) -> None:
        """Answer on every endpoint."""
        for endpoint in self.endpoints():
            endpoint.open()

    def close(self) -> None:
        """Give every port back."""
        for endpoint in self.endpoints():
            endpoint.close()

    def described(self) -> dict[str, Any]:
        """Return the content of sandbox.json without its files."""
        told = {
            "ec2kit_version": __version__,
            "pid": os.getpid(),
            "endpoint_url": self.front.url,
            "control_url": self.front.url + control.PREFIX,
            **(self.authority.described() if self.authority else {}),
            **topology.described(self.topology),
        }
        for name, node in told["nodes"].items():
            for service, key in _URLS.items():
                node[key] = self.servers[service][name].url
        return told

    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint, the undisturbed one first."""
        return [self.front, *(each for endpoints in self.servers.values() for each in endpoints.values())]

    def _keep(self, tables: int | None) -> list[str]:
        """
        Remove all but the first N route tables that hold the VIP, and return the ids of the rest.

        Raises:
            ValueError: There are not so many.
        """
        made = self.topology.route_tables
        if tables is not None and not 1 <= tables <= len(made):
            raise ValueError(f"1 to {len(made)} route tables are possible, not {tables}")
        for table in made[tables:] if tables else []:
            del self.topology.backend.route_tables[table.id]
        self.description["route_table_ids"] = [table.id for table in made[:tables]]
        return list(self.description["route_table_ids"])

    def _open_or_shut(self, rules: list[Rule]) -> None:
        """Shut a server's endpoint while a rule says so, or let it vanish, and open every other."""
        for service, endpoints in self.servers.items():
            for name, endpoint in endpoints.items():
                concerned = [each for each in rules if each.concerns(service=service, server=name)]
                shutting = [EFFECTS[each.effect] for each in concerned if EFFECTS[each.effect].shuts]
                if not shutting:
                    endpoint.open()
                elif shutting[-1].drops:
                    endpoint.vanish()
                else:
                    endpoint.shut()


class Ports:
    """Make endpoints on one port after the other, or each on any free port."""

    def __init__(self, first: int | None) -> None:
        self._next = first

    def endpoint(self, answer: Callable[[Received], Answer], *, secure: Secure | None = None) -> Endpoint:
        """
        Make the next endpoint.

        Raises:
            PortInUse: Its port is taken.
        """
        try:
            endpoint = Endpoint(answer, port=self._next or 0, secure=secure)
        except OSError as error:
            raise PortInUse(f"port {self._next} cannot be used: {error.strerror or error}") from error
        self._next = None if self._next is None else self._next + 1
        return endpoint


def _front(received: Received, own: Control, undisturbed: Ec2, dns: Route53) -> Answer:
    if received.path.startswith(control.PREFIX):
        return own(received)
    return dns(received) if received.path.startswith(PREFIX) else undisturbed(received)


def _empty_ec2(region: str) -> Any:
    """
    Return moto's EC2 of one region, without the images that moto would take a second to load.

    Raises:
        ValueError: There is no such region.
    """
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    from moto.ec2.models import ec2_backends

    with contextlib.suppress(KeyError):
        return ec2_backends[ACCOUNT_ID][region]
    raise ValueError(f"there is no region {region!r}")
