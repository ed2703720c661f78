"""The action unextend takes a server out of a resource."""

from __future__ import annotations

from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest
from ec2kit.messages import catalogue
from ec2kit.peers import agree, here
from ec2kit.resource import Server


def unextend(action: Action, name: str, *, lost: bool = False, changing: agree.Changing = agree.changing) -> None:
    """
    Take a server out of the resource.

    Args:
        lost: True: the server is gone for good; AWS is asked in its place whether it still has the address.
        changing: How the definition is changed, or only foreseen.

    Raises:
        BadRequest: The resource is in service there, has no other server, or a server cannot be asked; nothing was
            changed.
    """
    with changing(action) as change:
        before = here.current(action, keep=name)
        server, after = before.server(name), before.without_server(name)
        if not after.servers:
            raise BadRequest(catalogue.LAST_SERVER, server=name, tag=action.tag)
        is_lost = lost and name != action.registry.server
        change.claim(after.names if is_lost else before.names)
        change.must_be(before, at=action.registry.server, may_lack=(name,))
        if is_lost:
            _must_not_own(action, server)
        elif change.in_service[name]:
            raise BadRequest(catalogue.STILL_IN_SERVICE, tag=action.tag, server=name)
        change.spread(before, after, leaving="" if is_lost else name)
    action.log.put(catalogue.UNEXTENDED, tag=action.tag, server=name)
    if change.parents:
        action.log.put(catalogue.PARENTS_STAY, tag=action.tag, server=name, parents=", ".join(change.parents))


def _must_not_own(action: Action, server: Server) -> None:
    """Raise BadRequest if AWS says that the server's ENI has the address."""
    observed = action.scenario.observe(action.ec2(), action.resource, action.server, action.settings)
    if observed.unknown is not None:
        raise observed.unknown
    if server.network_interface_id in action.scenario.owners(observed).values():
        raise BadRequest(catalogue.STILL_IN_SERVICE, tag=action.tag, server=server.name)
