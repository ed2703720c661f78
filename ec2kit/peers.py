"""What the servers of a resource ask one another, and how all get one definition, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from ec2kit import __version__, judgement, lifekeeper, memory, messages, ping, remote, service
from ec2kit.action import Action
from ec2kit.errors import (
    ArgumentInvalid,
    Ec2KitError,
    HalfMade,
    LocalCommandFailed,
    RegistryEmpty,
    RemoteRefused,
    RemoteSilent,
    ServersSilent,
    StateUnusable,
    StillInService,
    TagUnknown,
)
from ec2kit.following import Following
from ec2kit.intention import Direction
from ec2kit.reassertion import Reassertions
from ec2kit.recovery import Recovery
from ec2kit.resource import Resource, from_dict

_SECONDS = 30.0
"""For one answer."""

_COMMAND_SECONDS = 5.0


# -- one definition on all servers -----------------------------------------------------------------------------


def states(action: Action, known: Resource) -> dict[str, bool]:
    """Server → whether it has the resource in service; raises ServersSilent naming all that do not answer."""
    found: dict[str, bool] = {}
    silent: list[str] = []
    for name in known.names:
        try:
            told = ask(action, name, "state", action.tag)
            found[name] = told["known"] and told["in_service"] is not False
        except (RemoteSilent, RemoteRefused, KeyError) as error:
            silent.append(f"{name} ({error})")
    if silent:
        raise ServersSilent(servers=", ".join(silent))
    return found


def current(action: Action, *, keep: str = "") -> Resource:
    """
    The definition as the framework has it by now, without the servers that it was taken off there.

    One that LifeKeeper relates no more, and that says itself that it has no such resource, was unextended in
    LifeKeeper's GUI, or an extend or unextend was cut off.

    Args:
        keep: A server that stays in any case.
    """
    known = action.registry.latest(action.tag)
    if action.lifekeeper is None:
        return known
    related = {action.registry.server, keep, *action.lifekeeper.equivalents(action.tag)}
    gone = [name for name in known.names if name not in related and _has_no_such_resource(action, name)]
    for name in gone:
        action.log.put(messages.SERVER_GONE, tag=action.tag, server=name)
    return known._replace(servers=tuple(each for each in known.servers if each.name not in gone))


def _has_no_such_resource(action: Action, name: str) -> bool:
    try:
        return ask(action, name, "state", action.tag).get("known") is False
    except (RemoteSilent, RemoteRefused):
        return False


def spread(action: Action, before: Resource, after: Resource, changed: Collection[str] = ()) -> None:
    """
    Give its servers the new definition, this one last; if one cannot take it, all get the old one back.

    Args:
        changed: What was asked for of that which the framework owns, and is told it on each server.
    """
    own = action.registry.server
    told = [name for name in before.names if after.find_server(name) is None]  # they have dropped it
    try:
        for name in sorted(after.names, key=lambda each: each == own):
            told.append(name)  # an answer may be lost
            _store(action, name, after, changed)
    except BaseException as error:
        back = before._replace(revision=after.revision + 1)
        for name in dict.fromkeys((*told, *before.names)):
            _restore_definition(action, name, back, changed, tried=after)
        if isinstance(error, RemoteSilent | RemoteRefused):
            raise ServersSilent(servers=str(error)) from error
        raise


def _restore_definition(
    action: Action, name: str, back: Resource, changed: Collection[str], *, tried: Resource
) -> None:
    """Where somebody else's definition stands by now, that one stays."""
    try:
        described = ask(action, name, "describe", action.tag)
        if not _is_one_of(described.get("stored") or described.get("resource"), back, tried):  # of an older version
            return
    except Ec2KitError:
        pass  # it has none, or a half one
    try:
        if back.find_server(name) is None:
            drop(action, name)
        else:
            _store(action, name, back, changed)
    except Ec2KitError as error:
        action.log.put(messages.UNDO_FAILED, what=f"definition of {action.tag} on {name}", reason=error)


def _is_one_of(described: object, *definitions: Resource) -> bool:
    """Whether a server's definition is one of these, but for the revision and for what the framework owns."""
    if not isinstance(described, dict):
        return False
    try:
        found = _without_the_frameworks(from_dict(described))
    except ValueError:
        return False
    return any(found == _without_the_frameworks(each) for each in definitions)


def _without_the_frameworks(definition: Resource) -> Resource:
    servers = sorted((each._replace(priority=0) for each in definition.servers), key=lambda each: each.name)
    return definition._replace(revision=0, switchback="", servers=tuple(servers))


def _store(action: Action, name: str, definition: Resource, changed: Collection[str]) -> None:
    if name == action.registry.server:
        action.registry.store(definition, changed)
    else:
        ask(action, name, "store", json.dumps(definition.as_dict(), separators=(",", ":")), *changed)


def drop(action: Action, name: str) -> None:
    """Let a server forget the resource; raises what `ask` and `forget` raise."""
    if name == action.registry.server:
        forget(action)
    else:
        ask(action, name, "drop", action.tag)


def forget(action: Action) -> None:
    """Remove everything that this server has of the resource."""
    action.intentions.forget(partial(action.registry.remove, action.tag), action.deadline)
    _forget_what_is_known(action)


def clean(action: Action) -> None:
    """Remove this server's files of a resource that the framework itself is removing from its registry."""
    if action.intentions.is_being_changed:
        return  # `forget` of ours began it, and removes them itself
    action.intentions.forget(partial(action.registry.forget_state, action.tag), action.deadline)
    _forget_what_is_known(action)


def _forget_what_is_known(action: Action) -> None:
    memory.forget(action.settings.run_dir, action.tag)
    Recovery(action).forget()
    Reassertions(action).forget()
    Following(action.settings.run_dir, action.tag).forget()


def _leave(action: Action) -> dict[str, Any]:
    """Forget the resource, unless it is in service here; nothing can come in between. Tells what depended on it."""
    parents = action.lifekeeper.parents(action.tag) if action.lifekeeper is not None else []

    def unless_in_service() -> None:
        if in_service_here(action):
            raise StillInService(tag=action.tag, server=action.registry.server)
        action.registry.remove(action.tag)

    action.intentions.forget(unless_in_service, action.deadline)
    _forget_what_is_known(action)
    return {"parents": parents}


def ask(action: Action, name: str, *words: str) -> dict[str, Any]:
    """The answer of another server, or of this one; raises what `answer` and `remote.ask` raise."""
    if name == action.registry.server:
        return answer(action, list(words))
    return action.ask(name, list(words), seconds=_SECONDS)


# -- what other servers ask ------------------------------------------------------------------------------------


def in_service_here(action: Action) -> bool:
    """Whether this server runs the resource, or is just bringing it in service."""
    current = action.intentions.current()
    coming = current is not None and current.direction is Direction.UP and action.intentions.writing.is_held
    registry, tag = action.registry, action.tag
    return coming or registry.in_service(tag) or registry.state(tag) == "ISP"


def answer(action: Action, words: list[str]) -> dict[str, Any]:
    """
    Answer another server, or this one.

    Args:
        words: addresses; state, drop, leave, check, ping, topmost or release TAG; describe TAG [WHO-EXTENDS];
            bring TAG TOPMOST...; store DEFINITION CHANGED...; rename TAG DEFINITION.

    Raises:
        Ec2KitError: It cannot be answered or done.
    """
    told = {"protocol": remote.PROTOCOL, "version": __version__, "server": action.registry.server}
    question = _QUESTIONS.get(words[0])
    if question is None:
        raise ArgumentInvalid(name="peer", reason=f"{words[0][:60]!a} is no question")
    return {**told, **(question(action, words[1:]) or {})}


def _description(action: Action, extends: str = "") -> dict[str, Any]:
    """The definition as the framework has it by now, and as it is stored; who extends it gets it by `current`."""
    stored = action.registry.load(action.tag)
    latest = current(action, keep=extends) if extends else action.registry.latest(action.tag)
    known = {"resource": latest.as_dict(), "stored": stored.as_dict()}
    if action.lifekeeper is None:
        return known
    return {**known, "lifekeeper": lifekeeper.version(action.settings.path, action.deadline.within(_COMMAND_SECONDS))}


def _state(action: Action) -> dict[str, Any]:
    """Whether it is in service here; null where there is no such resource, which is not the same as no."""
    try:
        action.registry.load(action.tag)
    except (TagUnknown, RegistryEmpty, HalfMade) as error:
        return {"known": False, "in_service": None, "reason": str(error)}
    return {"known": True, "in_service": in_service_here(action), "state": action.registry.state(action.tag)}


def _rename(action: Action, definition: Resource) -> None:
    """Give this server's resource the definition's tag; one that was cut off right before its end is done."""
    old = action.tag
    if action.registry.has(old):
        action.intentions.forget(partial(action.registry.rename, old, definition), action.deadline)
        _forget_what_is_known(action)
    else:
        action.registry.load(definition.tag)


def _addresses(action: Action) -> dict[str, Any]:
    """What each resource of this server protects."""
    return {"addresses": {each.tag: each.address for each in action.registry.resources()}}


def _check(action: Action) -> dict[str, Any]:
    verdict = judgement.look(action).verdict
    return {"status": verdict.status.value, "reason": verdict.reason}


def _ping(action: Action) -> dict[str, Any]:
    """Whether the address answers this server; null where that cannot be tried."""
    try:
        return {"answers": ping.answers(action.resource.address, action.settings, action.deadline)}
    except LocalCommandFailed as error:
        return {"answers": None, "reason": str(error)}


def _topmost(action: Action) -> dict[str, Any]:
    """What to bring in service to have the resource and all that needs it now: of each, server → tag."""
    resource, framework = action.resource, action.lifekeeper
    if framework is None:
        return {"topmost": [dict.fromkeys(resource.names, action.tag)]}
    tags = framework.topmost(action.tag) if in_service_here(action) else [resource.ip_resource or action.tag]
    return {"topmost": [{action.registry.server: each, **framework.equivalents(each)} for each in tags]}


def _bring(action: Action, topmost: list[str]) -> None:
    for tag in topmost if action.lifekeeper is not None else [action.tag]:
        service.bring_in_service(action.called(tag))


def _release(action: Action) -> None:
    service.take_out_of_service(action)


def _definition(text: str) -> Resource:
    try:
        return from_dict(json.loads(text))
    except (ValueError, RecursionError, TypeError) as error:
        raise StateUnusable(path="the definition sent", reason=str(error)) from error


_QUESTIONS: dict[str, Callable[[Action, list[str]], dict[str, Any] | None]] = {
    "state": lambda action, _: _state(action),
    "addresses": lambda action, _: _addresses(action),
    "describe": lambda action, words: _description(action, *words[1:2]),
    "store": lambda action, words: action.registry.store(_definition(words[0]), words[1:]),
    "rename": lambda action, words: _rename(action, _definition(words[1])),
    "drop": lambda action, _: forget(action),
    "leave": lambda action, _: _leave(action),
    "check": lambda action, _: _check(action),
    "ping": lambda action, _: _ping(action),
    "topmost": lambda action, _: _topmost(action),
    "bring": lambda action, words: _bring(action, words[1:]),
    "release": lambda action, _: _release(action),
}
"""Question → what answers it, or does what is asked for."""
