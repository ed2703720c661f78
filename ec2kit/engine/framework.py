"""The protocol of a framework that actions ask; LifeKeeper has it in frameworks/lifekeeper/commands.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ec2kit.deadline import Deadline
    from ec2kit.host.command import Completed


class Instance(Protocol):
    """A resource of the framework, of any type."""

    @property
    def state(self) -> str:
        """Return the resource's state in the framework's own word, "OSU"."""

    @property
    def is_in_service(self) -> bool:
        """Tell whether the resource is in service on its server."""


class IpResource(NamedTuple):
    """
    A resource of the framework that puts a virtual IP on the device, and depends on an ec2kit resource.

    Attributes:
        address: "10.1.0.10"; "" if the framework's data about the resource have no IPv4 address.
    """

    tag: str
    address: str
    is_in_service: bool


class Framework(Protocol):
    """
    A framework that keeps the resources itself, and moves a whole hierarchy of resources together.

    Every method raises LifeKeeperFailed if the framework does not answer.
    """

    def systems(self) -> list[str]:
        """Return the servers of the cluster, as the framework spells them."""

    def instance(self, tag: str) -> Instance | None:
        """Return a resource of this server; None if there is none with this tag."""

    def parents(self, tag: str) -> list[str]:
        """Return the tags of this server's resources that depend on the resource."""

    def topmost(self, tag: str) -> list[str]:
        """
        Return the topmost resource of each hierarchy that is in service here and depends on the resource.

        Returns:
            Their tags; only the tag itself if no other resource depends on it.
        """

    def equivalents(self, tag: str) -> dict[str, str]:
        """Return the other servers that have the resource → its tag there."""

    def ip_resource(self, tag: str) -> IpResource:
        """
        Return an IP resource of this server.

        Raises:
            ArgumentInvalid: No IP resource has this tag, or it has no IPv4 address.
        """

    def usable_ip_resources(self) -> list[IpResource]:
        """Return the IP resources of this server that can be protected now: in service, and IPv4."""

    def version(self, path: str, deadline: Deadline) -> str | None:
        """
        Return the framework's version on this server; None if it is unknown.

        Args:
            path: PATH, by which commands are found.
        """

    def perform(self, tag: str, action: str, deadline: Deadline) -> Completed:
        """
        Let the framework run an action on a resource and on the resources that it takes along.

        The command is never ended at the deadline.
        """

    def remote_command(self, system: str, seconds: float) -> list[str]:
        """Return the words that precede one command line for another server."""
