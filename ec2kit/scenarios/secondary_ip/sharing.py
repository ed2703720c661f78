"""The checks of one server share who has its secondary addresses, and which of them IMDS shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.ec2.answers import Holder
from ec2kit.errors import AwsRefused, ImdsSilent, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.state.file import Content


class SharedHolders:
    """
    The shared answers about private addresses, in the form of the methods of `Ec2`.

    Args:
        neighbours: The addresses of this server's resources of this kind; one question asks for all of them.
    """

    def __init__(self, sharing: Sharing, neighbours: Callable[[], Sequence[str]]) -> None:
        self._sharing = sharing
        self._neighbours = neighbours

    def holders(self, *, vpc_id: str, addresses: Sequence[str]) -> tuple[Holder, ...]:
        """Return the ENIs that have the addresses, as `Ec2.holders` does."""

        def ask(ec2: Ec2, before: Content) -> Asked:
            known = before.get("addresses")
            others = {*self._neighbours(), *(map(str, known) if isinstance(known, list) else ())}
            about = [*addresses, *sorted(others - {*addresses})]
            try:
                return {"addresses": about, "holders": ec2.holders(vpc_id=vpc_id, addresses=about)}, None
            except (Unknown, AwsRefused) as error:
                return {"addresses": about, "holders": []}, error

        def read(told: Content) -> tuple[Holder, ...] | None:
            if not {*addresses} <= {*told["addresses"]}:
                return None
            return tuple(Holder(*each) for each in told["holders"] if each[0] in addresses)

        found, error = self._sharing.shared(f"private-addresses.{vpc_id}", ask, read)
        if error is not None:
            raise error
        return found

    def shown_by_metadata(self, mac_address: str) -> Collection[str]:
        """Return the addresses that IMDS shows, as `Ec2.shown_by_metadata` does."""

        def ask(ec2: Ec2, before: Content) -> Asked:
            try:
                return {"shown": sorted(ec2.shown_by_metadata(mac_address))}, None
            except ImdsSilent as error:
                return {"shown": []}, error

        def read(told: Content) -> list[str]:
            return [*map(str, told["shown"])]

        shown, error = self._sharing.shared(f"metadata-addresses.{mac_address}", ask, read)
        if error is not None:
            raise error
        return shown
