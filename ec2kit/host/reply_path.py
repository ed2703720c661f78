"""
Replies from an address have to leave by the device of its ENI: EC2 drops them at any other.

A rule `from ADDRESS` and a table with one default route see to that. The table has the number that the address is, so
that no two addresses share one; rule and route have a protocol of ec2kit's own, by which they are recognized.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host.device import Device
from ec2kit.host.ip import Carried, carried, is_in, number, run_ip, shown
from ec2kit.settings import Settings

PRIORITY = 10050
"""The priority of the rule: before the main table, and after the rules that amazon-ec2-net-utils makes."""

PROTOCOL = "226"
"""The number in /etc/iproute2/rt_protos that marks rules and routes of ec2kit; no routing daemon has it."""

Stray = tuple[str, str]
"""A destination, and the device by which packets to it leave, or "no device"."""


class Way(NamedTuple):
    """
    The way that replies from an address have to take.

    Attributes:
        device: The device of the ENI that has the address; another device may carry it.
        gateway: The router of the device's subnet.
    """

    address: str
    device: str
    gateway: str

    @property
    def table(self) -> str:
        """Return the number of the table."""
        return str(number(self.address))


def way_of(address: str, device: str, here: Sequence[Carried]) -> Way | None:
    """Return the way of an address by the device of its ENI; None while the device has no address of its own."""
    own = next((each for each in here if each.device == device and each.length < 31), None)
    return None if own is None else Way(address, device, own.first_host)


def destinations(device: str, here: Sequence[Carried], blocks: Sequence[str]) -> tuple[str, ...]:
    """
    Return where clients may be: somewhere in the VPC, and in each subnet that another device of this server is in.

    Args:
        blocks: The CIDR blocks of the VPC.
    """
    from ec2kit.host.ip import dotted

    somewhere = dotted(number(blocks[0].partition("/")[0]) + 2)
    beside = [
        each.first_host
        for each in here
        if each.device != device and each.length < 31 and any(is_in(each.address, block) for block in blocks)
    ]
    return tuple(dict.fromkeys((somewhere, *beside)))


def strays(way: Way, to: Collection[str], settings: Settings, deadline: Deadline) -> tuple[Stray, ...]:
    """Return the destinations to which packets from the address, which is on here, do not leave by the device."""
    device, found = Device(way.device, settings), []
    for each in to:
        by = None
        with suppress(LocalCommandFailed):  # the kernel has no route there
            by = device.device_for(way.address, each, deadline)
        if by != way.device:
            found.append((each, by or "no device"))
    return tuple(found)


def put_on(way: Way, settings: Settings, deadline: Deadline) -> None:
    """
    Put the route and the rule on; those that are there already stay.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    route = ["default", "via", way.gateway, "dev", way.device, "onlink", "table", way.table, "proto", PROTOCOL]
    run_ip(["-4", "route", "replace", *route], settings, deadline)
    if not is_on(way.address, settings, deadline):
        run_ip(["-4", "rule", "add", *_rule(way.address)], settings, deadline)


def is_on(address: str, settings: Settings, deadline: Deadline) -> bool:
    """
    Tell whether ec2kit's rule for the address is there.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    rules = rules_of(shown(["rule", "show"], settings, deadline))
    return rule_of(address) in rules


def take_off(address: str, settings: Settings, deadline: Deadline) -> bool:
    """Take ec2kit's rule and route of the address off; return False if there was no such rule."""
    was_there = _is_done(["-4", "rule", "del", *_rule(address)], settings, deadline)
    table = ["table", str(number(address)), "proto", PROTOCOL]
    _is_done(["-4", "route", "flush", *table], settings, deadline)
    return was_there


def _rule(address: str) -> list[str]:
    lookup = ["lookup", str(number(address)), "pref", str(PRIORITY), "protocol", PROTOCOL]
    return ["from", f"{address}/32", *lookup]


def _is_done(words: list[str], settings: Settings, deadline: Deadline) -> bool:
    try:
        run_ip(words, settings, deadline)
    except LocalCommandFailed:
        return False
    return True


# -- where the address is not on, the kernel cannot be asked: it refuses a source that it does not have -------


class Rule(NamedTuple):
    """
    A rule of the kernel's, as far as it concerns packets that this server sends.

    Attributes:
        source: The block that it is for, "10.1.0.10/32"; "0.0.0.0/0": all.
        least: Routes whose prefix is not longer do not count; -1: all count.
    """

    priority: int
    source: str
    table: str
    least: int = -1


class Route(NamedTuple):
    """A route of the kernel's; one without a device (blackhole, unreachable) has "" for it."""

    table: str
    block: str
    device: str


def rule_of(address: str) -> Rule:
    """Return the rule that ec2kit puts on for an address."""
    return Rule(PRIORITY, f"{address}/32", str(number(address)))


_FOR_SOME_PACKETS = {"fwmark", "iif", "oif", "ipproto", "sport", "dport", "tos", "uid_start", "dst", "not"}
"""Words of rules that are not for all packets from their source; such a rule is passed over."""


def rules_of(told: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    """Read what `ip -j rule show` has shown."""
    return tuple(
        Rule(
            int(each.get("priority", 0)),
            _block(str(each.get("src", "all")), each.get("srclen")),
            str(each["table"]),
            int(each.get("suppress_prefixlen", -1)),
        )
        for each in told
        if "table" in each and not _FOR_SOME_PACKETS & {*each}
    )


def routes_of(told: Sequence[dict[str, Any]]) -> tuple[Route, ...]:
    """Read what `ip -j route show table all` has shown; broadcast and multicast routes are left out."""
    return tuple(
        Route(
            str(each.get("table", "main")),
            _block(str(each.get("dst", "default")), None),
            "" if each.get("type", "unicast") not in ("unicast", "local") else _device(each),
        )
        for each in told
        if each.get("type") not in ("broadcast", "multicast", "anycast", "throw")
    )


def _device(route: dict[str, Any]) -> str:
    hops = route.get("nexthops") or [{}]
    return str(route.get("dev") or hops[0].get("dev") or "")


def _block(text: str, length: object) -> str:
    if text in ("all", "default"):
        return "0.0.0.0/0"
    return text if "/" in text else f"{text}/{32 if length is None else length}"


def leaves_by(rules: Sequence[Rule], routes: Sequence[Route], *, source: str, destination: str) -> str:
    """
    Return the device by which the kernel would send a packet, "" if by none; a pure function.

    Source: ip-rule(8), ip-route(8).
    """
    for rule in sorted(rules, key=lambda each: each.priority):
        if not is_in(source, rule.source):
            continue
        fitting = [
            each
            for each in routes
            if each.table == rule.table and is_in(destination, each.block) and _length(each) > rule.least
        ]
        if fitting:
            return max(fitting, key=_length).device
    return ""


def _length(route: Route) -> int:
    return int(route.block.partition("/")[2])


def would_stray(
    address: str, device: str, to: Collection[str], settings: Settings, deadline: Deadline
) -> tuple[Stray, ...]:
    """
    Return the destinations to which packets from an address that is not on here would not leave by the device.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    rules = rules_of(shown(["rule", "show"], settings, deadline))
    routes = routes_of(shown(["route", "show", "table", "all"], settings, deadline))
    ways = [(each, leaves_by(rules, routes, source=address, destination=each)) for each in to]
    return tuple((each, by or "no device") for each, by in ways if by != device)


def look(
    address: str, device: str, blocks: Sequence[str], settings: Settings, deadline: Deadline
) -> tuple[Way | None, tuple[Stray, ...]]:
    """
    Return the way that replies should take, and the destinations to which they do not take it, or would not.

    Args:
        blocks: The CIDR blocks of the VPC.

    Raises:
        LocalCommandFailed: `ip` failed.
    """
    here = carried(settings, deadline)
    way = way_of(address, device, here)
    to = destinations(device, here, blocks)
    if way is not None and any(each.address == address for each in here):
        return way, strays(way, to, settings, deadline)
    return way, would_stray(address, device, to, settings, deadline)
