"""Resources of record sets are made, checked, tried and shown by what is here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ec2kit.errors import ArgumentInvalid, PermissionMissing
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.dns_record import Own, owners
from ec2kit.scenarios.dns_record import definition as form
from ec2kit.scenarios.dns_record.look import named, target_of
from ec2kit.scenarios.wish import Field, Found, Given, Offered

if TYPE_CHECKING:
    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.holding import Holdings
    from ec2kit.host.instance import Interface
    from ec2kit.scenarios.dns_record.look import Observed
    from ec2kit.scenarios.scenario import Check, Grant, Ground
    from ec2kit.status import Change

# -- create --------------------------------------------------------------------------------------------------

DEFAULT_TTL = "10"
"""Seconds, the default of `ocf:heartbeat:aws-vpc-route53`: clients keep the former server for so long."""


def checked(read: Callable[[str], str]) -> Callable[[str, str], str]:
    """Return a reader of a field, from (name, text), that raises ArgumentInvalid instead of ValueError."""

    def check(name: str, text: str) -> str:
        try:
            return read(text)
        except ValueError as error:
            raise ArgumentInvalid(name=name, reason=str(error)) from error

    return check


_ZONE = Field(
    "hosted_zone_id",
    "--hosted-zone",
    "Z…",
    "id of the hosted zone of a dns-record resource, public or private",
    "Hosted zone",
    checked=checked(form.canonical_zone),
)
_RECORD = Field(
    "record",
    "--record",
    "NAME",
    "name of a record set, db.example.com",
    "Name of the record set",
    checked=checked(form.canonical_name),
    names_it=True,
)
_TYPE = Field(
    "record_type",
    "--record-type",
    "TYPE",
    f"type of the record set: {', '.join(form.TYPES)}; default: A",
    "Type of the record set",
    checked=checked(form.checked_type),
    offered="record_types",
    closed=True,
)
_TARGET = Field(
    "points_at",
    "--points-at",
    "private|public|SERVER=VALUE",
    "what the record set points at: the active server's private address (default) or public address, or, repeated, a "
    "value for each server, node1=192.0.2.1",
    "Points at (private, public, or SERVER=VALUE,SERVER=VALUE)",
    offered="record_targets",
    several=True,
)
_TTL = Field(
    "ttl",
    "--ttl",
    "SECONDS",
    f"time for which clients may keep an answer; default: {DEFAULT_TTL}",
    "Time to live in seconds",
    checked=checked(form.canonical_ttl),
    offered="ttls",
)

FIELDS: tuple[Field, ...] = (_ZONE, _RECORD, _TYPE, _TARGET, _TTL)


def understood(given: Given, address_of: Callable[[str], str] | None) -> Given:
    """
    Return the given fields, completed.

    Raises:
        ArgumentInvalid: A field is missing, or the values do not fit the type.
    """
    for each in (_ZONE, _RECORD):
        if not given.get(each.name):
            raise ArgumentInvalid(name=each.word, reason=f"a dns-record resource needs {each.option}")
    complete = {"record_type": "A", "points_at": form.PRIVATE, "ttl": DEFAULT_TTL, **given}
    targets = tuple(each.strip() for each in complete["points_at"].split(","))
    try:
        read = form.canonical_targets(complete["record_type"], targets)
    except ValueError as error:
        raise ArgumentInvalid(name=_TARGET.word, reason=str(error)) from error
    if read not in ((form.PRIVATE,), (form.PUBLIC,)) and not all("=" in each for each in read):
        reason = "with one value for all servers, the record set would never change; give SERVER=VALUE for each"
        raise ArgumentInvalid(name=_TARGET.word, reason=reason)
    return {**complete, "points_at": ",".join(read)}


def find(given: Given, ec2: Ec2) -> Found:
    """Return the record set; the checks look at it, and at its zone."""
    targets = tuple(given["points_at"].split(","))
    return Found(given["record"], Own(given["hosted_zone_id"], given["record_type"], given["ttl"], targets))


def preparations(given: Given, observed: Any) -> tuple[Change, ...]:
    """Return nothing: restore makes the record set."""
    return ()


def offers(ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
    """Return the types, the usual targets and the usual time; Route 53 is not asked for its zones."""
    return {
        "record_types": dict.fromkeys(form.TYPES, ""),
        "record_targets": {form.PRIVATE: "the ENI's private address", form.PUBLIC: "its public address"},
        "ttls": {DEFAULT_TTL: ""},
    }


# -- checks --------------------------------------------------------------------------------------------------

LOOK = "DescribeNetworkInterfaces"

ONE_VPC = False

DIFFERENT_ZONES = True


def displaces(ground: Ground) -> Holdings:
    """Return nothing: many names may point at one server."""
    return ()


def interface_findings(ground: Ground, eni: NetworkInterface) -> Findings:
    """Yield nothing: a name needs no property of the ENI."""
    yield from ()


def replies_to(interface: Interface) -> str:
    """Return an address in the VPC, where the clients of a private address are."""
    vpc = ipaddress.IPv4Network(interface.vpc_cidr_blocks[0])
    return str(vpc.network_address + 2)


def _zone(ground: Ground) -> Findings:
    """Tell whether the zone exists, has the name, and is seen by this server's VPC if it is private."""
    resource, name = ground.resource, "hosted zone"
    try:
        zone = ground.ec2.route53.hosted_zone(resource.own.hosted_zone_id)
    except PermissionMissing as error:
        yield Finding(name, Outcome.UNSEEN, str(error), "grant route53:GetHostedZone, or check the zone by hand")
        return
    kind = "private" if zone.is_private else "public"
    found = f"{resource.own.hosted_zone_id} is the {kind} zone {zone.name}"
    if resource.address != zone.name and not resource.address.endswith(f".{zone.name}"):
        advice = "choose the hosted zone that has the name, or a name in this zone"
        yield Finding(name, Outcome.FAILED, f"{found}, which has no {resource.address}", advice)
    elif zone.is_private and ground.interface.vpc_id not in zone.vpc_ids:
        advice = "associate the zone with the VPCs in which the clients are"
        yield Finding(name, Outcome.WARN, f"{found}, which {ground.interface.vpc_id} does not see", advice)
    else:
        yield Finding(name, Outcome.OK, found)


def _record(ground: Ground) -> Findings:
    """Tell what the record set is now, and whether ec2kit may change it."""
    seen: Observed = ground.seen
    name, where = "record set", f"{named(ground.resource)} points at {seen.place}"
    if not seen.is_ours_to_change:
        advice = "choose another name, or replace it by a record set of simple routing"
        found = f"{named(ground.resource)} is {seen.place}; ec2kit changes only what has simple routing"
        yield Finding(name, Outcome.FAILED, found, advice)
    elif seen.record is None:
        yield Finding(name, Outcome.NOTE, f"{named(ground.resource)} does not exist", "restore makes it")
    elif ground.resource.find_holder(owners(seen)[seen.target]) is None:
        advice = "make sure that no other program uses it: restore changes it"
        yield Finding(name, Outcome.WARN, f"{where}, which is no server of the resource", advice)
    else:
        yield Finding(name, Outcome.OK, where)


def _value(ground: Ground) -> Findings:
    """Tell at what the record set will point for this server."""
    seen: Observed = ground.seen
    name = "record value"
    if seen.unknown is not None:
        advice = "give the server such an address, or one more --points-at SERVER=VALUE at create"
        yield Finding(name, Outcome.FAILED, str(seen.unknown), advice)
    else:
        found = f"{target_of(ground.resource)} points at {seen.values[0]} when it is in service here"
        yield Finding(name, Outcome.OK, found)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("hosted zone", _zone),
    ("record set", _record),
    ("record value", _value),
)

ON_DEMAND: tuple[tuple[str, Check], ...] = ()


def grants(resource: Resource, observed: Any) -> tuple[Grant, ...]:
    """Return the permissions for the one record set of its zone."""
    from ec2kit.scenarios.scenario import Grant

    zone, names = f"hostedzone/{resource.own.hosted_zone_id}", "route53:ChangeResourceRecordSets"
    condition = {
        "ForAllValues:StringEquals": {
            f"{names}NormalizedRecordNames": resource.address,
            f"{names}RecordTypes": resource.own.record_type,
        }
    }
    return (
        Grant("LookAtRecordSets", ("route53:ListResourceRecordSets",), (zone,)),
        Grant("ChangeRecordSet", (names,), (zone,), condition),
        Grant("WaitForChange", ("route53:GetChange",), ("change/*",)),
        Grant("LookAtZone", ("route53:GetHostedZone",), (zone,), is_optional=True),
    )


# -- trying and showing --------------------------------------------------------------------------------------

NOT_PROVED_BY_PING = (
    "this proves only the path to the server: clients keep a former answer of DNS until its TTL is over"
)

WHEN_SILENT = "the security group, the network ACL and the routes between the servers"


def packets_to(resource: Resource, holder: Server | None) -> tuple[str, ...]:
    """
    Return the address at which the record set points for the holder, as far as the definition tells it.

    Never the name: a resolver may keep the former answer, and the former server would answer.
    """
    own: Own = resource.own
    if holder is None or own.record_type == "CNAME":
        return ()
    if own.points_at == (form.PRIVATE,):
        return () if own.is_asked_for else (holder.private_ip_address,)
    value = own.given(holder.name)
    return () if value is None else (value,)


def shown(resource: Resource) -> str:
    """Return the record set with its zone."""
    return f"{resource.address} ({resource.own.record_type}, {resource.own.hosted_zone_id})"


IN_VENDORS_KIT = False
