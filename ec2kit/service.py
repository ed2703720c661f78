"""The deeds in service: restore, remove, quick_check and recover, for any resource from any front end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ec2kit import memory, messages, remote, state
from ec2kit.action import Action
from ec2kit.answers import Receipt
from ec2kit.deadline import side_by_side
from ec2kit.errors import (
    AwsRefused,
    AwsThrottled,
    AwsUnknown,
    ConfigurationInvalid,
    CredentialsRejected,
    DeadlinePassed,
    Ec2KitError,
    ImdsSilent,
    LocalCommandFailed,
    NotBroughtHere,
    NotInServiceHere,
    OtherInstance,
    Overtaken,
    PermissionMissing,
    RemoteRefused,
    RemoteSilent,
    TakenOver,
    Unknown,
)
from ec2kit.intention import Direction, Intention
from ec2kit.resource import ROUTE_TABLE, Server
from ec2kit.scenario import Observed
from ec2kit.status import Change, Plan, Status, Verdict, Wanted, gather

if TYPE_CHECKING:
    from ec2kit.aws import Ec2

IN_FLIGHT = 32
"""Changes at a time, at most."""

_CHECK_RETRIES = 2
"""Retries of a look-up by quickCheck, and by remove, which must not keep a failover waiting."""

_PEER_SECONDS = 5.0
_WORTH_TELLING = 0.5
"""Seconds of waiting for EC2 to show a change, from which on the log says so."""

_FINAL = (AwsRefused, PermissionMissing, CredentialsRejected, AwsThrottled, ConfigurationInvalid, LocalCommandFailed)
"""Errors after which it is certain that a change was not made."""

Permit = Callable[[Observed, tuple[Change, ...]], None]
"""Asked before changes are made; raises if they may not be."""


# -- restore -----------------------------------------------------------------------------------------------


def restore(action: Action) -> dict[str, tuple[Change, ...]]:
    """
    Bring the resource in service on this server; nothing is written where all is right.

    Returns:
        What was changed, by target.

    Raises:
        Ec2KitError: It is not in service here, or that cannot be said.
    """
    resource, server = action.resource, action.server
    state.sweep(action.settings.run_dir)
    mine = action.intentions.declare(Direction.UP, action.deadline)
    try:
        with action.intentions.writing.held(action.deadline, "another action on this resource"):
            _verify_instance(action, server)
            made = Convergence(action, mine).reach(Wanted.HERE)
            action.intentions.settle(mine, partial(action.registry.mark_in_service, resource.tag), action.deadline)
    except Overtaken:
        raise
    except Ec2KitError:
        _mark_out_of_service(action, failed=True)
        raise
    _after_success(action, mine, server)
    return made


def _verify_instance(action: Action, server: Server) -> None:
    from ec2kit.node import identity

    try:
        here = identity(action.settings, action.deadline).instance_id
    except ImdsSilent as error:
        action.log.put(messages.IDENTITY_UNSEEN, reason=str(error))
        return
    if here != server.instance_id:
        raise OtherInstance(here=here, server=server.name, tag=action.tag, expected=server.instance_id)


def _after_success(action: Action, mine: Intention, server: Server) -> None:
    """What makes no difference to the result: memory is renewed, the source/destination check looked at."""
    if action.resource.scenario == ROUTE_TABLE:
        _switch_off_source_dest_check(action, mine, server)


def _switch_off_source_dest_check(action: Action, mine: Intention, server: Server) -> None:
    eni = server.network_interface_id
    ec2 = action.ec2(guard=partial(action.intentions.check, mine))
    try:
        if not ec2.network_interface(eni, retries=0).source_dest_check:
            return
    except (Unknown, AwsRefused) as error:
        action.log.put(messages.SOURCE_DEST_CHECK_UNSEEN, network_interface_id=eni, reason=str(error))
        return
    try:
        receipt = ec2.switch_off_source_dest_check(network_interface_id=eni)
        action.log.put(messages.SOURCE_DEST_CHECK_OFF, network_interface_id=eni, request_id=receipt.request_id)
    except Ec2KitError as error:
        action.log.put(messages.SOURCE_DEST_CHECK_ON, network_interface_id=eni, reason=str(error))


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
    if not action.registry.in_service(resource.tag):
        raise NotInServiceHere(reason=f"its state is {action.registry.state(resource.tag)} since this boot")
    mine = action.intentions.declare(Direction.UP, action.deadline, unless=Direction.DOWN)
    with action.intentions.writing.held(action.deadline, "another action on this resource"):
        _verify_instance(action, server)
        permit = None if action.settings.recover_take_from_peer else partial(_ask_owners, action)
        made = Convergence(action, mine, permit=permit, conditional=True).reach(Wanted.HERE)
        action.intentions.settle(mine, partial(action.registry.mark_in_service, resource.tag), action.deadline)
    _after_success(action, mine, server)
    return made


def _ask_owners(action: Action, observed: Observed, changes: tuple[Change, ...]) -> None:
    """
    Raises:
        TakenOver: A present owner is a server of the resource that has it in service, or does not say.
    """
    owners = action.scenario.owners(observed)
    holders = {action.resource.find_holder(owners.get(change.target)) for change in changes}
    for holder in sorted((each for each in holders if each), key=lambda each: each.name):
        if holder.name != action.registry.server:
            _ask_owner(action, holder)


def _ask_owner(action: Action, holder: Server) -> None:
    try:
        answer = remote.ask(
            holder.name, ["state", action.tag], action.settings, action.deadline.within(_PEER_SECONDS)
        )
    except (RemoteSilent, RemoteRefused) as error:
        raise TakenOver(server=holder.name, reason=str(error)) from error
    if answer.get("in_service") is not False:
        raise TakenOver(server=holder.name, reason="it is in service there")


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
        _mark_out_of_service(action)
    if resource is None or resource.scenario == ROUTE_TABLE or action.settings.eip_keep_on_remove:
        return {}
    return _release(action, mine)


def _mark_out_of_service(action: Action, *, failed: bool = False) -> None:
    try:
        action.registry.mark_out_of_service(action.tag, failed=failed)
    except Ec2KitError as error:
        action.log.error(error)


def _declare_down(action: Action) -> Intention | None:
    try:
        return action.intentions.declare(Direction.DOWN, action.deadline)
    except Ec2KitError as error:
        action.log.error(error)
        return None


def _release(action: Action, mine: Intention | None) -> dict[str, tuple[Change, ...]]:
    try:
        return Convergence(action, mine, look_retries=_CHECK_RETRIES).reach(Wanted.NOT_HERE)
    except Overtaken as error:
        action.log.error(error)
    except (Unknown, AwsRefused, NotBroughtHere) as error:
        action.log.put(messages.LEFT_ASSOCIATED, address=action.resource.address, reason=str(error))
    return {}


# -- changing until it is as wanted ------------------------------------------------------------------------


class Convergence:
    """
    Looks, plans, changes and looks again, until the address is as wanted or no call of ours can help.

    Args:
        mine: The intention acted for; None: it could not be written down, and only remove goes on then.
        permit: Asked before each round of changes.
        conditional: An address without owner is taken only if it still has none.
    """

    def __init__(
        self,
        action: Action,
        mine: Intention | None,
        *,
        permit: Permit | None = None,
        conditional: bool = False,
        look_retries: int | None = None,
    ) -> None:
        self._action = action
        self._scenario = action.scenario
        self._guard = partial(action.intentions.check, mine) if mine else lambda: None
        self._ec2 = action.ec2(guard=self._guard, look_retries=look_retries)
        self._permit = permit
        self._conditional = conditional
        self.made: dict[str, tuple[Change, ...]] = {}
        self._failed: dict[str, str] = {}
        self._changed_at = action.deadline

    def reach(self, wanted: Wanted) -> dict[str, tuple[Change, ...]]:
        """
        Returns:
            What was changed, by target.

        Raises:
            NotBroughtHere: Some objects are not as wanted; all were tried.
            Ec2KitError: It could not be looked at, or may not be changed.
        """
        pauses = _growing()
        while True:
            observed = self._look()
            plan = self._scenario.plan(observed, wanted, self.made, conditional=self._conditional)
            changes = tuple(each for each in plan.changes if each.target not in self._failed)
            if changes:
                self._change(observed, changes)
                pauses = _growing()
            elif not self._worth_waiting(plan):
                break
            else:
                self._action.deadline.pause(next(pauses), "waiting until EC2 shows the change")
        self._conclude(observed, plan)
        return self.made

    def _look(self) -> Observed:
        action = self._action
        observed = self._scenario.observe(self._ec2, action.resource, action.server, action.settings)
        if observed.unknown is not None:
            raise observed.unknown
        return observed

    def _change(self, observed: Observed, changes: tuple[Change, ...]) -> None:
        action = self._action
        if self._permit is not None:
            self._permit(observed, changes)
        if not self.made:
            for message, fields in self._scenario.notices(observed):
                action.log.put(message, **fields)
        jobs = [partial(self._scenario.apply, each, self._ec2, action.settings, action.deadline) for each in changes]
        outcomes = side_by_side(jobs, action.deadline, at_most=IN_FLIGHT)
        stop: Exception | None = None
        for change, outcome in zip(changes, outcomes, strict=True):
            stop = self._note(change, outcome) or stop
        self._changed_at = action.deadline.within(action.settings.verify_timeout)
        if stop is not None:
            raise stop

    def _note(self, change: Change, outcome: Receipt | Exception) -> Exception | None:
        """Log and remember how one change went; an outcome that ends the action is given back."""
        log, target = self._action.log, change.target
        if isinstance(outcome, Receipt):
            self.made[target] = (*self.made.get(target, ()), change)
            fields = {**change.arguments, "cidr": change.arguments.get("destination_cidr_block")}
            log.put(
                self._scenario.message(change),
                **{
                    **fields,
                    "target": target,
                    "old": change.old or "nothing",
                    "new": change.new,
                    "milliseconds": f"{outcome.milliseconds:g}",
                    "attempts": outcome.attempts,
                    "request_id": outcome.request_id,
                },
            )
        elif isinstance(outcome, _FINAL):
            self._failed[target] = str(outcome)
            log.put(messages.CHANGE_FAILED, target=target, reason=str(outcome))
        elif isinstance(outcome, AwsUnknown | DeadlinePassed):
            self.made[target] = (*self.made.get(target, ()), change)
            log.put(messages.CHANGE_UNCONFIRMED, target=target, operation=change.operation, reason=str(outcome))
        else:
            return outcome
        return None

    def _worth_waiting(self, plan: Plan) -> bool:
        """Whether something is pending that was not refused, and its time is not over."""
        return bool(set(plan.pending) - set(self._failed)) and not self._changed_at.passed

    def _conclude(self, observed: Observed, plan: Plan) -> None:
        wrong = {**plan.pending, **{each.target: "unchanged" for each in plan.changes}, **plan.impossible}
        problems = {target: self._failed.get(target, reason) for target, reason in wrong.items()}
        if problems:
            everything = {*self._scenario.objects(observed), *self.made, *problems}
            done = len(everything) - len(problems)
            raise NotBroughtHere(done=done, all=len(everything), problems="; ".join(gather(problems)))
        if self.made and self._changed_at.elapsed() > _WORTH_TELLING:
            self._action.log.put(messages.VERIFIED_AFTER, seconds=f"{self._changed_at.elapsed():.1f}")
        self._remember(observed)

    def _remember(self, observed: Observed) -> None:
        settings = self._action.settings
        try:
            kept = memory.recall(settings.run_dir, self._action.tag)
            tables = tuple(sorted(self._scenario.objects(observed)))
            memory.remember(settings.run_dir, self._action.tag, replace(kept, route_table_ids=tables))
        except Ec2KitError as error:
            self._action.log.error(error)


def _growing() -> Iterator[float]:
    """Pauses between looks, growing."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 2, 2.0)


# -- quick_check -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """
    What a check found.

    Attributes:
        verdict: UNKNOWN while busy.
        busy: Another action is at work, so nothing was judged.
    """

    verdict: Verdict
    busy: bool = False

    @property
    def says_no(self) -> bool:
        """Whether the address is confirmed not to be in service here: the only failure of a check."""
        return self.verdict.status is Status.OUT_OF_SERVICE


_BUSY = Checked(Verdict(Status.UNKNOWN, ("another action is under way",)), busy=True)


def quick_check(action: Action) -> Checked:
    """
    Tell whether the resource is in service here; never waits for another action.

    Raises:
        TagUnknown: The tag is none.
    """
    try:
        resource = action.resource
        action.server  # noqa: B018  (raises if the resource was not extended to this server)
        before = action.intentions.current()
        if action.intentions.writing.is_held:
            return _busy(action)
        verdict, trouble = _confirmed(action)
        overtaken = action.intentions.writing.is_held or action.intentions.current() != before
        if verdict.status is Status.OUT_OF_SERVICE and overtaken:
            return _busy(action)
        address = resource.address
    except Unknown as error:
        verdict, trouble, address = Verdict(Status.UNKNOWN, (str(error),)), error.trouble, action.tag
    _report(action, address, verdict, trouble)
    return Checked(verdict)


def _busy(action: Action) -> Checked:
    action.log.put(messages.BUSY, busy="another action on this resource")
    return _BUSY


def _confirmed(action: Action) -> tuple[Verdict, bool]:
    """A verdict, and whether it rests on trouble that a person has to mend; OUT_OF_SERVICE only after two looks."""
    ec2 = action.ec2(look_retries=_CHECK_RETRIES)
    try:
        verdict, trouble = _one_look(action, ec2)
        if verdict.status is not Status.OUT_OF_SERVICE:
            return verdict, trouble
        interval = action.settings.confirm_interval
        action.deadline.pause(interval, f"the second look that must confirm: {verdict.reason}")
        second, trouble = _one_look(action, ec2)
    except (Unknown, AwsRefused) as error:
        return Verdict(Status.UNKNOWN, (str(error),)), getattr(error, "trouble", True)
    if second.status is not Status.OUT_OF_SERVICE:
        action.log.put(messages.STATUS_SECOND_LOOK, reason=verdict.reason, seconds=f"{interval:g}")
    return second, trouble


def _one_look(action: Action, ec2: Ec2) -> tuple[Verdict, bool]:
    scenario, resource = action.scenario, action.resource
    observed = scenario.observe(ec2, resource, action.server, action.settings)
    if observed.unknown is None and resource.scenario == ROUTE_TABLE:
        _tell_lost_tables(action, scenario.objects(observed))
    trouble = getattr(observed.unknown, "trouble", observed.unknown is not None)
    return scenario.judge(observed), trouble


def _tell_lost_tables(action: Action, present: tuple[str, ...]) -> None:
    for lost in set(memory.recall(action.settings.run_dir, action.tag).route_table_ids) - set(present):
        action.log.put(messages.TABLE_LOST_ROUTE, route_table_id=lost, cidr=action.resource.cidr)


def _report(action: Action, address: str, verdict: Verdict, trouble: bool) -> None:
    """Log the verdict, and remember for how long nothing has been known."""
    folder = action.settings.run_dir
    before = memory.recall(folder, action.tag)
    if verdict.status is Status.UNKNOWN:
        since = before.unknown_since or time.time()
        now = replace(
            before, unknown_since=since, unknown_count=before.unknown_count + 1, reason=verdict.reason[:500]
        )
        message = messages.STATUS_TROUBLE if trouble else messages.STATUS_UNKNOWN
        fields = {"address": address, "count": now.unknown_count, "age": f"{now.age:.0f}", "reason": verdict.reason}
        action.log.put(message, **fields)
    else:
        now = replace(before, unknown_since=0.0, unknown_count=0, reason="")
        if before.unknown_count:
            action.log.put(messages.STATUS_KNOWN_AGAIN, count=before.unknown_count, age=f"{before.age:.0f}")
        message = messages.STATUS_IN if verdict.status is Status.IN_SERVICE else messages.STATUS_OUT
        action.log.put(message, address=address, reason=verdict.reason)
    try:
        memory.remember(folder, action.tag, now)
    except Ec2KitError as error:
        action.log.error(error)


# -- look --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """
    What is known of an address right now, for a person.

    Attributes:
        owners: What holds the address (a table, an allocation) → the ENI that it points at.
    """

    verdict: Verdict
    owners: Mapping[str, str | None]


def look(action: Action) -> Look:
    """Look once, judge, and remember nothing."""
    try:
        observed = action.scenario.observe(
            action.ec2(look_retries=_CHECK_RETRIES), action.resource, action.server, action.settings
        )
    except (Unknown, AwsRefused) as error:
        return Look(Verdict(Status.UNKNOWN, (str(error),)), {})
    return Look(action.scenario.judge(observed), action.scenario.owners(observed))
