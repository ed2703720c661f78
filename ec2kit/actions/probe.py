"""
The action probe asks other servers to send packets to an address, and tells which of them had an answer.

AWS shows what it has accepted. A probe shows whether packets arrive, and how long that took. It is never a verdict:
no action decides by it, and none ends differently because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ec2kit.deadline import side_by_side
from ec2kit.engine import judgement
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, Ec2KitError, LocalCommandFailed, Overtaken, RemoteRefused, RemoteSilent
from ec2kit.host import packet
from ec2kit.host.ip import carried, carried_ipv6
from ec2kit.messages import catalogue
from ec2kit.peers.answer import Questions, answer
from ec2kit.peers.ask import ask
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.table import making_of
from ec2kit.state import probed
from ec2kit.state.intention import Direction, Intention
from ec2kit.state.probed import Heard, Outcome, Probed
from ec2kit.status import Status, Verdict

_MORE_SECONDS = 5.0
"""Seconds that a server needs to begin and to answer, beyond the time for its packets."""

_TO_LOOK = 10.0
"""Seconds for what AWS says; packets tell also where AWS is silent."""

_AT_A_TIME = 32

_DEFAULT = "icmp"
"""The way of a probe on demand where EC2_PROBE is off."""


@dataclass(frozen=True)
class Probe:
    """
    Hold what came of a probe.

    Attributes:
        addresses: The addresses to which packets were sent; (): there is none.
        verdict: What AWS says of the address on this server.
        holder: The server on which the address is; None: that is not known, or it is no server of the resource.
        last: The probe as it is noted.
        look_at: Where to look if packets are not answered; () otherwise.
    """

    addresses: tuple[str, ...]
    verdict: Verdict
    holder: Server | None
    last: Probed
    look_at: tuple[str, ...] = ()

    @property
    def result(self) -> Outcome | None:
        """Return REACHED if each server that was asked had an answer, SILENT if one had none; None: not known."""
        return result_of(self.last.servers.values())


def result_of(heard: Iterable[Heard]) -> Outcome | None:
    """Return what the outcomes on all servers mean together; see `Probe.result`."""
    outcomes = {each.outcome for each in heard} - {Outcome.ITSELF}
    if Outcome.SILENT in outcomes:
        return Outcome.SILENT
    return Outcome.REACHED if outcomes == {Outcome.REACHED} else None


# -- on demand and after a restore ---------------------------------------------------------------------------------


def on_demand(action: Action) -> Probe:
    """
    Look where AWS has the address, and let all other servers of the resource send packets to it, this one, too.

    Raises:
        Ec2KitError: The resource is not known.
    """
    settings = action.settings
    look = judgement.look(action.within(min(_TO_LOOK, action.deadline.remaining() / 2)))
    way = _DEFAULT if settings.probe == "off" else settings.probe
    before = probed.recall(settings.run_dir, action.tag)
    holder = _holder(action, look)
    heard, addresses, _ = _sent(action, way, holder)
    last = Probed(action.deadline.clock.now(), way, heard, before.effective if before else None)
    return _noted(action, Probe(addresses, look.verdict, holder, last))


def after_restore(action: Action, generation: int, accepted_at: float | None) -> None:
    """
    Let the other servers send packets to an address that a restore has just brought here.

    Args:
        generation: That of the restore's intention; if another one is wanted by the end, nothing is noted.
        accepted_at: When AWS had accepted the restore's last change; None: it changed nothing.
    """
    way, holder = action.settings.probe, action.server
    heard, addresses, first = _sent(action, way, holder)
    try:
        action.intentions.check(Intention(Direction.UP, generation))
    except Overtaken as error:
        action.log.put(catalogue.PROBE_OVERTAKEN, reason=error)
        return
    effective = None if accepted_at is None or first is None else round(max(0.0, first - accepted_at), 2)
    last = Probed(action.deadline.clock.now(), way, heard, effective)
    _noted(action, Probe(addresses, Verdict(Status.IN_SERVICE), holder, last))
    if effective is not None:
        action.log.record(catalogue.PROBE_EFFECTIVE, address=action.resource.address, seconds=f"{effective:g}")


def _holder(action: Action, look: judgement.Look) -> Server | None:
    """Return the server on which AWS has the address; if AWS does not say, this one if it has it by its own words."""
    holders = {each for eni in look.owners.values() if (each := action.resource.find_holder(eni)) is not None}
    if holders:
        return holders.pop() if len(holders) == 1 else None
    with suppress(Ec2KitError):
        if action.registry.in_service(action.tag):
            return action.server
    return None


# -- asking --------------------------------------------------------------------------------------------------------


def _sent(action: Action, way: str, holder: Server | None) -> tuple[dict[str, Heard], tuple[str, ...], float | None]:
    """
    Let servers send packets: those of EC2_PROBE_FROM, or of the resource, but not the one that has the address.

    Returns:
        Server → its outcome, the addresses, and when the first answer of a server that had reached them all came.
    """
    addresses = making_of(action.resource).packets_to(action.resource, holder)
    names = _witnesses(action.settings.probe_from) or action.resource.names
    asked = [name for name in names if holder is None or name != holder.name]
    if not addresses or not asked:
        return {}, addresses, None
    seconds = action.settings.probe_timeout
    limit = action.deadline.within(seconds + _MORE_SECONDS)
    jobs = [partial(_timed, action._replace(deadline=limit), name, way, seconds, addresses) for name in asked]
    ends = side_by_side(jobs, limit, at_most=_AT_A_TIME)
    found = dict(zip(asked, map(_settled, ends), strict=True))
    came = [when for heard, when in found.values() if heard.outcome is Outcome.REACHED]
    return {name: heard for name, (heard, _) in found.items()}, addresses, min(came, default=None)


def _witnesses(text: str) -> tuple[str, ...]:
    """Return the names of EC2_PROBE_FROM, between which stand commas or blanks."""
    return tuple(dict.fromkeys(filter(None, re.split(r"[\s,]+", text))))


def _timed(action: Action, name: str, way: str, seconds: float, addresses: tuple[str, ...]) -> tuple[Heard, float]:
    """Return the outcome on one server, and when it was told."""
    words = ["probe", action.tag, way, f"{seconds:g}", *addresses]
    try:
        if name == action.registry.server:
            told = answer(action, words, PEER_QUESTIONS)
        else:
            told = ask(action, name, words, seconds=action.deadline.remaining())
        heard = _understood(told)
    except RemoteRefused as error:
        heard = Heard(Outcome.UNABLE, detail=str(error.fields["reason"]))
    except RemoteSilent as error:
        heard = Heard(Outcome.UNASKED, detail=str(error.fields["reason"]))
    return heard, action.deadline.clock.now()


def _settled(end: tuple[Heard, float] | Exception) -> tuple[Heard, float]:
    if isinstance(end, Ec2KitError):
        return Heard(Outcome.UNASKED, detail=str(end)), 0.0
    if isinstance(end, Exception):
        raise end
    return end


def _understood(told: Mapping[str, Any]) -> Heard:
    try:
        heard = Heard.of(told)
        return heard._replace(detail=heard.detail[:300])
    except (KeyError, ValueError, TypeError, OverflowError):
        return Heard(Outcome.UNASKED, detail="its answer cannot be understood; install the same version everywhere")


# -- telling -------------------------------------------------------------------------------------------------------


def _noted(action: Action, done: Probe) -> Probe:
    """Log a probe, and note it; a note that cannot be written changes nothing."""
    done = _with_advice(action, done)
    try:
        probed.keep(action.settings.run_dir, action.tag, done.last)
    except Ec2KitError as error:
        action.log.error(error)
    if action.settings.metrics_dir:
        _measured(action, done)
    address, way = action.resource.address, done.last.way
    outcomes = {each.outcome for each in done.last.servers.values()}
    said = "; ".join(f"{name} {each}" for name, each in done.last.servers.items()) or _no_packet(done)
    if Outcome.SILENT in outcomes:
        fields = {"status": done.verdict.status.value, "look_at": "; ".join(done.look_at)}
        action.log.record(catalogue.PROBE_SILENT, address=address, way=way, servers=said, **fields)
    elif Outcome.UNABLE in outcomes:
        action.log.record(catalogue.PROBE_UNABLE, address=address, way=way, servers=said)
    elif Outcome.REACHED in outcomes:
        action.log.record(catalogue.PROBE_REACHED, address=address, way=way, servers=said)
    else:
        action.log.record(catalogue.PROBE_UNSEEN, address=address, servers=said)
    return done


def _measured(action: Action, done: Probe) -> None:
    """Write the metrics of a probe; if that is impossible, it is logged."""
    from time import time

    from ec2kit.state import metrics
    from ec2kit.state.metrics import Gauge

    heard, effective = done.last.servers.items(), done.last.effective
    told = [(name, each) for name, each in heard if each.outcome in (Outcome.REACHED, Outcome.SILENT)]
    success = [({"from": name}, float(each.outcome is Outcome.REACHED)) for name, each in told]
    took = [({"from": name}, each.milliseconds / 1000) for name, each in heard if each.milliseconds is not None]
    ended = [({"outcome": one.value}, float(sum(each.outcome is one for _, each in heard))) for one in Outcome]
    gauges = (
        Gauge("ec2kit_probe_success", "Whether a packet from that server to the address was answered.", success),
        Gauge("ec2kit_probe_duration_seconds", "Time from that packet to its answer.", took),
        Gauge("ec2kit_probe_servers", "Number of the servers that were asked, by outcome.", ended),
        Gauge("ec2kit_probe_timestamp_seconds", "When the last probe ended, in Unix time.", [({}, time())]),
        Gauge(
            "ec2kit_probe_effective_seconds",
            "Time, at most, from AWS's answer to the last change of a restore until a packet was answered.",
            [({}, effective)] if effective is not None else [],
        ),
    )
    try:
        metrics.write(action.settings.metrics_dir, metrics.PROBE, action.tag, gauges)
    except Ec2KitError as error:
        action.log.put(catalogue.METRICS_NOT_WRITTEN, reason=error)


def _no_packet(done: Probe) -> str:
    return "there is no other server to ask" if done.addresses else "no address to send a packet to is known"


def _with_advice(action: Action, done: Probe) -> Probe:
    """Return the probe with the places to look at, if packets were not answered; what is seen here comes first."""
    if done.result is not Outcome.SILENT:
        return done
    making = making_of(action.resource)
    is_here = done.verdict.status is Status.IN_SERVICE and action.scenario.ON_THE_DEVICE
    lacking = [f"{each} is on no device here" for each in (_lacking(action, done.addresses) if is_here else ())]
    return replace(done, look_at=tuple(filter(None, (*lacking, making.WHEN_SILENT))))


def _lacking(action: Action, addresses: Iterable[str]) -> Iterator[str]:
    """Yield the IPv4 addresses that no device of this server has; none if that cannot be seen."""
    with suppress(LocalCommandFailed):
        here = {each.address for each in carried(action.settings, action.deadline)}
        yield from (each for each in addresses if ":" not in each and each not in here)


# -- the question to each server -----------------------------------------------------------------------------------


def here_itself(action: Action, addresses: Iterable[str]) -> str:
    """Return why this server cannot try the addresses: it has one of them, and would answer itself; "" if it can."""
    here = carried_ipv6(action.settings)
    with suppress(LocalCommandFailed):
        here |= {each.address: each.device for each in carried(action.settings, action.deadline)}
    own = next((each for each in addresses if each in here), None)
    return "" if own is None else f"this server itself has {own} on {here[own]}, and would answer itself"


def _tell(action: Action, words: list[str]) -> dict[str, Any]:
    """Send packets for another server, which names all that is needed: this server may not have the resource."""
    way, seconds, addresses = _read(words)
    return _tried(action, way, seconds, addresses).as_dict()


def _tried(action: Action, way: str, seconds: float, addresses: tuple[str, ...]) -> Heard:
    if itself := here_itself(action, addresses):
        return Heard(Outcome.ITSELF, detail=itself)
    if way.startswith("command:") and way != action.settings.probe:
        return Heard(Outcome.UNABLE, detail="EC2_PROBE of that server does not name this command")
    deadline = action.deadline.within(seconds)
    jobs = [partial(packet.answer, way, each, action.settings, deadline) for each in addresses]
    answers = side_by_side(jobs, action.deadline, at_most=_AT_A_TIME)
    trouble = next((each for each in answers if isinstance(each, Exception)), None)
    silent = [address for address, each in zip(addresses, answers, strict=True) if each is None]
    if silent:
        whose = f"of {', '.join(silent)} " if len(addresses) > 1 else ""
        return Heard(Outcome.SILENT, detail=f"{whose}within {seconds:g} s")
    if trouble is not None:
        if not isinstance(trouble, Ec2KitError):
            raise trouble
        return Heard(Outcome.UNABLE, detail=str(trouble))
    found = [each for each in answers if isinstance(each, packet.Answer)]
    remark = next((each.remark for each in found if each.remark), "")
    return Heard(Outcome.REACHED, max(each.milliseconds for each in found), remark)


def _read(words: list[str]) -> tuple[str, float, tuple[str, ...]]:
    """
    Read the question: TAG WAY SECONDS ADDRESS...

    Raises:
        ArgumentInvalid: A word is missing or invalid; it may be meant to be an option of a command.
    """
    import ipaddress

    from ec2kit.settings import TUNABLES

    try:
        way, seconds, addresses = words[1], words[2], tuple(words[3:])
        if way == "off" or not addresses:
            raise ValueError
        TUNABLES["probe"].value(way)
        addresses = tuple(str(ipaddress.ip_address(each)) for each in addresses)
        return way, float(str(TUNABLES["probe_timeout"].value(seconds))), addresses
    except (IndexError, ValueError) as error:
        raise ArgumentInvalid(name="peer", reason="probe needs TAG, a way, seconds and addresses") from error


PEER_QUESTIONS: Questions = {"probe": _tell}
"""The question of a probe: probe TAG WAY SECONDS ADDRESS..."""


def shown(resource: Resource, done: Probe) -> Iterator[str]:
    """Yield the lines that show a probe to a person."""
    yield f"{resource.tag}  {', '.join(done.addresses) or resource.address}  by {done.last.way}"
    verdict, where = done.verdict, f", it is on {done.holder.name}" if done.holder else ""
    yield f"  AWS  {verdict.status.value} here{where}" + (f": {verdict.reason}" if verdict.reasons else "")
    for name, each in done.last.servers.items():
        yield f"  {name}  {each}"
    if not done.last.servers:
        yield f"  {_no_packet(done)}"
    yield from (f"  look at: {place}" for place in done.look_at)
    if done.result is Outcome.REACHED and (open_question := making_of(resource).NOT_PROVED_BY_PING):
        yield f"  {open_question}"
