"""The deed create: make a resource and bring it in service, or leave everything as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

from ec2kit import checks, hierarchy, ip_resource, messages, node, peers, resource, service
from ec2kit.action import Action
from ec2kit.aws import pause_after
from ec2kit.convergence import log_change
from ec2kit.deadline import Deadline, side_by_side
from ec2kit.errors import AddressMissing, ArgumentInvalid, AwsRefused, AwsUnknown, Ec2KitError, NotFree, Stopped
from ec2kit.intention import Direction
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, SCENARIOS, SWITCHBACKS, Resource
from ec2kit.state import Damaged, Lock, StateFile

UNDO_SECONDS = 25.0
"""How long undoing may take, beyond the deadline of create."""

_ON_THE_WAY = 3.0
"""Of that, what asking another server to undo may take on the way there and back."""

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

    @property
    def tag(self) -> str:
        """What a resource is called that is given no tag: after the thing that it protects."""
        return f"ec2-{self.ip_resource or self.virtual_ip or self.elastic_ip or ''}"


# -- create --------------------------------------------------------------------------------------------------


def _nobody(left: str) -> None:
    """Who is not told."""


def create(action: Action, wish: Wish, tell: Callable[[str], None] = _nobody) -> Resource:
    """
    Make a resource and bring it in service on this server; if that fails or is stopped, all is as before.

    Args:
        tell: Told what is left to undo once something was made: all, or what could not be undone, or "".

    Raises:
        ChecksFailed, NotFree, ArgumentInvalid: It cannot be made; nothing was changed.
        Ec2KitError: It could not be brought in service; what was changed is put back.
    """
    wish = _understood(action, wish)
    with Lock(os.path.join(action.settings.state_dir, "create.lock")).held(action.deadline, "another create"):
        journal = Journal(action)
        journal.clean_up_after_a_killed_create()
        preflight = _prepare(action, wish)
        checks.run(preflight)
        if preflight.seen.unknown is not None:
            raise preflight.seen.unknown
        made = action.about(preflight.resource)
        try:
            journal.begin(made.scenario.origin(preflight.seen))
            action.registry.store(preflight.resource)
            service.bring_in_service(made)
            journal.end()
            tell(f"it had ended before it could be stopped; `ec2kit delete {action.tag}` there")
        except BaseException as error:
            tell(_undo_create(made, journal, error))
            raise
    summary = f"{wish.scenario}, {preflight.resource.address} on {preflight.server.network_interface_id}"
    action.log.put(messages.CREATED, tag=action.tag, server=action.registry.server, summary=summary)
    return preflight.resource


def create_on(action: Action, server: str | None, wish: Wish) -> Resource:
    """
    Make a resource on a server of the cluster, this one or another; raises what `create` and `remote.ask` raise.

    Args:
        server: None: this one.
    """
    if server in (None, action.registry.server):
        return create(action, wish)
    token = os.urandom(8).hex()
    words = ["create", action.tag, json.dumps(asdict(wish)), token]
    try:
        answer = action.ask(str(server), words, seconds=action.deadline.remaining() + UNDO_SECONDS)
    except Stopped as error:
        _call_back(action, str(server), token, error)
        raise
    return resource.from_dict(answer["resource"])


def _call_back(action: Action, server: str, token: str, cause: Stopped) -> None:
    """What ends this process does not end the create on the other server: that is told to undo, and waited for."""
    action.log.error(cause)
    seconds = UNDO_SECONDS - _ON_THE_WAY
    calling = action._replace(deadline=Deadline(UNDO_SECONDS, action.deadline.clock))
    try:
        answer = calling.ask(server, ["uncreate", action.tag, token, f"{seconds:g}"], seconds=UNDO_SECONDS)
        if not answer["left"]:
            action.log.put(messages.UNDONE, deed="create", tag=action.tag, what=f"nothing of it is left on {server}")
            return
        reason = str(answer["left"])
    except (Ec2KitError, KeyError) as error:
        reason = str(error)
    action.log.put(messages.UNDO_FAILED, what=f"create of {action.tag} on {server}", reason=reason)


def _understood(action: Action, wish: Wish) -> Wish:
    """The wish with its words checked and in their usual form."""
    scenario = resource.checked_choice("type", wish.scenario, SCENARIOS)
    if scenario == ROUTE_TABLE:
        wish = replace(wish, virtual_ip=_virtual_ip(action, wish))
    elif not wish.elastic_ip or wish.virtual_ip or wish.ip_resource:
        reason = "an elastic-ip resource needs --elastic-ip, and neither --vip nor --ip-resource"
        raise ArgumentInvalid(name="elastic-ip", reason=reason)
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


def _virtual_ip(action: Action, wish: Wish) -> str:
    """The address that a route-table resource protects; under LifeKeeper it is an IP resource's."""
    if wish.elastic_ip:
        raise ArgumentInvalid(name="elastic-ip", reason="a route-table resource has none")
    if action.lifekeeper is None:
        if wish.ip_resource:
            raise ArgumentInvalid(name="ip-resource", reason="only LifeKeeper has IP resources; give --vip")
        if not wish.virtual_ip:
            raise ArgumentInvalid(name="vip", reason="a route-table resource needs --vip")
        return wish.virtual_ip
    if not wish.ip_resource:
        reason = "a route-table resource under LifeKeeper needs --ip-resource, the IP resource of the virtual IP"
        raise ArgumentInvalid(name="ip-resource", reason=reason)
    address = ip_resource.find(action.lifekeeper, wish.ip_resource).address
    if wish.virtual_ip not in (None, address):
        raise ArgumentInvalid(name="vip", reason=f"{wish.virtual_ip[:60]!a} is not the address of {wish.ip_resource}")
    return address


def _prepare(action: Action, wish: Wish) -> checks.Preflight:
    """Look up what the wish did not say: region, VPC, ENI, private address, allocation."""
    if action.registry.has(action.tag):
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
    server = hierarchy.this_server(action, identity, interface, wish.priority)
    made = Resource(
        tag=action.tag,
        scenario=wish.scenario,
        region=region,
        vpc_id=interface.vpc_id,
        address=address,
        allocation_id=allocation_id,
        switchback=wish.switchback,
        servers=(server,),
        ip_resource=wish.ip_resource or "",
    )
    return checks.Preflight(action, made, server, identity, interface)


def _find_elastic_ip(action: Action, region: str, wanted: str) -> tuple[str, str]:
    for each in action.ec2(region=region).addresses():
        if wanted in (each.public_ip, each.allocation_id):
            return each.public_ip, each.allocation_id
    raise AddressMissing(public_ip=ascii(wanted), allocation_id="allocation unknown")


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
        if not self._is_half_made():
            self.end()  # it was killed after its work was done
            return
        self.before = {str(key): str(value) for key, value in left.get("before", {}).items()}
        peers.forget(self._action)
        self._action.log.put(messages.CREATE_RESUMED, tag=self._action.tag)

    def _is_half_made(self) -> bool:
        """Whether the registry has no more than a create alone can have left: nobody has built on it since."""
        registry, tag = self._action.registry, self._action.tag
        definition = next((each for each in registry.resources() if each.tag == tag), None)
        alone = definition is None or (definition.revision == 1 and definition.names == (registry.server,))
        return alone and not registry.in_service(tag)

    def begin(self, before: dict[str, str]) -> None:
        """Write down where the address is, before anything is changed."""
        self.before = {**before, **self.before}
        self._file.write({"before": self.before})

    def end(self) -> None:
        """Nothing is left to undo."""
        self._file.remove()


def _undo_create(action: Action, journal: Journal, cause: BaseException) -> str:
    """Registry clean, and what still points here because of us put back; what cannot be is logged, and given."""
    undoing = action.about(action.resource, seconds=UNDO_SECONDS)
    log = action.log
    if isinstance(cause, Stopped):
        log.error(cause)
    try:
        undoing.intentions.declare(Direction.DOWN, undoing.deadline)
        back, impossible = _put_back(undoing, journal.before)
        peers.forget(undoing)
        journal.end()
        for target, reason in impossible.items():
            log.put(messages.UNDO_FAILED, what=target, reason=reason)
        what = "registry clean" + (f", {back} put back" if back else "")
        log.put(messages.UNDONE, deed="create", tag=action.tag, what=what)
        return "; ".join(f"{target}: {reason}" for target, reason in impossible.items())
    except Exception as error:
        was = ", ".join(f"{target} at {origin or 'nothing'}" for target, origin in journal.before.items())
        log.put(messages.UNDO_FAILED, what=f"create of {action.tag}; before it: {was or 'unknown'}", reason=error)
        try:
            peers.forget(undoing)
            journal.end()
        except Ec2KitError as trouble:
            log.error(trouble)
        return f"before it: {was or 'unknown'}: {error}"


def _may_have_been_made(outcome: object) -> bool:
    """Whether only another look can tell, and another attempt may follow."""
    if isinstance(outcome, AwsUnknown):
        return outcome.uncertain and outcome.may_be_repeated
    return isinstance(outcome, AwsRefused) and outcome.uncertain


def _put_back(action: Action, before: dict[str, str]) -> tuple[int, Mapping[str, str]]:
    """
    Undo until two looks in a row find nothing to undo; the first may not see a write that was under way.

    Returns:
        How many objects were put back; target → why one cannot be.
    """
    ec2, scenario, quiet, rounds = action.ec2(), action.scenario, 0, 0
    back: set[str] = set()
    while quiet < 2:
        observed = scenario.observe(ec2, action.resource, action.server, action.settings)
        plan = scenario.undo(observed, before)
        jobs = [partial(scenario.apply, each, ec2, action.settings, action.deadline) for each in plan.changes]
        for change, outcome in zip(plan.changes, side_by_side(jobs, action.deadline, at_most=8), strict=True):
            if _may_have_been_made(outcome):
                fields = {"target": change.target, "operation": change.operation, "reason": outcome}
                action.log.put(messages.CHANGE_UNCONFIRMED, **fields)
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                log_change(action, change, outcome)
            back.add(change.target)
        quiet, rounds = (0, rounds + 1) if plan.changes else (quiet + 1, rounds)
        action.deadline.pause(max(_SETTLE_SECONDS, pause_after(rounds)), "looking again")
    return len(back), plan.impossible
