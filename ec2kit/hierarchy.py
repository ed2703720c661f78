"""The deeds on the hierarchy: create, can_extend, extend, unextend and delete, on all servers of a resource."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

from ec2kit import __version__, checks, memory, messages, node, remote, resource, service
from ec2kit.action import Action
from ec2kit.deadline import side_by_side
from ec2kit.errors import (
    AddressMissing,
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
    Stopped,
)
from ec2kit.intention import Direction
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, SCENARIOS, SWITCHBACKS, Resource, Server, from_dict
from ec2kit.state import Damaged, Lock, StateFile

_UNDO_SECONDS = 25.0
_PEER_SECONDS = 30.0
_SETTLE_SECONDS = 0.3
"""Pause after which a write that was under way when create was stopped should be visible."""


@dataclass(frozen=True)
class Wish:
    """
    What create is asked for, as it was typed; None where nothing was.

    Attributes:
        scenario: "route-table" or "elastic-ip".
        elastic_ip: The address, or "eipalloc-…".
        device, network_interface_id: One of them.
    """

    scenario: str
    switchback: str = "intelligent"
    region: str | None = None
    virtual_ip: str | None = None
    elastic_ip: str | None = None
    ip_resource: str | None = None
    device: str | None = None
    network_interface_id: str | None = None
    priority: int = 1


def default_tag(wish: Wish) -> str:
    """What a resource is called that is given no tag: after the thing that it protects."""
    return f"ec2-{wish.ip_resource or wish.virtual_ip or wish.elastic_ip or ''}"


# -- create --------------------------------------------------------------------------------------------------


def create(action: Action, wish: Wish) -> Resource:
    """
    Make a resource and bring it in service on this server; if that fails or is stopped, all is as before.

    Raises:
        ChecksFailed, NotFree, ArgumentInvalid: It cannot be made; nothing was changed.
        Ec2KitError: It could not be brought in service; what was changed is put back.
    """
    wish = _understood(wish)
    with Lock(os.path.join(action.settings.state_dir, "create.lock")).held(action.deadline, "another create"):
        journal = Journal(action)
        journal.clean_up_after_a_killed_create()
        preflight = _prepare(action, wish)
        checks.run(preflight)
        made = action.about(preflight.resource)
        journal.begin(made.scenario.origin(preflight.seen))
        try:
            action.registry.store(preflight.resource)
            service.restore(made)
        except BaseException as error:
            _undo_create(made, journal, error)
            raise
        journal.end()
    summary = f"{wish.scenario}, {preflight.resource.address} on {preflight.server.network_interface_id}"
    action.log.put(messages.CREATED, tag=action.tag, server=action.registry.server, summary=summary)
    return preflight.resource


def _understood(wish: Wish) -> Wish:
    """The wish with its words checked and in their usual form."""
    scenario = resource.checked_choice("type", wish.scenario, SCENARIOS)
    if wish.ip_resource:
        raise ArgumentInvalid(name="ip-resource", reason="only LifeKeeper has IP resources; give --vip")
    if scenario == ROUTE_TABLE and (not wish.virtual_ip or wish.elastic_ip):
        raise ArgumentInvalid(name="vip", reason="a route-table resource needs --vip, and no --elastic-ip")
    if scenario == ELASTIC_IP and (not wish.elastic_ip or wish.virtual_ip):
        raise ArgumentInvalid(name="elastic-ip", reason="an elastic-ip resource needs --elastic-ip, and no --vip")
    if bool(wish.device) == bool(wish.network_interface_id):
        raise ArgumentInvalid(name="interface", reason="give either --interface or --network-interface-id")
    address = wish.elastic_ip or ""
    return replace(
        wish,
        scenario=scenario,
        switchback=resource.checked_choice("switchback", wish.switchback, SWITCHBACKS),
        virtual_ip=resource.checked_ipv4("vip", wish.virtual_ip) if wish.virtual_ip else None,
        elastic_ip=address
        if not address or address.startswith("eipalloc-")
        else resource.checked_ipv4("elastic-ip", address),
        priority=resource.checked_priority(wish.priority),
    )


def _prepare(action: Action, wish: Wish) -> checks.Preflight:
    """Look up what the wish did not say: region, VPC, ENI, private address, allocation."""
    if any(each.tag == action.tag for each in action.registry.resources()):
        raise NotFree(what=f"tag {action.tag}", by="a resource of this server")
    identity = node.identity(action.settings, action.deadline)
    region = wish.region or identity.region
    if region != identity.region:
        raise ArgumentInvalid(name="region", reason=f"this instance is in {identity.region}, not in {region!a}")
    device = wish.device or node.device_of(str(wish.network_interface_id), action.settings, action.deadline)
    interface = node.interface(device, action.settings, action.deadline)
    address, allocation_id = str(wish.virtual_ip), ""
    if wish.scenario == ELASTIC_IP:
        address, allocation_id = _find_elastic_ip(action, region, str(wish.elastic_ip))
    server = _this_server(action, identity, interface, wish.priority)
    made = Resource(
        tag=action.tag,
        scenario=wish.scenario,
        region=region,
        vpc_id=interface.vpc_id,
        address=address,
        allocation_id=allocation_id,
        switchback=wish.switchback,
        servers=(server,),
    )
    return checks.Preflight(action, made, server, identity, interface)


def _find_elastic_ip(action: Action, region: str, wanted: str) -> tuple[str, str]:
    for each in action.ec2(region=region).addresses():
        if wanted in (each.public_ip, each.allocation_id):
            return each.public_ip, each.allocation_id
    raise AddressMissing(public_ip=ascii(wanted), allocation_id="allocation unknown")


def _this_server(action: Action, identity: node.Identity, interface: node.Interface, priority: int) -> Server:
    return Server(
        name=action.registry.server,
        priority=priority,
        device=interface.device,
        network_interface_id=interface.network_interface_id,
        private_ip_address=interface.private_ip_addresses[0],
        instance_id=identity.instance_id,
        availability_zone=identity.availability_zone,
    )


class Journal:
    """What a create under way has to undo; its file outlives a create that is killed."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self._file = StateFile(os.path.join(action.settings.state_dir, "creating", f"{action.tag}.json"))
        self.before: dict[str, str] = {}

    def clean_up_after_a_killed_create(self) -> None:
        """Forget the half-made resource; where the address was before the first create is kept."""
        try:
            left = self._file.read()
        except Damaged:
            left = {}
        if left is None:
            return
        self.before = {str(key): str(value) for key, value in left.get("before", {}).items()}
        _forget(self._action)
        self._action.log.put(messages.CREATE_RESUMED, tag=self._action.tag)

    def begin(self, before: dict[str, str]) -> None:
        """Write down where the address is, before anything is changed."""
        self.before = {**before, **self.before}
        self._file.write({"before": self.before})

    def end(self) -> None:
        """Nothing is left to undo."""
        self._file.remove()


def _undo_create(action: Action, journal: Journal, cause: BaseException) -> None:
    """Registry clean, and what still points here because of us put back; what cannot be is said."""
    undoing = action.about(action.resource, seconds=_UNDO_SECONDS)
    log = action.log
    if isinstance(cause, Stopped):
        log.error(cause)
    try:
        undoing.intentions.declare(Direction.DOWN, undoing.deadline)
        back = _put_back(undoing, journal.before)
        _forget(undoing)
        journal.end()
        what = "registry clean" + (f", {back} put back" if back else "")
        log.put(messages.UNDONE, deed="create", tag=action.tag, what=what)
    except Exception as error:
        log.put(messages.UNDO_FAILED, what=f"create of {action.tag}", reason=str(error))
        try:
            _forget(undoing)
            journal.end()
        except Ec2KitError as trouble:
            log.error(trouble)


def _put_back(action: Action, before: dict[str, str]) -> int:
    """Undo until two looks in a row find nothing to undo; the first may not see a write that was under way."""
    ec2, scenario, count, quiet = action.ec2(), action.scenario, 0, 0
    while quiet < 2:
        observed = scenario.observe(ec2, action.resource, action.server, action.settings)
        plan = scenario.undo(observed, before)
        jobs = [partial(scenario.apply, each, ec2, action.settings, action.deadline) for each in plan.changes]
        for change, outcome in zip(plan.changes, side_by_side(jobs, action.deadline, at_most=8), strict=True):
            if isinstance(outcome, Exception):
                raise outcome
            fields = {"target": change.target, "old": change.old, "new": change.new, **change.arguments}
            receipt = {"milliseconds": f"{outcome.milliseconds:g}", "request_id": outcome.request_id}
            cidr = change.arguments.get("destination_cidr_block")
            action.log.put(scenario.message(change), **fields, **receipt, cidr=cidr, attempts=outcome.attempts)
            count += 1
        for target, reason in plan.impossible.items():
            action.log.put(messages.UNDO_FAILED, what=target, reason=reason)
        quiet = 0 if plan.changes else quiet + 1
        action.deadline.pause(_SETTLE_SECONDS, "looking again")
    return count


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
    template, version = _template(action, template_system)
    if template.find_server(action.registry.server) is not None:
        raise NotFree(what=f"{action.registry.server} as a server of {action.tag}", by="itself, it is one already")
    identity = node.identity(action.settings, action.deadline)
    interface = node.interface(device or template.server(template_system).device, action.settings, action.deadline)
    chosen = resource.checked_priority(priority) if priority is not None else _free_priority(template)
    server = _this_server(action, identity, interface, chosen)
    wanted = template.with_server(server)
    checks.run(checks.Preflight(action, wanted, server, identity, interface, template, version))
    return wanted


def _free_priority(template: Resource) -> int:
    taken = {each.priority for each in template.servers}
    return next(each for each in chain([10], range(1, 1000)) if each not in taken)


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


def unextend(action: Action, name: str) -> None:
    """
    Take a server out of the resource.

    Raises:
        StillInService: It runs the resource.
        LastServer: There is no other.
        ServersSilent: A server cannot be asked; nothing was changed.
    """
    before = action.resource
    before.server(name)
    if len(before.servers) == 1:
        raise LastServer(server=name, tag=action.tag)
    states = _all_states(action, before)
    if states[name]:
        raise StillInService(tag=action.tag, server=name)
    _spread(action, before, before.without_server(name))
    _drop(action, name)
    action.log.put(messages.UNEXTENDED, tag=action.tag, server=name)


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
    own = action.registry.server
    states = {own: in_service_here(action)}
    silent: list[str] = []
    for name in known.names:
        if name != own:
            try:
                states[name] = _ask(action, name, "state", action.tag)["in_service"] is not False
            except (RemoteSilent, RemoteRefused, KeyError) as error:
                silent.append(f"{name} ({error})")
    if silent:
        raise ServersSilent(servers=", ".join(silent))
    return states


def _spread(action: Action, before: Resource, after: Resource) -> None:
    """Give its servers the new definition, this one last; if one cannot take it, the others get the old one back."""
    own = action.registry.server
    told: list[str] = []
    try:
        for name in sorted(after.names, key=lambda each: each == own):
            _store(action, name, after)
            told.append(name)
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
        action.log.put(messages.UNDO_FAILED, what=f"definition of {action.tag} on {name}", reason=str(error))


def _store(action: Action, name: str, definition: Resource) -> None:
    if name == action.registry.server:
        action.registry.store(definition)
    else:
        _ask(action, name, "store", json.dumps(definition.as_dict(), separators=(",", ":")))


def _drop(action: Action, name: str) -> None:
    if name == action.registry.server:
        _forget(action)
    else:
        _ask(action, name, "drop", action.tag)


def _forget(action: Action) -> None:
    """Remove everything that this server has of the resource."""
    action.registry.remove(action.tag)
    action.intentions.forget()
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
    Answer another server, or this one: state TAG, describe TAG, store DEFINITION, drop TAG.

    Raises:
        Ec2KitError: It cannot be answered or done.
    """
    question = words[0]
    answer: dict[str, Any] = {"protocol": remote.PROTOCOL, "version": __version__, "server": action.registry.server}
    if question == "state":
        action.registry.load(action.tag)
        state = action.registry.state(action.tag)
        return {**answer, "in_service": in_service_here(action), "state": state}
    if question == "describe":
        return {**answer, "resource": action.registry.load(action.tag).as_dict()}
    if question == "store":
        action.registry.store(_definition(words[1]))
        return answer
    if question == "drop":
        _forget(action)
        return answer
    raise ArgumentInvalid(name="peer", reason=f"{question[:60]!a} is no question")


def _definition(text: str) -> Resource:
    try:
        return from_dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise StateUnusable(path="the definition sent", reason=str(error)) from error
