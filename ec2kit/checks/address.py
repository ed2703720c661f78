"""One check makes sure that no other resource has the tag or the address, on all servers that can be asked."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ec2kit.checks.preflight import Preflight
from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.errors import AwsRefused, RemoteRefused, Unknown
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.holding import Holdings, from_json, meeting
from ec2kit.peers import here
from ec2kit.peers.ask import ask

_ANSWER_SECONDS = 5.0
"""Seconds for the answer of another server; short, because a silent server must not delay the other checks."""

_ADVICE = "choose another address, name or network interface, or delete that resource first"


class _Kept(NamedTuple):
    """The resources of one server: tag → address, and tag → what it has of AWS for itself."""

    addresses: dict[str, str]
    holdings: dict[str, Holdings]


def free(it: Preflight) -> Findings:
    """
    Tell whether tag, address and place are free on this server, and on all other known servers that answer.

    Two resources that have one thing of AWS would take it from each other for ever.
    """
    name, tag, mine = "address free", it.resource.tag, here.holdings_of(it.resource)
    holders = [(each, its) for each, its in here.holdings(it.action).items() if each != tag]
    silent: list[str] = []
    for server, kept in _kept_elsewhere(it):
        if isinstance(kept, Exception):
            silent.append(f"{server} ({kept})")
            continue
        holders += [(f"{each} on {server}", its) for each, its in kept.holdings.items() if each != tag]
        if tag in kept.addresses and it.template is None:
            found = f"{server} has a resource {tag}, of {kept.addresses[tag]}"
            yield Finding("tag free", Outcome.FAILED, found, "choose another tag, or delete that resource first")
    taken = {thing: [holder for holder, its in holders if thing in meeting(mine, its)] for thing, _ in mine}
    for thing, by in taken.items():
        if by:
            found = f"{thing} is protected by {', '.join(dict.fromkeys(by))}"
            yield Finding(name, Outcome.FAILED, found, _ADVICE)
    if not any(taken.values()):
        yield Finding(name, Outcome.OK, f"no other resource protects {it.resource.address}")
    yield from _place_free(it, holders)
    if silent:
        advice = "make sure by hand that no resource there has the same tag or address"
        yield Finding("tag and address elsewhere", Outcome.UNSEEN, ", ".join(silent), advice)


def _place_free(it: Preflight, holders: list[tuple[str, Holdings]]) -> Findings:
    """
    Tell whether the address would displace what another resource protects, wherever that should be.

    Args:
        holders: Each other resource, "ec2-eip1 on node2", with what it has.
    """
    name, place = "place free", f"{it.server.private_ip_address} of {it.server.network_interface_id}"
    try:
        losing = it.making.displaces(it)
    except (Unknown, AwsRefused) as error:
        yield Finding(name, Outcome.UNSEEN, str(error), "check by hand")
        return
    for each in losing:
        protected_by = [holder for holder, its in holders if meeting((each,), its)]
        if not protected_by:
            continue  # the scenario's own check tells of what no resource protects
        found = f"{each.thing} of {', '.join(protected_by)} is on {place}, and would lose its place there"
        yield Finding(name, Outcome.FAILED, found, "use another network interface, one for each such resource")


def _kept_elsewhere(it: Preflight) -> list[tuple[str, _Kept | Exception]]:
    """Return each other server with its resources, or with the error instead of its answer."""
    names = sorted(_others(it))
    jobs = [partial(_kept_on, it.action, each) for each in names]
    return list(zip(names, side_by_side(jobs, it.action.deadline, at_most=8), strict=True))


def _kept_on(action: Action, server: str) -> _Kept:
    told = ask(action, server, ["addresses"], seconds=_ANSWER_SECONDS)
    if "holdings" not in told:
        raise RemoteRefused(server=server, reason="its version of ec2kit does not tell what it protects")
    try:
        holdings = {str(tag): from_json(each) for tag, each in told["holdings"].items()}
        return _Kept({str(tag): str(address) for tag, address in told["addresses"].items()}, holdings)
    except (KeyError, AttributeError, ValueError) as error:
        raise RemoteRefused(server=server, reason=f"its answer cannot be read: {error}") from error


def _others(it: Preflight) -> set[str]:
    """Return the other known servers: those of LifeKeeper, and those of all resources of this server."""
    resources = [it.resource, *it.action.registry.resources()]
    systems = it.action.lifekeeper.systems() if it.action.lifekeeper is not None else []
    return {*systems, *(name for each in resources for name in each.names)} - {it.action.registry.server}
