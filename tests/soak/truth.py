"""What EC2 really had, and when: its history, from the sandbox's journal of calls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ec2kit.ec2.answers import DESTINATIONS
from ec2kit.resource import Resource
from ec2kit.scenarios.route_table.look import destinations

from ..builders import DNS_RECORD, ELASTIC_IP, ROUTE_TABLE

TAG, TAGGED = "soak=yes", 2
"""The tag of some tables, and how many of the first ones have it."""


@dataclass(frozen=True)
class Write:
    """
    A write that was carried out at some moment from `began` to `ended`.

    Attributes:
        thing: What was changed, "rtb-1 10.2.0.1/32", "eipalloc-1", "10.0.1.51" or "A soak1.example.internal".
        owner: The server that it points at since then, or what it points at that is none.
        server: Who sent it; None: an outside hand.
        action, tag: What for, as its user agent says: "restore", "soak-1".
    """

    thing: str
    owner: str
    began: float
    ended: float
    server: str | None = None
    action: str = ""
    tag: str = ""


def things(resource: Resource, tables: Iterable[str]) -> tuple[str, ...]:
    """What holds an address: its routes in each table that is meant, the allocation, itself, or the record set."""
    if resource.scenario == ROUTE_TABLE:
        listed, tagged = resource.own.route_table_ids, [*tables][:TAGGED] if resource.own.route_table_tag else []
        meant = [*listed, *tagged] if resource.own.chooses else tables
        return tuple(f"{table} {block}" for table in meant for block in destinations(resource))
    if resource.scenario == ELASTIC_IP:
        return (resource.own.allocation_id,)
    return (
        f"{resource.own.record_type} {resource.address}" if resource.scenario == DNS_RECORD else resource.address,
    )


def owner_of(resource: Resource | None, network_interface_id: str, private_ip_address: str | None) -> str:
    """The server that a target is, where it is one's ENI (and, of an Elastic IP, its private address)."""
    holder = resource.find_holder(network_interface_id) if resource else None
    if holder is None or private_ip_address not in (None, holder.private_ip_address):
        return f"{network_interface_id} ({private_ip_address})"
    return holder.name


def owner_at(resource: Resource | None, value: str) -> str:
    """The server that a record set points at, by its private address."""
    servers = resource.servers if resource else ()
    return next((each.name for each in servers if each.private_ip_address == value), f"nothing ({value})")


def writes(
    calls: Iterable[Mapping[str, Any]], resources: Mapping[str, Resource], tables: Iterable[str]
) -> list[Write]:
    """The writes among the journal's calls, in the order in which they began."""
    known = tuple(tables)
    by_thing = {thing: each for each in resources.values() for thing in things(each, known)}
    found = [_write(call, by_thing, resources) for call in calls if call["carried_out"] and not call["dry_run"]]
    return sorted((each for each in found if each is not None), key=lambda write: write.began)


def _write(
    call: Mapping[str, Any], by_thing: Mapping[str, Resource], resources: Mapping[str, Resource]
) -> Write | None:
    told, (action, tag) = call["parameters"], sender(call)
    private: str | None = None
    if call["operation"] == "ReplaceRoute":
        thing = f"{told['RouteTableId']} {next(told[each] for each in DESTINATIONS.values() if each in told)}"
        resource = by_thing.get(thing)
    elif call["operation"] == "ChangeResourceRecordSets":
        thing = f"{told['Type']} {told['Name'].removesuffix('.')}"
        owner = owner_at(by_thing.get(thing), told["Value"])
        return _at(call, thing, owner, action, tag)
    elif call["operation"] in _PRIVATE:
        thing = told[_PRIVATE[call["operation"]]]
        gives = call["operation"].startswith("Assign")
        owner = owner_of(by_thing.get(thing), told["NetworkInterfaceId"], None) if gives else "nothing"
        return _at(call, thing, owner, action, tag)
    elif call["operation"] == "AssociateAddress":
        thing, private = told["AllocationId"], told.get("PrivateIpAddress")
        resource = by_thing.get(thing)
    elif call["operation"] == "DisassociateAddress" and tag in resources:
        thing, resource = resources[tag].own.allocation_id, None
    else:
        return None
    owner = owner_of(resource, told.get("NetworkInterfaceId", "nothing"), private)
    return _at(call, thing, owner, action, tag)


def _at(call: Mapping[str, Any], thing: str, owner: str, action: str, tag: str) -> Write:
    ended = call["time"] + call["milliseconds"] / 1000
    return Write(thing, owner, call["time"], ended, call["server"], action, tag)


_PRIVATE = {
    "AssignPrivateIpAddresses": "PrivateIpAddress.1",
    "UnassignPrivateIpAddresses": "PrivateIpAddress.1",
    "AssignIpv6Addresses": "Ipv6Addresses.1",
    "UnassignIpv6Addresses": "Ipv6Addresses.1",
}
"""The operations on private addresses, each of which is about one."""


def sender(call: Mapping[str, Any]) -> tuple[str, str]:
    """Action and tag that a call was made for, by its user agent `… ec2kit/<version> <action> <tag>`."""
    words = call["user_agent"].split()
    place = next((number for number, word in enumerate(words) if word.startswith("ec2kit/")), len(words))
    return (words[place + 1], words[place + 2]) if len(words) > place + 2 else ("", "")


class Truth:
    """
    Where each address was.

    When exactly a write took effect is not known, so a moment may have several possible truths; the judge takes the
    one that is in favour.

    Args:
        things: Tag → what holds its address.
        first: Thing → its owner before the first write.
    """

    def __init__(
        self, things: Mapping[str, tuple[str, ...]], first: Mapping[str, str], written: Iterable[Write]
    ) -> None:
        self._things = things
        self._spans: dict[str, list[tuple[str, float, float]]] = {}
        by_thing: dict[str, list[Write]] = {
            each: [Write(each, owner, -math.inf, -math.inf)] for each, owner in first.items()
        }
        for write in written:
            by_thing.setdefault(write.thing, []).append(write)
        for thing, found in by_thing.items():
            self._spans[thing] = [
                (each.owner, each.began, _until(each, found[n + 1 :])) for n, each in enumerate(found)
            ]

    def holds(self, tag: str, thing: str) -> bool:
        """Whether a thing is one of an address."""
        return thing in self._things.get(tag, ())

    def may_have_been(self, tag: str, server: str, since: float, until: float) -> bool:
        """Whether everything of the address may have pointed at the server at some moment."""
        return any(self._all_at(tag, server, moment) for moment in self._moments(tag, since, until))

    def may_have_been_elsewhere(self, tag: str, server: str, since: float, until: float) -> bool:
        """Whether something of the address may have pointed elsewhere at some moment."""
        return any(
            owner != server and began <= until and ended >= since
            for thing in self._things[tag]
            for owner, began, ended in self._spans[thing]
        )

    def _all_at(self, tag: str, server: str, moment: float) -> bool:
        return all(
            any(owner == server and began <= moment <= ended for owner, began, ended in self._spans[thing])
            for thing in self._things[tag]
        )

    def _moments(self, tag: str, since: float, until: float) -> list[float]:
        """The moments at which something may begin or end, and the ends of the time itself."""
        edges = {edge for thing in self._things[tag] for _, *span in self._spans[thing] for edge in span}
        return [since, until, *(edge for edge in edges if since <= edge <= until)]


def _until(write: Write, later: list[Write]) -> float:
    """When at the latest another write has certainly taken its place."""
    return min((each.ended for each in later if each.began > write.ended), default=math.inf)
