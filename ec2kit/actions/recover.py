"""The action recover corrects drift on the server that has the resource, and takes nothing from another server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.engine.account import called
from ec2kit.engine.convergence import Convergence
from ec2kit.engine.instance import verify_instance
from ec2kit.engine.record import Record
from ec2kit.errors import Ec2KitError, PermitTooOld, RemoteRefused, RemoteSilent
from ec2kit.messages import catalogue
from ec2kit.state.intention import Direction
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.resource import Server
    from ec2kit.scenarios.scenario import Observed
    from ec2kit.status import Change

_PEER_SECONDS = 5.0

_PERMIT_SECONDS = 15.0
"""Maximum age in seconds of the look that permits a write; a look, an answer and a write of a slow EC2 fit in."""


def recover(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Bring the address back to this server after a failed quick_check, unless another server rightly has it.

    Returns:
        Target → the changes made to it.

    Raises:
        Ec2KitError: The resource is not in service here, is or may be in service on another server, or could not be
            corrected.
    """
    server = action.server
    must_be_in_service(action)
    mine = action.intentions.declare(Direction.UP, action.deadline, unless=Direction.DOWN)
    guard = partial(action.intentions.check, mine)
    permit = None if action.settings.recover_take_from_peer else _Permit(action, guard)
    ec2 = (
        action.ec2(guard=guard)
        if permit is None
        else action.ec2(guard=guard, permit=permit.check, repeats_writes=False)
    )
    with action.intentions.only_writer(action.deadline, guard):
        must_be_in_service(action)  # an action that was waited for may have ended badly
        verify_instance(action)
        companion = action.scenario.companion(ec2, server)
        convergence = Convergence(
            action, ec2, guard=guard, permit=permit, conditional=permit is not None, companion=companion
        )
        made = convergence.reach(Wanted.HERE)
        action.intentions.settle(mine, Record(action).in_service, action.deadline)
    if permit is not None:
        permit.before_look()  # renewed: the companion changes only this server's own ENI
    if companion is not None:
        companion.finish(action.log, action.deadline, partial(called, action))
    return made


class _Permit:
    """
    The present owner gives the permit to write, which expires soon.

    Without a limit, a recovery that was delayed between its look and its write would take the address from a server
    that was restored meanwhile, because ReplaceRoute has no conditional form.

    Args:
        guard: The guard of the action, which each write has to pass, too.
    """

    def __init__(self, action: Action, guard: Callable[[], None]) -> None:
        self._action = action
        self._guard = guard
        self._looked_at = action.deadline.elapsed()

    def before_look(self) -> None:
        self._looked_at = self._action.deadline.elapsed()

    def __call__(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        ask_owners(self._action, observed, changes)

    def check(self) -> None:
        """Raise PermitTooOld if the look was too long ago, or the error of the guard."""
        self._guard()
        if self._action.deadline.elapsed() - self._looked_at > _PERMIT_SECONDS:
            raise PermitTooOld(seconds=f"{_PERMIT_SECONDS:g}")


def must_be_in_service(action: Action) -> None:
    """Raise Ec2KitError if the resource is not in service here by the registry."""
    if not action.registry.in_service(action.tag):
        raise Ec2KitError(
            catalogue.NOT_IN_SERVICE_HERE, reason=f"its state is {action.registry.state(action.tag)} since this boot"
        )


def ask_owners(action: Action, observed: Observed, changes: tuple[Change, ...]) -> None:
    """
    Ask the present owners whether the changes may be made.

    Raises:
        Ec2KitError: An owner is a server of the resource that has it in service, or does not answer.
    """
    for eni in sorted({each for change in changes for each in action.scenario.claimants(observed, change.target)}):
        holder = action.resource.find_holder(eni)
        if holder is None:
            action.log.put(catalogue.MAY_BE_TAKEN, holder=eni, reason=f"no server of {action.tag}")
        elif holder.name != action.registry.server:
            _ask_owner(action, holder)


def _ask_owner(action: Action, holder: Server) -> None:
    from ec2kit.peers.ask import ask

    try:
        answer = ask(action, holder.name, ["state", action.tag], seconds=_PEER_SECONDS)
    except (RemoteSilent, RemoteRefused) as error:
        raise Ec2KitError(catalogue.TAKEN_OVER, server=holder.name, reason=error) from error
    if answer.get("in_service") is not False:
        raise Ec2KitError(
            catalogue.TAKEN_OVER, server=holder.name, reason=answer.get("reason") or "it is in service there"
        )
    action.log.put(catalogue.MAY_BE_TAKEN, holder=holder.name, reason="it says that it is out of service there")
