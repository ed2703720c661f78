"""One check makes sure that no other resource has the tag or the address, on all servers that can be asked."""

from __future__ import annotations

from functools import partial

from ec2kit.checks.preflight import Preflight
from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.errors import AwsRefused, Unknown
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.peers import here
from ec2kit.peers.ask import ask
from ec2kit.resource import Resource

_ANSWER_SECONDS = 5.0
"""Seconds for the answer of another server; short, because a silent server must not delay the other checks."""


def free(it: Preflight) -> Findings:
    """Tell whether address and tag are free on this server, and on all other known servers that answer."""
    name, tag, address = "address free", it.resource.tag, it.resource.address
    kept_here = here.addresses(it.action)
    holders = [(each, there) for each, there in kept_here.items() if each != tag]
    silent: list[str] = []
    for server, kept in _kept_elsewhere(it):
        if isinstance(kept, Exception):
            silent.append(f"{server} ({kept})")
            continue
        holders += [(f"{each} on {server}", there) for each, there in kept.items() if each != tag]
        if tag in kept and it.template is None:
            found = f"{server} has a resource {tag}, of {kept[tag]}"
            yield Finding("tag free", Outcome.FAILED, found, "choose another tag, or delete that resource first")
    taken = [holder for holder, there in holders if it.scenario.collides(it.resource, there)]
    if taken:
        found = f"{address} is protected by {', '.join(dict.fromkeys(taken))}"
        yield Finding(name, Outcome.FAILED, found, "choose another address, or delete that resource first")
    else:
        yield Finding(name, Outcome.OK, f"no other resource protects {address}")
    yield from _place_free(it, holders)
    if silent:
        advice = "make sure by hand that no resource there has the same tag or address"
        yield Finding("tag and address elsewhere", Outcome.UNSEEN, ", ".join(silent), advice)


def _place_free(it: Preflight, holders: list[tuple[str, str]]) -> Findings:
    """
    Tell whether the address would displace one that another resource protects, or shares its place with one.

    Args:
        holders: Each other resource, "ec2-eip1 on node2", with its address.
    """
    name, place = "place free", f"{it.server.private_ip_address} of {it.server.network_interface_id}"
    try:
        losing = it.making.displaces(it)
    except (Unknown, AwsRefused) as error:
        yield Finding(name, Outcome.UNSEEN, str(error), "check by hand")
        return
    displaced = {address: [holder for holder, its in holders if its == address] for address in losing}
    for address, protected_by in displaced.items():
        if not protected_by:
            continue  # the scenario's own check tells of an address that no resource protects
        found = f"{address} of {', '.join(protected_by)} is on {place}, and would lose its place there"
        yield Finding(name, Outcome.FAILED, found, "use another network interface, one for each such resource")
    sharing = [each for each in it.action.registry.resources() if it.making.SHARES_NO_PLACE and _is_there(it, each)]
    for each in sharing:
        if each.address not in displaced:
            found = f"{each.address} of {each.tag} comes to {place}, too"
            advice = "use another network interface, or never let both come here: each would displace the other"
            yield Finding(name, Outcome.WARN, found, advice)


def _is_there(it: Preflight, other: Resource) -> bool:
    """Tell whether another resource of this kind comes to the same private address of this server."""
    there = other.find_server(it.server.name)
    if other.tag == it.resource.tag or other.scenario != it.resource.scenario or there is None:
        return False
    places = [(each.network_interface_id, each.private_ip_address) for each in (there, it.server)]
    return places[0] == places[1]


def _kept_elsewhere(it: Preflight) -> list[tuple[str, dict[str, str] | Exception]]:
    """Return each other server with tag → address of its resources, or with the error instead of its answer."""
    names = sorted(_others(it))
    jobs = [partial(_kept_on, it.action, each) for each in names]
    return list(zip(names, side_by_side(jobs, it.action.deadline, at_most=8), strict=True))


def _kept_on(action: Action, server: str) -> dict[str, str]:
    told = ask(action, server, ["addresses"], seconds=_ANSWER_SECONDS)["addresses"]
    return {str(tag): str(address) for tag, address in told.items()}


def _others(it: Preflight) -> set[str]:
    """Return the other known servers: those of LifeKeeper, and those of all resources of this server."""
    resources = [it.resource, *it.action.registry.resources()]
    systems = it.action.lifekeeper.systems() if it.action.lifekeeper is not None else []
    return {*systems, *(name for each in resources for name in each.names)} - {it.action.registry.server}
