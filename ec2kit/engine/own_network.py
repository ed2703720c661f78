"""
A check looks at an address on this server itself, where another program puts the address on the device.

LifeKeeper's IP resource, keepalived or an administrator owns the address there: it is never put on here, and a loss
is only named. The way of replies has no other owner, so it is put right, and taken off by remove. Pacemaker's agents
own their addresses, and look after them in `frameworks/pacemaker/local.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, Overtaken
from ec2kit.messages import catalogue
from ec2kit.resource import hosts, is_ipv4
from ec2kit.state.intention import Direction
from ec2kit.state.note import NETWORK, Note

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.host.place import Place

_AT_MOST_EVERY = 5.0
"""Seconds between two looks; checks that come more often rest on the last one."""

_SECONDS = 5.0
"""Seconds for one look, which runs some commands, and asks IMDS once a boot."""

A_MOMENT = 0.3
"""Seconds within which a manager of the network has its own rules back that it takes away to put them on anew."""

_NOT_KNOWN = "the program that puts it on the device"
"""The owner of an address, if neither LifeKeeper nor keepalived is known to be."""


class _Known(NamedTuple):
    """
    Hold what the looks since the last remove have seen.

    Attributes:
        looked_at: When, in seconds of CLOCK_BOOTTIME; 0: never.
        on: Address → the device that had it last.
        missing: The addresses that the last look has not found on any device.
        ways: The addresses for which a rule and a route of ec2kit were put on.
    """

    looked_at: float = 0.0
    on: Mapping[str, str] = {}
    missing: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()


def look_after(action: Action, *, owner: str = "") -> None:
    """
    Log the addresses that no device of this server has, and put the ways of replies from the others right.

    The result of the check that calls this does not depend on it: trouble is logged. AWS is not asked. Nothing is
    done for a resource that is not in service here, or not to stay so, nor with EC2_NO_LOCAL_REPAIR.

    Args:
        owner: The program that has to put the address on the device, for the message; "": LifeKeeper's IP resource,
            if there is one, otherwise that is not known.
    """
    settings, now = action.settings, action.deadline.clock.now()
    try:
        owner = owner or _owner(action)
        is_concerned = action.scenario.ON_THE_DEVICE and not settings.no_local_repair
    except Ec2KitError:
        return  # of an unreadable definition the check has told
    if not is_concerned:
        return
    note = Note(settings.run_dir, action.tag, NETWORK)
    try:
        known = _read(note)
        if 0 <= now - known.looked_at < _AT_MOST_EVERY or not _stays(action):
            return
        seen = _looked(action, known._replace(looked_at=now), owner)
        mine = action.intentions.current()
        if mine is not None and mine.direction is Direction.UP:
            action.intentions.settle(mine, partial(note.write, seen._asdict()), action.deadline)
    except Ec2KitError as error:
        if not isinstance(error, Overtaken):
            action.log.error(error)


def _owner(action: Action) -> str:
    ip_resource = action.resource.ip_resource if action.lifekeeper is not None else ""
    return f"LifeKeeper's resource {ip_resource}" if ip_resource else _NOT_KNOWN


def _stays(action: Action) -> bool:
    """Tell whether the resource is in service here, and nothing has asked for the opposite."""
    current = action.intentions.current()
    return current is not None and current.direction is Direction.UP and action.registry.in_service(action.tag)


def _looked(action: Action, known: _Known, owner: str) -> _Known:
    soon = action.deadline.within(_SECONDS)
    here = _here(action, soon)
    wanted = [each for each in hosts(action.resource.address) if is_ipv4(each) or here.ipv6]
    for each in wanted:
        if each not in here.on:
            _name(action, each, known, owner, soon)
        elif each in known.missing:
            action.log.put(catalogue.ADDRESS_AGAIN, address=each, device=here.on[each])
    ways = set(known.ways)
    for each in filter(is_ipv4, wanted):
        if each in here.on and _way_is_put_right(action, each, soon, again=each in ways):
            ways.add(each)
    return known._replace(
        on={**known.on, **{each: here.on[each] for each in wanted if each in here.on}},
        missing=tuple(each for each in wanted if each not in here.on),
        ways=tuple(sorted(ways)),
    )


class _Here(NamedTuple):
    """The addresses of this server → the device; `ipv6` is False if those of IPv6 cannot be seen."""

    on: Mapping[str, str]
    ipv6: bool


def _here(action: Action, deadline: Deadline) -> _Here:
    from ec2kit.host.ip import carried, carried_ipv6

    ipv6 = carried_ipv6(action.settings)
    return _Here({**ipv6, **{each.address: each.device for each in carried(action.settings, deadline)}}, bool(ipv6))


def _name(action: Action, address: str, known: _Known, owner: str, deadline: Deadline) -> None:
    """Log a missing address: one that was here at once, one that was not yet here if it is still missing."""
    from ec2kit.host import manager

    if device := known.on.get(address):
        fields = {"manager": manager.name_of(device, action.settings, deadline), "owner": owner}
        action.log.put(catalogue.ADDRESS_GONE, address=address, device=device, **fields)
    elif address in known.missing:
        action.log.put(catalogue.ADDRESS_NOWHERE, address=address, owner=owner)


def _way_is_put_right(action: Action, address: str, deadline: Deadline, *, again: bool) -> bool:
    from ec2kit.host import manager

    mine = action.intentions.current()
    if mine is None:
        return False
    fields = right_way(
        action,
        address,
        partial(_place, action, deadline),
        deadline,
        unless_overtaken=lambda put: action.intentions.settle(mine, put, deadline),
        again_after=A_MOMENT,
    )
    if fields is None:
        return False
    if again:
        by = manager.name_of(str(fields["device"]), action.settings, deadline)
        action.log.put(catalogue.REPLY_RULE_BACK, **fields, manager=by)
    else:
        action.log.put(catalogue.REPLY_RULE_ON, **fields)
    return True


def _place(action: Action, deadline: Deadline) -> Place:
    from ec2kit.host.device import present_device
    from ec2kit.host.place import place

    server = action.server
    present = present_device(server, action.settings)
    device = server.device if present is None else present.name
    return place(action.tag, device=device, private_ip_address="", settings=action.settings, deadline=deadline)


def _read(note: Note) -> _Known:
    content = note.read() or {}
    try:
        return _Known(
            looked_at=float(content.get("looked_at", 0)),
            on={str(address): str(device) for address, device in dict(content.get("on", {})).items()},
            missing=tuple(map(str, content.get("missing", ()))),
            ways=tuple(map(str, content.get("ways", ()))),
        )
    except (ValueError, TypeError, OverflowError):
        return _Known()


def leave(action: Action) -> None:
    """Take the ways off that a check has put on, and forget what the checks have seen; trouble is logged."""
    note = Note(action.settings.run_dir, action.tag, NETWORK)
    ways = _read(note).ways
    if ways:
        from ec2kit.host import reply_path

        soon = Deadline(_SECONDS, action.deadline.clock)
        for each in filter(is_ipv4, ways):
            if reply_path.take_off(each, action.settings, soon):
                action.log.put(catalogue.REPLY_RULE_OFF, address=each)
    try:
        note.remove()
    except Ec2KitError as error:
        action.log.error(error)


# -- the way of replies ----------------------------------------------------------------------------------------


def _at_once(put: Callable[[], object]) -> None:
    put()


def right_way(
    action: Action,
    address: str,
    where: Callable[[], Place],
    deadline: Deadline,
    *,
    unless_overtaken: Callable[[Callable[[], object]], None] = _at_once,
    again_after: float = 0.0,
) -> dict[str, Any] | None:
    """
    Put rule and route on by which replies leave by the device of the ENI, if they do not; trouble is logged.

    Args:
        where: Returns the place of the resource on this server.
        again_after: Seconds until a second look, which alone counts if it is not 0.
        unless_overtaken: Puts them on, or raises Overtaken.

    Returns:
        The fields of a message; None: nothing had to be changed, or could be.
    """
    from ec2kit.host import reply_path

    try:
        here = where()
        look = partial(reply_path.look, address, here.device, here.vpc_cidr_blocks, action.settings, deadline)
        way, strays = look()
        if strays and again_after:
            deadline.pause(again_after, "a second look at the way of replies")
            way, strays = look()
        if not strays:
            return None
        fields = {"address": address, "device": here.device, "by": strays[0][1]}
        if way is None:
            action.log.put(catalogue.REPLY_RULE_FAILED, **fields, reason="the device has no address of its own")
            return None
        unless_overtaken(partial(reply_path.put_on, way, action.settings, deadline))
    except Overtaken:
        return None
    except Ec2KitError as error:
        action.log.error(error)
        return None
    return {**fields, "rule": f"{reply_path.PRIORITY}: from {address} lookup {way.table}"}
