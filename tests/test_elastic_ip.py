"""Elastic IP scenario: pure decisions, from every interrupted state."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ec2kit import elastic_ip
from ec2kit.answers import Address
from ec2kit.elastic_ip import Observed, judge, plan, undo
from ec2kit.resource import ELASTIC_IP
from ec2kit.settings import Settings
from ec2kit.status import Change, Plan, Status, Wanted

from .builders import ALLOCATION, ENI_A, ENI_B, ENI_C, FOREIGN, IP_A, IP_B, PUBLIC_IP, a_device, a_resource, a_server
from .pretended_ec2 import PretendedEc2, unreachable

IN, OUT, UNKNOWN = Status.IN_SERVICE, Status.OUT_OF_SERVICE, Status.UNKNOWN


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


def shown(left: Plan) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    return [(each.operation, each.target) for each in left.changes], list(left.pending), list(left.impossible)


def associated(old: str) -> Change:
    return Change("AssociateAddress", ALLOCATION, old=old, new="eni-a (10.0.1.11)")


def released(association_id: str | None) -> Change:
    arguments = {"association_id": association_id}
    return Change("DisassociateAddress", ALLOCATION, old="eni-a (10.0.1.11)", new=None, arguments=arguments)


# -- judge -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(seen(HERE), IN, id="here"),
        pytest.param(seen(THERE), OUT, id="elsewhere"),
        pytest.param(seen(OTHER_PRIVATE), OUT, id="other-private-address"),
        pytest.param(seen(FREE), OUT, id="nobody"),
        pytest.param(seen(None), OUT, id="missing"),
        pytest.param(seen(HERE, link_is_up=False), OUT, id="link-down"),
        pytest.param(seen(HERE, unknown=unreachable()), UNKNOWN, id="link-unseen"),
        pytest.param(seen(THERE, unknown=unreachable()), OUT, id="elsewhere-and-link-unseen"),
    ],
)
def test_judge_address_and_link_gives_status(observed: Observed, expected: Status) -> None:
    """In service is this server's ENI, its private address, and a link that is up."""
    assert judge(observed).status is expected


# -- plan --------------------------------------------------------------------------------------------------

ASSOCIATE, LINK = ("AssociateAddress", ALLOCATION), ("SetLinkUp", "eth1")


@pytest.mark.parametrize(
    ("observed", "made", "expected"),
    [
        pytest.param(seen(HERE), {}, ([], [], []), id="right"),
        pytest.param(seen(THERE), {}, ([ASSOCIATE], [], []), id="elsewhere"),
        pytest.param(seen(OTHER_PRIVATE), {}, ([ASSOCIATE], [], []), id="other-private-address"),
        pytest.param(seen(FREE), {}, ([ASSOCIATE], [], []), id="nobody"),
        pytest.param(seen(None), {}, ([], [], [ALLOCATION]), id="missing"),
        pytest.param(seen(HERE, link_is_up=False), {}, ([LINK], [], []), id="link-down"),
        pytest.param(seen(THERE, link_is_up=False), {}, ([ASSOCIATE, LINK], [], []), id="both"),
        pytest.param(
            seen(HERE, link_is_up=False),
            {"eth1": (Change("SetLinkUp", "eth1", old="down", new="up"),)},
            ([], ["eth1"], []),
            id="link-not-up-yet",
        ),
        pytest.param(
            seen(THERE), {ALLOCATION: (associated("eni-b (10.0.2.12)"),)}, ([], [ALLOCATION], []), id="old-owner-seen"
        ),
        pytest.param(
            seen(STRANGE),
            {ALLOCATION: (associated("eni-b (10.0.2.12)"),)},
            ([ASSOCIATE], [], []),
            id="contested-once",
        ),
        pytest.param(
            seen(an_address(ENI_C, "10.0.3.13")),
            {ALLOCATION: (associated("eni-b (10.0.2.12)"), associated("eni-foreign (10.0.9.9)"))},
            ([], [], [ALLOCATION]),
            id="contested-twice",
        ),
        pytest.param(seen(HERE, neighbours=(NEIGHBOUR,)), {}, ([], [], []), id="neighbour-left-alone"),
        pytest.param(
            seen(HERE, neighbours=(NEIGHBOUR,), clears_neighbours=True),
            {},
            ([("DisassociateAddress", "eipalloc-2")], [], []),
            id="exclusive-clears-neighbour",
        ),
        pytest.param(
            seen(HERE, neighbours=(NEIGHBOUR,), clears_neighbours=True),
            {"eipalloc-2": (Change("DisassociateAddress", "eipalloc-2", old="eni-a (10.0.1.99)", new=None),)},
            ([], ["eipalloc-2"], []),
            id="neighbour-not-cleared-yet",
        ),
        pytest.param(
            seen(THERE, neighbours=(NEIGHBOUR,), clears_neighbours=True),
            {},
            ([ASSOCIATE], [], []),
            id="ours-comes-first",
        ),
    ],
)
def test_plan_here_gives_what_is_left(
    observed: Observed, made: dict[str, tuple[Change, ...]], expected: tuple[list[object], ...]
) -> None:
    """The address is left alone, associated, waited for or given up, by what it shows and what was done to it."""
    assert shown(plan(observed, Wanted.HERE, made)) == expected


@pytest.mark.parametrize(
    ("address", "conditional", "allowed"),
    [
        pytest.param(FREE, True, False, id="nobody-has-it"),
        pytest.param(THERE, True, True, id="somebody-has-it"),
        pytest.param(FREE, False, True, id="restore-takes-it-in-any-case"),
    ],
)
def test_plan_association_is_conditional_only_for_an_address_without_owner(
    address: Address, conditional: bool, allowed: bool
) -> None:
    """Recover takes an address without owner only if it still has none; restore takes it from whomever."""
    (change,) = plan(seen(address), Wanted.HERE, {}, conditional=conditional).changes
    assert change.arguments["allow_reassociation"] is allowed
    assert (change.arguments["network_interface_id"], change.arguments["private_ip_address"]) == (ENI_A, IP_A)


@pytest.mark.parametrize(
    ("address", "made", "expected"),
    [
        pytest.param(HERE, {}, ([("DisassociateAddress", ALLOCATION)], [], []), id="here"),
        pytest.param(OTHER_PRIVATE, {}, ([("DisassociateAddress", ALLOCATION)], [], []), id="here-other-private"),
        pytest.param(THERE, {}, ([], [], []), id="elsewhere"),
        pytest.param(FREE, {}, ([], [], []), id="nobody"),
        pytest.param(None, {}, ([], [], []), id="missing"),
        pytest.param(HERE, {ALLOCATION: (released(HERE.association_id),)}, ([], [ALLOCATION], []), id="not-seen-yet"),
        pytest.param(HERE, {ALLOCATION: (released("eipassoc-before"),)}, ([], [], []), id="associated-anew"),
    ],
)
def test_plan_not_here_takes_off_only_what_is_ours(
    address: Address | None, made: dict[str, tuple[Change, ...]], expected: tuple[list[object], ...]
) -> None:
    """Remove ends only an association with this server's ENI."""
    assert shown(plan(seen(address), Wanted.NOT_HERE, made)) == expected


def test_plan_not_here_names_the_association_and_not_the_address() -> None:
    """The association's id is gone as soon as the address moves; so nobody else's is ended."""
    (change,) = plan(seen(HERE), Wanted.NOT_HERE, {}).changes
    assert change.arguments["association_id"] == HERE.association_id


# -- undo --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        pytest.param(
            HERE, {ALLOCATION: "eni-b 10.0.2.12"}, [("AssociateAddress", "eni-b (10.0.2.12)")], id="give-back"
        ),
        pytest.param(HERE, {ALLOCATION: ""}, [("DisassociateAddress", None)], id="belonged-to-nobody"),
        pytest.param(HERE, {ALLOCATION: "eni-a 10.0.1.11"}, [], id="was-here-before"),
        pytest.param(THERE, {ALLOCATION: "eni-c 10.0.3.13"}, [], id="somebody-took-it-meanwhile"),
        pytest.param(HERE, {}, [], id="nothing-noted"),
        pytest.param(None, {ALLOCATION: "eni-b 10.0.2.12"}, [], id="released"),
    ],
)
def test_undo_gives_back_only_what_is_here_and_was_not(
    now: Address | None, before: dict[str, str], expected: list[object]
) -> None:
    """Undoing gives the address to whom it had, only if it is still here."""
    assert [(each.operation, each.new) for each in undo(seen(now), before).changes] == expected


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


def _observed(folder: Path, addresses: tuple[Address, ...], **settings: object) -> Observed:
    ec2 = PretendedEc2(addresses=addresses)
    found = Settings(server="server-a", net_dir=str(folder), **settings)  # type: ignore[arg-type]
    return elastic_ip.observe(ec2.asked_by(lambda: None), a_resource(ELASTIC_IP), a_server(), found)  # type: ignore[arg-type]


def test_observe_allocation_of_another_address_is_not_ours(tmp_path: Path) -> None:
    """An allocation that belongs to another Elastic IP than the resource's is not touched."""
    other = THERE._replace(public_ip="203.0.113.99")
    observed = _observed(tmp_path, (other,))
    assert judge(observed).status is Status.OUT_OF_SERVICE
    assert plan(observed, Wanted.HERE, {}).changes == ()


def test_observe_neighbours_are_the_others_on_the_eni(tmp_path: Path) -> None:
    """The address is found by its allocation; other Elastic IPs of the ENI are its neighbours."""
    a_device(tmp_path, "eth1", operstate="down")
    observed = _observed(tmp_path, (THERE, NEIGHBOUR, an_address(ENI_B, "10.0.2.50", "eipalloc-9")))
    assert (observed.address, observed.neighbours, observed.link_is_up) == (THERE, (NEIGHBOUR,), False)


def test_observe_address_gone_is_none(tmp_path: Path) -> None:
    """An address that was released is seen as missing."""
    assert _observed(tmp_path, (NEIGHBOUR,)).address is None


def test_observe_link_of_no_interest_is_not_looked_at(tmp_path: Path) -> None:
    """With EC2_NOLINKCHECK=1 the link counts as up, whatever it is."""
    assert _observed(tmp_path, (HERE,), nolinkcheck=True).link_is_up


def test_observe_link_unreadable_is_the_unknown_part(tmp_path: Path) -> None:
    """A link that cannot be read costs the link's part only."""
    (tmp_path / "eth1" / "operstate").mkdir(parents=True)
    observed = _observed(tmp_path, (HERE,))
    assert observed.address == HERE
    assert observed.unknown is not None


def test_notices_only_the_same_private_address_is_displaced() -> None:
    """EC2 displaces what is on our private address; a person is told, and of nothing else."""
    ((_, fields),) = elastic_ip.notices(seen(THERE, neighbours=(NEIGHBOUR, DISPLACED)))
    assert fields["allocation_id"] == "eipalloc-3"


def test_owners_association_without_eni_belongs_to_nobody_we_know() -> None:
    """The owner is an ENI, or nobody."""
    assert elastic_ip.owners(seen(THERE)) == {ALLOCATION: ENI_B}
    assert elastic_ip.owners(seen(FREE._replace(association_id="eipassoc-1"))) == {ALLOCATION: None}
    assert elastic_ip.owners(seen(None)) == {}
