"""
Secondary address scenario: pure decisions, from every interrupted state, and undone.

Single decisions are files: tests/situations/secondary-ip/.
"""

from __future__ import annotations

import pytest

from ec2kit.ec2.answers import Holder
from ec2kit.scenarios import secondary_ip
from ec2kit.scenarios.secondary_ip import Observed, canonical, plan, undo
from ec2kit.status import Change, Wanted

from ..builders import ENI_A, ENI_B, FOREIGN, PRIVATE_IP, PRIVATE_IPV6, SECONDARY_IP, a_resource, a_server

by_address = pytest.mark.parametrize("address", [PRIVATE_IP, PRIVATE_IPV6])


class _World:
    """The ENI that has the address, to which changes are applied purely, as strictly as EC2 does."""

    def __init__(self, address: str, eni: str | None) -> None:
        self.address, self.eni = address, eni

    @property
    def seen(self) -> Observed:
        resource = a_resource(SECONDARY_IP, address=self.address)
        return Observed(resource, a_server(), Holder(self.address, self.eni) if self.eni else None)

    def make(self, change: Change) -> None:
        arguments = change.arguments
        if change.new is None:
            assert self.eni == arguments["network_interface_id"], "EC2 refuses to take it off another ENI"
        elif not arguments.get("allow_reassignment"):
            assert self.eni in (None, change.new), "EC2 refuses to take it from another ENI"
        self.eni = change.new

    def follow(self) -> None:
        """Make the changes of one round."""
        for change in plan(self.seen, Wanted.HERE, {}).changes:
            self.make(change)


@by_address
@pytest.mark.parametrize("before", [ENI_B, FOREIGN, None])
def test_plan_interrupted_after_any_change_comes_to_its_end(address: str, before: str | None) -> None:
    """Killed after each number of changes and run anew, without a memory of what was made: the address comes here."""
    for kept in range(3):
        world = _World(address, before)
        for _ in range(kept + 2):
            world.follow()
        assert (world.eni, plan(world.seen, Wanted.HERE, {}).changes) == (ENI_A, ())


@by_address
@pytest.mark.parametrize("before", [ENI_B, FOREIGN, None])
@pytest.mark.parametrize("made", [0, 1, 2])
def test_undo_after_any_number_of_changes_gives_back_the_origin(address: str, before: str | None, made: int) -> None:
    """What was planned and made, in part too, is undone to what was before, by steps that EC2 accepts."""
    world = _World(address, before)
    origin = secondary_ip.origin(world.seen)
    for _ in range(made):
        world.follow()
    for _ in range(2):
        for change in undo(world.seen, origin).changes:
            world.make(change)
    assert (world.eni, undo(world.seen, origin).changes) == (before, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10.0.11.50", "10.0.11.50", id="IPv4"),
        pytest.param("2001:DB8:0:11:0::50", "2001:db8:0:11::50", id="IPv6"),
        pytest.param("fd00:ec2::1", "fd00:ec2::1", id="unique local"),
        pytest.param("10.0.11.050", None, id="leading zero"),
        pytest.param("10.0.11.50/32", None, id="block"),
        pytest.param("fe80::1", None, id="link-local"),
        pytest.param("fe80::1%eth0", None, id="scoped"),
        pytest.param("::ffff:10.0.11.50", None, id="mapped"),
        pytest.param("ff02::1", None, id="multicast"),
        pytest.param("::", None, id="unspecified"),
        pytest.param("", None, id="empty"),
        pytest.param("node1", None, id="name"),
    ],
)
def test_canonical_takes_addresses_of_a_subnet_and_nothing_else(text: str, expected: str | None) -> None:
    """One address has one form, in which definitions are compared; what no subnet has is refused."""
    if expected is not None:
        assert canonical(text) == expected
        return
    with pytest.raises(ValueError, match=r"."):
        canonical(text)
