"""
The example has a public and a private hosted zone, with record sets that are no business of ec2kit.

Source: Route 53 API, HostedZone, ResourceRecordSet.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Record = dict[str, Any]

PUBLIC_ZONE, PRIVATE_ZONE = "Z0EC2KITPUBLIC", "Z0EC2KITPRIVATE"
PUBLIC_NAME, PRIVATE_NAME = "example.com.", "example.internal."
RECORD = f"db.{PRIVATE_NAME}"
"""A name in the private zone that has no record set."""


@dataclass
class Zone:
    """One hosted zone; the record sets are in the form of the API."""

    zone_id: str
    name: str
    vpc_ids: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)


class Made(NamedTuple):
    """One batch of changes: when it was made, by the monotonic clock, and the caller's comment, or ""."""

    at: float
    comment: str


class Zones:
    """All zones, and when each change was made; a user must hold the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.vpc_id = "vpc-unknown"
        self.reset()

    def reset(self) -> None:
        """Put everything back as it was at the start."""
        with self.lock:
            public, private = Zone(PUBLIC_ZONE, PUBLIC_NAME), Zone(PRIVATE_ZONE, PRIVATE_NAME, (self.vpc_id,))
            for zone in (public, private):
                zone.records = [*_apex(zone.name), *_others(zone.name)]
            self.zones = {each.zone_id: each for each in (public, private)}
            self.made: dict[str, Made] = {}


def _apex(name: str) -> list[Record]:
    soa = f"ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400 {name}"
    return [_record(name, "NS", 172800, "ns-1.awsdns-01.org."), _record(name, "SOA", 900, soa)]


def _others(name: str) -> list[Record]:
    """Return record sets that are no business of ec2kit: of other kinds, or of other programs."""
    alias = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": "lb.amazonaws.com.", "EvaluateTargetHealth": "false"}
    return [
        {"Name": f"alias.{name}", "Type": "A", "AliasTarget": alias},
        _record(f"other.{name}", "A", 300, "192.0.2.80"),
        _record(f"alone.{name}", "CNAME", 300, f"other.{name}"),
        {**_record(f"weighted.{name}", "A", 60, "192.0.2.1"), "SetIdentifier": "one", "Weight": "0"},
        {**_record(f"weighted.{name}", "A", 60, "192.0.2.2"), "SetIdentifier": "two", "Weight": "10"},
    ]


def _record(name: str, kind: str, ttl: int, *values: str) -> Record:
    return {"Name": name, "Type": kind, "TTL": str(ttl), "ResourceRecords": [{"Value": each} for each in values]}
