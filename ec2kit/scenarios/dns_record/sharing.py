"""The checks of one server share what Route 53 says of a record set, and which addresses IMDS lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.ec2.route53 import RecordSet
from ec2kit.errors import AwsRefused, ImdsSilent, Unknown

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Asked, Sharing
    from ec2kit.state.file import Content


class SharedRecords:
    """The shared answers about record sets, in the form of the methods of `Ec2` and `Route53`."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    @property
    def route53(self) -> SharedRecords:
        """Return the answers of Route 53."""
        return self

    def record_set(self, *, hosted_zone_id: str, name: str, record_type: str) -> RecordSet | None:
        """Return the record set, as `Route53.record_set` does."""
        asked = {"hosted_zone_id": hosted_zone_id, "name": name, "record_type": record_type}

        def ask(ec2: Ec2, before: Content) -> Asked:
            try:
                found = ec2.route53.record_set(**asked)
            except (Unknown, AwsRefused) as error:
                return {"found": None}, error
            return {"found": [] if found is None else [found]}, None

        def read(told: Content) -> list[RecordSet]:
            return [RecordSet(int(ttl), tuple(values), shape) for ttl, values, shape in told["found"] or ()]

        found, error = self._sharing.shared(f"record.{hosted_zone_id}.{record_type}.{name}", ask, read)
        if error is not None:
            raise error
        return found[0] if found else None

    def is_in_sync(self, target: str) -> bool:
        """Return True: a check has changed nothing."""
        return True

    def addresses_listed(self, mac_address: str, kind: str) -> tuple[str, ...]:
        """Return the addresses that IMDS lists, as `Ec2.addresses_listed` does."""

        def ask(ec2: Ec2, before: Content) -> Asked:
            try:
                return {"listed": [*ec2.addresses_listed(mac_address, kind)]}, None
            except ImdsSilent as error:
                return {"listed": []}, error

        def read(told: Content) -> tuple[str, ...]:
            return tuple(map(str, told["listed"]))

        listed, error = self._sharing.shared(f"metadata-{kind}.{mac_address}", ask, read)
        if error is not None:
            raise error
        return listed
