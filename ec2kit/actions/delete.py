"""The action delete forgets a resource on all its servers; nothing is changed in AWS."""

from __future__ import annotations

from ec2kit.engine.action import Action
from ec2kit.errors import (
    RegistryBroken,
    RegistryEmpty,
)
from ec2kit.messages import catalogue
from ec2kit.peers import agree, here


def delete(action: Action, *, local: bool = False, changing: agree.Changing = agree.changing) -> None:
    """
    Forget the resource on all servers; nothing is changed in AWS.

    Args:
        local: True: only this server forgets the resource, and no other server is asked.
        changing: How the definition is changed, or only foreseen.

    Raises:
        BadRequest: A server cannot be asked, or another command changes the resource; nothing was changed.
    """
    if local:
        _forget_here(action)
        return
    with changing(action) as change:
        resource = action.registry.load(action.tag)
        names = {*resource.names, action.registry.server}
        change.claim(names)
        change.must_be(resource, at=action.registry.server, may_lack=names)
        change.drop(names)


def _forget_here(action: Action) -> None:
    own = action.registry.server
    with action.claims.held_here(action.tag, own, action.deadline):
        try:
            action.registry.load(action.tag)
        except (RegistryEmpty, RegistryBroken) as error:
            action.log.error(error)
        here.forget(action)
    action.log.put(catalogue.DELETED, tag=action.tag, server=own)
