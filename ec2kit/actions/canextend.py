"""The action canextend tells whether this server could become one of a resource's servers."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

from ec2kit import resource
from ec2kit.checks import frame
from ec2kit.checks.preflight import Preflight
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, RemoteSilent
from ec2kit.host import instance
from ec2kit.messages import catalogue
from ec2kit.peers import agree
from ec2kit.registry.definition import from_dict
from ec2kit.resource import Resource, Server


class Extension(NamedTuple):
    """
    The result of all checks: this server can become one of the resource's servers.

    Attributes:
        template: The definition as the template server has it.
        wanted: The definition with this server.
    """

    template: Resource
    wanted: Resource


def can_extend(
    action: Action, template_system: str, *, device: str | None = None, priority: int | None = None
) -> Extension:
    """
    Return the definition with and without this server as one of the resource's servers, if it could become one.

    Args:
        device: The device on this server; None: the device that the template server uses.
        priority: None: the next free priority, because canextend asks for none.

    Raises:
        BadRequest: This server could not become one of the resource's servers.
        RemoteSilent, RemoteRefused: The template server does not answer.
    """
    own = action.registry.server
    if action.registry.has(action.tag):
        raise BadRequest(catalogue.NOT_FREE, what=f"tag {action.tag} on {own}", by="a resource that is there already")
    told = agree.asked(action, template_system, "describe", action.tag, own)
    described = _described(template_system, told)
    template = described.without_server(own)  # an extend that was cut off may have left it there
    identity = instance.identity(action.settings, action.deadline)
    interface = instance.interface(
        device or template.server(template_system).device, action.settings, action.deadline
    )
    chosen = resource.checked_priority(priority) if priority is not None else _free_priority(template)
    server = this_server(action, identity, interface, chosen)
    wanted = template.with_server(server)
    preflight = Preflight(action, wanted, server, identity, interface, template, stands_by=True)
    preflight.template_version, preflight.template_lifekeeper = str(told.get("version")), told.get("lifekeeper")
    frame.run(preflight)
    return Extension(described, wanted)


def _free_priority(template: Resource) -> int:
    taken = {each.priority for each in template.servers}
    return next(each for each in chain([10], range(1, 1000)) if each not in taken)


def this_server(action: Action, identity: instance.Identity, interface: instance.Interface, priority: int) -> Server:
    """Return this server in the form that a definition has."""
    return Server(
        name=action.registry.server,
        priority=priority,
        device=interface.device,
        network_interface_id=interface.network_interface_id,
        private_ip_address=interface.private_ip_addresses[0],
        instance_id=identity.instance_id,
        availability_zone=identity.availability_zone,
        mac_address=interface.mac_address,
    )


def _described(server: str, told: dict[str, Any]) -> Resource:
    try:
        return from_dict(told["resource"])
    except (KeyError, ValueError) as error:
        raise RemoteSilent(server=server, reason=f"its definition cannot be read: {error}") from error
