"""Route table scenario: pure decisions, from every interrupted state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit import route_table
from ec2kit.answers import Route
from ec2kit.route_table import Observed, judge, plan, undo
from ec2kit.status import Change, Status, Wanted

from .builders import CIDR, ENI_A, ENI_B, ENI_C, FOREIGN, a_resource, a_server
from .pretended_ec2 import PretendedEc2, unreachable

IN, OUT, UNKNOWN = Status.IN_SERVICE, Status.OUT_OF_SERVICE, Status.UNKNOWN


def seen(
    routes: Mapping[str, str | None],
    *,
    blackholes: tuple[str, ...] = (),
    cut: bool = False,
    listed: tuple[str, ...] = (),
) -> Observed:
    """What server-a sees; `cut`: later pages are missing; `listed`: only these tables count."""
    found = {name: Route(CIDR, target, name not in blackholes) for name, target in routes.items()}
    resource = a_resource(route_table_ids=listed)
    return Observed(resource, a_server(), found, unreachable() if cut else None)


def moved(table: str, old: str | None, new: str = ENI_A) -> Change:
    arguments = {"route_table_id": table, "destination_cidr_block": CIDR, "network_interface_id": new}
    return Change("ReplaceRoute", table, old=old, new=new, arguments=arguments)


# -- judge -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(seen({"rtb-1": ENI_A}), IN, id="one-table"),
        pytest.param(seen({"rtb-1": ENI_A, "rtb-2": ENI_A}), IN, id="all-tables"),
        pytest.param(seen({"rtb-1": ENI_A, "rtb-2": ENI_B}), OUT, id="one-of-two-elsewhere"),
        pytest.param(seen({"rtb-1": None}), OUT, id="no-target"),
        pytest.param(seen({"rtb-1": "igw-1"}), OUT, id="gateway"),
        pytest.param(seen({"rtb-1": ENI_A}, blackholes=("rtb-1",)), OUT, id="own-blackhole"),
        pytest.param(seen({}), OUT, id="no-table"),
        pytest.param(seen({"rtb-1": ENI_A}, cut=True), UNKNOWN, id="right-so-far"),
        pytest.param(seen({"rtb-1": ENI_B}, cut=True), OUT, id="wrong-so-far"),
        pytest.param(seen({}, cut=True), UNKNOWN, id="nothing-seen"),
        pytest.param(seen({"rtb-1": ENI_A}, listed=("rtb-1",)), IN, id="listed"),
        pytest.param(seen({"rtb-1": ENI_A}, listed=("rtb-1", "rtb-2")), OUT, id="listed-without-route"),
        pytest.param(seen({}, listed=("rtb-1",)), OUT, id="only-listed-without-route"),
        pytest.param(seen({"rtb-1": ENI_A}, listed=("rtb-1", "rtb-2"), cut=True), UNKNOWN, id="listed-not-seen-yet"),
    ],
)
def test_judge_routes_gives_status(observed: Observed, expected: Status) -> None:
    """In service is every route, active, at this server's ENI; evidence against it beats silence."""
    assert judge(observed).status is expected


def test_judge_out_of_service_names_each_wrong_table() -> None:
    """The reason says which table points where, and nothing of those that are right."""
    observed = seen({"rtb-1": ENI_A, "rtb-2": ENI_B, "rtb-3": ENI_A}, blackholes=("rtb-3",))
    reason = judge(observed).reason
    assert all(text in reason for text in ("rtb-2", "eni-b", "rtb-3", "eni-a", "blackhole"))
    assert "rtb-1" not in reason


# -- plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observed", "made", "changes", "pending", "impossible"),
    [
        pytest.param(seen({"rtb-1": ENI_A}), {}, [], [], [], id="right"),
        pytest.param(seen({"rtb-1": ENI_B}), {}, [moved("rtb-1", ENI_B)], [], [], id="elsewhere"),
        pytest.param(seen({"rtb-1": None}), {}, [moved("rtb-1", None)], [], [], id="nothing"),
        pytest.param(
            seen({"rtb-1": ENI_B}, blackholes=("rtb-1",)), {}, [moved("rtb-1", ENI_B)], [], [], id="foreign-blackhole"
        ),
        pytest.param(
            seen({"rtb-1": ENI_A, "rtb-2": ENI_B, "rtb-3": ENI_C}),
            {},
            [moved("rtb-2", ENI_B), moved("rtb-3", ENI_C)],
            [],
            [],
            id="only-those-that-differ",
        ),
        pytest.param(seen({"rtb-1": ENI_A}, blackholes=("rtb-1",)), {}, [], ["rtb-1"], [], id="own-blackhole"),
        pytest.param(
            seen({"rtb-1": ENI_B}), {"rtb-1": (moved("rtb-1", ENI_B),)}, [], ["rtb-1"], [], id="old-target-seen"
        ),
        pytest.param(
            seen({"rtb-1": FOREIGN}),
            {"rtb-1": (moved("rtb-1", ENI_B),)},
            [moved("rtb-1", FOREIGN)],
            [],
            [],
            id="contested-once",
        ),
        pytest.param(
            seen({"rtb-1": ENI_C}),
            {"rtb-1": (moved("rtb-1", ENI_B), moved("rtb-1", FOREIGN))},
            [],
            [],
            ["rtb-1"],
            id="contested-twice",
        ),
        pytest.param(
            seen({"rtb-1": ENI_B}),
            {"rtb-1": (moved("rtb-1", ENI_B), moved("rtb-1", FOREIGN))},
            [],
            ["rtb-1"],
            [],
            id="contested-and-older-still-seen",
        ),
        pytest.param(
            seen({"rtb-2": ENI_A}), {"rtb-1": (moved("rtb-1", ENI_B),)}, [], ["rtb-1"], [], id="vanished-after-change"
        ),
        pytest.param(seen({}), {}, [], [], ["vpc-1"], id="no-route-anywhere"),
        pytest.param(seen({}, listed=("rtb-1",)), {}, [], [], ["rtb-1"], id="listed-without-route"),
        pytest.param(
            seen({"rtb-1": ENI_B}, listed=("rtb-1", "rtb-2")),
            {},
            [moved("rtb-1", ENI_B)],
            [],
            ["rtb-2"],
            id="one-of-two-listed-without-route",
        ),
        pytest.param(
            seen({}, listed=("rtb-1",)), {"rtb-1": (moved("rtb-1", ENI_B),)}, [], ["rtb-1"], [], id="listed-vanished"
        ),
        pytest.param(seen({}), {"rtb-1": (moved("rtb-1", ENI_B),)}, [], ["rtb-1"], [], id="all-vanished"),
    ],
)
def test_plan_here_gives_what_is_left(
    observed: Observed,
    made: dict[str, tuple[Change, ...]],
    changes: list[Change],
    pending: list[str],
    impossible: list[str],
) -> None:
    """Each table is left alone, changed, waited for or given up, by what it shows and what was done to it."""
    left = plan(observed, Wanted.HERE, made)
    assert (list(left.changes), list(left.pending), list(left.impossible)) == (changes, pending, impossible)


def test_plan_not_here_has_nothing_to_do() -> None:
    """The next server's restore moves the routes; remove needs no AWS."""
    left = plan(seen({"rtb-1": ENI_A, "rtb-2": ENI_B}), Wanted.NOT_HERE, {})
    assert (left.changes, dict(left.pending), dict(left.impossible)) == ((), {}, {})


# -- undo --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "before", "changes", "impossible"),
    [
        pytest.param({"rtb-1": ENI_A}, {"rtb-1": ENI_B}, [moved("rtb-1", ENI_A, ENI_B)], [], id="put-back"),
        pytest.param({"rtb-1": ENI_A}, {"rtb-1": ENI_A}, [], [], id="was-here-before"),
        pytest.param({"rtb-1": ENI_C}, {"rtb-1": ENI_B}, [], [], id="somebody-took-it-meanwhile"),
        pytest.param({}, {"rtb-1": ENI_B}, [], [], id="table-gone"),
        pytest.param({"rtb-1": ENI_A}, {}, [], [], id="table-new-since"),
        pytest.param({"rtb-1": ENI_A}, {"rtb-1": "igw-1"}, [], ["rtb-1"], id="was-a-gateway"),
        pytest.param({"rtb-1": ENI_A}, {"rtb-1": ""}, [], ["rtb-1"], id="was-nothing"),
    ],
)
def test_undo_puts_back_only_what_points_here_and_did_not(
    now: dict[str, str], before: dict[str, str], changes: list[Change], impossible: list[str]
) -> None:
    """Undoing touches only routes that still point here, and gives them to whom they had."""
    left = undo(seen(now), before)
    assert (list(left.changes), list(left.impossible)) == (changes, impossible)


def test_undo_after_plan_gives_back_the_origin() -> None:
    """What was planned and made is undone to what was before."""
    before = {"rtb-1": ENI_A, "rtb-2": ENI_B, "rtb-3": FOREIGN}
    after = _carried_out(before, plan(seen(before), Wanted.HERE, {}).changes)
    assert _carried_out(after, undo(seen(after), route_table.origin(seen(before))).changes) == before


# -- interrupted anywhere ----------------------------------------------------------------------------------


def _carried_out(world: Mapping[str, str | None], changes: tuple[Change, ...]) -> dict[str, str | None]:
    after = dict(world)
    for change in changes:
        table = str(change.arguments["route_table_id"])
        assert table in after, "a table that does not hold the virtual IP is never touched"
        assert change.arguments["destination_cidr_block"] == CIDR
        after[table] = str(change.arguments["network_interface_id"])
    return after


TARGETS = (ENI_A, ENI_B, FOREIGN, None)


@pytest.mark.parametrize("targets", [*itertools.product(TARGETS, repeat=3)], ids=str)
def test_plan_interrupted_after_any_change_in_any_order_ends_the_same(targets: tuple[str | None, ...]) -> None:
    """Killed after any of its changes and run again, a restore ends as if it had not been, without one write more."""
    world = {f"rtb-{place}": target for place, target in enumerate(targets)}
    changes = plan(seen(world), Wanted.HERE, {}).changes
    end = dict.fromkeys(world, ENI_A)
    for order in itertools.permutations(changes):
        for length in range(len(order) + 1):
            halfway = _carried_out(world, order[:length])
            again = plan(seen(halfway), Wanted.HERE, {})
            assert {each.target for each in again.changes} == {each.target for each in order[length:]}
            assert _carried_out(halfway, again.changes) == end
            assert plan(seen(end), Wanted.HERE, {}).changes == ()


tables = st.dictionaries(st.sampled_from([f"rtb-{n}" for n in range(6)]), st.sampled_from(TARGETS), min_size=1)


@given(tables, st.data())
def test_plan_stale_looks_and_interruptions_never_ask_for_more_than_two_writes(
    world: dict[str, str | None], data: st.DataObject
) -> None:
    """However often EC2 shows something old or new, no table is written more than twice by one action."""
    made: dict[str, tuple[Change, ...]] = {}
    for _ in range(5):
        shown = {table: data.draw(st.sampled_from([world[table], ENI_A, *TARGETS])) for table in world}
        for change in plan(seen(shown), Wanted.HERE, made).changes:
            assert change.target in shown
            made[change.target] = (*made.get(change.target, ()), change)
    assert all(len(changes) <= 2 for changes in made.values())


@given(tables)
def test_judge_and_plan_agree_on_what_is_right(world: dict[str, str | None]) -> None:
    """Nothing to do, and in service, are the same thing."""
    assert (judge(seen(world)).status is IN) == (not plan(seen(world), Wanted.HERE, {}).changes)


# -- looking -----------------------------------------------------------------------------------------------


def test_observe_with_listed_tables_leaves_the_others_alone() -> None:
    """What is not listed is neither judged nor moved."""
    ec2 = PretendedEc2({"rtb-1": ENI_B, "rtb-2": ENI_B})
    resource = a_resource(route_table_ids=("rtb-2", "rtb-3"))
    observed = route_table.observe(ec2.asked_by(lambda: None), resource, a_server(), None)  # type: ignore[arg-type]
    assert list(observed.routes) == ["rtb-2"]
    assert observed.without_route == ("rtb-3",)


def test_observe_first_page_seen_keeps_it_with_the_reason_of_the_rest() -> None:
    """What EC2 told before it fell silent is kept."""
    ec2 = PretendedEc2({"rtb-1": ENI_B})
    ec2.later_pages = unreachable()
    observed = route_table.observe(ec2.asked_by(lambda: None), a_resource(), a_server(), None)  # type: ignore[arg-type]
    assert list(observed.routes) == ["rtb-1"]
    assert observed.unknown is ec2.later_pages


def test_observe_nothing_seen_raises_the_reason() -> None:
    """No table and a reason is no observation."""
    ec2 = PretendedEc2()
    ec2.later_pages = unreachable()
    with pytest.raises(type(ec2.later_pages)):
        route_table.observe(ec2.asked_by(lambda: None), a_resource(), a_server(), None)  # type: ignore[arg-type]


def test_owners_blackhole_belongs_to_nobody() -> None:
    """A route that leads nowhere has no owner."""
    observed = seen({"rtb-1": ENI_B, "rtb-2": ENI_C}, blackholes=("rtb-2",))
    assert route_table.owners(observed) == {"rtb-1": ENI_B, "rtb-2": None}
