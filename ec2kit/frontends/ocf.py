"""
Pacemaker's resource agents: OCF's operations, variables and statuses over the deeds of the core.

An operation that ended by itself exits with OCF's status plus 100. A Python that breaks down does not, and the script
decides then by what start and stop wrote down (see actions/agent).

Source: github.com/ClusterLabs/OCF-spec, resource agent API 1.1; Pacemaker Administration, "Resource Agents".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from ec2kit import edge, log
from ec2kit.deadline import Deadline
from ec2kit.errors import ArgumentInvalid, Ec2KitError, InterfaceUnknown, StillHere, Stopped
from ec2kit.frontends.ocf_agents import AGENTS, Agent, Given, needed_to_stop, read
from ec2kit.frontends.ocf_call import Call, call_of
from ec2kit.frontends.ocf_operations import Ended, Operation, Rc, monitor, start, stop, validate
from ec2kit.intention import Direction, Intentions
from ec2kit.messages import Level, clean
from ec2kit.place import Place, place
from ec2kit.registry.markers import Markers
from ec2kit.resource import Resource
from ec2kit.settings import Settings

SPOKEN = 100
"""Added to a status that an operation means."""

BROKEN = 99
"""The exit status that means nothing: the script decides."""

_OVERDUE = 1.0
"""Seconds after the deadline at which the process is ended; Pacemaker would kill it a second later."""


@dataclass(frozen=True)
class _Deed:
    """
    One operation's way.

    Attributes:
        deed: The core's word for it, which decides the deadline.
        watched: Whether Pacemaker's log gets its progress, too.
    """

    run: Callable[[Operation], Ended]
    deed: str
    watched: bool = True


_DEEDS = {
    "start": _Deed(start, "restore"),
    "stop": _Deed(stop, "remove"),
    "monitor": _Deed(monitor, "quickCheck", watched=False),
    "validate-all": _Deed(validate, "quickCheck"),
    "reload-agent": _Deed(validate, "quickCheck"),  # the agent keeps nothing: the next operation reads all anew
}


def main(arguments: list[str]) -> NoReturn:
    """Run one operation; the words are the agent's name and the operation's."""
    status = BROKEN
    try:
        edge.mind_signals()
        agent, operation = AGENTS[arguments[0]], (arguments[1:] or [""])[0]
        status = SPOKEN + _run(agent, operation)
    except BaseException as error:
        edge.unexpected(edge.open_action("ocf", "").log, error)
    edge.leave(status)


def _run(agent: Agent, name: str) -> Rc:
    if name == "meta-data":
        from ec2kit.frontends.ocf_metadata import xml

        sys.stdout.write(xml(agent) + "\n")
        return Rc.SUCCESS
    usage = f"usage: {agent.name} {'|'.join((*_DEEDS, 'meta-data'))}\n"
    if name in ("usage", "help"):
        sys.stdout.write(usage)
        return Rc.SUCCESS
    if name not in _DEEDS:
        sys.stderr.write(usage)
        return Rc.ERR_UNIMPLEMENTED if name else Rc.ERR_ARGS
    return _operate(agent, name)


def _operate(agent: Agent, name: str) -> Rc:
    call, watch = call_of(os.environ), edge.Watch(BROKEN, grace=_OVERDUE)
    try:
        if name == "validate-all" and not call.tag:  # tools ask before there is a resource
            call = replace(call, tag=agent.name)
        if not call.tag:
            raise ArgumentInvalid(name="OCF_RESOURCE_INSTANCE", reason="it is required")
        given, mistake = _given(agent, name)
    except ArgumentInvalid as error:
        return _misconfigured(name, call, watch, error)
    operation = _open(agent, name, given, call, watch)
    if mistake is not None:
        operation.action.log.error(mistake)
    ended = _carry_out(operation, _DEEDS[name])
    if ended.rc not in (Rc.SUCCESS, Rc.NOT_RUNNING):
        _give_reason(ended.note)
    return ended.rc


def _given(agent: Agent, name: str) -> tuple[Given, ArgumentInvalid | None]:
    """The parameters; and for stop a mistake that does not matter to it, which must not get the server fenced."""
    try:
        return read(agent, os.environ), None
    except ArgumentInvalid as error:
        if name != "stop":
            raise
        return read(agent, needed_to_stop(os.environ)), error


def _misconfigured(name: str, call: Call, watch: edge.Watch, error: ArgumentInvalid) -> Rc:
    """Where nothing was ever started, stop has nothing to do."""
    action = edge.open_action(name, call.tag, watch=watch)
    action.log.error(error)
    if name == "stop" and not _is_wanted(action.intentions):
        return Rc.SUCCESS
    _give_reason(str(error))
    return Rc.ERR_GENERIC if name == "stop" else Rc.ERR_CONFIGURED


def _is_wanted(intentions: Intentions) -> bool:
    """Whether a start began here, and no stop since."""
    current = intentions.current()
    return current is not None and current.direction is Direction.UP


def _give_reason(reason: str) -> None:
    """
    Crm_mon shows it beside the failed operation.

    Source: Pacemaker, services library: the last line on stderr that begins so.
    """
    log.to_stderr(Level.ERROR, f"ocf-exit-reason:{clean(reason)}")


# -- what an operation works with ------------------------------------------------------------------------------


def _open(agent: Agent, name: str, given: Given, call: Call, watch: edge.Watch) -> Operation:
    _use_profile(given.profile)
    deed = _DEEDS[name]

    def kept(settings: Settings, deadline: Deadline) -> Markers:
        def define() -> Resource:
            return _resource(call.tag, given, _place(call.tag, given, settings, deadline), settings)

        return Markers(settings.run_dir, define, server=settings.server)

    action = edge.open_action(
        name,
        call.tag,
        deed=deed.deed,
        seconds=call.seconds,
        kept=kept,
        watched=deed.watched,
        watch=watch,
    )
    return Operation(action, given, call, agent)


def _use_profile(profile: str) -> None:
    """The SDK fails where a profile is named and not there, be it "default"; without a name it does not."""
    if profile == "default":
        os.environ.pop("AWS_PROFILE", None)
    elif profile:
        os.environ["AWS_PROFILE"] = profile


def _place(tag: str, given: Given, settings: Settings, deadline: Deadline) -> Place:
    return place(
        tag,
        device=given.device,
        private_ip_address=given.private_ip_address,
        settings=settings,
        deadline=deadline,
    )


def _resource(tag: str, given: Given, here: Place, settings: Settings) -> Resource:
    """The definition; the cluster's other servers and their ENIs are not known to it."""
    return Resource(
        tag=tag,
        scenario=given.scenario,
        region=given.region or here.region,
        vpc_id=here.vpc_id,
        address=given.address,
        allocation_id=given.allocation_id,
        switchback="intelligent",
        servers=(here.server(settings.server),),
        route_table_ids=given.route_table_ids,
    )


# -- running it ------------------------------------------------------------------------------------------------


def _carry_out(operation: Operation, deed: _Deed) -> Ended:
    action = operation.action
    action.begin()
    try:
        ended = deed.run(operation)
    except (Ec2KitError, Stopped) as error:
        action.fail(error)
        return _in_trouble(operation, error)
    except Exception as error:
        edge.unexpected(action.log, error)
        action.fail("unexpected trouble")
        return _in_trouble(operation, error)
    if ended.rc in (Rc.SUCCESS, Rc.NOT_RUNNING):
        action.end(ended.note)
    else:
        action.fail(ended.note)
    return ended


def _in_trouble(operation: Operation, error: BaseException) -> Ended:
    """Trouble is never a verdict: monitor, and a stop that has done its part here, go by what this server shows."""
    name, reason = operation.action.name, str(error)
    if name == "monitor":
        return Ended(Rc.SUCCESS if operation.is_here() else Rc.NOT_RUNNING, reason)
    if name == "stop" and not isinstance(error, StillHere) and not operation.is_here():
        return Ended(Rc.SUCCESS, reason)
    return Ended(Rc.ERR_INSTALLED if isinstance(error, InterfaceUnknown) else Rc.ERR_GENERIC, reason)
