"""
Elastic IP scenario: pure decisions, from every interrupted state.

Single decisions are files: tests/situations/elastic-ip/.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ec2kit.ec2.answers import Address
from ec2kit.scenarios import elastic_ip
from ec2kit.scenarios.elastic_ip import Observed, plan, undo
from ec2kit.settings import Settings
from ec2kit.status import Change, Wanted

from ..builders import (
    ALLOCATION,
    ELASTIC_IP,
    ENI_A,
    ENI_B,
    FOREIGN,
    IP_A,
    IP_B,
    PUBLIC_IP,
    a_device,
    a_resource,
    a_server,
)
from ..pretended_ec2 import PretendedEc2


def an_address(eni: str | None = None, private: str | None = None, allocation_id: str = ALLOCATION) -> Address:
    if eni is None:
        return Address(PUBLIC_IP, allocation_id)
    return Address(PUBLIC_IP, allocation_id, f"eipassoc-of-{allocation_id}", eni, private)


FREE, HERE = an_address(), an_address(ENI_A, IP_A)
THERE, OTHER_PRIVATE = an_address(ENI_B, IP_B), an_address(ENI_A, "10.0.1.99")
STRANGE = an_address(FOREIGN, "10.0.9.9")
NEIGHBOUR = Address("203.0.113.20", "eipalloc-2", "eipassoc-2", ENI_A, "10.0.1.12")
DISPLACED = Address("203.0.113.21", "eipalloc-3", "eipassoc-3", ENI_A, IP_A)


def seen(address: Address | None, **different: object) -> Observed:
    return Observed(a_resource(ELASTIC_IP), a_server(), address, **different)  # type: ignore[arg-type]


# -- undo --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [THERE, FREE, OTHER_PRIVATE, STRANGE], ids=str)
def test_undo_after_plan_gives_back_the_origin(before: Address) -> None:
    """What was planned and made is undone to what was before."""
    origin = elastic_ip.origin(seen(before))
    world = _World((before,))
    world = world.after(plan(world.seen(), Wanted.HERE, {}).changes)
    world = world.after(undo(world.seen(), origin).changes)
    assert world.owner == (before.network_interface_id, before.private_ip_address)


# -- interrupted anywhere ----------------------------------------------------------------------------------


class _World:
    """EC2's addresses and the link, to which changes are applied purely."""

    def __init__(self, addresses: tuple[Address, ...], link_is_up: bool = True, exclusive: bool = False) -> None:
        self.addresses = addresses
        self.link_is_up = link_is_up
        self.exclusive = exclusive

    @property
    def ours(self) -> Address:
        return next(each for each in self.addresses if each.allocation_id == ALLOCATION)

    @property
    def owner(self) -> tuple[str | None, str | None]:
        return self.ours.network_interface_id, self.ours.private_ip_address

    def seen(self) -> Observed:
        others = tuple(
            each for each in self.addresses if each is not self.ours and each.network_interface_id == ENI_A
        )
        return seen(self.ours, neighbours=others, link_is_up=self.link_is_up, clears_neighbours=self.exclusive)

    def after(self, changes: tuple[Change, ...]) -> _World:
        world = self
        for change in changes:
            world = world._after_one(change)
        return world

    def _after_one(self, change: Change) -> _World:
        if change.operation == "SetLinkUp":
            return _World(self.addresses, True, self.exclusive)
        place = (None, None, None)
        if change.operation == "AssociateAddress":
            arguments = change.arguments
            place = ("eipassoc-new", arguments["network_interface_id"], arguments["private_ip_address"])
        addresses = tuple(self._placed(each, change.target, place) for each in self.addresses)
        return _World(addresses, self.link_is_up, self.exclusive)

    @staticmethod
    def _placed(address: Address, target: str, place: tuple[object, ...]) -> Address:
        if address.allocation_id == target:
            return Address(address.public_ip, target, *place)  # type: ignore[arg-type]
        if address.private_ip_address is not None and address.private_ip_address == place[2]:
            return Address(address.public_ip, address.allocation_id)
        return address


@pytest.mark.parametrize("link_is_up", [True, False], ids=["link-up", "link-down"])
@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "beside-others"])
@pytest.mark.parametrize("before", [HERE, THERE, FREE, OTHER_PRIVATE, STRANGE], ids=str)
def test_plan_interrupted_after_any_change_in_any_order_ends_the_same(
    before: Address, exclusive: bool, link_is_up: bool
) -> None:
    """Killed after any change and run again, a restore ends the same, and an owned address never loses its owner."""
    start = _World(
        (before, NEIGHBOUR, DISPLACED) if before is not HERE else (before, NEIGHBOUR), link_is_up, exclusive
    )
    for order in itertools.permutations(plan(start.seen(), Wanted.HERE, {}).changes):
        for length in range(len(order) + 1):
            halfway = start.after(order[:length])
            assert before is FREE or halfway.owner != (None, None)
            end = _settled(halfway)
            assert end.owner == (ENI_A, IP_A)
            assert end.link_is_up
            assert (NEIGHBOUR in end.addresses) is not exclusive


def _settled(world: _World) -> _World:
    for _ in range(4):
        changes = plan(world.seen(), Wanted.HERE, {}).changes
        if not changes:
            return world
        had_an_owner = world.ours.network_interface_id is not None
        for length in range(len(changes) + 1):
            assert not had_an_owner or world.after(changes[:length]).ours.network_interface_id is not None
        world = world.after(changes)
    pytest.fail("it does not come to an end")


# -- looking -----------------------------------------------------------------------------------------------


def _observed(folder: Path, addresses: tuple[Address, ...]) -> Observed:
    ec2 = PretendedEc2(addresses=addresses)
    settings = Settings(server="server-a", net_dir=str(folder))
    return elastic_ip.observe(ec2.asked_by(lambda: None), a_resource(ELASTIC_IP), a_server(), settings)  # type: ignore[arg-type]


def test_observe_neighbours_are_the_others_on_the_eni(tmp_path: Path) -> None:
    """The address is found by its allocation; other Elastic IPs of the ENI are its neighbours."""
    a_device(tmp_path, "eth1", operstate="down")
    observed = _observed(tmp_path, (THERE, NEIGHBOUR, an_address(ENI_B, "10.0.2.50", "eipalloc-9")))
    assert (observed.address, observed.neighbours, observed.link_is_up) == (THERE, (NEIGHBOUR,), False)


def test_observe_address_gone_is_none(tmp_path: Path) -> None:
    """An address that was released is seen as missing."""
    assert _observed(tmp_path, (NEIGHBOUR,)).address is None


def test_observe_link_unreadable_is_the_unknown_part(tmp_path: Path) -> None:
    """A link that cannot be read costs the link's part only."""
    (tmp_path / "eth1" / "operstate").mkdir(parents=True)
    observed = _observed(tmp_path, (HERE,))
    assert observed.address == HERE
    assert observed.unknown is not None
