"""The doctor examines resources on their servers: all checks, what the servers say, and how they agree."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from ec2kit import __version__
from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError, RemoteSilent
from ec2kit.finding import Finding, Outcome
from ec2kit.peers import here
from ec2kit.peers.answer import Questions
from ec2kit.peers.ask import ask

_AT_A_TIME = 4
"""Resources that one server examines at the same time, and servers that are asked at the same time."""

_TO_ANSWER = 2.0
"""Seconds before the deadline at which the checks end, so that their findings still arrive; half of it at most."""

_CLOCK = 2.0
"""Seconds by which the clock of another server may differ; EC2 refuses requests at five minutes."""

_OTHER_FORM = "its answer cannot be read: install the same version on all servers"


class Examined(NamedTuple):
    """
    Hold what one server found of one resource.

    Attributes:
        in_service: None: the server cannot tell.
        definition: Its definition; None: it has none that can be read.
    """

    in_service: bool | None
    definition: dict[str, Any] | None
    findings: tuple[Finding, ...]


class Server(NamedTuple):
    """
    Hold what one server answered.

    Attributes:
        findings: Those about the server itself.
        resources: Tag → what it found.
    """

    name: str
    findings: tuple[Finding, ...]
    resources: dict[str, Examined]


def examine(action: Action, tags: Sequence[str], *, all_servers: bool) -> list[Server]:
    """
    Examine resources of this server.

    Args:
        all_servers: True: on each of their servers, by what that server finds itself.

    Returns:
        This server first, then the others by name.
    """
    own = action.registry.server
    wanted: dict[str, list[str]] = {own: list(tags)}
    for tag in tags if all_servers else ():
        for name in _names(action.called(tag)):
            if tag not in wanted.setdefault(name, []):
                wanted[name].append(tag)
    names = [own, *sorted(set(wanted) - {own})]
    jobs = [partial(_asked, action, each, wanted[each]) for each in names]
    outcomes = side_by_side(jobs, action.deadline, at_most=_AT_A_TIME)
    servers = [_server(name, outcome, wanted[name]) for name, outcome in zip(names, outcomes, strict=True)]
    compared = [each._replace(findings=(*each.findings, *_disagreements(each, servers[0]))) for each in servers]
    together = tuple(_taken_together(servers, tags)) if all_servers else ()
    return [compared[0]._replace(findings=(*compared[0].findings, *together)), *compared[1:]]


def _taken_together(servers: Sequence[Server], tags: Sequence[str]) -> Iterator[Finding]:
    """Yield which resources are in service on more than one server, or on none of those that all answered."""
    name = "one server in service"
    for tag in tags:
        said = {each.name: each.resources[tag].in_service for each in servers if tag in each.resources}
        holders = [server for server, in_service in said.items() if in_service]
        if len(holders) > 1:
            advice = "remove it on each of them but the one that the framework means"
            yield Finding(name, Outcome.FAILED, f"{tag} is in service on {' and '.join(holders)}", advice)
        elif not holders and None not in said.values() and not any(each.resources == {} for each in servers):
            yield Finding(name, Outcome.WARN, f"{tag} is in service on no server", "restore it where it is to be")


def _names(action: Action) -> tuple[str, ...]:
    try:
        return action.resource.names
    except Ec2KitError:
        return ()


def _asked(action: Action, name: str, tags: list[str]) -> tuple[dict[str, Any], float]:
    """Return a server's answer, this one's included, and how far its clock is off in seconds; raises Ec2KitError."""
    if name == action.registry.server:
        return _examine_here(action, tags), 0.0
    sent = time.time()
    told = ask(action, name, ["examine", *tags], seconds=action.deadline.remaining())
    off = _off(_number(name, told["now"]), sent, time.time())
    for tag in tags:
        _read(name, told, tag)  # otherwise its answer is none
    return told, off


def _number(server: str, told: object) -> float:
    if not isinstance(told, int | float):
        raise RemoteSilent(server=server, reason=_OTHER_FORM)
    return float(told)


def _off(there: float, sent: float, received: float) -> float:
    """Return by how many seconds a clock is ahead of this one for certain; the answer was made in between."""
    return max(0.0, there - received) + min(0.0, there - sent)


def _server(name: str, outcome: tuple[dict[str, Any], float] | Exception, tags: list[str]) -> Server:
    if isinstance(outcome, Exception):
        if not isinstance(outcome, Ec2KitError):
            raise outcome
        advice = "without an answer of it, nothing is known of its part"
        return Server(name, (Finding("server", Outcome.UNSEEN, str(outcome), advice),), {})
    told, off = outcome
    resources = {tag: _read(name, told, tag) for tag in tags}
    return Server(name, tuple(_own_findings(told, off)), resources)


def _own_findings(told: dict[str, Any], off: float) -> Iterator[Finding]:
    if told.get("version") != __version__:
        found = f"ec2kit {told.get('version')} there, {__version__} here"
        yield Finding("versions", Outcome.WARN, found, "install the same version on all servers")
    if abs(off) > _CLOCK:
        found = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} this server"
        advice = "let chrony keep the time: EC2 refuses requests of a clock that is five minutes off"
        yield Finding("clock", Outcome.WARN, found, advice)


def _disagreements(server: Server, own: Server) -> Iterator[Finding]:
    """Yield how the definitions of another server differ from those here."""
    for tag, there in server.resources.items():
        mine = own.resources.get(tag)
        if mine is None or mine.definition is None or there.definition is None:
            continue
        if differing := sorted(
            each for each in mine.definition if mine.definition[each] != there.definition.get(each)
        ):
            found = f"{tag}: {', '.join(differing)} other than on {own.name}"
            advice = "compare `ec2kit properties` on both servers; unextend and extend the one that is wrong"
            yield Finding("definition", Outcome.FAILED, found, advice)


def _read(server: str, told: dict[str, Any], tag: str) -> Examined:
    """Return what a server found of one resource; raises RemoteSilent if the answer has another form."""
    try:
        it = told["examined"][tag]
        found = tuple(
            Finding(str(each["check"]), Outcome(each["outcome"]), str(each["found"]), str(each["advice"]))
            for each in it["findings"]
        )
        return Examined(it["in_service"], it["definition"], found)
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteSilent(server=server, reason=_OTHER_FORM) from error


# -- on each server ------------------------------------------------------------------------------------------------


def _examine_here(action: Action, tags: Sequence[str]) -> dict[str, Any]:
    """Return what this server finds, in the form of an answer."""
    left = action.deadline.remaining()
    limit = action.deadline.within(left - min(_TO_ANSWER, left / 2))
    jobs = [partial(_examined, action.called(tag)._replace(deadline=limit)) for tag in tags]
    outcomes = side_by_side(jobs, limit, at_most=_AT_A_TIME)
    found = {tag: _as_data(outcome) for tag, outcome in zip(tags, outcomes, strict=True)}
    return {"version": __version__, "now": time.time(), "examined": found}


def _examined(action: Action) -> Examined:
    from ec2kit.checks import health

    try:
        definition = action.resource.as_dict()
    except Ec2KitError as error:
        advice = "extend the resource to this server again, or delete it; see docs/troubleshooting.md"
        return Examined(None, None, (Finding("definition", Outcome.FAILED, str(error), advice),))
    in_service = here.in_service(action)
    return Examined(in_service, definition, tuple(health.findings(action, in_service=in_service)))


def _as_data(outcome: Examined | Exception) -> dict[str, Any]:
    """Return one resource in the form of an answer; raises what is a fault of ec2kit."""
    if isinstance(outcome, Ec2KitError):
        outcome = Examined(
            None, None, (Finding("checks", Outcome.UNSEEN, str(outcome), "ask again, with more time"),)
        )
    if isinstance(outcome, Exception):
        raise outcome
    found = [each.as_dict() for each in outcome.findings]
    return {"in_service": outcome.in_service, "definition": outcome.definition, "findings": found}


PEER_QUESTIONS: Questions = {"examine": lambda action, words: _examine_here(action, [action.tag, *words[1:]])}
"""The question that is asked here: examine TAG..."""
