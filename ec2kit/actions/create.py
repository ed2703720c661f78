"""The action create makes a resource and brings it in service, or leaves everything as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ec2kit.actions import canextend, restore
from ec2kit.actions.prepare import prepare
from ec2kit.actions.undo import Journal, make_way, undo_create, undo_killed_create
from ec2kit.actions.wish import Wish, understood, wish_of
from ec2kit.checks import frame
from ec2kit.checks.preflight import Preflight
from ec2kit.deadline import Deadline
from ec2kit.engine.action import UNDO_SECONDS, Action
from ec2kit.errors import ArgumentInvalid, BadRequest, Ec2KitError, Stopped
from ec2kit.host import instance
from ec2kit.messages import catalogue
from ec2kit.peers import here
from ec2kit.peers.answer import Questions
from ec2kit.peers.ask import ask
from ec2kit.peers.errand import Errand
from ec2kit.registry.definition import from_dict
from ec2kit.resource import Resource, checked_tag
from ec2kit.scenarios import table
from ec2kit.state.claim import Claimant
from ec2kit.state.lock import Lock

_ON_THE_WAY = 3.0
"""Seconds of the time to undo that the question to the other server and its answer may take."""


def _nobody(left: str) -> None:
    """Ignore what is left; the default of `tell`."""


def create(action: Action, wish: Wish, tell: Callable[[str], None] = _nobody) -> Resource:
    """
    Make a resource and bring it in service on this server; if that fails or is stopped, undo everything.

    Args:
        tell: Called once the resource has been stored, with the part that is left to undo: all of it, the part that
            could not be undone, or "".

    Raises:
        BadRequest: The resource cannot be made; nothing was changed.
        Ec2KitError: The resource could not be brought in service; all changes were undone.
    """
    wish, own = understood(action, wish), action.registry.server
    lock = Lock(os.path.join(action.settings.state_dir, "create.lock"))
    journal, resource = Journal(action), None
    try:
        with lock.held(action.deadline, "another create"), _claimed(action) as claimant:
            preflight = _checked(action, journal, wish, claimant)
            resource = preflight.resource
            _make(action.about(resource), journal, preflight, tell)
    except (Stopped, Ec2KitError) as error:
        if resource is None or not journal.has_ended:
            raise
        action.log.error(error)  # of a signal that came too late, or of the claim: the resource is there
        tell(f"create had ended before it could be stopped; run `ec2kit delete {action.tag}` there")
    summary = f"{wish.scenario}, {resource.address} on {resource.server(own).network_interface_id}"
    action.log.put(catalogue.CREATED, tag=action.tag, server=own, summary=summary)
    return resource


def _checked(action: Action, journal: Journal, wish: Wish, claimant: Claimant) -> Preflight:
    """Return what is to be made, after all checks; what a killed create has left does not outlast a failure."""
    journal.clean_up_after_a_killed_create()
    try:
        preflight = preflight_of(action, wish)
        here.announce(action, claimant, preflight.resource, seconds=_longest(action))
        frame.run(preflight)
        if preflight.seen.unknown is not None:
            raise preflight.seen.unknown
    except BaseException as error:
        undo_killed_create(action, journal, error)
        raise
    make_way(action, journal, preflight.resource)
    return preflight


def _make(made: Action, journal: Journal, preflight: Preflight, tell: Callable[[str], None]) -> None:
    """Store the resource and bring it in service, or undo everything."""
    try:
        changes = preflight.making.preparations(preflight.given, preflight.seen)
        absent = [each.target for each in changes]
        journal.begin(preflight.resource, made.scenario, preflight.seen, absent)
        made.registry.store(preflight.resource)
        here.tell(made, made.tag, preflight.resource)
        prepare(made, journal, changes)
        restore.bring_in_service(made)
        journal.end()
        tell(f"create had ended before it could be stopped; run `ec2kit delete {made.tag}` there")
    except BaseException as error:
        if not (isinstance(error, Stopped) and journal.has_ended):
            tell(undo_create(made, journal, error))
        raise


def _claimed(action: Action) -> AbstractContextManager[Claimant]:
    """
    Claim the tag on this server, so that no extend stores a definition of it meanwhile.

    The claim gets the address before the checks ask for the addresses of all resources: of two creates of one address
    one sees the other.
    """
    own = action.registry.server
    return action.claims.held_here(action.tag, own, action.deadline, seconds=_longest(action))


def _longest(action: Action) -> float:
    return action.deadline.remaining() + UNDO_SECONDS


def create_on(action: Action, server: str | None, wish: Wish) -> Resource:
    """
    Make a resource on a server of the cluster; raises the errors of `create` and `ask`.

    Args:
        server: None: this server.
    """
    if server in (None, action.registry.server):
        return create(action, wish)
    token = os.urandom(8).hex()
    words = ["create", action.tag, json.dumps(wish.as_dict()), token]
    try:
        answer = ask(action, str(server), words, seconds=action.deadline.remaining() + UNDO_SECONDS)
    except Stopped as error:
        _call_back(action, str(server), token, error)
        raise
    return from_dict(answer["resource"])


def _call_back(action: Action, server: str, token: str, cause: Stopped) -> None:
    """Let the create on the other server undo its work and wait for it; the signal has reached only this process."""
    action.log.error(cause)
    seconds = UNDO_SECONDS - _ON_THE_WAY
    calling = action._replace(deadline=Deadline(UNDO_SECONDS, action.deadline.clock))
    try:
        answer = ask(calling, server, ["uncreate", action.tag, token, f"{seconds:g}"], seconds=UNDO_SECONDS)
        if not answer["left"]:
            action.log.put(catalogue.UNDONE, deed="create", tag=action.tag, what=f"nothing of it is left on {server}")
            return
        reason = str(answer["left"])
    except (Ec2KitError, KeyError) as error:
        reason = str(error)
    action.log.put(catalogue.UNDO_FAILED, what=f"create of {action.tag} on {server}", reason=reason)


def preflight_of(action: Action, wish: Wish) -> Preflight:
    """Look up the rest of the definition: region, VPC, ENI, private address, and the part of the scenario."""
    if action.registry.has(action.tag):
        raise BadRequest(catalogue.NOT_FREE, what=f"tag {action.tag}", by="a resource of this server")
    identity = instance.identity(action.settings, action.deadline)
    region = wish.region or identity.region
    if region != identity.region:
        raise ArgumentInvalid(name="region", reason=f"this instance is in {identity.region}, not in {region!a}")
    device = wish.device or instance.device_of(str(wish.network_interface_id), action.settings, action.deadline)
    interface = instance.interface(device, action.settings, action.deadline)
    found = table.scenario(wish.scenario).making().find(wish.given, action.ec2(region=region))
    server = canextend.this_server(action, identity, interface, wish.priority)
    made = Resource(
        tag=action.tag,
        scenario=wish.scenario,
        region=region,
        vpc_id=interface.vpc_id,
        address=found.address,
        switchback=wish.switchback,
        servers=(server,),
        own=found.own,
        ip_resource=found.ip_resource,
    )
    return Preflight(action, made, server, identity, interface, given=wish.given)


# -- questions to another server -----------------------------------------------------------------------------------


def _create_for_another(action: Action, wish: str, token: str = "") -> dict[str, Any]:
    """Create for the server that asks; a server of an older version has no token, and cannot call create back."""
    wanted = wish_of(**json.loads(wish))
    if not token:
        return {"resource": create(action, wanted).as_dict()}
    with _errand(action, token).under_way() as tell:
        made = create(action, wanted, tell)
    return {"resource": made.as_dict()}


def _uncreate(action: Action, token: str, seconds: str) -> dict[str, Any]:
    """Let the create of that token undo its work, and return what is left of it."""
    left = _errand(action, token).call_back(action.deadline.within(float(seconds)))
    return {"left": f"create was killed; run create of {action.tag} there again" if left is None else left}


def _errand(action: Action, token: str) -> Errand:
    return Errand(action.settings.run_dir, checked_tag(token))


PEER_QUESTIONS: Questions = {
    "create": lambda action, words: _create_for_another(action, *words[1:3]),
    "uncreate": lambda action, words: _uncreate(action, words[1], words[2]),
}
"""The questions of create: create TAG WISH [TOKEN]; uncreate TAG TOKEN SECONDS."""
