"""A situation says which ENIs EC2 shows with the private address, and whether this server's metadata show it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ec2kit.ec2.answers import Holder
from ec2kit.errors import Ec2KitError, ImdsSilent, Unknown
from ec2kit.messages.catalogue import SHARED_UNKNOWN
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.secondary_ip import Observed, Own
from ec2kit.scenarios.situation.lines import Fields, Line, field, keyed, listed

_METADATA = ("show it", "do not show it", "are silent")
_HOLDER = re.compile(r"(\S+)( as primary)?(?:, managed for (\S+))?")


@dataclass(frozen=True)
class SecondaryIpShown:
    """
    EC2 shows the ENIs that have the address, and this server's metadata show it or not.

        EC2 shows:
          eni-b: 10.0.1.50
          eni-n: 10.0.1.50 as primary, managed for lambda
        metadata: do not show it

    Attributes:
        metadata: One of _METADATA; without meaning where EC2 shows the address elsewhere.
        unknown: Why EC2 showed nothing.
        metadata_error: Why they are silent; None: they do not answer in time.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("metadata", "metadata error", "unknown")
    TUNABLES: ClassVar[tuple[str, ...]] = ()

    holders_shown: tuple[Holder, ...]
    metadata: str
    unknown: str | None = None
    metadata_error: str | None = None

    @classmethod
    def of(cls, observed: Observed) -> SecondaryIpShown:
        holders = (observed.holder,) if observed.holder is not None else ()
        if isinstance(observed.metadata, Ec2KitError):
            return cls(holders, "are silent", metadata_error=str(observed.metadata))
        return cls(holders, "show it" if observed.metadata else "do not show it")

    @classmethod
    def silent(cls, reason: str) -> SecondaryIpShown:
        return cls((), "do not show it", reason)

    @classmethod
    def essential(cls, own: Own) -> Own:
        return own

    @classmethod
    def read_own(cls, fields: Fields) -> Own:
        return Own()

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        return []

    @classmethod
    def read(cls, fields: Fields) -> SecondaryIpShown:
        found = keyed(fields.entries("EC2 shows"))
        metadata, unknown = fields.value("metadata"), fields.optional_value("unknown")
        if metadata.text not in _METADATA:
            raise metadata.wrong(f"{metadata.text!r} is none of: {', '.join(_METADATA)}")
        holders = tuple(_read(eni, line) for eni, line in found.items())
        return cls(holders, metadata.text, unknown, fields.optional_value("metadata error"))

    def lines(self) -> list[str]:
        entries = listed("EC2 shows", [_written(each) for each in self.holders_shown])
        return [
            *entries,
            *(field("unknown", self.unknown) if self.unknown else []),
            *field("metadata", self.metadata),
            *(field("metadata error", self.metadata_error) if self.metadata_error else []),
        ]

    def completed(self, observed: Observed) -> Observed:
        return observed

    def prepare(self, root: Path, server: Server) -> Mapping[str, object]:
        return {}

    def holders(self, *, vpc_id: str, addresses: Sequence[str]) -> tuple[Holder, ...]:
        """Answer as `Ec2.holders`."""
        if self.unknown:
            raise Unknown(SHARED_UNKNOWN, reason=self.unknown)
        return self.holders_shown

    def shown_by_metadata(self, mac_address: str) -> Collection[str]:
        """Answer as `Ec2.shown_by_metadata`."""
        if self.metadata_error:
            raise Unknown(SHARED_UNKNOWN, reason=self.metadata_error)
        if self.metadata == "are silent":
            raise ImdsSilent(endpoint="http://169.254.169.254", reason="timed out")
        return {each.address for each in self.holders_shown} if self.metadata == "show it" else set()


def _read(network_interface_id: str, line: Line) -> Holder:
    found = _HOLDER.fullmatch(line.text)
    if found is None:
        raise line.wrong(f"{line.text!r} is not of the form 'ADDRESS as primary, managed for SERVICE'")
    return Holder(found[1], network_interface_id, bool(found[2]), found[3])


def _written(holder: Holder) -> str:
    managed = f", managed for {holder.service}" if holder.service else ""
    return f"{holder.network_interface_id}: {holder.address}{' as primary' if holder.is_primary else ''}{managed}"
