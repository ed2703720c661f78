"""The deeds on a resource's properties, on all its servers: change its switchback, a priority, its tag."""

from __future__ import annotations

import json

from ec2kit import messages, peers, resource
from ec2kit.action import Action
from ec2kit.errors import ArgumentInvalid, Ec2KitError, RemoteRefused, RemoteSilent, ServersSilent
from ec2kit.resource import SWITCHBACKS, Resource

CHANGEABLE = ("switchback", "priority", "tag")
"""What can be changed later; everything else is a new resource."""


def change(action: Action, name: str, value: str, *, server: str | None = None) -> Resource:
    """
    Change one property on all servers, or on none.

    Args:
        name: One of CHANGEABLE.
        server: Whose priority; None: this server's.

    Raises:
        ArgumentInvalid, TagInvalid, NotFree: It cannot have this value.
        ServersSilent: A server cannot be told; nothing was changed.
    """
    if server is not None and name != "priority":
        raise ArgumentInvalid(name="server", reason=f"only a priority is one server's; {name} is the same on all")
    if name == "priority":
        return _change_priority(action, server or action.registry.server, _number(value))
    if name == "switchback":
        return _change_switchback(action, resource.checked_choice(name, value, SWITCHBACKS))
    if name == "tag":
        return _rename(action, resource.checked_tag(value))
    raise ArgumentInvalid(name=name, reason=f"it cannot be changed; only {', '.join(CHANGEABLE)} can")


def _change_switchback(action: Action, switchback: str) -> Resource:
    before = peers.current(action)
    if switchback == before.switchback and action.lifekeeper is None:
        return before  # LifeKeeper on another server may have another one
    after = before._replace(switchback=switchback, revision=before.revision + 1)
    peers.states(action, before)  # all must answer before the first is told
    peers.spread(action, before, after, ("switchback",))
    fields = {"tag": action.tag, "name": "switchback", "old": before.switchback, "new": switchback}
    action.log.put(messages.CHANGED, **fields)
    return after


def _number(value: str) -> int:
    """Raises ArgumentInvalid if it is no priority."""
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        raise ArgumentInvalid(name="priority", reason=f"{value[:60]!a} is not from 1 to 999")
    return resource.checked_priority(int(value))


def _change_priority(action: Action, server: str, priority: int) -> Resource:
    before = peers.current(action)
    after = before.with_priority(server, priority)
    old = before.server(server).priority
    if old == priority and action.lifekeeper is None:
        return before
    peers.states(action, before)
    peers.spread(action, before, after, ("priority",))
    action.log.put(messages.CHANGED, tag=action.tag, name=f"priority of {server}", old=old, new=priority)
    return after


def _rename(action: Action, tag: str) -> Resource:
    before = peers.current(action)
    if tag == before.tag:
        return before
    after = before._replace(tag=tag, revision=before.revision + 1)
    peers.states(action, before)
    told: list[str] = []
    try:
        for name in sorted(before.names, key=lambda each: each == action.registry.server):
            told.append(name)  # an answer may be lost
            _tell(action, name, before.tag, after)
            action.log.put(messages.RENAMED, tag=before.tag, new=tag, server=name)
    except BaseException as error:
        for name in told:
            _take_back(action, name, tag, before._replace(revision=after.revision + 1))
        if isinstance(error, RemoteSilent | RemoteRefused):
            raise ServersSilent(servers=str(error)) from error
        raise
    return after


def _tell(action: Action, name: str, old: str, definition: Resource) -> None:
    peers.ask(action.called(old), name, "rename", old, json.dumps(definition.as_dict(), separators=(",", ":")))


def _take_back(action: Action, name: str, tag: str, definition: Resource) -> None:
    try:
        _tell(action, name, tag, definition)
    except Ec2KitError as error:
        action.log.put(messages.UNDO_FAILED, what=f"rename of {definition.tag} on {name}", reason=str(error))
