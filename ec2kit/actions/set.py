"""
The action set changes a property of a resource on all its servers: switchback, a priority or the tag.

A kind of address may have more; their fields say so.
"""

from __future__ import annotations

from ec2kit import resource
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid
from ec2kit.messages import catalogue
from ec2kit.peers import agree, here
from ec2kit.registry.definition import from_dict
from ec2kit.resource import SWITCHBACKS, Resource
from ec2kit.scenarios.table import making_of

CHANGEABLE = ("switchback", "priority", "tag")
"""The properties that can be changed of each kind; any other change needs a new resource."""


def change(
    action: Action, name: str, value: str, *, server: str | None = None, changing: agree.Changing = agree.changing
) -> Resource:
    """
    Change one property on all servers, or on none.

    Args:
        name: One of CHANGEABLE, or a field of the kind that says so.
        server: The server of the priority; None: this server.
        changing: How the definition is changed, or only foreseen.

    Raises:
        BadRequest: The property cannot have this value, or a server cannot be reached; nothing was changed.
    """
    if server is not None and name != "priority":
        raise ArgumentInvalid(name="server", reason=f"only a priority is one server's; {name} is the same on all")
    if name == "priority":
        return _change_priority(action, server or action.registry.server, _number(value), changing)
    if name == "switchback":
        return _change_switchback(action, resource.checked_choice(name, value, SWITCHBACKS), changing)
    if name == "tag":
        return _rename(action, resource.checked_tag(value), changing)
    return _change_own(action, name, value, changing)


def _change_own(action: Action, name: str, value: str, changing: agree.Changing) -> Resource:
    """Change a field that only resources of this kind have, if it can be changed; an empty value takes it away."""
    before = here.current(action)
    fields = {each.name: each for each in making_of(before).FIELDS if each.is_changeable}
    if name not in fields:
        names = ", ".join((*CHANGEABLE, *fields))
        raise ArgumentInvalid(name=name, reason=f"it cannot be changed; only {names} can")
    after = before._replace(own=before.own._replace(**{name: fields[name].checked(name, value)}))
    if after == before:
        return before
    _must_fit(after, name)
    after = _spread(action, before, after, changing=changing)
    fields_told = {
        "tag": action.tag,
        "name": name,
        "old": getattr(before.own, name) or "none",
        "new": value or "none",
    }
    action.log.put(catalogue.CHANGED, **fields_told)
    return after


def _must_fit(after: Resource, name: str) -> None:
    """Raise ArgumentInvalid if no server could read the definition."""
    try:
        from_dict(after.as_dict())
    except ValueError as error:
        raise ArgumentInvalid(name=name, reason=str(error)) from error


def _change_switchback(action: Action, switchback: str, changing: agree.Changing) -> Resource:
    before = here.current(action)
    if switchback == before.switchback and action.lifekeeper is None:
        return before  # under LifeKeeper, another server may have another value
    after = _spread(action, before, before._replace(switchback=switchback), "switchback", changing=changing)
    fields = {"tag": action.tag, "name": "switchback", "old": before.switchback, "new": switchback}
    action.log.put(catalogue.CHANGED, **fields)
    return after


def _spread(action: Action, before: Resource, after: Resource, *changed: str, changing: agree.Changing) -> Resource:
    """Change the definition, and these fields of the framework, on all servers; returns it with its revision."""
    with changing(action) as change:
        change.claim(before.names)
        change.must_be(before, at=action.registry.server)
        return change.spread(before, after, changed)


def _number(value: str) -> int:
    """Return the number; raises ArgumentInvalid if the text is no priority."""
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        raise ArgumentInvalid(name="priority", reason=f"{value[:60]!a} is not from 1 to 999")
    return resource.checked_priority(int(value))


def _change_priority(action: Action, server: str, priority: int, changing: agree.Changing) -> Resource:
    before = here.current(action)
    after = before.with_priority(server, priority)
    old = before.server(server).priority
    if old == priority and action.lifekeeper is None:
        return before
    after = _spread(action, before, after, "priority", changing=changing)
    action.log.put(catalogue.CHANGED, tag=action.tag, name=f"priority of {server}", old=old, new=priority)
    return after


def _rename(action: Action, tag: str, changing: agree.Changing) -> Resource:
    before = here.current(action)
    if tag == before.tag:
        return before
    own = action.registry.server
    with changing(action) as change, change.alone_with(tag):
        change.claim(before.names)
        change.claim(before.names, tag)
        renamed = [name for name in before.names if change.has(name, tag)]  # by a rename that was cut off
        change.must_be_free(tag, before)
        change.must_be(before, at=own, may_lack=renamed)
        return change.rename(before, tag)
