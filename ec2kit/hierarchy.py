"""The deeds on the hierarchy: can_extend, extend, unextend and delete, on all servers of a resource."""

from __future__ import annotations

from itertools import chain
from typing import Any

from ec2kit import checks, messages, node, peers, resource
from ec2kit.action import Action
from ec2kit.errors import (
    LastServer,
    NotFree,
    RegistryBroken,
    RegistryEmpty,
    RemoteSilent,
    StillInService,
)
from ec2kit.resource import SWITCHBACKS, Resource, Server, from_dict

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
    if action.registry.has(action.tag):
        raise NotFree(what=f"tag {action.tag} on {own}", by="a resource that is there already")
    told = peers.ask(action, template_system, "describe", action.tag, own)
    template = _described(template_system, told)
    if template.find_server(own) is not None:
        template = template.without_server(own)  # what an extend left that was cut off
    identity = node.identity(action.settings, action.deadline)
    interface = node.interface(device or template.server(template_system).device, action.settings, action.deadline)
    chosen = resource.checked_priority(priority) if priority is not None else _free_priority(template)
    server = this_server(action, identity, interface, chosen)
    wanted = template.with_server(server)
    preflight = checks.Preflight(action, wanted, server, identity, interface, template)
    preflight.template_version, preflight.template_lifekeeper = str(told.get("version")), told.get("lifekeeper")
    checks.run(preflight)
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


def _described(server: str, told: dict[str, Any]) -> Resource:
    try:
        return from_dict(told["resource"])
    except (KeyError, ValueError) as error:
        raise RemoteSilent(server=server, reason=f"its definition cannot be read: {error}") from error


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
        wanted = wanted._replace(switchback=resource.checked_choice("switchback", switchback, SWITCHBACKS))
    before = wanted.without_server(action.registry.server)
    peers.spread(action, before, wanted, () if switchback is None else ("switchback",))
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
    before = peers.current(action, keep=name)
    before.server(name)
    if len(before.servers) == 1:
        raise LastServer(server=name, tag=action.tag)
    parents: list[str] = []
    if lost and name != action.registry.server:
        peers.states(action, before.without_server(name))
        _must_not_own(action, before.server(name))
    else:
        if peers.states(action, before)[name]:
            raise StillInService(tag=action.tag, server=name)
        parents = peers.ask(action, name, "leave", action.tag).get("parents") or parents
    peers.spread(action, before, before.without_server(name))
    action.log.put(messages.UNEXTENDED, tag=action.tag, server=name)
    if parents:
        action.log.put(messages.PARENTS_STAY, tag=action.tag, server=name, parents=", ".join(map(str, parents)))


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
        peers.states(action, action.resource)
        names = (*(each for each in action.resource.names if each != own), own)
    for name in names:
        peers.drop(action, name)
        action.log.put(messages.DELETED, tag=action.tag, server=name)


def _must_be_known(action: Action) -> None:
    try:
        action.registry.load(action.tag)
    except (RegistryEmpty, RegistryBroken) as error:
        action.log.error(error)
