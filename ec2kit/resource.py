"""One protected resource is a frozen record with a stored form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ec2kit.errors import ArgumentInvalid, BadRequest, OwnTrouble
from ec2kit.messages import catalogue

SWITCHBACKS = ("intelligent", "automatic")

_TAG = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Server(NamedTuple):
    """
    One server of a resource and its network interface.

    Attributes:
        priority: 1-999, small is high, unique in the resource.
        device: "eth1", as it was called when the resource was created or extended.
        private_ip_address: Of the ENI.
        instance_id: The instance that the server was when the resource was created or extended.
        mac_address: Of the ENI, "06:…" in lower case, which tells its device under any name; "" in a
            definition of an earlier version.
    """

    name: str
    priority: int
    device: str
    network_interface_id: str
    private_ip_address: str
    instance_id: str
    availability_zone: str = ""
    mac_address: str = ""


class Resource(NamedTuple):
    """
    One address that moves between servers.

    Attributes:
        scenario: The kind of address, a name in the table of scenarios.
        address: "10.1.0.10"; its kind decides which addresses are valid. Several are separated by commas.
        own: The fields that only its kind has, a named tuple of texts and tuples of texts.
        ip_resource: Tag of the IP resource that depends on this one; "" without LifeKeeper.
        revision: Grows with every change of the definition.
    """

    tag: str
    scenario: str
    region: str
    vpc_id: str
    address: str
    switchback: str
    servers: tuple[Server, ...]
    own: Any
    ip_resource: str = ""
    revision: int = 1

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses, of which most resources have one."""
        return tuple(self.address.split(","))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the resource's servers, highest priority first."""
        return tuple(each.name for each in sorted(self.servers, key=lambda server: server.priority))

    def server(self, name: str) -> Server:
        """
        Return the server of this name.

        Raises:
            OwnTrouble: The resource was not extended to it.
        """
        found = self.find_server(name)
        if found is None:
            raise OwnTrouble(catalogue.SERVER_UNKNOWN, server=name, tag=self.tag, servers=", ".join(self.names))
        return found

    def find_server(self, name: str) -> Server | None:
        """Return the server of this name, None if the resource has no such server."""
        return next((each for each in self.servers if each.name == name), None)

    def find_holder(self, network_interface_id: str | None) -> Server | None:
        """Return the server that has this ENI, None if the resource has no such server."""
        return next((each for each in self.servers if each.network_interface_id == network_interface_id), None)

    def protects_the_same_as(self, other: Resource) -> bool:
        """Tell whether both resources are about one address, whatever their tags are."""
        return (self.scenario, self.address, self.own) == (other.scenario, other.address, other.own)

    def with_names(self, text: str) -> str:
        """Return the text with each server's ENI named: "eni-1" becomes "eni-1 of node1"."""
        for each in self.servers:
            text = text.replace(each.network_interface_id, f"{each.network_interface_id} of {each.name}")
        return text

    def with_server(self, server: Server) -> Resource:
        """
        Return the next revision, with one more server.

        Raises:
            BadRequest: The server or its priority is there already.
        """
        for each in self.servers:
            if each.name == server.name:
                raise BadRequest(
                    catalogue.NOT_FREE, what=f"server {server.name} of resource {self.tag}", by="the server itself"
                )
            if each.priority == server.priority:
                raise BadRequest(
                    catalogue.NOT_FREE, what=f"priority {server.priority} of resource {self.tag}", by=each.name
                )
        return self._replace(servers=(*self.servers, server), revision=self.revision + 1)

    def with_priority(self, name: str, priority: int) -> Resource:
        """
        Return the next revision, in which a server has another priority.

        Raises:
            OwnTrouble: The resource was not extended to it.
            BadRequest: Another server has the priority.
        """
        changed = self.server(name)._replace(priority=priority)
        rest = tuple(changed if each.name == name else each for each in self.servers)
        for each in rest:
            if each.priority == priority and each.name != name:
                raise BadRequest(catalogue.NOT_FREE, what=f"priority {priority} of resource {self.tag}", by=each.name)
        return self._replace(servers=rest, revision=self.revision + 1)

    def without_server(self, name: str) -> Resource:
        """Return the next revision, with one server less."""
        rest = tuple(each for each in self.servers if each.name != name)
        return self._replace(servers=rest, revision=self.revision + 1)

    def as_dict(self) -> dict[str, Any]:
        """
        Return the stored form: JSON types only, with the fields of the resource's kind beside the common ones.

        A field of the kind that is empty is left out, so that a definition does not change when a kind gets a field.
        """
        common = {name: value for name, value in self._asdict().items() if name != "own"}
        own = {name: _as_json(value) for name, value in self.own._asdict().items() if value}
        always: dict[str, Any] = {"allocation_id": "", "route_table_ids": []}  # earlier versions require the first
        return {**always, **common, "servers": [each._asdict() for each in self.servers], **own}


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def stored_text(stored: Mapping[str, Any], name: str) -> str:
    """
    Read one field of a stored form.

    Raises:
        KeyError: The field is missing.
        ValueError: The field is not a text.
    """
    if not isinstance(stored[name], str):
        raise ValueError(f"{name} is not of type str")
    return str(stored[name])


def stored_texts(stored: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """
    Read one field with several texts, () if it is missing.

    Raises:
        ValueError: The field is not a list of texts.
    """
    texts = stored.get(name, ())
    if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
        raise ValueError(f"{name} is not a list of names")
    return tuple(texts)


def stored_ipv4(stored: Mapping[str, Any]) -> str:
    """
    Read the address, which has to be an IPv4 address.

    Raises:
        KeyError: The address is missing.
        ValueError: It is not an IPv4 address.
    """
    address = stored_text(stored, "address")
    if not is_ipv4(address):
        raise ValueError("its address is not one of IPv4")
    return address


def is_tag(text: str) -> bool:
    """Tell whether a text can be the name of a file and a word of a log line."""
    return _TAG.fullmatch(text) is not None


def checked_tag(tag: str) -> str:
    """
    Return the tag if it is valid.

    Raises:
        BadRequest: A resource could not be stored under this name.
    """
    if not is_tag(tag) or not tag.strip("."):
        shown = ascii(tag if len(tag) <= 60 else tag[:60] + "…")
        raise BadRequest(catalogue.TAG_INVALID, tag=shown)
    return tag


def checked_priority(priority: int) -> int:
    """
    Return the priority if it is valid.

    Raises:
        ArgumentInvalid: It is not from 1 to 999.
    """
    if not 1 <= priority <= 999:
        raise ArgumentInvalid(name="priority", reason=f"{priority} is not from 1 to 999")
    return priority


def hosts(address: str) -> tuple[str, ...]:
    """Return those of a resource's addresses that a device can have: no blocks, no prefix lists."""
    return tuple(each for each in address.split(",") if "/" not in each and not each.startswith("pl-"))


def is_ipv4(text: str) -> bool:
    """Tell whether a text is an IPv4 address, as ipaddress does, which takes a millisecond to load."""
    return len(text.split(".")) == 4 and all(
        len(each) <= 3 and each.isascii() and each.isdigit() and str(int(each)) == each and int(each) <= 255
        for each in text.split(".")
    )


def checked_ipv4(name: str, address: str) -> str:
    """
    Return the address in its usual form.

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
    Return the choice in lower case; case does not matter.

    Raises:
        ArgumentInvalid: The value is none of the choices.
    """
    if value.lower() not in choices:
        raise ArgumentInvalid(name=name, reason=f"{value[:60]!a} is none of: {', '.join(choices)}")
    return value.lower()
