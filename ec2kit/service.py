"""The deeds in service: restore, recover and remove, for any resource from any front end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ec2kit import messages
from ec2kit.action import Action, anything_goes
from ec2kit.convergence import Convergence
from ec2kit.deadline import Abandoned, Begun
from ec2kit.errors import (
    ArgumentInvalid,
    AwsRefused,
    DeadlinePassed,
    Ec2KitError,
    ImdsSilent,
    NotBroughtHere,
    NotInServiceHere,
    OtherInstance,
    Overtaken,
    PerformFailed,
    PermitTooOld,
    RemoteRefused,
    RemoteSilent,
    StateUnusable,
    Stopped,
    TakenOver,
    Unknown,
)
from ec2kit.intention import Direction, Intention
from ec2kit.resource import ROUTE_TABLE, Server
from ec2kit.scenario import Observed
from ec2kit.status import Change, Wanted

if TYPE_CHECKING:
    from ec2kit.answers import NetworkInterface
    from ec2kit.aws import Ec2
    from ec2kit.deadline import Deadline
    from ec2kit.lifekeeper import LifeKeeper

_REMOVE_RETRIES = 2
"""Retries of a request by remove, which must not keep a failover waiting."""

_PEER_SECONDS = 5.0

_PERMIT_SECONDS = 15.0
"""How old the look may be that permits a recovery's write; a look, an answer and a write of a slow EC2 fit in."""


# -- restore -----------------------------------------------------------------------------------------------


def _nothing() -> None:
    """What most restores need done on the server itself."""


def restore(
    action: Action, *, first: Callable[[], None] = _nothing, again: Intention | None = None
) -> dict[str, tuple[Change, ...]]:
    """
    Bring the resource in service on this server; nothing is written where all is right.

    Args:
        first: What has to be done on this server before anything moves; a remove cannot come in between.
        again: The intention of an earlier restore that is repeated; whatever was wanted since then overtakes it.

    Returns:
        What was changed, by target.

    Raises:
        Ec2KitError: It is not in service here, or that cannot be said.
    """
    resource, server = action.resource, action.server
    came_before = _came_before(action)
    mine = again or action.intentions.declare(Direction.UP, action.deadline)
    guard = partial(action.intentions.check, mine)
    ec2 = action.ec2(guard=guard)
    eni = _OwnInterface(ec2, server)
    beside = eni.begin if resource.scenario == ROUTE_TABLE else None
    with action.intentions.only_writer(action.deadline):
        was_here = _was_in_service(action)  # by now: an action that was waited for may have brought it here
        convergence = Convergence(action, ec2, guard=guard, confirm=came_before and not was_here, beside=beside)
        try:
            _verify_instance(action, server)
            action.intentions.settle(mine, partial(_prove_that_the_state_can_be_written, action), action.deadline)
            action.intentions.settle(mine, first, action.deadline)
            made = convergence.reach(Wanted.HERE)
            action.intentions.settle(mine, partial(action.registry.mark_in_service, resource.tag), action.deadline)
        except Overtaken:
            raise
        except (Ec2KitError, Stopped) as error:
            if not (was_here and isinstance(error, Unknown | AwsRefused) and not convergence.made):
                _mark_failed(action, mine)
            raise
    if resource.scenario == ROUTE_TABLE:
        _switch_off_source_dest_check(action, ec2, eni)
    return made


def _prove_that_the_state_can_be_written(action: Action) -> None:
    """An address that moved here and a registry that cannot say so would lead the other servers astray."""
    if _was_in_service(action):
        _mark_in_service(action)
    else:
        _tell_place(action, action.registry.mark_out_of_service(action.tag))


def _mark_in_service(action: Action) -> None:
    _tell_place(action, action.registry.mark_in_service(action.tag))


def _tell_place(action: Action, trouble: StateUnusable | None) -> None:
    """A state that could not be written where it belongs counts all the same, until the next boot."""
    if trouble is not None:
        place = {"path": trouble.fields["path"], "reason": trouble.fields["reason"]}
        action.log.put(messages.STATE_ELSEWHERE, tag=action.tag, spare=action.settings.run_dir, **place)


def _was_in_service(action: Action) -> bool:
    """What the registry says; a damaged state says nothing, and is written anew."""
    with suppress(StateUnusable):
        return action.registry.in_service(action.tag)
    return False


def _came_before(action: Action) -> bool:
    """Whether something was wanted here before; where that cannot be read, it may have been."""
    try:
        return action.intentions.current() is not None
    except StateUnusable:
        return True


def _mark_failed(action: Action, mine: Intention) -> None:
    """Unless a remove came meanwhile: its state is the one that stays."""
    record = partial(action.registry.mark_out_of_service, action.tag, failed=True)
    try:
        action.intentions.settle(mine, record, action.deadline)
    except Overtaken:
        pass
    except Ec2KitError as error:
        action.log.error(error)


def _verify_instance(action: Action, server: Server) -> None:
    from ec2kit.node import identity

    try:
        here = identity(action.settings, action.deadline).instance_id
    except ImdsSilent as error:
        action.log.put(messages.IDENTITY_UNSEEN, reason=error)
        return
    if here != server.instance_id:
        raise OtherInstance(here=here, server=server.name, tag=action.tag, expected=server.instance_id)


class _OwnInterface:
    """The look at this server's ENI: begun beside the writes, so that it takes no time of its own."""

    def __init__(self, ec2: Ec2, server: Server) -> None:
        self.network_interface_id = server.network_interface_id
        self._look = partial(ec2.network_interface, server.network_interface_id, retries=0)
        self._begun: Begun[NetworkInterface] | None = None

    def begin(self) -> None:
        self._begun = Begun(self._look)

    def seen(self, deadline: Deadline) -> NetworkInterface:
        if self._begun is None:
            return self._look()
        try:
            return self._begun.wait(deadline)
        except Abandoned as error:
            raise DeadlinePassed(doing="the look at the ENI", seconds=f"{deadline.seconds:g}") from error


def _switch_off_source_dest_check(action: Action, ec2: Ec2, own: _OwnInterface) -> None:
    """What makes no difference to the result: EC2 drops packets to the virtual IP while the check is on."""
    eni = own.network_interface_id
    try:
        if not own.seen(action.deadline).source_dest_check:
            return
    except (Unknown, AwsRefused) as error:
        action.log.put(messages.SOURCE_DEST_CHECK_UNSEEN, network_interface_id=eni, reason=error)
        return
    try:
        receipt = ec2.switch_off_source_dest_check(network_interface_id=eni, retries=1)
        action.log.put(messages.SOURCE_DEST_CHECK_OFF, network_interface_id=eni, request_id=receipt.request_id)
    except Ec2KitError as error:
        action.log.put(messages.SOURCE_DEST_CHECK_ON, network_interface_id=eni, reason=error)


# -- by the framework's own door --------------------------------------------------------------------------


def bring_in_service(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Restore for a person: under LifeKeeper by LifeKeeper, so that it knows and moves all that belongs to it.

    Raises:
        PerformFailed: LifeKeeper could not.
        Ec2KitError: What `restore` raises.
    """
    return restore(action) if action.lifekeeper is None else _perform(action, action.lifekeeper, "restore")


def must_be_topmost(action: Action) -> None:
    """
    Raises:
        ArgumentInvalid: Under LifeKeeper others depend on it: LifeKeeper would take them out of service on the other
            server, and bring only this one in service here.
    """
    parents = action.lifekeeper.parents(action.tag) if action.lifekeeper is not None else []
    if parents:
        reason = f"{', '.join(parents)} depends on {action.tag}: restore that (perform_action), and it comes along"
        raise ArgumentInvalid(name="tag", reason=reason)


def take_out_of_service(action: Action) -> dict[str, tuple[Change, ...]]:
    """Remove for a person: under LifeKeeper by LifeKeeper; raises PerformFailed, and what `remove` raises."""
    return remove(action) if action.lifekeeper is None else _perform(action, action.lifekeeper, "remove")


def _perform(action: Action, lifekeeper: LifeKeeper, deed: str) -> dict[str, tuple[Change, ...]]:
    """Its hooks log each change; nothing is told here."""
    done = lifekeeper.perform(action.tag, deed, action.deadline)
    if done.status:
        lines = [f"exit status {done.status}", *done.stdout.splitlines(), *done.stderr.splitlines()]
        raise PerformFailed(action=deed, tag=action.tag, reason="; ".join(lines)[:1000])
    return {}


# -- recover -----------------------------------------------------------------------------------------------


def recover(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Put right on this server what a failed quick_check found, unless the address is rightly somebody else's.

    Returns:
        What was changed, by target.

    Raises:
        NotInServiceHere: This server does not run the resource.
        TakenOver: Another server does, or may.
        Ec2KitError: It could not be put right.
    """
    resource, server = action.resource, action.server
    _must_be_in_service(action)
    mine = action.intentions.declare(Direction.UP, action.deadline, unless=Direction.DOWN)
    guard = partial(action.intentions.check, mine)
    permit = None if action.settings.recover_take_from_peer else _Permit(action, guard)
    ec2 = action.ec2(guard=guard) if permit is None else action.ec2(guard=permit.check, repeats_writes=False)
    with action.intentions.only_writer(action.deadline):
        _must_be_in_service(action)  # an action that was waited for may have ended badly
        _verify_instance(action, server)
        eni = _OwnInterface(ec2, server)
        beside = eni.begin if resource.scenario == ROUTE_TABLE else None
        convergence = Convergence(
            action, ec2, guard=guard, permit=permit, conditional=permit is not None, beside=beside
        )
        made = convergence.reach(Wanted.HERE)
        action.intentions.settle(mine, partial(_mark_in_service, action), action.deadline)
    if permit is not None:
        permit.before_look()  # what follows changes this server's own ENI, and takes nothing from anybody
    if resource.scenario == ROUTE_TABLE:
        _switch_off_source_dest_check(action, ec2, eni)
    return made


class _Permit:
    """
    Leave to write, given by whoever owns what was seen, and only for a while.

    A recovery that was held up between its look and its write would take the address from a server that was restored
    meanwhile; ReplaceRoute cannot be told not to.

    Args:
        guard: What the action's writes have to pass anyway.
    """

    def __init__(self, action: Action, guard: Callable[[], None]) -> None:
        self._action = action
        self._guard = guard
        self._looked_at = action.deadline.elapsed()

    def before_look(self) -> None:
        self._looked_at = self._action.deadline.elapsed()

    def __call__(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        _ask_owners(self._action, observed, changes)

    def check(self) -> None:
        """Raises PermitTooOld when the look was too long ago, and what the guard raises."""
        self._guard()
        if self._action.deadline.elapsed() - self._looked_at > _PERMIT_SECONDS:
            raise PermitTooOld(seconds=f"{_PERMIT_SECONDS:g}")


def _must_be_in_service(action: Action) -> None:
    if not action.registry.in_service(action.tag):
        raise NotInServiceHere(reason=f"its state is {action.registry.state(action.tag)} since this boot")


def _ask_owners(action: Action, observed: Observed, changes: tuple[Change, ...]) -> None:
    """
    Raises:
        TakenOver: A present owner is a server of the resource that has it in service, or does not say.
    """
    owners = action.scenario.owners(observed)
    for eni in sorted({owners.get(change.target) or "" for change in changes} - {""}):
        holder = action.resource.find_holder(eni)
        if holder is None:
            action.log.put(messages.MAY_BE_TAKEN, holder=eni, reason=f"no server of {action.tag}")
        elif holder.name != action.registry.server:
            _ask_owner(action, holder)


def _ask_owner(action: Action, holder: Server) -> None:
    try:
        answer = action.ask(holder.name, ["state", action.tag], seconds=_PEER_SECONDS)
    except (RemoteSilent, RemoteRefused) as error:
        raise TakenOver(server=holder.name, reason=error) from error
    if answer.get("in_service") is not False:
        raise TakenOver(server=holder.name, reason=answer.get("reason") or "it is in service there")
    action.log.put(messages.MAY_BE_TAKEN, holder=holder.name, reason="it says that it is out of service there")


# -- remove ------------------------------------------------------------------------------------------------


def remove(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Take the resource out of service on this server; never waits for another action.

    What AWS does not do is logged and is no failure: the next server's restore takes the address anyway.

    Returns:
        What was changed, by target.

    Raises:
        TagUnknown: The tag is none.
    """
    try:
        resource = action.resource
    except Unknown as error:
        action.log.error(error)
        resource = None
    mine = _declare_down(action)
    if resource is not None:
        _mark_out_of_service(action, mine)
    if resource is None or resource.scenario == ROUTE_TABLE or action.settings.eip_keep_on_remove:
        return {}
    return _release(action, mine)


def _mark_out_of_service(action: Action, mine: Intention | None) -> None:
    """Unless a restore came meanwhile: its state is the one that stays."""

    def record() -> None:
        _tell_place(action, action.registry.mark_out_of_service(action.tag))

    try:
        if mine is None:
            record()
        else:
            action.intentions.settle(mine, record, action.deadline)
    except Ec2KitError as error:
        action.log.error(error)


def _declare_down(action: Action) -> Intention | None:
    """None where it cannot be written down; then at least what was wanted before is no longer."""
    try:
        return action.intentions.declare(Direction.DOWN, action.deadline)
    except Ec2KitError as error:
        action.log.error(error)
    with suppress(StateUnusable):
        action.intentions.withdraw()
    return None


def _release(action: Action, mine: Intention | None) -> dict[str, tuple[Change, ...]]:
    guard = partial(action.intentions.check, mine) if mine is not None else anything_goes
    ec2 = action.ec2(guard=guard, look_retries=_REMOVE_RETRIES, write_retries=_REMOVE_RETRIES)
    try:
        _verify_instance(action, action.server)
        return Convergence(action, ec2, guard=guard).reach(Wanted.NOT_HERE)
    except (Overtaken, OtherInstance) as error:
        action.log.error(error)
    except (Unknown, AwsRefused, NotBroughtHere) as error:
        action.log.put(messages.LEFT_ASSOCIATED, address=action.resource.address, reason=error)
    return {}
