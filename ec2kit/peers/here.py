"""This server describes its part of a shared resource here, and gives it up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, HalfMade, RegistryEmpty, RemoteRefused, RemoteSilent, TagUnknown
from ec2kit.holding import Holdings, as_json, meeting
from ec2kit.messages import catalogue
from ec2kit.peers.ask import ask
from ec2kit.resource import Resource
from ec2kit.scenarios.table import scenario_of
from ec2kit.state.claim import Claimant
from ec2kit.state.intention import Direction

SECONDS = 30.0
"""Seconds for one answer of another server."""

_COMMAND_SECONDS = 5.0


# -- description -----------------------------------------------------------------------------------------------


def in_service(action: Action) -> bool:
    """Tell whether the resource is in service here, or is just being brought in service."""
    current = action.intentions.current()
    coming = current is not None and current.direction is Direction.UP and action.intentions.writing.is_held
    registry, tag = action.registry, action.tag
    return coming or registry.in_service(tag) or registry.state(tag) == "ISP"


def state(action: Action) -> dict[str, Any]:
    """Tell whether the resource is in service here; None if there is no such resource, which does not mean no."""
    try:
        action.registry.load(action.tag)
    except (TagUnknown, RegistryEmpty, HalfMade) as error:
        return {"known": False, "in_service": None, "reason": str(error)}
    return {"known": True, "in_service": in_service(action), "state": action.registry.state(action.tag)}


def current(action: Action, *, keep: str = "") -> Resource:
    """
    Return the definition as the framework has it now, without the servers that have been unextended there.

    A server is left out if LifeKeeper does not relate it any more, and the server itself answers that it has no such
    resource: it was unextended in LifeKeeper's GUI, or an extend or unextend was cut off.

    Args:
        keep: A server that stays in any case.
    """
    known = action.registry.latest(action.tag)
    if action.lifekeeper is None:
        return known
    related = {action.registry.server, keep, *action.lifekeeper.equivalents(action.tag)}
    gone = [name for name in known.names if name not in related and _has_no_such_resource(action, name)]
    for name in gone:
        action.log.put(catalogue.SERVER_GONE, tag=action.tag, server=name)
    return known._replace(servers=tuple(each for each in known.servers if each.name not in gone))


def _has_no_such_resource(action: Action, name: str) -> bool:
    try:
        return ask(action, name, ["state", action.tag], seconds=SECONDS).get("known") is False
    except (RemoteSilent, RemoteRefused):
        return False


def description(action: Action, extends: str = "") -> dict[str, Any]:
    """
    Return the definition as the framework has it now, and as it is stored.

    Args:
        extends: The server that extends the resource; it gets the definition by `current`.
    """
    stored = action.registry.load(action.tag)
    latest = current(action, keep=extends) if extends else action.registry.latest(action.tag)
    known = {"resource": latest.as_dict(), "stored": stored.as_dict()}
    if action.lifekeeper is None:
        return known
    version = action.lifekeeper.version(action.settings.path, action.deadline.within(_COMMAND_SECONDS))
    return {**known, "lifekeeper": version}


def kept(action: Action) -> dict[str, Any]:
    """Return what `addresses` and `holdings` tell, as other servers ask for it."""
    return {
        "addresses": addresses(action),
        "holdings": {tag: as_json(each) for tag, each in holdings(action).items()},
    }


def addresses(action: Action) -> dict[str, str]:
    """Return tag → subject of each resource that this server has, or that a create is about to make here."""
    return {**action.claims.addresses(), **{each.tag: subject(each) for each in action.registry.resources()}}


def holdings(action: Action) -> dict[str, Holdings]:
    """Return tag → what each resource of `addresses` has of AWS for itself."""
    return {**action.claims.holdings(), **{each.tag: holdings_of(each) for each in action.registry.resources()}}


def holdings_of(resource: Resource) -> Holdings:
    """Return what a definition has of AWS for itself."""
    return scenario_of(resource).holdings(resource)


def subject(resource: Resource) -> str:
    """Return in one word what a resource protects, "10.1.0.10"."""
    return scenario_of(resource).subject(resource)


# -- changing it, under a claim --------------------------------------------------------------------------------


def claim(action: Action, by: Claimant, dead: str = "") -> dict[str, Any]:
    """
    Let one command of any server change the definition here, and no other.

    Args:
        dead: The token of a command whose server has said that it does not run any more.

    Returns:
        The answer of `state`; "revision" and "address" of the definition, its subject, 0 and "" if there is none;
        "taken", True if a resource of any kind has the tag. If another command has the claim, only "holder": its
        server and token.
    """
    try:
        action.claims.take(action.tag, by, action.deadline, dead=dead)
    except BadRequest:
        holder = action.claims.holder(action.tag)
        if holder is None:
            raise
        return {"holder": list(holder)}
    address = next((subject(each) for each in action.all_resources() if each.tag == action.tag), "")
    taken = action.registry.has(action.tag)
    return {"revision": _revision(action), "address": address, "taken": taken, **state(action)}


def announce(action: Action, by: Claimant, resource: Resource, *, seconds: float) -> None:
    """
    Let other commands see, by the claim on its tag, what a resource is about to have here.

    Args:
        seconds: The time that the claim counts.
    """
    mine, claims = holdings_of(resource), action.claims
    claims.take(action.tag, by, action.deadline, seconds=seconds, address=subject(resource), holdings=mine)


def renew(action: Action, token: str, renewed: str) -> dict[str, Any]:
    """
    Return the present "revision", after which no request that is late can change the definition.

    Args:
        renewed: The token that counts from now on.

    Raises:
        BadRequest: Another command may have changed the definition.
    """
    with action.claims.used(action.tag, token, action.deadline, renewed=renewed):
        return {"revision": _revision(action)}


def unclaim(action: Action, *tokens: str) -> None:
    """Let other commands change the definition here again."""
    action.claims.release(action.tag, tokens, action.deadline)


def _revision(action: Action) -> int:
    try:
        return action.registry.load(action.tag).revision
    except (TagUnknown, RegistryEmpty, HalfMade):
        return 0


def store(action: Action, definition: Resource, token: str, replaces: int, changed: Collection[str]) -> None:
    """
    Store a definition under a claim.

    Raises:
        BadRequest: The claim is gone, another definition is here than the one it replaces, or a resource that is new
            here would have something of another one.
    """
    with action.claims.used(action.tag, token, action.deadline):
        mine = holdings_of(definition)
        for tag, its in holdings(action).items() if not replaces else ():
            if tag != definition.tag and (shared := meeting(mine, its)):
                raise BadRequest(catalogue.NOT_FREE, what=f"{shared[0]} on {action.registry.server}", by=tag)
        action.registry.store(definition, changed, replaces=replaces)
        tell(action, definition.tag, definition)


def rename(action: Action, definition: Resource, token: str) -> None:
    """
    Rename this server's resource to the definition's tag, under the claim on its present tag.

    A rename that was cut off may have given it that tag already.

    Raises:
        BadRequest: The claim is gone, or the tag is another resource's.
    """
    old, registry = action.tag, action.registry
    with action.claims.used(old, token, action.deadline):
        if registry.has(old):
            _forget(action, partial(registry.rename, old, definition))
            tell(action, old, None)
            tell(action, definition.tag, definition)
            return
        present = registry.load(definition.tag)
        if not present.protects_the_same_as(definition):
            what = f"tag {definition.tag} on {registry.server}"
            raise BadRequest(catalogue.NOT_FREE, what=what, by="another resource")
        registry.store(definition, replaces=present.revision)


def drop(action: Action, token: str) -> None:
    """Forget the resource under a claim; raises BadRequest if the claim is gone."""
    with action.claims.used(action.tag, token, action.deadline):
        forget(action)


def leave(action: Action, token: str) -> dict[str, Any]:
    """
    Forget the resource under a claim, unless it is in service here; no other action can come in between.

    Returns:
        "parents": the framework's resources that depended on it.
    """
    parents = action.lifekeeper.parents(action.tag) if action.lifekeeper is not None else []

    def unless_in_service() -> None:
        if in_service(action):
            raise BadRequest(catalogue.STILL_IN_SERVICE, tag=action.tag, server=action.registry.server)
        action.registry.remove(action.tag)

    with action.claims.used(action.tag, token, action.deadline):
        _forget(action, unless_in_service)
    tell(action, action.tag, None)
    return {"parents": parents}


# -- giving it up ----------------------------------------------------------------------------------------------


def forget(action: Action) -> None:
    """Remove everything that this server has of the resource."""
    _forget(action, partial(action.registry.remove, action.tag))
    tell(action, action.tag, None)


def tell(action: Action, tag: str, now: Resource | None) -> None:
    """Record in this server's history that a definition was stored, or forgotten."""

    def told() -> Mapping[str, Any]:
        from ec2kit.engine import history

        return history.definition(action, tag, now)

    action.record(told)


def clean(action: Action) -> None:
    """Remove this server's files of a resource that the framework itself is removing from its registry."""
    if action.intentions.is_being_changed:
        return  # ec2kit's `forget` began the removal, and removes the files itself
    _forget(action, partial(action.registry.forget_state, action.tag))
    tell(action, action.tag, None)


def _forget(action: Action, also: Callable[[], None]) -> None:
    action.intentions.forget(also, action.deadline)
    if action.settings.metrics_dir:
        from ec2kit.state import metrics

        metrics.forget(action.settings.metrics_dir, action.tag)
