"""The checks of one server share the Elastic IPs of the account: one answer holds those that concern this server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.ec2.answers import Address
from ec2kit.errors import AwsRefused, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.resource import Resource
    from ec2kit.state.file import Content


class SharedAddresses:
    """
    The shared answer of DescribeAddresses, in the form of `Ec2.addresses`, without those of other servers.

    The account may have thousands of addresses. A check needs its own, and those beside it on an ENI.

    Args:
        others: This server's resources with an Elastic IP; one question asks for all of them.
    """

    def __init__(self, sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> None:
        self._sharing = sharing
        self._mine = _concerning([resource])
        self._others = others

    def addresses(self) -> tuple[Address, ...]:
        """Return the Elastic IPs that concern this server, in the form of `Ec2.addresses`."""
        addresses, error = self._sharing.shared("addresses", self._ask, self._read)
        if error is not None:
            raise error
        return addresses

    def network_interface(self, network_interface_id: str, *, retries: int) -> None:
        """Return nothing: the checks share no network interfaces."""

    def _ask(self, ec2: Ec2, before: Content) -> Asked:
        known = before.get("about")
        about = {*self._mine, *_concerning(self._others()), *(map(str, known) if isinstance(known, list) else ())}
        try:
            found = [each for each in ec2.addresses() if about & {each.allocation_id, each.network_interface_id}]
        except (Unknown, AwsRefused) as error:
            return {"about": sorted(about), "addresses": []}, error
        return {"about": sorted(about), "addresses": found}, None

    def _read(self, told: Content) -> tuple[Address, ...] | None:
        if not self._mine <= {*told["about"]}:
            return None
        return tuple(Address(*each) for each in told["addresses"])


def _concerning(resources: Sequence[Resource]) -> set[str]:
    """Return the ids by which an address concerns the resources: of their allocations, and of their servers' ENIs."""
    enis = {server.network_interface_id for each in resources for server in each.servers}
    return {each.own.allocation_id for each in resources} | enis
