"""The action extend makes this server one of a resource's servers."""

from __future__ import annotations

from collections.abc import Collection

from ec2kit import resource
from ec2kit.actions.canextend import can_extend
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest
from ec2kit.messages import catalogue
from ec2kit.peers import agree
from ec2kit.resource import SWITCHBACKS, Resource


def extend(
    action: Action,
    template_system: str,
    *,
    priority: int,
    switchback: str | None = None,
    device: str | None = None,
    changing: agree.Changing = agree.changing,
) -> Resource:
    """
    Make this server one of the resource's servers; either every server gets the new definition, or none.

    Args:
        changing: How the definition is changed, or only foreseen.

    Raises:
        BadRequest: A check failed, or a server cannot be reached; nothing was changed.
    """
    resource.checked_priority(priority)
    found = can_extend(action, template_system, device=device, priority=priority)
    changed: tuple[str, ...] = ()
    wanted = found.wanted
    if switchback is not None:
        wanted, changed = wanted._replace(switchback=_checked(switchback)), ("switchback",)
    wanted = join(action, found.template, wanted, template_system, changed, changing=changing)
    fields = {"tag": action.tag, "server": action.registry.server, "priority": priority}
    action.log.put(catalogue.EXTENDED, **fields)
    return wanted


def _checked(switchback: str) -> str:
    return resource.checked_choice("switchback", switchback, SWITCHBACKS)


def join(
    action: Action,
    template: Resource,
    wanted: Resource,
    template_system: str,
    changed: Collection[str] = (),
    *,
    changing: agree.Changing = agree.changing,
) -> Resource:
    """
    Store the definition that has this server, too, on all servers.

    Args:
        template: The definition that it replaces, as the template server has it; it lists this server if an earlier
            extend was cut off.
        changed: Fields that the framework owns and has to change on each server.
        changing: How the definition is changed, or only foreseen.

    Returns:
        The new definition with its revision.

    Raises:
        BadRequest: Another command came in between, or a server did not do its part; nothing was changed.
    """
    own = action.registry.server
    with changing(action) as change:
        change.claim(wanted.names)
        if change.has(own, action.tag):
            raise BadRequest(
                catalogue.NOT_FREE, what=f"tag {action.tag} on {own}", by="a resource that is there already"
            )
        change.must_be(template, at=template_system, may_lack=(own,))
        return change.spread(template.without_server(own), wanted, changed)
