"""
Route table scenario: pure decisions, from every interrupted state.

Single decisions are files: tests/situations/route-table/.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.ec2.answers import Route
from ec2kit.scenarios import route_table
from ec2kit.scenarios.route_table import Observed, Own, judge, plan, undo
from ec2kit.status import Change, Status, Wanted

from ..builders import CIDR, ENI_A, ENI_B, FOREIGN, a_resource, a_server
from ..pretended_ec2 import PretendedEc2, unreachable


def seen(routes: Mapping[str, str | None]) -> Observed:
    """What server-a sees."""
    found = {name: Route(CIDR, target) for name, target in routes.items()}
    return Observed(a_resource(), a_server(), found)


# -- before the first look -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "address", "remembered", "written"),
    [
        pytest.param(Own(), "10.1.0.10", ["rtb-1", "rtb-2"], ["rtb-1", "rtb-2"], id="all tables"),
        pytest.param(Own(("rtb-1",)), "10.1.0.10", ["rtb-1", "rtb-2"], ["rtb-1"], id="listed"),
        pytest.param(Own((), "vip=a"), "10.1.0.10", ["rtb-1"], [], id="by a tag that only a look can tell"),
        pytest.param(Own(("rtb-1",), "vip=a"), "10.1.0.10", ["rtb-1", "rtb-2"], ["rtb-1"], id="listed beside a tag"),
        pytest.param(
            Own(), "10.1.0.10,::1", ["rtb-1 10.1.0.10/32", "rtb-1 ::1/128", "rtb-2 10.9.9.9/32", "rtb-3"],
            ["rtb-1 10.1.0.10/32", "rtb-1 ::1/128"], id="several addresses, and what is none of them",
        ),
        pytest.param(Own(), "10.1.0.10", ["rtb-1 10.1.0.10/32"], [], id="remembered when there were several"),
    ],
)  # fmt: skip
def test_ahead_writes_only_what_the_definition_covers_by_itself(
    own: Own, address: str, remembered: list[str], written: list[str]
) -> None:
    """No route is written unseen that the definition may not mean any more."""
    changes = route_table.ahead(a_resource(own=own, address=address), a_server(), remembered)
    assert [each.target for each in changes] == written
    assert {each.arguments["network_interface_id"] for each in changes} <= {ENI_A}


# -- undo --------------------------------------------------------------------------------------------------


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
    assert (judge(seen(world)).status is Status.IN_SERVICE) == (not plan(seen(world), Wanted.HERE, {}).changes)


# -- looking -----------------------------------------------------------------------------------------------


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
