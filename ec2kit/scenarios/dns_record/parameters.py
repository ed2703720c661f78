"""The OCF agent of record sets has the parameters of `ocf:heartbeat:aws-vpc-route53`, and some more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ec2kit.errors import ArgumentInvalid
from ec2kit.scenarios.dns_record import definition as form
from ec2kit.scenarios.dns_record.create import DEFAULT_TTL, checked
from ec2kit.scenarios.parameter import PROFILE, REGION, REPAIR, Agent, Parameter, device

_LOCAL = "local"
"""The word of the heartbeat agent for the private address."""


def _target(name: str, text: str) -> tuple[str, ...]:
    return (form.PRIVATE if text == _LOCAL else text,)


def _must_fit(meant: Mapping[str, Any]) -> None:
    """Raise ArgumentInvalid if the value is none of a record set of the type."""
    try:
        form.canonical_targets(meant["record_type"], meant["points_at"])
    except ValueError as error:
        raise ArgumentInvalid(name="ip", reason=str(error)) from error


AGENT = Agent(
    "moves a record set of Route 53 between AWS instances",
    "Lets a record set of Route 53 of simple routing, in a public or a private hosted zone, point at the server "
    "where the resource runs. start waits until all DNS servers of Route 53 have the change, for a minute or so. "
    "stop leaves the record set. A record set of another kind, as weighted or an alias, is never changed. An API "
    "that does not answer is never a failure of monitor.",
    (
        Parameter(
            "hostedzoneid",
            "hosted zone",
            "The id of the hosted zone, Z0123456789ABCDEFGHIJ, of a public or a private one.",
            lambda name, text: checked(form.canonical_zone)(name, text) if text else "",
            "hosted_zone_id",
            required=True,
            needed_to_stop=True,
        ),
        Parameter(
            "fullname",
            "name of the record set",
            "The whole name of the record set, db.example.com; a last dot makes no difference.",
            lambda name, text: checked(form.canonical_name)(name, text) if text else "",
            "address",
            required=True,
            needed_to_stop=True,
        ),
        Parameter(
            "ttl",
            "time to live",
            "Seconds for which clients may keep an answer.",
            checked(form.canonical_ttl),
            "ttl",
            kind="integer",
            default=DEFAULT_TTL,
            needed_to_stop=True,
        ),
        Parameter(
            "ip",
            "target",
            "What the record set points at on the server where the resource runs: local (or private) is its private "
            "address, public its public one, both as the metadata service has them; anything else is the value "
            "itself, which needs a rule for each server.",
            _target,
            "points_at",
            default=_LOCAL,
            needed_to_stop=True,
        ),
        Parameter(
            "record_type",
            "type of the record set",
            "A, AAAA or CNAME. For AAAA, local and public are both the IPv6 address; a CNAME needs ip.",
            checked(form.checked_type),
            "record_type",
            kind="string",
            default="A",
            needed_to_stop=True,
        ),
        Parameter(
            "interface",
            "network interface",
            "Network interface whose address the record set points at. Default: the primary interface of the "
            "instance.",
            device,
            "device",
            needed_to_stop=True,
        ),
        REPAIR,
        REGION,
        PROFILE,
    ),
    _must_fit,
)
