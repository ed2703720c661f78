"""
The command `ec2kit doctor` examines resources: every check, at any time, on this server or on all of them.

Nothing is moved and nothing is changed, and no framework counts on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ec2kit.actions import doctor
from ec2kit.actions.doctor import Examined, Server
from ec2kit.actions.option import TAGS, Option, Values, tags_in
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError
from ec2kit.finding import Finding, Outcome
from ec2kit.frameworks import edge
from ec2kit.resource import Resource, checked_tag

FINE, FAILED, WARNINGS = 0, 1, 3
"""Exit statuses: all is fine; a check failed; a check warns, or could not look. 2 is a wrong command line."""

_WORDS = (
    (Outcome.FAILED, "failed"),
    (Outcome.WARN, "warning"),
    (Outcome.UNSEEN, "could not look"),
    (Outcome.NOTE, "note"),
    (Outcome.OK, "fine"),
)
"""Outcome → its word, the worst one first."""

_ALL_SERVERS = Option("all_servers", ("--all-servers",), "", "On each server of the resources, not only here.", bool)
_VERBOSE = Option("verbose", ("-v", "--verbose"), "", "Show what is fine, too.", bool)


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    tags = [checked_tag(each) for each in tags_in(values)]
    first = edge.open_action("doctor", "", watch=edge.Watch(FAILED))
    broken: list[Finding] = []
    if not tags:
        tags, broken = _known(first)
    with edge.shown(first):
        own, *others = doctor.examine(first, tags, all_servers=values["all_servers"])
    servers = [own._replace(findings=(*broken, *own.findings)), *others]
    found = [finding for each in servers for finding in _all_of(each)]
    data = {"servers": [_told(each) for each in servers], "counts": _counts(found)}
    shown = servers if values["verbose"] else list(_without_repetitions(servers))
    text = "\n".join([*(line for each in shown for line in _lines(each, values["verbose"])), _summary(found)])
    return Result(text, data, status=_status(found)).show(as_json=as_json)


command = commands.make(
    "doctor",
    "Examine resources with every check: exit status 0 if all is fine, 1 if a check failed, 3 if one warns.",
    (
        TAGS._replace(help="Tag of a resource, or several; default: all of them.", required=False, words=True),
        _ALL_SERVERS,
        _VERBOSE,
    ),
    _show,
)


def _known(first: Action) -> tuple[list[str], list[Finding]]:
    """Return the tags of all resources here, and a finding for each definition that cannot be read."""
    try:
        survey = first.registry.survey()
    except Ec2KitError as error:
        return [], [Finding("registry", Outcome.FAILED, str(error), error.message.action or "see the log")]
    broken = [each for each in survey if not isinstance(each, Resource)]
    advice = "extend the resource to this server again, or delete it; see docs/troubleshooting.md"
    found = [Finding("definition", Outcome.FAILED, str(each), advice) for each in broken]
    return [each.tag for each in survey if isinstance(each, Resource)], found


def _all_of(server: Server) -> list[Finding]:
    return [*server.findings, *(finding for each in server.resources.values() for finding in each.findings)]


def _counts(found: list[Finding]) -> dict[str, int]:
    counts = Counter(each.outcome for each in found)
    return {outcome.value: counts[outcome] for outcome, _ in _WORDS}


def _status(found: list[Finding]) -> int:
    outcomes = {each.outcome for each in found}
    if Outcome.FAILED in outcomes:
        return FAILED
    return WARNINGS if outcomes & {Outcome.WARN, Outcome.UNSEEN} else FINE


# -- for a person ------------------------------------------------------------------------------------------------


def _without_repetitions(servers: list[Server]) -> Iterator[Server]:
    """Leave out each note that a server before has made of the same resource, as about the VPC's tables."""
    told: set[tuple[str, Finding]] = set()
    for server in servers:
        resources = {}
        for tag, it in server.resources.items():
            new = tuple(each for each in it.findings if each.outcome is not Outcome.NOTE or (tag, each) not in told)
            resources[tag] = it._replace(findings=new)
            told |= {(tag, each) for each in new}
        yield server._replace(resources=resources)


def _lines(server: Server, verbose: bool) -> Iterator[str]:
    yield server.name if server.resources or server.findings else f"{server.name}  no resources"
    yield from _finding_lines(server.findings, verbose, indent="  ")
    for tag, it in server.resources.items():
        yield f"  {tag}  {_place(it)}"
        yield from _finding_lines(it.findings, verbose, indent="    ")


def _place(it: Examined) -> str:
    if it.in_service is None:
        return "not known"
    address = (it.definition or {}).get("address", "")
    return f"{address}  {'in service' if it.in_service else 'stands by'}"


def _finding_lines(findings: tuple[Finding, ...], verbose: bool, *, indent: str) -> Iterator[str]:
    for outcome, word in _WORDS:
        for each in findings:
            if each.outcome is outcome and (verbose or outcome is not Outcome.OK):
                yield f"{indent}{word}: {each.check}: {each.found}"
                if each.advice:
                    yield f"{indent}  -> {each.advice}"


def _summary(found: list[Finding]) -> str:
    counts = Counter(each.outcome for each in found)
    return ", ".join(
        f"{counts[outcome]} {word}" for outcome, word in _WORDS if counts[outcome] or outcome is Outcome.OK
    )


# -- for a program -----------------------------------------------------------------------------------------------


def _told(server: Server) -> dict[str, Any]:
    return {
        "server": server.name,
        "findings": [each.as_dict() for each in server.findings],
        "resources": [
            {
                "tag": tag,
                "address": (it.definition or {}).get("address"),
                "in_service": it.in_service,
                "findings": [each.as_dict() for each in it.findings],
            }
            for tag, it in server.resources.items()
        ],
    }
