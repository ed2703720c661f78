"""
Pacemaker's resource agents translate OCF's operations, variables and statuses to the actions of the core.

An operation that ended by itself exits with OCF's status plus 100. A Python that breaks down has another status; then
the script decides by the record that start and stop have written (see actions/agent).

Source: github.com/ClusterLabs/OCF-spec, resource agent API 1.1; Pacemaker Administration, "Resource Agents".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from ec2kit.deadline import Deadline
from ec2kit.errors import ArgumentInvalid, Ec2KitError, InterfaceUnknown, StillHere, Stopped
from ec2kit.frameworks import edge
from ec2kit.frameworks.pacemaker import agents
from ec2kit.frameworks.pacemaker.agents import Agent, Given
from ec2kit.frameworks.pacemaker.call import Call, call_of
from ec2kit.frameworks.pacemaker.local import Local
from ec2kit.frameworks.pacemaker.markers import Markers
from ec2kit.frameworks.pacemaker.operations import Ended, Operation, Rc, migrate_to, monitor, start, stop, validate
from ec2kit.host.place import Place, place
from ec2kit.messages import stderr
from ec2kit.messages.catalogue import Level
from ec2kit.messages.masking import clean
from ec2kit.resource import Resource
from ec2kit.scenarios import table
from ec2kit.settings import Settings
from ec2kit.state.intention import Direction, Intentions

SPOKEN = 100
"""This number is added to the status of an operation that ended by itself."""

BROKEN = 99
"""The exit status without a verdict: the script decides."""

_OVERDUE = 1.0
"""Seconds after the deadline at which the watchdog ends the process; Pacemaker would kill it a second later."""


@dataclass(frozen=True)
class _Deed:
    """
    The implementation of one operation.

    Attributes:
        deed: The core's name of the action, which decides the deadline.
        watched: True: Pacemaker's log shows the progress, too.
        quiet: True: nothing is said of a success, since configuration tools show what is said as a warning.
    """

    run: Callable[[Operation], Ended]
    deed: str
    watched: bool = True
    quiet: bool = False


_DEEDS = {
    "start": _Deed(start, "restore"),
    "stop": _Deed(stop, "remove"),
    "migrate_to": _Deed(migrate_to, "remove"),
    "migrate_from": _Deed(start, "restore"),
    "monitor": _Deed(monitor, "quickCheck", watched=False),
    "validate-all": _Deed(validate, "quickCheck", quiet=True),
    "reload-agent": _Deed(validate, "quickCheck"),  # the next operation reads all parameters again
}

_OTHER_NAMES = {"validate": "validate-all", "reload": "reload-agent"}
"""Names of operations that the heartbeat agents know as well → ours."""


def main(arguments: list[str]) -> NoReturn:
    """Run one operation; the words are the names of the agent and of the operation."""
    status = BROKEN
    try:
        edge.take_over()
        edge.mind_signals()
        agent, operation = agents.agent(arguments[0]), (arguments[1:] or [""])[0]
        status = SPOKEN + _run(agent, _OTHER_NAMES.get(operation, operation))
    except BaseException as error:
        edge.unexpected(edge.open_action("ocf", "").log, error)
    edge.leave(status)


def _run(agent: Agent, name: str) -> Rc:
    if name == "meta-data":
        from ec2kit.frameworks.pacemaker.metadata import xml

        sys.stdout.write(xml(agent) + "\n")
        return Rc.SUCCESS
    usage = f"usage: {agent.name} {'|'.join((*_DEEDS, 'meta-data'))}"
    if name in ("usage", "help"):
        sys.stdout.write(usage + "\n")
        return Rc.SUCCESS
    if name not in _DEEDS:
        stderr.say(Level.ERROR, usage)
        return Rc.ERR_UNIMPLEMENTED if name else Rc.ERR_ARGS
    return _operate(agent, name)


def _operate(agent: Agent, name: str) -> Rc:
    call, watch = call_of(os.environ), edge.Watch(BROKEN, grace=_OVERDUE)
    try:
        if name == "validate-all" and not call.tag and not call.refused:  # tools ask before there is a resource
            call = replace(call, tag=agent.name)
        if not call.tag:
            raise ArgumentInvalid(name="OCF_RESOURCE_INSTANCE", reason=call.refused or "it is required")
        given, mistake = _given(agent, name)
    except ArgumentInvalid as error:
        return _misconfigured(name, call, watch, error)
    operation = _open(agent, name, given, call, watch)
    if mistake is not None:
        operation.action.log.error(mistake)
    ended = _carry_out(operation, _DEEDS[name])
    if ended.rc not in (Rc.SUCCESS, Rc.NOT_RUNNING) or ended.is_unexpected:
        _give_reason(ended.note)
    return ended.rc


def _given(agent: Agent, name: str) -> tuple[Given, ArgumentInvalid | None]:
    """
    Read the parameters.

    Returns:
        The parameters. For stop also a mistake in parameters that stop does not need: it must not fence the server.
    """
    try:
        return agents.read(agent, os.environ), None
    except ArgumentInvalid as error:
        if name != "stop":
            raise
        return agents.read(agent, agents.needed_to_stop(agent, os.environ)), error


def _misconfigured(name: str, call: Call, watch: edge.Watch, error: ArgumentInvalid) -> Rc:
    """Return the status of a misconfigured resource; stop succeeds if no start began here."""
    action = edge.open_action(name, call.tag, watch=watch)
    action.log.error(error)
    if name == "stop" and not _is_wanted(action.intentions):
        return Rc.SUCCESS
    _give_reason(str(error))
    return Rc.ERR_GENERIC if name == "stop" else Rc.ERR_CONFIGURED


def _is_wanted(intentions: Intentions) -> bool:
    """Tell whether a start began here, and no stop since."""
    current = intentions.current()
    return current is not None and current.direction is Direction.UP


def _give_reason(reason: str) -> None:
    """
    Give a reason that crm_mon shows beside the failed operation.

    Source: Pacemaker, services library: the last line on stderr that begins so.
    """
    stderr.say(Level.ERROR, f"ocf-exit-reason:{clean(reason)}")


# -- the context of an operation -------------------------------------------------------------------------------


def _open(agent: Agent, name: str, given: Given, call: Call, watch: edge.Watch) -> Operation:
    _use_profile(given.profile)
    deed = _DEEDS[name]

    def kept(settings: Settings, deadline: Deadline) -> Markers:
        def define() -> Resource:
            return _resource(call.tag, given, _place(call.tag, given, settings, deadline), settings)

        device = given.carrier if given.on_the_device else ""
        return Markers(settings.run_dir, define, server=settings.server, device=device)

    action = edge.open_action(
        name,
        call.tag,
        deed=deed.deed,
        seconds=call.seconds,
        kept=kept,
        watched=deed.watched,
        watch=watch,
    )

    def here() -> Place:
        return _place(call.tag, given, action.settings, action.deadline)

    return Operation(action, given, call, agent, Local(action, given, here))


def _use_profile(profile: str) -> None:
    """Set AWS_PROFILE, but not for "default": the SDK fails if a named profile is missing, even that one."""
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
    """Return the definition, in which only this server is known."""
    return Resource(
        tag=tag,
        scenario=given.scenario,
        region=given.region or here.region,
        vpc_id=here.vpc_id,
        address=given.address,
        switchback="intelligent",
        servers=(here.server(settings.server),),
        own=table.scenario(given.scenario).own({"address": given.address, **given.own}),
    )


# -- running it ------------------------------------------------------------------------------------------------


def _carry_out(operation: Operation, deed: _Deed) -> Ended:
    action = operation.action
    if not deed.quiet:
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
    if ended.rc not in (Rc.SUCCESS, Rc.NOT_RUNNING):
        action.fail(ended.note)
    elif not deed.quiet:
        action.end(ended.note)
    return ended


def _in_trouble(operation: Operation, error: BaseException) -> Ended:
    """Return the end of an operation in trouble; monitor and stop decide by what this server itself shows."""
    name, reason = operation.action.name, str(error)
    if name == "monitor":
        return Ended(Rc.SUCCESS if operation.local.is_here() else Rc.NOT_RUNNING, reason)
    if name == "stop" and not isinstance(error, StillHere) and not operation.local.is_partly_here():
        return Ended(Rc.SUCCESS, reason)
    return Ended(Rc.ERR_INSTALLED if isinstance(error, InterfaceUnknown) else Rc.ERR_GENERIC, reason)
