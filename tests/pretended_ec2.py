"""EC2 as the scenarios see it, in memory: late to show a change, robbed by others, losing answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

from ec2kit.ec2.answers import Address, Holder, NetworkInterface, Receipt, Route, RouteTable, RouteTables
from ec2kit.ec2.route53 import CREATE, RecordSet
from ec2kit.errors import (
    AwsRefused,
    AwsUnknown,
    AwsUnreachable,
    DeadlinePassed,
    Ec2KitError,
    PermissionMissing,
)
from ec2kit.role import Role

Hook = Callable[[str], None]


def unreachable(operation: str = "DescribeRouteTables") -> AwsUnreachable:
    return AwsUnreachable(endpoint="http://127.0.0.1", operation=operation, reason="nobody listens")


def refused(code: str, operation: str = "AssociateAddress", target: str = "it") -> AwsRefused:
    return AwsRefused(operation=operation, object=target, code=code, text="no", request_id="req-no", status=400)


def not_permitted(operation: str = "ReplaceRoute", target: str = "it") -> PermissionMissing:
    fields = {
        "code": "UnauthorizedOperation",
        "text": "no",
        "request_id": "req-403",
        "status": 403,
        "credentials": "iam-role",
    }
    return PermissionMissing(operation=operation, object=target, **fields)


class PretendedEc2:
    """
    The truth, what is shown of it, and who interferes.

    Attributes:
        routes: Table id → the route's target, of the one virtual IP; or private address → the ENI that has it; or
            record set → the ENI at whose address it points, None: there is no such record set.
        spreading: How many questions about a change of a record set are answered that it is pending.
        late: How many looks after a change still show what was before it.
        looks: Errors of the next looks, in order; None: that look succeeds.
        later_pages: Why later pages of route tables are missing.
        refusing: Target → what its writes raise without being carried out.
        losing: Targets whose next write is carried out, and its answer lost.
        after_write: Called with the target after each write that was carried out.
        written: What was carried out: (operation, target, new owner).
    """

    def __init__(self, routes: dict[str, str | None] | None = None, addresses: tuple[Address, ...] = ()) -> None:
        self.routes: dict[str, str | None] = dict(routes or {})
        self.blackholes: set[str] = set()
        self.held = {each.allocation_id: each for each in addresses}
        self.late = 0
        self.spreading = 0
        self.looks: list[Exception | None] = []
        self.before_look: Callable[[int], None] = lambda number: None
        self.looked = 0
        self.later_pages: Ec2KitError | None = None
        self.refusing: dict[str, Exception] = {}
        self.losing: set[str] = set()
        self.after_write: Hook = lambda target: None
        self.written: list[tuple[str, str, str | None]] = []
        self.source_dest_check: bool | Exception = False
        self._stale = 0
        self._before: tuple[dict[str, str | None], dict[str, Address]] = ({}, {})
        self._lock = threading.RLock()
        self._associations = 100

    def asked_by(self, guard: Callable[[], None]) -> Asked:
        return Asked(self, guard)

    def hold(self, allocation_id: str, network_interface_id: str | None, private_ip_address: str | None) -> None:
        """Let an address be associated, displacing what was on the private address."""
        for name, each in self.held.items():
            if network_interface_id and each.private_ip_address == private_ip_address and name != allocation_id:
                self.held[name] = each._replace(
                    association_id=None, network_interface_id=None, private_ip_address=None
                )
        self._associations += 1
        self.held[allocation_id] = self.held[allocation_id]._replace(
            association_id=f"eipassoc-{self._associations}" if network_interface_id else None,
            network_interface_id=network_interface_id,
            private_ip_address=private_ip_address,
        )

    def look(self) -> tuple[dict[str, str | None], dict[str, Address]]:
        with self._lock:
            self.looked += 1
            self.before_look(self.looked)
            error = self.looks.pop(0) if self.looks else None
            if error is not None:
                raise error
            if self._stale > 0:
                self._stale -= 1
                return self._before
            return dict(self.routes), dict(self.held)

    def write(self, operation: str, target: str, owner: str | None, carry_out: Callable[[], None]) -> Receipt:
        with self._lock:
            if target in self.refusing:
                raise self.refusing[target]
            if self._stale == 0:
                self._before, self._stale = (dict(self.routes), dict(self.held)), self.late
            carry_out()
            self.written.append((operation, target, owner))
            self.after_write(target)
            if target in self.losing:
                self.losing.discard(target)
                raise unreachable(operation)
            return Receipt(f"req-{len(self.written)}", 1, 1.0)

    def ask_for_a_change(self) -> None:
        """Be asked how far a change of a record set has come; a test may fail this."""


ADDRESSES = {"eni-a": "10.0.1.11", "eni-b": "10.0.2.12", "eni-c": "10.0.3.13"}
"""ENI → the address at which a record set points for it; an ENI that is none of these has another."""

_ELSEWHERE = "192.0.2.99"
_OWNERS = {address: eni for eni, address in ADDRESSES.items()}


class AskedRoute53:
    """The same methods as `ec2kit.ec2.route53.Route53`; a record set has one value and a TTL of 10 s."""

    def __init__(self, world: PretendedEc2, guard: Callable[[], None]) -> None:
        self._world = world
        self._guard = guard
        self._spreading: dict[str, int] = {}

    def record_set(self, *, hosted_zone_id: str, name: str, record_type: str) -> RecordSet | None:
        return _record_set(self._world.look()[0][f"{record_type} {name}"])

    def is_in_sync(self, target: str) -> bool:
        if target not in self._spreading:
            return True
        self._world.ask_for_a_change()
        self._spreading[target] -= 1
        if self._spreading[target] >= 0:
            return False
        del self._spreading[target]
        return True

    def change_record_set(
        self,
        *,
        action: str,
        target: str,
        hosted_zone_id: str,
        name: str,
        record_type: str,
        record_set: RecordSet,
        instead_of: RecordSet | None = None,
    ) -> Receipt:
        owner = _OWNERS[record_set.values[0]]

        def carry_out() -> None:
            there = _record_set(self._world.routes[target])
            if action == CREATE and there != instead_of:
                raise refused("InvalidChangeBatch", "ChangeResourceRecordSets", target)
            self._world.routes[target] = owner

        self._guard()
        receipt = self._world.write("ChangeResourceRecordSets", target, owner, carry_out)
        self._spreading[target] = self._world.spreading
        return receipt


def _record_set(eni: str | None) -> RecordSet | None:
    return RecordSet(10, (ADDRESSES.get(eni, _ELSEWHERE),)) if eni is not None else None


class Asked:
    """The same methods as `ec2kit.ec2.operations.Ec2`."""

    def __init__(self, world: PretendedEc2, guard: Callable[[], None]) -> None:
        self._world = world
        self._guard = guard

    @cached_property
    def route53(self) -> AskedRoute53:
        return AskedRoute53(self._world, self._guard)

    def under(self, role: Role | None) -> Asked:
        """All tables belong to one account here, or show themselves to the roles of all."""
        return self

    def together(self, looks: Sequence[Callable[[], RouteTables]]) -> list[RouteTables | Exception]:
        """One after the other; an error is that of its look alone."""
        found: list[RouteTables | Exception] = []
        for look in looks:
            try:
                found.append(look())
            except (AwsUnknown, AwsRefused, DeadlinePassed) as error:
                found.append(RouteTables((), error))
        return found

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """
        Every table has the tag.

        All destinations are routed alike, except in a table whose routes are named one by one, "rtb-1 10.1.0.10/32".
        """
        world = self._world
        routes, _ = world.look()
        tables: dict[str, tuple[Route, ...]] = {}
        for name, target in routes.items():
            table, _, destination = name.partition(" ")
            state = "blackhole" if name in world.blackholes else "active"
            its = [Route(each, target, state) for each in destinations if destination in ("", each)]
            tables[table] = (*tables.get(table, ()), *its)
        return RouteTables(tuple(RouteTable(*each) for each in tables.items()), world.later_pages)

    def addresses(self) -> tuple[Address, ...]:
        return tuple(self._world.look()[1].values())

    def holders(self, *, vpc_id: str, addresses: Sequence[str]) -> tuple[Holder, ...]:
        routes, _ = self._world.look()
        return tuple(Holder(each, eni) for each, eni in routes.items() if each in addresses and eni is not None)

    def shown_by_metadata(self, mac_address: str) -> Collection[str]:
        """The metadata are never behind EC2 here."""
        return self._world.routes.keys()

    def network_interface(self, network_interface_id: str, **_: Any) -> NetworkInterface:
        if isinstance(self._world.source_dest_check, Exception):
            raise self._world.source_dest_check
        return NetworkInterface(network_interface_id, "i-a", self._world.source_dest_check)

    def switch_off_source_dest_check(self, *, network_interface_id: str, retries: int) -> Receipt:
        def carry_out() -> None:
            self._world.source_dest_check = False

        self._guard()
        return self._world.write("ModifyNetworkInterfaceAttribute", network_interface_id, None, carry_out)

    def beside_next(self, begin: Callable[[], None]) -> None:
        """The next request may as well have left already."""
        begin()

    def has_sent(self, operation: str, targets: Iterable[object]) -> bool:
        """Whatever is asked for is on its way at once."""
        return True

    def replace_route(self, *, route_table_id: str, network_interface_id: str, target: str, **named: str) -> Receipt:
        def carry_out() -> None:
            self._world.routes[target] = network_interface_id

        self._guard()
        return self._world.write("ReplaceRoute", target, network_interface_id, carry_out)

    def associate_address(
        self, *, allocation_id: str, network_interface_id: str, private_ip_address: str, allow_reassociation: bool
    ) -> Receipt:
        def carry_out() -> None:
            taken = self._world.held[allocation_id].association_id
            if taken and not allow_reassociation:
                raise refused("Resource.AlreadyAssociated", target=allocation_id)
            self._world.hold(allocation_id, network_interface_id, private_ip_address)

        self._guard()
        return self._world.write("AssociateAddress", allocation_id, network_interface_id, carry_out)

    def disassociate_address(self, *, association_id: str) -> Receipt:
        self._guard()
        world = self._world
        found = next((each for each in world.held.values() if each.association_id == association_id), None)
        if found is None:
            raise refused("InvalidAssociationID.NotFound", "DisassociateAddress", association_id)
        name = found.allocation_id
        return world.write("DisassociateAddress", name, None, lambda: world.hold(name, None, None))

    def assign_private_ip_address(
        self, *, network_interface_id: str, private_ip_address: str, allow_reassignment: bool
    ) -> Receipt:
        def carry_out() -> None:
            taken = self._world.routes[private_ip_address]
            if taken not in (None, network_interface_id) and not allow_reassignment:
                raise refused("InvalidParameterValue", "AssignPrivateIpAddresses", private_ip_address)
            self._world.routes[private_ip_address] = network_interface_id

        return self._written("AssignPrivateIpAddresses", private_ip_address, network_interface_id, carry_out)

    def unassign_private_ip_address(self, *, network_interface_id: str, private_ip_address: str) -> Receipt:
        return self._unassigned("UnassignPrivateIpAddresses", private_ip_address, network_interface_id)

    def assign_ipv6_address(self, *, network_interface_id: str, ipv6_address: str) -> Receipt:
        def carry_out() -> None:
            if self._world.routes[ipv6_address] not in (None, network_interface_id):
                raise refused("InvalidParameterValue", "AssignIpv6Addresses", ipv6_address)
            self._world.routes[ipv6_address] = network_interface_id

        return self._written("AssignIpv6Addresses", ipv6_address, network_interface_id, carry_out)

    def unassign_ipv6_address(self, *, network_interface_id: str, ipv6_address: str) -> Receipt:
        return self._unassigned("UnassignIpv6Addresses", ipv6_address, network_interface_id)

    def _unassigned(self, operation: str, address: str, network_interface_id: str) -> Receipt:
        def carry_out() -> None:
            if self._world.routes[address] != network_interface_id:
                raise refused("InvalidParameterValue", operation, address)
            self._world.routes[address] = None

        return self._written(operation, address, None, carry_out)

    def _written(self, operation: str, target: str, owner: str | None, carry_out: Callable[[], None]) -> Receipt:
        self._guard()
        return self._world.write(operation, target, owner, carry_out)
