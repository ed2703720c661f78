"""The action restore brings a resource in service on this server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.engine.account import called
from ec2kit.engine.convergence import Convergence
from ec2kit.engine.instance import verify_instance
from ec2kit.engine.record import Record
from ec2kit.errors import ArgumentInvalid, AwsRefused, Ec2KitError, Overtaken, StateUnusable, Stopped, Unknown
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason
from ec2kit.state import memory
from ec2kit.state.intention import Direction
from ec2kit.state.report import Report
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.engine.framework import Framework
    from ec2kit.state.intention import Intention
    from ec2kit.status import Change


def _nothing() -> None:
    """Do nothing: most restores have no work on the server itself."""


def _both(guard: Callable[[], None], permit: Callable[[], None]) -> None:
    """Raise the error of the guard or of the permit."""
    guard()
    permit()


def restore(
    action: Action,
    *,
    first: Callable[[], None] = _nothing,
    again: Intention | None = None,
    permit: Callable[[], None] = _nothing,
) -> dict[str, tuple[Change, ...]]:
    """
    Bring the resource in service on this server; if all is right, write nothing in AWS.

    The order of the steps matters. *Declare* comes first, so that an older action stops and a newer one overtakes
    this one. *Look, change, look* comes after the registry has proved writable; on a server whose own notes say that
    the resource is out of service here, and where it was, the first changes are made beside the first look. *Record*
    comes last, so that ISP is written only once the address is here.

    Args:
        first: Work on this server that precedes all changes in AWS; a remove cannot come in between.
        again: The intention of an earlier restore that is repeated; any newer intention overtakes it.
        permit: Raises Overtaken if the framework no longer permits a write; asked right before each write.

    Returns:
        Target → the changes made to it.

    Raises:
        Ec2KitError: The resource is not in service here, or its state is unknown.
    """
    # Prepare.
    server, record, intentions, deadline = action.server, Record(action), action.intentions, action.deadline
    earlier = earlier_direction(action)
    # Declare.
    mine = again or intentions.declare(Direction.UP, deadline)
    guard = partial(intentions.check, mine)
    ec2 = action.ec2(guard=guard, permit=partial(_both, guard, permit))
    companion = action.scenario.companion(ec2, server)
    with intentions.only_writer(deadline, guard):
        was_here = record.was_in_service()  # read after the wait: the other action may have changed it
        confirm = earlier is not None and not was_here
        looks_first = again is not None or permit is not _nothing
        begins_with = () if looks_first else first_writes(action, earlier, was_here=was_here)
        convergence = Convergence(
            action, ec2, guard=guard, confirm=confirm, companion=companion, first_writes=begins_with
        )
        try:
            verify_instance(action)
            intentions.settle(mine, record.prove_writable, deadline)
            intentions.settle(mine, first, deadline)
            # Look, change, look.
            made = convergence.reach(Wanted.HERE)
            # Record.
            intentions.settle(mine, partial(action.registry.mark_in_service, action.tag), deadline)
            if not was_here:
                record.tell("ISP")
        except Overtaken:
            raise
        except (Ec2KitError, Stopped) as error:
            if not (was_here and isinstance(error, Unknown | AwsRefused) and not convergence.made):
                record.failed(mine)
            raise
    if companion is not None:
        companion.finish(action.log, deadline, partial(called, action))
    if action.settings.probe != "off":
        from ec2kit.actions.after_restore import begin

        begin(action, mine, accepted_at=convergence.accepted_at)
    return made


def first_writes(action: Action, earlier: Direction | None, *, was_here: bool) -> tuple[Change, ...]:
    """
    Return the changes that may be made beside the first look: of what this server saw earlier in this boot.

    Args:
        earlier: What was wanted here before.
        was_here: The resource is in service here by the registry.
    """
    if was_here or earlier is Direction.UP or not action.settings.write_beside_look:
        return ()
    remembered = memory.recall(action.settings.run_dir, action.tag).objects
    return action.scenario.ahead(action.resource, action.server, remembered)


def earlier_direction(action: Action) -> Direction | None:
    """Return what was wanted here before, in this boot; UP also if that cannot be read, None if nothing was."""
    try:
        earlier = action.intentions.current()
    except StateUnusable:
        return Direction.UP
    return earlier.direction if earlier is not None else None


def bring_in_service(action: Action) -> dict[str, tuple[Change, ...]] | None:
    """
    Restore for a person, under LifeKeeper by LifeKeeper, so that it moves the whole hierarchy.

    Returns:
        Target → the changes made to it; None if only the log has them.

    Raises:
        Ec2KitError: LifeKeeper failed, or `restore` raised this error.
    """
    return restore(action) if action.lifekeeper is None else perform(action, action.lifekeeper, "restore")


def must_be_topmost(action: Action) -> None:
    """
    Refuse to restore a resource on which other resources of LifeKeeper depend.

    Raises:
        ArgumentInvalid: LifeKeeper would take those resources out of service on the other server, and bring only this
            one in service here.
    """
    parents = action.lifekeeper.parents(action.tag) if action.lifekeeper is not None else []
    if parents:
        reason = f"{', '.join(parents)} depends on {action.tag}: restore that (perform_action), and it comes along"
        raise ArgumentInvalid(name="tag", reason=reason)


def perform(action: Action, lifekeeper: Framework, deed: str) -> dict[str, tuple[Change, ...]] | None:
    """
    Let LifeKeeper perform an action, by its hook.

    Returns:
        Target → the changes that the hook made to it; None if the hook has not reported.
    """
    report = Report(action.settings.run_dir, action.tag)
    is_cleared = report.clear()
    with doing(partial(Reason.of, catalogue.AWAITS_PEER, server="LifeKeeper")):
        done = lifekeeper.perform(action.tag, deed, action.deadline)
    if done.status:
        lines = [f"exit status {done.status}", *done.stdout.splitlines(), *done.stderr.splitlines()]
        raise Ec2KitError(catalogue.PERFORM_FAILED, action=deed, tag=action.tag, reason="; ".join(lines)[:1000])
    return report.read() if is_cleared else None
