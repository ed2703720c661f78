"""A look tells at what the record set points, and at what it has to point for this server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ec2kit.errors import Ec2KitError, OwnTrouble, Unknown
from ec2kit.messages import catalogue
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.dns_record.definition import PRIVATE, Own, canonical_value

if TYPE_CHECKING:
    from typing import Protocol

    from ec2kit.ec2.route53 import RecordSet
    from ec2kit.settings import Settings

    class Records(Protocol):
        """Route 53, or its answers that the checks share."""

        def record_set(self, *, hosted_zone_id: str, name: str, record_type: str) -> RecordSet | None: ...

        def is_in_sync(self, target: str) -> bool: ...

    class Source(Protocol):
        """The source of an observation: Route 53 and IMDS, or their answers that the checks share."""

        @property
        def route53(self) -> Records: ...

        def addresses_listed(self, mac_address: str, kind: str) -> tuple[str, ...]: ...


def named(resource: Resource) -> str:
    """Return the record set with its zone: a public and a private zone may have one of the same name."""
    return f"{target_of(resource)} in {resource.own.hosted_zone_id}"


def target_of(resource: Resource) -> str:
    """Return the name of the object that changes, "A db.example.com"."""
    return f"{resource.own.record_type} {resource.address}"


class Observed(NamedTuple):
    """
    The record set in Route 53, and at what it has to point for this server.

    Attributes:
        record: None: there is no such record set.
        values: At what the record set may point; a change writes the first. (): `unknown` says why it is not known.
        is_in_sync: False: this action has changed the record set, and not all DNS servers have the change.
        unknown: The error for which the values are not known.
    """

    resource: Resource
    server: Server
    record: RecordSet | None
    values: tuple[str, ...]
    is_in_sync: bool = True
    unknown: Ec2KitError | None = None

    @property
    def own(self) -> Own:
        """Return the part of the definition that only this kind has."""
        return self.resource.own  # type: ignore[no-any-return]

    @property
    def target(self) -> str:
        """Return the name of the record set."""
        return target_of(self.resource)

    @property
    def is_ours_to_change(self) -> bool:
        """Tell whether the record set is missing, or of simple routing."""
        return self.record is None or not self.record.shape

    @property
    def points_here(self) -> bool:
        """Tell whether the record set has one value, this server's."""
        return self.alone in self.values

    @property
    def alone(self) -> str | None:
        """Return the only value of a record set of simple routing in its usual form, None if there is no such one."""
        record = self.record
        if record is None or record.shape or len(record.values) != 1:
            return None
        return _canonical(self.own.record_type, record.values[0])

    @property
    def is_right(self) -> bool:
        """Tell whether the record set is as a change would leave it."""
        return self.record is not None and self.points_here and str(self.record.ttl) == self.own.ttl

    @property
    def place(self) -> str:
        """Return for a person what the record set points at, "10.0.11.12 of node2, TTL 10"."""
        return shown(self.record, self.resource)


def shown(record: RecordSet | None, resource: Resource) -> str:
    """Return for a person what a record set points at."""
    if record is None:
        return "nothing"
    if record.shape:
        return record.shape
    names = {value: each.name for each in resource.servers if (value := known(resource, each))}
    usual = [_canonical(resource.own.record_type, each) for each in record.values]
    values = (f"{each} of {names[each]}" if each in names else each for each in usual)
    return f"{' and '.join(values)}, TTL {record.ttl}"


def known(resource: Resource, server: Server) -> str | None:
    """Return the value of a server as far as the definition tells it."""
    if resource.own.points_at == (PRIVATE,) and resource.own.record_type == "A":
        return server.private_ip_address
    return None if resource.own.is_asked_for else resource.own.given(server.name)


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at what the record set points, and at what it has to point.

    Raises:
        Ec2KitError: Route 53 gave no usable answer.
    """
    own = resource.own
    record = source.route53.record_set(
        hosted_zone_id=own.hosted_zone_id, name=resource.address, record_type=own.record_type
    )
    try:
        seen = Observed(resource, server, record, _values(source, resource, server))
    except Unknown as error:
        return Observed(resource, server, record, (), unknown=error)
    return seen._replace(is_in_sync=source.route53.is_in_sync(seen.target)) if seen.is_right else seen


def _canonical(record_type: str, value: str) -> str:
    try:
        return canonical_value(record_type, value)
    except ValueError:
        return value  # it is none of ours


def _values(source: Source, resource: Resource, server: Server) -> tuple[str, ...]:
    """
    Return at what the record set may point for this server, the first is the usual one.

    Raises:
        Unknown: IMDS does not say, lists no such address, or the definition gives this server no value.
    """
    own, name = resource.own, named(resource)
    if not own.is_asked_for:
        value = known(resource, server)
        if value is None:
            raise OwnTrouble(catalogue.RECORD_VALUE_NOT_GIVEN, server=server.name, record=name)
        return (value,)
    listed = source.addresses_listed(server.mac_address, own.listed)
    if not listed:
        kind = "IPv6" if own.record_type == "AAAA" else "public IPv4"
        fields = {"network_interface_id": server.network_interface_id, "kind": kind, "record": name}
        raise OwnTrouble(catalogue.RECORD_VALUE_LACKING, **fields)
    return listed
