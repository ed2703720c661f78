"""The first writes of a restore go beside its first look, and the look decides everything else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ec2kit.actions.quick_check import quick_check
from ec2kit.actions.recover import recover
from ec2kit.actions.remove import remove
from ec2kit.actions.restore import restore
from ec2kit.errors import Ec2KitError, NotBroughtHere, Overtaken
from ec2kit.messages import catalogue

from ..builders import ALLOCATION, ENI_A, ENI_B, FOREIGN, IP_B, Desk
from ..pretended_ec2 import not_permitted, refused, unreachable

LONG = 20.0


def knowing(desk: Desk, elsewhere: Callable[[Desk], None]) -> Desk:
    """The desk of a server that had the resource, gave it away, and another has taken it meanwhile."""
    restore(desk.action())
    remove(desk.action("remove"))
    elsewhere(desk)
    desk.ec2.written.clear()
    desk.ec2.looked = 0
    desk.lines.clear()
    return desk


def to_server_b(desk: Desk) -> None:
    for table in desk.ec2.routes:
        desk.ec2.routes[table] = ENI_B


@pytest.fixture
def back(desk: Desk) -> Desk:
    """Server-a, which had two routes that server-b has now."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": FOREIGN}
    return knowing(desk, to_server_b)


def held_up(desk: Desk, writes: int) -> list[int]:
    """Hold up the first look until so many writes were carried out; say how many there were when it went on."""
    seen: list[int] = []
    there_are = threading.Event()

    def after_write(_: str) -> None:
        if len(desk.ec2.written) >= writes:
            there_are.set()

    def before_look(number: int) -> None:
        if number == 1:
            desk.ec2._lock.release()  # the writes need what a look holds
            try:
                there_are.wait(LONG if writes else 0)
            finally:
                desk.ec2._lock.acquire()
            seen.append(len(desk.ec2.written))

    desk.ec2.after_write, desk.ec2.before_look = after_write, before_look
    return seen


def test_restore_writes_beside_its_first_look_what_its_server_remembers(back: Desk) -> None:
    """The look has no answer yet when all routes are written; each change is logged, and counted."""
    seen = held_up(back, 2)
    assert sorted(restore(back.action())) == ["rtb-1", "rtb-2"]
    assert seen == [2]
    assert back.ec2.looked == 2
    assert back.ec2.routes == {"rtb-1": ENI_A, "rtb-2": ENI_A}
    assert back.registry.state("ec2-vip1") == "ISP"
    lines = back.lines.of(catalogue.ROUTE_REPLACED)
    assert len(lines) == 2
    assert all("what was not looked at" in each for each in lines)


def test_restore_of_an_elastic_ip_writes_beside_its_first_look(eip_desk: Desk) -> None:
    """The allocation is in the definition; that this server has seen it is in its notes."""
    from .test_service import associate, held_by

    associate(eip_desk, held_by(ENI_B, IP_B))
    knowing(eip_desk, lambda desk: associate(desk, held_by(ENI_B, IP_B)))
    seen = held_up(eip_desk, 1)
    restore(eip_desk.action())
    assert seen == [1]
    assert eip_desk.ec2.held[ALLOCATION].network_interface_id == ENI_A
    assert [target for _, target, _ in eip_desk.ec2.written] == [ALLOCATION]


def _forgets(desk: Desk) -> None:
    (desk.folder / "run" / "ec2-vip1.memory.json").unlink()


def _is_in_service(desk: Desk) -> None:
    desk.registry.mark_in_service("ec2-vip1")


def _failed_to_come(desk: Desk) -> None:
    desk.ec2.looks = [unreachable()]
    desk.set(write_beside_look=False)
    with pytest.raises(Ec2KitError):
        restore(desk.action())
    desk.set(write_beside_look=True)
    desk.ec2.looked = 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_forgets, id="nothing is remembered"),
        pytest.param(_is_in_service, id="it is in service by the notes"),
        pytest.param(_failed_to_come, id="an earlier restore has not ended well"),
        pytest.param(lambda desk: desk.set(write_beside_look=False), id="switched off"),
    ],
)
def test_restore_looks_first_unless_its_notes_say_that_the_resource_is_elsewhere(
    change: Callable[[Desk], None], back: Desk
) -> None:
    """Where notes are missing or say something else, no route is written unseen."""
    change(back)
    seen = held_up(back, 0)
    restore(back.action())
    assert seen == [0]
    assert set(back.ec2.routes.values()) == {ENI_A}


def test_recover_never_writes_before_it_has_looked(back: Desk) -> None:
    """What needs a permit rests on a look."""
    back.registry.mark_in_service("ec2-vip1")
    back.action().intentions.withdraw()
    back.ec2.routes = {"rtb-1": ENI_A, "rtb-2": FOREIGN}
    seen = held_up(back, 0)
    recover(back.action("recover"))
    assert seen == [0]
    assert set(back.ec2.routes.values()) == {ENI_A}


def test_restore_that_needs_a_permit_looks_first(back: Desk) -> None:
    """A framework that is asked right before each write decides by what is true then, and not sooner."""
    seen = held_up(back, 0)
    restore(back.action(), permit=lambda: None)
    assert seen == [0]
    assert set(back.ec2.routes.values()) == {ENI_A}


def test_restore_writes_no_table_unseen_that_the_definition_does_not_list(back: Desk) -> None:
    """A definition that lists its tables covers no other."""
    listed = back.resource._replace(own=back.resource.own._replace(route_table_ids=("rtb-2",)))
    back.registry.store(listed, replaces=back.registry.load("ec2-vip1").revision)
    restore(back.action())
    assert [target for _, target, _ in back.ec2.written] == ["rtb-2"]


def test_restore_route_that_is_gone_is_no_failure(back: Desk) -> None:
    """The table was deleted meanwhile: EC2 refuses the write, and the look shows that no table lacks anything."""
    del back.ec2.routes["rtb-2"]
    back.ec2.refusing["rtb-2"] = refused("InvalidParameterValue", "ReplaceRoute", "rtb-2")
    assert list(restore(back.action())) == ["rtb-1"]
    assert not back.lines.of(catalogue.CHANGE_FAILED)
    assert back.registry.state("ec2-vip1") == "ISP"


def test_restore_new_table_that_the_look_shows_is_written_after_it(back: Desk) -> None:
    """A table that came later is not remembered; the look finds it."""
    back.ec2.routes["rtb-3"] = ENI_B
    assert sorted(restore(back.action())) == ["rtb-1", "rtb-2", "rtb-3"]
    assert set(back.ec2.routes.values()) == {ENI_A}
    assert len(back.ec2.written) == 3


def test_restore_first_write_without_permission_is_named_like_any_other(back: Desk) -> None:
    """The table that may not be written is named; the other one is moved."""
    back.ec2.refusing["rtb-2"] = not_permitted(target="rtb-2")
    with pytest.raises(NotBroughtHere, match="rtb-2"):
        restore(back.action())
    assert back.ec2.routes == {"rtb-1": ENI_A, "rtb-2": ENI_B}
    assert len(back.lines.of(catalogue.CHANGE_FAILED)) == 1


def test_restore_answer_of_a_first_write_lost_is_not_written_again(back: Desk) -> None:
    """The look after it shows that it was carried out."""
    back.ec2.losing = {"rtb-1"}
    restore(back.action())
    assert sorted(target for _, target, _ in back.ec2.written) == ["rtb-1", "rtb-2"]
    assert back.lines.of(catalogue.CHANGE_UNCONFIRMED)


def test_restore_look_that_shows_what_was_before_waits_for_the_next(back: Desk) -> None:
    """A look beside a write may show what was before it; no route is written twice for that."""
    back.ec2.late = 2
    restore(back.action())
    assert len(back.ec2.written) == 2
    assert back.registry.state("ec2-vip1") == "ISP"


def test_restore_without_any_look_fails_and_says_what_was_written(back: Desk) -> None:
    """EC2 carries out the writes and answers no look: the changes are in the log, the outcome is not known."""
    back.ec2.looks = [unreachable()] * 50
    with pytest.raises(Ec2KitError):
        restore(back.action())
    assert len(back.lines.of(catalogue.ROUTE_REPLACED)) == 2
    assert back.registry.state("ec2-vip1") == "OSF"


def test_restore_remove_asked_beside_the_first_writes_wins(back: Desk) -> None:
    """The remove is heard after the first write; nothing is marked in service, and nothing more is written."""
    back.ec2.after_write = lambda _: remove(back.action("remove")) and None
    with pytest.raises(Overtaken):
        restore(back.action())
    assert back.registry.state("ec2-vip1") == "OSU"


def test_a_check_remembers_for_a_restore_where_the_address_is(desk: Desk) -> None:
    """A server that never had the address, and has looked at it in this boot, may begin with its writes."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    quick_check(desk.action("quickCheck"))
    desk.ec2.looked = 0
    seen = held_up(desk, 1)
    restore(desk.action())
    assert seen == [1]
