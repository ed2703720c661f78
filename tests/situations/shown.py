"""For each scenario one class reads and writes what EC2, and the server itself, show of an address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ec2kit.resource import Resource

from .dns_record import DnsRecordShown
from .elastic_ip import ElasticIpShown
from .lines import Fields
from .route_table import RouteTableShown
from .secondary_ip import SecondaryIpShown


class Shown(Protocol):
    """
    This is the part of a situation that differs between scenarios; a scenario's `observe` takes it for EC2.

    So it has, besides these names, the methods of `Source` that its scenario asks.

    Attributes:
        FIELDS: The fields that this scenario has, and not each.
    """

    FIELDS: ClassVar[tuple[str, ...]]

    @classmethod
    def read_own(cls, fields: Fields) -> Any:
        """Read what of a Resource is the scenario's own."""

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        """Return the lines that `read_own` reads."""

    @classmethod
    def read(cls, fields: Fields) -> Shown:
        """Read what is shown."""

    def lines(self) -> list[str]:
        """Return the lines that `read` reads."""

    def prepare(self, root: Path, device: str) -> Mapping[str, object]:
        """
        Let this server look as it did.

        Args:
            root: An empty folder, taken for the root of the file system.

        Returns:
            Settings, by attribute.
        """


SHOWN: Mapping[str, type[Shown]] = {
    "route-table": RouteTableShown,
    "elastic-ip": ElasticIpShown,
    "secondary-ip": SecondaryIpShown,
    "dns-record": DnsRecordShown,
}
