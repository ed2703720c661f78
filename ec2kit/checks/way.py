"""These checks look at the ways to EC2: whether each one works, and whether one works without the active server."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import NamedTuple

from ec2kit.checks.preflight import Preflight
from ec2kit.deadline import side_by_side
from ec2kit.ec2.operations import Ec2
from ec2kit.endpoints import Endpoint
from ec2kit.errors import AwsRefused, Ec2KitError, LocalCommandFailed, Unknown
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.host.device import gateway_to

_NAME = "ways to ec2"
_AT_A_TIME = 8
_ADVICE = "give this server a way of its own: without that server it cannot move the address"


class _Tried(NamedTuple):
    """A way that was tried: the addresses to which its packets go first, and the error if EC2 did not answer."""

    way: str
    hops: tuple[str, ...]
    error: Ec2KitError | None


def ways(it: Preflight) -> Findings:
    """
    Tell of each listed way to EC2 whether it works, and whether all that work lead through a server of the resource.

    Where there is no list, the check of the endpoint has tried the only way.

    Raises:
        Unknown: EC2 does not answer by any way.
    """
    listed = it.settings.endpoints
    tried = [_of(it.ec2)] if len(listed) < 2 else _all(it, listed)
    for each in tried:
        if each.error is None:
            yield Finding(_NAME, Outcome.OK, f"{each.way}: it answers, and accepts the credentials")
        else:
            advice = "fix this way, or take it out of EC2_ENDPOINTS: there is one less to rely on"
            yield Finding(_NAME, Outcome.WARN, f"{each.way}: {each.error}", advice)
    yield from _through_servers(it, [each for each in tried if each.error is None])


def _all(it: Preflight, listed: tuple[Endpoint, ...]) -> list[_Tried]:
    it.ec2.is_allowed(it.making.LOOK)  # one that does not answer at all is not tried by each way
    limit = it.action.deadline.within(it.action.deadline.remaining() / 2)
    found = side_by_side([partial(_tried, it, each) for each in listed], limit, at_most=_AT_A_TIME)
    return [_failed(way, each) for way, each in zip(listed, found, strict=True)]


def _failed(way: Endpoint, outcome: _Tried | Exception) -> _Tried:
    if isinstance(outcome, Ec2KitError):
        return _Tried(way.name, (), outcome)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _tried(it: Preflight, way: Endpoint) -> _Tried:
    ec2 = it.ec2_by(way)
    ec2.is_allowed(it.making.LOOK)
    return _of(ec2)


def _of(ec2: Ec2) -> _Tried:
    return _Tried(ec2.way, ec2.first_hops(), None)


def _through_servers(it: Preflight, working: list[_Tried]) -> Findings:
    """Report if packets of all ways that work go to servers of the resource first, or to what moves with it."""
    servers = _addresses(it)
    through = [_server_on(it, tried, servers) for tried in working]
    if None in through:
        return
    for tried, server in zip(working, through, strict=True):
        yield Finding(
            _NAME, Outcome.WARN, f"the way by {tried.way} leads through {server}, and none other works", _ADVICE
        )


def _server_on(it: Preflight, tried: _Tried, servers: dict[str, str]) -> str | None:
    """Return the server to which the packets of a way go first, None if they go around by any address of its name."""
    found = {servers.get(each) or servers.get(_gateway(it, each)) for each in tried.hops} or {None}
    return next(iter(found)) if None not in found else None


def _gateway(it: Preflight, address: str) -> str:
    try:
        return gateway_to(address, it.settings, it.action.deadline) or ""
    except LocalCommandFailed:
        return ""


def _addresses(it: Preflight) -> dict[str, str]:
    """Return address → the server that has it, of all servers but this one, and of the address that moves."""
    found = {each: f"the server that has {each}" for each in it.resource.addresses}
    with suppress(Unknown, AwsRefused):
        for eni in {*it.scenario.owners(it.seen).values()} - {None, it.server.network_interface_id}:
            holder = it.resource.find_holder(eni)
            name = f"the active server {holder.name if holder else ''}".rstrip()
            found |= dict.fromkeys(it.ec2.network_interface(str(eni)).addresses, name)
    found |= {each.private_ip_address: each.name for each in it.resource.servers if each.name != it.server.name}
    return found
