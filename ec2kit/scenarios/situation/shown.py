"""For each kind of address one class reads and writes what AWS, and the server itself, show of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ec2kit.resource import Resource, Server
from ec2kit.scenarios.situation.lines import Fields


class Shown(Protocol):
    """
    This is the part of a situation that differs between scenarios; a scenario's `observe` takes it for EC2.

    So it has, besides these names, the methods of `Source` that its scenario asks.

    Attributes:
        FIELDS: The fields that this scenario has, and not each.
        TUNABLES: The tunables on which its decisions rest.
    """

    FIELDS: ClassVar[tuple[str, ...]]
    TUNABLES: ClassVar[tuple[str, ...]]

    @classmethod
    def of(cls, observed: Any) -> Shown:
        """Return what must have been shown for this to be observed."""

    @classmethod
    def silent(cls, reason: str) -> Shown:
        """Return what was shown where nothing could be observed."""

    @classmethod
    def essential(cls, own: Any) -> Any:
        """Return the part of a definition that only this kind has, with what `own_lines` says of it."""

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

    def completed(self, observed: Any) -> Any:
        """Return the observation with an error of this server's own, which the look cannot meet again."""

    def prepare(self, root: Path, server: Server) -> Mapping[str, object]:
        """
        Let this server look as it did.

        Args:
            root: An empty folder, taken for the root of the file system.

        Returns:
            Settings, by attribute.
        """
