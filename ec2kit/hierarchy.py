"""The deeds on the hierarchy: can_extend, extend, unextend and delete, on all servers of a resource."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from ec2kit import __version__, checks, memory, messages, node, remote, resource
from ec2kit.action import Action
from ec2kit.errors import (
    ArgumentInvalid,
    Ec2KitError,
    LastServer,
    NotFree,
    RegistryBroken,
    RegistryEmpty,
    RemoteRefused,
    RemoteSilent,
    ServersSilent,
    StateUnusable,
    StillInService,
    TagUnknown,
)
from ec2kit.intention import Direction
from ec2kit.resource import SWITCHBACKS, Resource, Server, from_dict

_PEER_SECONDS = 30.0


# -- extend --------------------------------------------------------------------------------------------------


def can_extend(
    action: Action, template_system: str, *, device: str | None = None, priority: int | None = None
) -> Resource:
    """
    Tell whether this server could become one of the resource's servers, and give the definition with it.

    Args:
        device: Of this server; None: the device that the template server uses.
        priority: None: the next free one, since none is asked for yet.

    Raises:
        ChecksFailed, NotFree: It could not.
        RemoteSilent, RemoteRefused: The template server does not tell.
    """
    own = action.registry.server
    if any(each.tag == action.tag for each in action.registry.resources()):
        raise NotFree(what=f"tag {action.tag} on {own}", by="a resource that is there already")
    template, version = _template(action, template_system)
    if template.find_server(own) is not None:
        template = template.without_server(own)  # what an extend left that was cut off
    identity = node.identity(action.settings, action.deadline)
    interface = node.interface(device or template.server(template_system).device, action.settings, action.deadline)
    chosen = resource.checked_priority(priority) if priority is not None else _free_priority(template)
    server = this_server(action, identity, interface, chosen)
    wanted = template.with_server(server)
    checks.run(checks.Preflight(action, wanted, server, identity, interface, template, version))
    return wanted


def _free_priority(template: Resource) -> int:
    taken = {each.priority for each in template.servers}
    return next(each for each in chain([10], range(1, 1000)) if each not in taken)


def this_server(action: Action, identity: node.Identity, interface: node.Interface, priority: int) -> Server:
    """This server as a server of a resource."""
    return Server(
        name=action.registry.server,
        priority=priority,
        device=interface.device,
        network_interface_id=interface.network_interface_id,
        private_ip_address=interface.private_ip_addresses[0],
        instance_id=identity.instance_id,
        availability_zone=identity.availability_zone,
    )


def _template(action: Action, template_system: str) -> tuple[Resource, str]:
    answer = _ask(action, template_system, "describe", action.tag)
    try:
        return from_dict(answer["resource"]), str(answer.get("version"))
    except (KeyError, ValueError) as error:
        raise RemoteSilent(server=template_system, reason=f"its definition cannot be read: {error}") from error


def extend(
    action: Action, template_system: str, *, priority: int, switchback: str | None = None, device: str | None = None
) -> Resource:
    """
    Make this server one of the resource's servers; every server gets the new definition, or none.

    Raises:
        ChecksFailed, NotFree, ArgumentInvalid: It cannot be; nothing was changed.
        ServersSilent: A server cannot be told; nothing was changed.
    """
    resource.checked_priority(priority)
    wanted = can_extend(action, template_system, device=device, priority=priority)
    if switchback is not None:
        wanted = replace(wanted, switchback=resource.checked_choice("switchback", switchback, SWITCHBACKS))
    before = wanted.without_server(action.registry.server)
    _spread(action, before, wanted)
    fields = {"tag": action.tag, "server": action.registry.server, "priority": priority}
    action.log.put(messages.EXTENDED, **fields)
    return wanted


# -- unextend and delete -------------------------------------------------------------------------------------


def unextend(action: Action, name: str, *, lost: bool = False) -> None:
    """
    Take a server out of the resource.

    Args:
        lost: The server is gone for good; AWS is asked in its place whether it still has the address.

    Raises:
        StillInService: It runs the resource.
        LastServer: There is no other.
        ServersSilent: A server cannot be asked; nothing was changed.
    """
    before = action.resource
    before.server(name)
    if len(before.servers) == 1:
        raise LastServer(server=name, tag=action.tag)
    if lost and name != action.registry.server:
        _all_states(action, before.without_server(name))
        _must_not_own(action, before.server(name))
    else:
        if _all_states(action, before)[name]:
            raise StillInService(tag=action.tag, server=name)
        _ask(action, name, "leave", action.tag)
    _spread(action, before, before.without_server(name))
    action.log.put(messages.UNEXTENDED, tag=action.tag, server=name)


def _must_not_own(action: Action, server: Server) -> None:
    """Raises StillInService if AWS says that the server's ENI has the address."""
    observed = action.scenario.observe(action.ec2(), action.resource, action.server, action.settings)
    if observed.unknown is not None:
        raise observed.unknown
    if server.network_interface_id in action.scenario.owners(observed).values():
        raise StillInService(tag=action.tag, server=server.name)


def delete(action: Action, *, local: bool = False) -> None:
    """
    Forget the resource on all servers; nothing is changed in AWS.

    Args:
        local: Only this server forgets it, whatever the others know.

    Raises:
        ServersSilent: A server cannot be asked; nothing was changed.
    """
    own = action.registry.server
    names: tuple[str, ...] = (own,)
    if local:
        _must_be_known(action)
    else:
        _all_states(action, action.resource)
        names = (*(each for each in action.resource.names if each != own), own)
    for name in names:
        _drop(action, name)
        action.log.put(messages.DELETED, tag=action.tag, server=name)


def _must_be_known(action: Action) -> None:
    try:
        action.registry.load(action.tag)
    except (RegistryEmpty, RegistryBroken) as error:
        action.log.error(error)


# -- one definition on all servers -----------------------------------------------------------------------------


def _all_states(action: Action, known: Resource) -> dict[str, bool]:
    """Server → whether it has the resource in service; raises ServersSilent naming all that do not answer."""
    states: dict[str, bool] = {}
    silent: list[str] = []
    for name in known.names:
        try:
            answer = _ask(action, name, "state", action.tag)
            states[name] = answer["known"] and answer["in_service"] is not False
        except (RemoteSilent, RemoteRefused, KeyError) as error:
            silent.append(f"{name} ({error})")
    if silent:
        raise ServersSilent(servers=", ".join(silent))
    return states


def _spread(action: Action, before: Resource, after: Resource) -> None:
    """Give its servers the new definition, this one last; if one cannot take it, all get the old one back."""
    own = action.registry.server
    told = [name for name in before.names if after.find_server(name) is None]  # they have dropped it
    try:
        for name in sorted(after.names, key=lambda each: each == own):
            told.append(name)  # an answer may be lost
            _store(action, name, after)
    except BaseException as error:
        back = replace(before, revision=after.revision + 1)
        for name in told:
            _restore_definition(action, name, back)
        if isinstance(error, RemoteSilent | RemoteRefused):
            raise ServersSilent(servers=str(error)) from error
        raise


def _restore_definition(action: Action, name: str, back: Resource) -> None:
    try:
        if back.find_server(name) is None:
            _drop(action, name)
        else:
            _store(action, name, back)
    except Ec2KitError as error:
        action.log.put(messages.UNDO_FAILED, what=f"definition of {action.tag} on {name}", reason=error)


def _store(action: Action, name: str, definition: Resource) -> None:
    if name == action.registry.server:
        action.registry.store(definition)
    else:
        _ask(action, name, "store", json.dumps(definition.as_dict(), separators=(",", ":")))


def _drop(action: Action, name: str) -> None:
    if name == action.registry.server:
        forget(action)
    else:
        _ask(action, name, "drop", action.tag)


def forget(action: Action) -> None:
    """Remove everything that this server has of the resource."""
    action.intentions.forget(partial(action.registry.remove, action.tag), action.deadline)
    memory.forget(action.settings.run_dir, action.tag)


def _leave(action: Action) -> None:
    """Forget the resource, unless it is in service here; nothing can come in between."""

    def unless_in_service() -> None:
        if in_service_here(action):
            raise StillInService(tag=action.tag, server=action.registry.server)
        action.registry.remove(action.tag)

    action.intentions.forget(unless_in_service, action.deadline)
    memory.forget(action.settings.run_dir, action.tag)


def _ask(action: Action, name: str, *words: str) -> dict[str, Any]:
    if name == action.registry.server:
        return answer_peer(action, list(words))
    return remote.ask(name, list(words), action.settings, action.deadline.within(_PEER_SECONDS))


# -- what other servers ask ------------------------------------------------------------------------------------


def in_service_here(action: Action) -> bool:
    """Whether this server runs the resource, or is just bringing it in service."""
    current = action.intentions.current()
    coming = current is not None and current.direction is Direction.UP and action.intentions.writing.is_held
    return coming or action.registry.in_service(action.tag)


def answer_peer(action: Action, words: list[str]) -> dict[str, Any]:
    """
    Answer another server, or this one: state, describe, drop or leave TAG; store DEFINITION.

    Raises:
        Ec2KitError: It cannot be answered or done.
    """
    question = words[0]
    answer: dict[str, Any] = {"protocol": remote.PROTOCOL, "version": __version__, "server": action.registry.server}
    if question == "state":
        return {**answer, **_state(action)}
    if question == "describe":
        return {**answer, "resource": action.registry.load(action.tag).as_dict()}
    if question == "store":
        action.registry.store(_definition(words[1]))
        return answer
    if question in ("drop", "leave"):
        (forget if question == "drop" else _leave)(action)
        return answer
    raise ArgumentInvalid(name="peer", reason=f"{question[:60]!a} is no question")


def _state(action: Action) -> dict[str, Any]:
    """Whether it is in service here; null where there is no such resource, which is not the same as no."""
    try:
        action.registry.load(action.tag)
    except (TagUnknown, RegistryEmpty) as error:
        return {"known": False, "in_service": None, "reason": str(error)}
    return {"known": True, "in_service": in_service_here(action), "state": action.registry.state(action.tag)}


def _definition(text: str) -> Resource:
    try:
        return from_dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise StateUnusable(path="the definition sent", reason=str(error)) from error
