"""A situation says which record set Route 53 shows, and which addresses this server's metadata list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ec2kit.ec2.route53 import RecordSet
from ec2kit.errors import ImdsSilent, Unknown
from ec2kit.messages.catalogue import SHARED_UNKNOWN
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.dns_record import Observed, Own
from ec2kit.scenarios.situation.lines import NONE, Fields, Line, field

_SILENT = "silent"
_RECORD = re.compile(r"([0-9]+) (\S+)|(?:is )(.+)")
_SYNC = ("INSYNC", "PENDING")


@dataclass(frozen=True)
class DnsRecordShown:
    """
    Route 53 shows the record set, or that there is none; this server's metadata list its addresses.

        Route 53 shows: 10 10.0.2.12
        change: INSYNC
        metadata list: none

    Attributes:
        record: Of another kind than simple routing it is "is weighted".
        change: The status of the change that this action made, if it made one.
        listed: The addresses of the kind that is asked for.
        unknown: Why Route 53 showed nothing.
        metadata_error: Why the metadata list nothing; None: they do not answer in time.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        *("hosted_zone_id", "record_type", "ttl", "points_at"),
        *("Route 53 shows", "change", "metadata list", "metadata error", "unknown"),
    )
    TUNABLES: ClassVar[tuple[str, ...]] = ()

    record: RecordSet | None
    change: str
    listed: str
    unknown: str | None = None
    metadata_error: str | None = None

    @classmethod
    def of(cls, observed: Observed) -> DnsRecordShown:
        change = "INSYNC" if observed.is_in_sync else "PENDING"
        if isinstance(observed.unknown, ImdsSilent):
            return cls(observed.record, change, _SILENT, metadata_error=str(observed.unknown))
        listed = ", ".join(observed.values) if observed.own.is_asked_for else ""
        return cls(observed.record, change, listed or NONE)

    @classmethod
    def silent(cls, reason: str) -> DnsRecordShown:
        return cls(None, "INSYNC", NONE, reason)

    @classmethod
    def essential(cls, own: Own) -> Own:
        return own

    @classmethod
    def read_own(cls, fields: Fields) -> Own:
        zone, kind, ttl, target = (
            fields.value(name).text for name in ("hosted_zone_id", "record_type", "ttl", "points_at")
        )
        return Own(zone, kind, ttl, tuple(target.split(", ")))

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        own = resource.own
        return [
            *field("hosted_zone_id", own.hosted_zone_id),
            *field("record_type", own.record_type),
            *field("ttl", own.ttl),
            *field("points_at", ", ".join(own.points_at)),
        ]

    @classmethod
    def read(cls, fields: Fields) -> DnsRecordShown:
        unknown, change = fields.optional_value("unknown"), fields.value("change")
        if change.text not in _SYNC:
            raise change.wrong(f"{change.text!r} is none of: {', '.join(_SYNC)}")
        record = _read(fields.value("Route 53 shows"))
        listed, error = fields.value("metadata list").text, fields.optional_value("metadata error")
        return cls(record, change.text, listed, unknown, error)

    def lines(self) -> list[str]:
        return [
            *field("Route 53 shows", _written(self.record)),
            *(field("unknown", self.unknown) if self.unknown else []),
            *field("change", self.change),
            *field("metadata list", self.listed),
            *(field("metadata error", self.metadata_error) if self.metadata_error else []),
        ]

    def completed(self, observed: Observed) -> Observed:
        return observed

    def prepare(self, root: Path, server: Server) -> Mapping[str, object]:
        return {}

    @property
    def route53(self) -> DnsRecordShown:
        """Answer as `Ec2.route53`."""
        return self

    def record_set(self, *, hosted_zone_id: str, name: str, record_type: str) -> RecordSet | None:
        """Answer as `Route53.record_set`."""
        if self.unknown:
            raise Unknown(SHARED_UNKNOWN, reason=self.unknown)
        return self.record

    def is_in_sync(self, target: str) -> bool:
        """Answer as `Route53.is_in_sync`."""
        return self.change == "INSYNC"

    def addresses_listed(self, mac_address: str, kind: str) -> tuple[str, ...]:
        """Answer as `Ec2.addresses_listed`."""
        if self.metadata_error:
            raise Unknown(SHARED_UNKNOWN, reason=self.metadata_error)
        if self.listed == _SILENT:
            raise ImdsSilent(endpoint="http://169.254.169.254", reason="timed out")
        return () if self.listed == NONE else tuple(self.listed.split(", "))


def _read(line: Line) -> RecordSet | None:
    if line.text == NONE:
        return None
    found = _RECORD.fullmatch(line.text)
    if found is None:
        raise line.wrong(f"{line.text!r} is not of the form 'TTL VALUE,VALUE' or 'is SHAPE'")
    return RecordSet(60, (), found[3]) if found[3] else RecordSet(int(found[1]), tuple(found[2].split(",")))


def _written(record: RecordSet | None) -> str:
    if record is None:
        return NONE
    return f"is {record.shape}" if record.shape else f"{record.ttl} {','.join(record.values)}"
