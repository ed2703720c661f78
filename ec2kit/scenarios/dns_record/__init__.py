"""The scenario dns-record: a record set of Route 53 points at the active server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.ec2.answers import Receipt
from ec2kit.ec2.route53 import CREATE, DELETE, UPSERT, RecordSet
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.messages.statement import Reason, Reasons
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.dns_record.definition import Own, own
from ec2kit.scenarios.dns_record.look import Observed, known, named, observe, shown
from ec2kit.status import Change, Plan, Status, Verdict, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Sharing
    from ec2kit.holding import Holdings
    from ec2kit.messages.statement import Statement
    from ec2kit.scenarios.dns_record.look import Source
    from ec2kit.scenarios.parameter import Agent
    from ec2kit.scenarios.scenario import Making, Permission
    from ec2kit.scenarios.situation.shown import Shown
    from ec2kit.settings import Settings

__all__ = ["Observed", "Own", "observe", "own", "subject"]

ON_THE_DEVICE = False

_TRIES = 2
"""Maximum times that the record set is written; if another writer changes it after the last, it stays contested."""


def subject(resource: Resource) -> str:
    """Return the record set with its zone."""
    return named(resource)


def holdings(resource: Resource) -> Holdings:
    """
    Return the name in its zone, for the type of the record set; a CNAME is alone with its name.

    Source: RFC 1034, 3.6.2.
    """
    from ec2kit.holding import Holding

    own: Own = resource.own
    types = () if own.record_type == "CNAME" else (own.record_type,)
    return (Holding(f"record set {resource.address} in {own.hosted_zone_id}", types),)


def roles(resource: Resource) -> tuple[str, ...]:
    """Return nothing: the zone is asked by the server's own credentials."""
    return ()


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Source:
    """Return the record set as the checks of this server share it."""
    from ec2kit.scenarios.dns_record.sharing import SharedRecords

    return SharedRecords(sharing)


def judge(observed: Observed) -> Verdict:
    """Tell whether the record set points at this server; one of another shape says nothing about that."""
    name, record = named(observed.resource), observed.record
    if record is None:
        return Verdict(Status.OUT_OF_SERVICE, (Reason.of(catalogue.RECORD_MISSING, record=name),))
    if not observed.is_ours_to_change:
        return Verdict(Status.UNKNOWN, (_of_another_shape(observed),))
    if observed.unknown is not None:
        return Verdict(Status.UNKNOWN, (observed.unknown,))
    if not observed.points_here:
        where = Reason.of(catalogue.RECORD_ELSEWHERE, record=name, place=observed.place)
        return Verdict(Status.OUT_OF_SERVICE, (where,))
    return Verdict(Status.IN_SERVICE) if observed.is_in_sync else Verdict(Status.UNKNOWN, (_not_in_sync(observed),))


def verdicts(observed: Observed) -> Mapping[str, Verdict]:
    """Return the verdict on the record set."""
    return {observed.resource.address: judge(observed)}


def _of_another_shape(observed: Observed) -> Statement:
    return Reason.of(catalogue.RECORD_OF_ANOTHER_SHAPE, record=named(observed.resource), shape=observed.place)


def _not_in_sync(observed: Observed) -> Statement:
    return Reason.of(catalogue.RECORD_NOT_IN_SYNC, record=named(observed.resource))


# -- deciding ----------------------------------------------------------------------------------------------------


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    Return the remaining changes; remove has none, because clients would get no answer instead of an old one.

    Args:
        made: Record set → the changes that Route 53 has accepted, or that may have been carried out.
        conditional: True: the record set is changed only if it still is as it was seen.
    """
    target = observed.target
    if wanted is Wanted.NOT_HERE:
        return Plan()
    if not observed.is_ours_to_change:
        return Plan(impossible={target: _of_another_shape(observed)})
    if observed.unknown is not None:
        return Plan(impossible={target: observed.unknown})
    if observed.is_right:
        return Plan() if observed.is_in_sync else Plan(pending={target: _not_in_sync(observed)})
    before = made.get(target, ())
    contested = Reason.of(catalogue.RECORD_CONTESTED, place=observed.place)
    if any(observed.place == change.old for change in before):
        late = Reason.of(catalogue.RECORD_STILL_ELSEWHERE, place=observed.place)
        return Plan(pending={target: contested if len(before) >= _TRIES else late})
    if len(before) >= _TRIES:
        return Plan(impossible={target: contested})
    wanted_set = RecordSet(int(observed.own.ttl), observed.values[:1])
    return Plan((_change(observed, CREATE if conditional else UPSERT, wanted_set, replaces=conditional),))


def _change(observed: Observed, action: str, record: RecordSet, *, replaces: bool) -> Change:
    """
    Return the change that makes, replaces or deletes the record set.

    Args:
        replaces: True: the record set as it was seen is deleted in the same transaction.
    """
    seen = _text(observed.record) if replaces else ""
    arguments: dict[str, str | bool] = {
        "action": action,
        "hosted_zone_id": observed.own.hosted_zone_id,
        "name": observed.resource.address,
        "record_type": observed.own.record_type,
        "record": _text(record),
        "instead_of": seen,
    }
    old = observed.place if observed.record else None
    new = None if action == DELETE else shown(record, observed.resource)
    return Change("ChangeResourceRecordSets", observed.target, old=old, new=new, arguments=arguments)


def _text(record: RecordSet | None) -> str:
    """Return a record set as one word of a file, "10 10.0.11.11,10.0.12.12"; "" for none."""
    return "" if record is None else record.shape or f"{record.ttl} {','.join(record.values)}"


def _read(text: str) -> RecordSet:
    ttl, _, values = text.partition(" ")
    return RecordSet(int(ttl), tuple(values.split(",")))


def foreseen(observed: Observed, change: Change) -> Observed:
    """Return the record set after a change that all DNS servers have."""
    record = None if change.arguments["action"] == DELETE else _read(str(change.arguments["record"]))
    return observed._replace(record=record, is_in_sync=True)


def ahead(resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
    """Return nothing: only a look shows whether the record set still is of simple routing."""
    return ()


def origin(observed: Observed) -> dict[str, str]:
    """Return for `undo` record set → its TTL and values, or ""."""
    return {observed.target: _text(observed.record)}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """Return the change that gives the record set its former values, or deletes it; only if it points here."""
    was, record = before.get(observed.target), observed.record
    if was is None or record is None or not observed.points_here or was == _text(record):
        return Plan()
    if not was:
        return Plan((_change(observed, DELETE, record, replaces=False),))
    return Plan((_change(observed, CREATE, _read(was), replaces=True),))


# -- changing ----------------------------------------------------------------------------------------------------


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what `Route53.change_record_set` raises."""
    texts = {name: str(value) for name, value in change.arguments.items()}
    record, instead_of = _read(texts.pop("record")), texts.pop("instead_of")
    seen = _read(instead_of) if instead_of else None
    return ec2.route53.change_record_set(target=change.target, record_set=record, instead_of=seen, **texts)


def permissions(observed: Observed | None) -> tuple[Permission, ...]:
    """
    Return the permissions to look and to change; a look that was answered has proved its own.

    Source: Route 53 API: no operation has DryRun.
    """
    from ec2kit.scenarios.scenario import Permission

    looking = ("ListResourceRecordSets",) if observed is None else ()
    names = (*looking, "ChangeResourceRecordSets", "GetChange")
    return tuple(Permission(each, None, service="route53") for each in names)


def patience(settings: Settings) -> float:
    """
    Return as much as any action has: the DNS servers have a change within a minute, not within EC2's seconds.

    Source: Route 53 API, ChangeResourceRecordSets: usually within 60 seconds.
    """
    return float("inf")


def companion(ec2: Ec2, server: Server) -> None:
    """Return None: a name needs no setting of the ENI."""


def left_by_remove(settings: Settings) -> bool:
    """Return True: without a record set, clients would keep for long that there is none."""
    return True


# -- telling -----------------------------------------------------------------------------------------------------


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Return record set → the ENI of the server whose value it has, otherwise what it has."""
    resource, record = observed.resource, observed.record
    if observed.points_here:
        return {observed.target: observed.server.network_interface_id}
    if record is None:
        return {observed.target: None}
    servers = {known(resource, each): each.network_interface_id for each in resource.servers}
    if observed.alone in servers:
        return {observed.target: servers[observed.alone]}
    return {observed.target: record.shape or ", ".join(record.values)}


def claimants(observed: Observed, target: str) -> tuple[str, ...]:
    """Return the owner; of a value that only the servers know, all other servers: each may be the owner."""
    owner = owners(observed).get(target)
    if owner is None or not observed.own.is_asked_for or observed.points_here:
        return (owner,) if owner else ()
    others = (each for each in observed.resource.servers if each.name != observed.server.name)
    return tuple(each.network_interface_id for each in others)


def objects(observed: Observed) -> tuple[str, ...]:
    """Return the record set."""
    return (observed.target,)


def remembered(observed: Observed, before: Collection[str] = ()) -> tuple[str, ...]:
    """Return nothing: a check misses a record set that is gone by itself."""
    return ()


def news(observed: Observed, before: Collection[str]) -> tuple[Notice, ...]:
    """Return nothing, because nothing is remembered."""
    return ()


def message(change: Change) -> Notice:
    """Return the message of a change."""
    return catalogue.RECORD_DELETED if change.new is None else catalogue.RECORD_CHANGED, {}


def notices(observed: Observed) -> tuple[Notice, ...]:
    """Return nothing: nothing else loses its place."""
    return ()


def left_alone(observed: Observed) -> Reasons:
    """Return nothing: the record set is one object."""
    return Reasons()


# -- the parts that are not always loaded ------------------------------------------------------------------------


def making() -> Making:
    """Return the module by which resources of record sets are made, checked, tried and shown."""
    from ec2kit.scenarios.dns_record import create

    return create


def agent() -> Agent:
    """Return the OCF agent of record sets."""
    from ec2kit.scenarios.dns_record.parameters import AGENT

    return AGENT


def recorded() -> type[Shown]:
    """Return the class that writes and reads what is shown of record sets."""
    from ec2kit.scenarios.dns_record.situation import DnsRecordShown

    return DnsRecordShown
