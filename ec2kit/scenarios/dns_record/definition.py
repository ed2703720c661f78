"""The definition of a record set says which one it is, and at what it points for each server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ec2kit.resource import is_ipv4, stored_text, stored_texts

TYPES = ("A", "AAAA", "CNAME")

PRIVATE, PUBLIC = "private", "public"
"""
Words for an address of the active server's ENI: its private or public IPv4 address, for AAAA its IPv6 address.
"""

LONGEST_TTL = 2**31 - 1
"""Seconds. Source: Route 53 API, ResourceRecordSet, TTL."""

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})+")
_ZONE = re.compile(r"[A-Z0-9]{1,32}")


class Own(NamedTuple):
    """
    The part of a definition that only this kind has; the address is the name of the record set.

    Attributes:
        hosted_zone_id: "Z0123456789ABCDEFGHIJ", of a public or a private zone.
        record_type: One of TYPES.
        ttl: Seconds, "10".
        points_at: PRIVATE or PUBLIC; a value for each server, "node1=192.0.2.1"; or one value for any server, where
            the framework gives each server a definition of its own.
    """

    hosted_zone_id: str
    record_type: str
    ttl: str
    points_at: tuple[str, ...]

    @property
    def is_asked_for(self) -> bool:
        """Tell whether only IMDS says at what the record set has to point."""
        return self.points_at == (PUBLIC,) or (self.points_at == (PRIVATE,) and self.record_type == "AAAA")

    @property
    def listed(self) -> str:
        """Return the kind of the address at which the record set points, in IMDS's words."""
        return "ipv6s" if self.record_type == "AAAA" else "public-ipv4s"

    def given(self, server: str) -> str | None:
        """Return the value that the definition gives to a server, None if it gives none."""
        found = [
            value for name, _, value in (each.rpartition("=") for each in self.points_at) if name in ("", server)
        ]
        return found[0] if found and found[0] not in (PRIVATE, PUBLIC) else None


def own(stored: Mapping[str, Any]) -> Own:
    """
    Read `Own` from the stored form of a definition.

    Raises:
        ValueError: It describes no record set that ec2kit changes.
    """
    canonical_name(stored_text(stored, "address"))
    read = Own(
        canonical_zone(stored_text(stored, "hosted_zone_id")),
        checked_type(stored_text(stored, "record_type")),
        canonical_ttl(stored_text(stored, "ttl")),
        stored_texts(stored, "points_at"),
    )
    return read._replace(points_at=canonical_targets(read.record_type, read.points_at))


def canonical_name(text: str) -> str:
    """Return a DNS name in lower case without its last dot; raises ValueError."""
    name = text.lower().removesuffix(".")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text[:60]!a} is not a DNS name of letters, digits, - and _, as db.example.com")
    return name


def canonical_zone(text: str) -> str:
    """Return the id of a hosted zone without the path before it, "/hostedzone/Z1"; raises ValueError."""
    zone = text.rpartition("/")[2]
    if not _ZONE.fullmatch(zone):
        raise ValueError(f"{text[:60]!a} is not the id of a hosted zone, Z…")
    return zone


def checked_type(text: str) -> str:
    """Return a type of record sets in capitals; raises ValueError."""
    if text.upper() not in TYPES:
        raise ValueError(f"{text[:60]!a} is none of: {', '.join(TYPES)}")
    return text.upper()


def canonical_ttl(text: str) -> str:
    """Return a time to live in seconds; raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LONGEST_TTL):
        raise ValueError(f"{text[:60]!a} is not a number of seconds from 0 to {LONGEST_TTL}")
    return str(int(text))


def canonical_targets(record_type: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """
    Return that at which a record set points, each value in its usual form.

    Raises:
        ValueError: A value does not fit the type, a server has two, or a CNAME has no values.
    """
    if texts in ((PRIVATE,), (PUBLIC,)):
        if record_type == "CNAME":
            raise ValueError("a CNAME record set points at names: give one for each server, SERVER=NAME")
        return texts
    parts = [each.rpartition("=") for each in texts]
    names = [name for name, _, _ in parts]
    if not names or len({*names}) != len(names) or ("" in names and len(names) > 1):
        raise ValueError("it is neither private, nor public, nor one value for each server, SERVER=VALUE")
    values = [canonical_value(record_type, value) for _, _, value in parts]
    return tuple(f"{name}={value}" if name else value for name, value in zip(names, values, strict=True))


def canonical_value(record_type: str, text: str) -> str:
    """Return a value of a record set in its usual form; raises ValueError."""
    if record_type == "CNAME":
        return canonical_name(text)
    if record_type == "A" and is_ipv4(text):
        return text
    if record_type == "AAAA" and ":" in text and "%" not in text:
        import ipaddress

        return str(ipaddress.IPv6Address(text))
    raise ValueError(f"{text[:60]!a} is no value of a record set of type {record_type}")
