"""One protected resource: a frozen record, to and from its stored form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ec2kit.errors import ArgumentInvalid, NotFree, ServerUnknown, TagInvalid

ROUTE_TABLE = "route-table"
ELASTIC_IP = "elastic-ip"
SCENARIOS = (ROUTE_TABLE, ELASTIC_IP)

SWITCHBACKS = ("intelligent", "automatic")

_TAG = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Server(NamedTuple):
    """
    One server of a resource and its network interface.

    Attributes:
        priority: 1-999, small is high, unique in the resource.
        device: "eth1".
        private_ip_address: Of the ENI; an Elastic IP is associated with it.
        instance_id: Which machine this was when the resource was created or extended.
    """

    name: str
    priority: int
    device: str
    network_interface_id: str
    private_ip_address: str
    instance_id: str
    availability_zone: str = ""


class Resource(NamedTuple):
    """
    One address that moves between servers.

    Attributes:
        address: The virtual IP "10.1.0.10", or the Elastic IP.
        allocation_id: "eipalloc-…" of an Elastic IP, else "".
        ip_resource: Tag of the IP resource that depends on this one; "" without LifeKeeper.
        route_table_ids: The only tables that count; empty: all of the VPC that hold the address.
        revision: Grows with every change of the definition.
    """

    tag: str
    scenario: str
    region: str
    vpc_id: str
    address: str
    allocation_id: str
    switchback: str
    servers: tuple[Server, ...]
    ip_resource: str = ""
    revision: int = 1
    route_table_ids: tuple[str, ...] = ()

    @property
    def cidr(self) -> str:
        """The host route of the virtual IP, "10.1.0.10/32"."""
        return f"{self.address}/32"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its servers, highest priority first."""
        return tuple(each.name for each in sorted(self.servers, key=lambda server: server.priority))

    def server(self, name: str) -> Server:
        """
        Raises:
            ServerUnknown: The resource was not extended to it.
        """
        found = self.find_server(name)
        if found is None:
            raise ServerUnknown(server=name, tag=self.tag, servers=", ".join(self.names))
        return found

    def find_server(self, name: str) -> Server | None:
        """The server of this name, if it is one of the resource's."""
        return next((each for each in self.servers if each.name == name), None)

    def find_holder(self, network_interface_id: str | None) -> Server | None:
        """The server whose ENI this is."""
        return next((each for each in self.servers if each.network_interface_id == network_interface_id), None)

    def protects_the_same_as(self, other: Resource) -> bool:
        """Whether both are about one address, whatever they are called."""
        return (self.scenario, self.address) == (other.scenario, other.address)

    def with_names(self, text: str) -> str:
        """The text with each server's ENI named: "eni-1" becomes "eni-1 of node1"."""
        for each in self.servers:
            text = text.replace(each.network_interface_id, f"{each.network_interface_id} of {each.name}")
        return text

    def with_server(self, server: Server) -> Resource:
        """
        The next revision, one server more.

        Raises:
            NotFree: The server or its priority is there already.
        """
        for each in self.servers:
            if each.name == server.name:
                raise NotFree(what=f"server {server.name} of resource {self.tag}", by="the server itself")
            if each.priority == server.priority:
                raise NotFree(what=f"priority {server.priority} of resource {self.tag}", by=each.name)
        return self._replace(servers=(*self.servers, server), revision=self.revision + 1)

    def with_priority(self, name: str, priority: int) -> Resource:
        """
        The next revision, a server with another priority.

        Raises:
            ServerUnknown: The resource was not extended to it.
            NotFree: Another server has the priority.
        """
        changed = self.server(name)._replace(priority=priority)
        rest = tuple(changed if each.name == name else each for each in self.servers)
        for each in rest:
            if each.priority == priority and each.name != name:
                raise NotFree(what=f"priority {priority} of resource {self.tag}", by=each.name)
        return self._replace(servers=rest, revision=self.revision + 1)

    def without_server(self, name: str) -> Resource:
        """The next revision, one server less."""
        rest = tuple(each for each in self.servers if each.name != name)
        return self._replace(servers=rest, revision=self.revision + 1)

    def as_dict(self) -> dict[str, Any]:
        """The stored form: JSON types only."""
        servers = [each._asdict() for each in self.servers]
        return {**self._asdict(), "servers": servers, "route_table_ids": list(self.route_table_ids)}


def from_dict(stored: Mapping[str, Any]) -> Resource:
    """
    Read the stored form; fields of a later version are left out.

    Raises:
        ValueError: A field is missing or is not what it should be.
    """
    try:
        servers = tuple(_build(Server, each) for each in stored["servers"])
        tables = _names(stored.get("route_table_ids", ()))
        resource: Resource = _build(Resource, {**stored, "servers": servers, "route_table_ids": tables})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"field missing or wrong: {error}") from error
    if resource.scenario not in SCENARIOS or not resource.servers or not _TAG.fullmatch(resource.tag):
        raise ValueError("it is not the definition of a resource")
    if not _is_ipv4(resource.address):
        raise ValueError("its address is not one of IPv4")
    return resource


def _names(stored: Any) -> tuple[str, ...]:
    if not isinstance(stored, list | tuple) or not all(isinstance(each, str) for each in stored):
        raise TypeError(f"{stored!r} is not a list of names")
    return tuple(stored)


_KINDS = {"priority": int, "revision": int, "servers": tuple, "route_table_ids": tuple}
"""The types of fields; all others are texts."""


def _is_ipv4(text: str) -> bool:
    """As ipaddress would say, which takes a millisecond to load."""
    return len(text.split(".")) == 4 and all(
        len(each) <= 3 and each.isascii() and each.isdigit() and str(int(each)) == each and int(each) <= 255
        for each in text.split(".")
    )


def _build(kind: Any, stored: Mapping[str, Any]) -> Any:
    known = {name: value for name, value in stored.items() if name in kind._fields}
    for name, value in known.items():
        expected = _KINDS.get(name, str)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise ValueError(f"{name} is not of type {expected.__name__}")
    return kind(**known)


def checked_tag(tag: str) -> str:
    """
    The tag, if it is one.

    Raises:
        TagInvalid: It could not be stored under this name.
    """
    if not _TAG.fullmatch(tag) or not tag.strip("."):
        shown = ascii(tag if len(tag) <= 60 else tag[:60] + "…")
        raise TagInvalid(tag=shown)
    return tag


def checked_priority(priority: int) -> int:
    """
    Raises:
        ArgumentInvalid: It is not from 1 to 999.
    """
    if not 1 <= priority <= 999:
        raise ArgumentInvalid(name="priority", reason=f"{priority} is not from 1 to 999")
    return priority


def checked_ipv4(name: str, address: str) -> str:
    """
    The address in its usual form.

    Raises:
        ArgumentInvalid: It is not an IPv4 address.
    """
    import ipaddress

    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError as error:
        raise ArgumentInvalid(name=name, reason=f"{address[:60]!a} is not an IPv4 address") from error


def checked_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """
    Raises:
        ArgumentInvalid: The value is none of the choices; case does not matter.
    """
    if value.lower() not in choices:
        raise ArgumentInvalid(name=name, reason=f"{value[:60]!a} is none of: {', '.join(choices)}")
    return value.lower()
