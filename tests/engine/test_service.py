"""The deeds in service, on a pretended EC2 that is late, robbed, silent or refusing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ec2kit.actions.quick_check import quick_check
from ec2kit.actions.recover import recover
from ec2kit.actions.remove import remove
from ec2kit.actions.restore import restore
from ec2kit.ec2.answers import Address
from ec2kit.ec2.attempt import no_tls, wrong_certificate
from ec2kit.engine import judgement
from ec2kit.errors import (
    CredentialsExpired,
    CredentialsMissing,
    Ec2KitError,
    LocalCommandFailed,
    NotBroughtHere,
    OtherInstance,
    Overtaken,
    StateUnusable,
    TagUnknown,
    Unknown,
)
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message
from ec2kit.registry.local import LocalRegistry
from ec2kit.state import memory
from ec2kit.state.file import StateFile
from ec2kit.state.intention import Direction
from ec2kit.status import Status

from ..builders import (
    ALLOCATION,
    CIDR,
    ELASTIC_IP,
    ENI_A,
    ENI_B,
    FOREIGN,
    IP_A,
    IP_B,
    PUBLIC_IP,
    Desk,
    FakeClock,
    ImpatientClock,
    a_desk,
    a_resource,
    another_process,
    holding,
    known_as,
    raises,
)
from ..pretended_ec2 import PretendedEc2, not_permitted, refused, unreachable

IN, OUT, UNKNOWN = Status.IN_SERVICE, Status.OUT_OF_SERVICE, Status.UNKNOWN


def says(rest: str) -> str:
    """A shell command by which the server asked ("$1") answers."""
    return f"""echo '{{"protocol": 1, "server": "'"$1"'"{rest}}}'"""


SAYS_NO = says(', "in_service": false')
SAYS_YES = says(', "in_service": true')


def held_by(eni: str | None, private: str | None = None, allocation_id: str = ALLOCATION) -> Address:
    association_id = f"eipassoc-of-{allocation_id}" if eni else None
    return Address(PUBLIC_IP, allocation_id, association_id, eni, private)


def associate(desk: Desk, *addresses: Address) -> None:
    desk.ec2.held = {each.allocation_id: each for each in addresses}


def targets(desk: Desk) -> list[str]:
    return [target for _, target, _ in desk.ec2.written]


REFUSED_CREDENTIALS = CredentialsExpired(
    operation="ReplaceRoute",
    object="rtb-1",
    code="RequestExpired",
    text="no",
    request_id="req-400",
    status=400,
    credentials="iam-role",
)
NO_CREDENTIALS = CredentialsMissing(operation="ReplaceRoute", reason="IMDS is silent")


def stolen_once(desk: Desk, by: str = FOREIGN) -> Callable[[str], None]:
    """A third party that takes the first table written, once."""

    def steal(table: str) -> None:
        if len(desk.ec2.written) == 1:
            desk.ec2.routes[table] = by

    return steal


# -- restore -----------------------------------------------------------------------------------------------


def test_restore_routes_elsewhere_moves_all_and_marks_in_service(desk: Desk) -> None:
    """Every table that differs is moved, one log line each, and the registry says in service."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_A, "rtb-3": None}
    made = restore(desk.action())
    assert desk.ec2.routes == dict.fromkeys(desk.ec2.routes, ENI_A)
    assert sorted(made) == sorted(targets(desk)) == ["rtb-1", "rtb-3"]
    assert len(desk.lines.of(catalogue.ROUTE_REPLACED)) == 2
    assert desk.registry.in_service("ec2-vip1")


def test_restore_first_thing_is_done_before_anything_moves_and_nothing_comes_in_between(desk: Desk) -> None:
    """What the server itself needs is there before traffic comes, and a remove waits until it is."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    action, seen = desk.action(), []
    restore(action, first=lambda: seen.append((action.intentions.is_being_changed, dict(desk.ec2.routes))))
    assert seen == [(True, {"rtb-1": ENI_B})]


def test_restore_first_thing_cannot_be_done_moves_nothing(desk: Desk) -> None:
    """An address that would find nobody at home stays where it is."""
    desk.ec2.routes = {"rtb-1": ENI_B}

    def fail() -> None:
        raise LocalCommandFailed(command="ip", reason="no")

    with pytest.raises(LocalCommandFailed):
        restore(desk.action(), first=fail)
    assert desk.ec2.written == []
    assert desk.registry.state("ec2-vip1") == "OSF"


def test_restore_all_is_right_writes_nothing(desk: Desk) -> None:
    """A restore where all is right is no write, however often it is run."""
    desk.ec2.routes = {"rtb-1": ENI_A, "rtb-2": ENI_A}
    assert restore(desk.action()) == {}
    assert restore(desk.action()) == {}
    assert desk.ec2.written == []
    assert desk.registry.in_service("ec2-vip1")


def test_restore_change_shown_late_waits_and_writes_once(desk: Desk) -> None:
    """An old target that is still seen is waited for, not written again."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.late = 4
    restore(desk.action())
    assert targets(desk) == ["rtb-1"]
    assert desk.lines.of(catalogue.VERIFIED_AFTER)


def test_restore_change_never_shown_fails_after_the_verify_time(desk: Desk) -> None:
    """Waiting ends with EC2_VERIFY_TIMEOUT, and the table is named."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.late = 10_000
    with pytest.raises(NotBroughtHere, match="rtb-1"):
        restore(desk.action())
    assert isinstance(desk.clock, FakeClock)
    assert 1030 <= desk.clock.time < 1040
    assert desk.registry.state("ec2-vip1") == "OSF"


def test_restore_contested_once_writes_twice_and_succeeds(desk: Desk) -> None:
    """A third party that takes the route once loses it again."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.after_write = stolen_once(desk)
    restore(desk.action())
    assert targets(desk) == ["rtb-1", "rtb-1"]
    assert desk.ec2.routes == {"rtb-1": ENI_A}


def test_restore_contested_twice_fails_and_writes_no_more(desk: Desk) -> None:
    """Two that fight for a route do not fight for ever."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_B}
    thieves = iter([FOREIGN, "eni-thief"])

    def steal(table: str) -> None:
        if table == "rtb-1":
            desk.ec2.routes[table] = next(thieves)

    desk.ec2.after_write = steal
    with pytest.raises(NotBroughtHere, match="contested") as caught:
        restore(desk.action())
    assert sorted(targets(desk)) == ["rtb-1", "rtb-1", "rtb-2"]
    assert "rtb-2" not in str(caught.value)
    assert desk.ec2.routes["rtb-2"] == ENI_A


@pytest.mark.parametrize("thief", [FOREIGN, ENI_B])
def test_restore_contested_by_one_thief_says_so(desk: Desk, thief: str) -> None:
    """Who takes it back after both writes is named as that, and not taken for a look that is late."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    thieves = iter([FOREIGN, thief])
    desk.ec2.after_write = lambda table: desk.ec2.routes.update({table: next(thieves)})
    with pytest.raises(NotBroughtHere, match=f"contested: another writer points it at .*{thief}"):
        restore(desk.action())
    assert targets(desk) == ["rtb-1", "rtb-1"]


def test_restore_elastic_ip_contested_by_one_thief_says_so(eip_desk: Desk) -> None:
    """The same for an Elastic IP."""
    associate(eip_desk, held_by(ENI_B, IP_B))
    eip_desk.ec2.after_write = lambda target: eip_desk.ec2.hold(target, FOREIGN, "10.0.9.9")
    with pytest.raises(NotBroughtHere, match=f"contested: another writer associates it with .*{FOREIGN}"):
        restore(eip_desk.action())
    assert targets(eip_desk) == [ALLOCATION, ALLOCATION]


@pytest.mark.parametrize("error", [REFUSED_CREDENTIALS, NO_CREDENTIALS], ids=["expired", "missing"])
def test_restore_credentials_that_ec2_refuses_are_no_uncertain_outcome(desk: Desk, error: Ec2KitError) -> None:
    """A write for which there were no valid credentials was not carried out, and the log says so."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_B}
    desk.ec2.refusing = {"rtb-1": error}
    with pytest.raises(NotBroughtHere, match="rtb-1"):
        restore(desk.action())
    assert desk.lines.of(catalogue.CHANGE_UNCONFIRMED) == []
    assert desk.lines.of(catalogue.CHANGE_FAILED) == [f"rtb-1: {error}"]
    assert desk.ec2.routes == {"rtb-1": ENI_B, "rtb-2": ENI_A}


def test_restore_credentials_refused_after_a_lost_answer_are_uncertain(desk: Desk) -> None:
    """What an earlier attempt did, a refusal of the next one does not tell."""
    error = CredentialsExpired(**REFUSED_CREDENTIALS.fields)
    error.uncertain = True
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.refusing = {"rtb-1": error}
    with pytest.raises(NotBroughtHere):
        restore(desk.action())
    assert desk.lines.of(catalogue.CHANGE_UNCONFIRMED)


def test_restore_write_that_did_not_leave_is_made_again(desk: Desk) -> None:
    """A proxy or a handshake that is slow once costs an attempt; it is no change whose outcome is not known."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_B}
    desk.ec2.refusing = {"rtb-1": no_tls("ReplaceRoute", "ec2.test", "no answer in time")}
    desk.ec2.before_look = lambda number: desk.ec2.refusing.clear() if number == 2 else None
    restore(desk.action())
    assert desk.ec2.routes == {"rtb-1": ENI_A, "rtb-2": ENI_A}
    assert len(desk.lines.of(catalogue.CHANGE_TO_BE_REPEATED)) == 1
    assert not desk.lines.of(catalogue.CHANGE_UNCONFIRMED)


def test_restore_write_that_did_not_leave_and_only_a_person_can_help_fails_at_once(desk: Desk) -> None:
    """A certificate that is not trusted is not tried again, and nothing is waited for."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.refusing = {"rtb-1": wrong_certificate("ReplaceRoute", "ec2.test", "self-signed")}
    with pytest.raises(NotBroughtHere, match="self-signed"):
        restore(desk.action())
    assert desk.ec2.looked == 1
    assert not desk.lines.of(catalogue.CHANGE_UNCONFIRMED)


def test_restore_one_table_without_permission_leaves_the_others_moved_and_names_it(desk: Desk) -> None:
    """All tables are tried, even if one fails, and the error names the one with AWS's reason."""
    desk.ec2.routes = {f"rtb-{n}": ENI_B for n in range(5)}
    desk.ec2.refusing = {"rtb-3": not_permitted(target="rtb-3")}
    with pytest.raises(NotBroughtHere, match=r"4 of 5 .*rtb-3") as caught:
        restore(desk.action())
    assert "UnauthorizedOperation" in str(caught.value)
    assert [table for table, target in desk.ec2.routes.items() if target != ENI_A] == ["rtb-3"]


def test_restore_own_eni_blackholed_fails_after_the_verify_time(desk: Desk) -> None:
    """A route that points here and leads nowhere may heal for a while, and then is a failure, without a write."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.blackholes = {"rtb-1"}
    with pytest.raises(NotBroughtHere, match="blackhole"):
        restore(desk.action())
    assert desk.ec2.written == []
    assert isinstance(desk.clock, FakeClock)
    assert desk.clock.time < 1040


def test_restore_no_table_has_the_route_fails_at_once(desk: Desk) -> None:
    """The kit creates no route."""
    with pytest.raises(NotBroughtHere, match="no route table of vpc-1 has a route"):
        restore(desk.action())
    assert isinstance(desk.clock, FakeClock)
    assert desk.clock.time < 1005


def test_restore_later_page_unknown_writes_nothing(desk: Desk) -> None:
    """Without a page a table could be overlooked, and the address would be in two places."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.later_pages = unreachable()
    with pytest.raises(Unknown, match="nobody listens"):
        restore(desk.action())
    assert desk.ec2.written == []


def test_restore_table_vanishes_after_the_write_fails(desk: Desk) -> None:
    """A table that was written and is gone is a failure."""
    desk.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_B}
    desk.ec2.after_write = lambda table: desk.ec2.routes.pop("rtb-2", None)
    with pytest.raises(NotBroughtHere, match="rtb-2"):
        restore(desk.action())


def test_restore_answer_lost_though_carried_out_succeeds_without_a_second_write(desk: Desk) -> None:
    """Whether a lost write was carried out, the next look shows."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.losing = {"rtb-1"}
    restore(desk.action())
    assert targets(desk) == ["rtb-1"]
    assert desk.lines.of(catalogue.CHANGE_UNCONFIRMED)


def test_restore_ec2_silent_fails_with_its_reason_and_marks_failed(desk: Desk) -> None:
    """Without a look there is no write."""
    desk.ec2.looks = [unreachable()]
    with pytest.raises(Unknown, match="nobody listens"):
        restore(desk.action())
    assert desk.ec2.written == []
    assert desk.registry.state("ec2-vip1") == "OSF"


def test_restore_other_instance_writes_nothing(desk: Desk) -> None:
    """A clone of the server takes no address."""
    known_as(desk.settings, "i-clone")
    desk.ec2.routes = {"rtb-1": ENI_B}
    with pytest.raises(OtherInstance, match="i-clone"):
        restore(desk.action())
    assert desk.ec2.written == []


def test_restore_imds_silent_goes_on_with_a_warning(desk: Desk) -> None:
    """A silent IMDS keeps nobody from failing over."""
    Path(desk.settings.run_dir, "identity.json").unlink()
    desk.ec2.routes = {"rtb-1": ENI_B}
    restore(desk.action())
    assert desk.ec2.routes == {"rtb-1": ENI_A}
    assert desk.lines.of(catalogue.IDENTITY_UNSEEN)


def test_restore_source_dest_check_on_is_switched_off(desk: Desk) -> None:
    """With the check on, EC2 would drop packets to the virtual IP."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.source_dest_check = True
    restore(desk.action())
    assert desk.ec2.source_dest_check is False


@pytest.mark.parametrize(
    "error",
    [unreachable(), not_permitted(), refused("InvalidNetworkInterfaceID.NotFound"), Overtaken(newer="remove")],
)
def test_restore_source_dest_check_unseen_is_no_failure(error: Ec2KitError, desk: Desk) -> None:
    """Neither a look at the check that fails, nor one that a remove ends, makes a failure of a success."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.source_dest_check = error
    restore(desk.action())
    assert desk.lines.of(catalogue.SOURCE_DEST_CHECK_UNSEEN)


def test_restore_source_dest_check_stuck_is_an_error_line_and_no_failure(desk: Desk) -> None:
    """A check that cannot be switched off is told loudly."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.source_dest_check = True
    desk.ec2.refusing = {ENI_A: not_permitted("ModifyNetworkInterfaceAttribute", ENI_A)}
    restore(desk.action())
    assert desk.lines.of(catalogue.SOURCE_DEST_CHECK_ON)
    assert desk.registry.in_service("ec2-vip1")


def test_restore_second_one_waits_and_ends_with_its_deadline(desk: Desk) -> None:
    """Two restores: the second waits inside its deadline."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    path = desk.action().intentions.writing.path
    with another_process(holding(path)), pytest.raises(Ec2KitError) as caught:
        restore(desk.action())
    assert isinstance(caught.value, Unknown) or caught.value.message is catalogue.OTHER_ACTION
    assert desk.ec2.written == []
    assert isinstance(desk.clock, FakeClock)
    assert desk.clock.time == pytest.approx(1300, abs=1)


def test_restore_waits_for_another_that_hangs_and_is_ended_by_remove(desk: Desk) -> None:
    """A wait for the lock does not keep a restore that was overtaken."""
    removed: list[bool] = []

    class RemoveComes(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.time > 1010 and not removed:
                removed.append(True)
                remove(desk.action("remove"))

    desk.clock = RemoveComes()
    assert desk.action().intentions.writing.take()
    with pytest.raises(Overtaken, match="remove was asked for"):
        restore(desk.action())
    assert desk.clock.time < 1011


def test_restore_waited_for_another_that_succeeded_and_cannot_look_keeps_in_service(desk: Desk) -> None:
    """What the other one brought in service stays so: nothing was changed since, and nothing is known."""
    first = desk.action().intentions
    assert first.writing.take()

    class FirstEnds(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            desk.registry.mark_in_service("ec2-vip1")
            first.writing.release()

    desk.clock = FirstEnds()
    desk.ec2.looks = [unreachable()]
    with pytest.raises(Unknown, match="nobody listens"):
        restore(desk.action())
    assert desk.registry.in_service("ec2-vip1")


@pytest.mark.parametrize("error", [unreachable(), refused("InternalNo"), not_permitted("DescribeRouteTables")])
def test_restore_of_what_is_in_service_and_cannot_look_keeps_in_service(desk: Desk, error: Ec2KitError) -> None:
    """What EC2 does not say is no news: another server that asks must not be told that the address is free."""
    desk.registry.mark_in_service("ec2-vip1")
    desk.ec2.looks = [error]
    with pytest.raises(type(error)):
        restore(desk.action())
    assert desk.registry.in_service("ec2-vip1")


def test_restore_holder_of_the_lock_dies_goes_on(desk: Desk) -> None:
    """A dead holder never blocks."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    with another_process(holding(desk.action().intentions.writing.path)) as holder:
        holder.kill()
        holder.wait()
        restore(desk.action())
    assert desk.ec2.routes == {"rtb-1": ENI_A}


def test_restore_intention_cannot_be_written_down_writes_nothing(desk: Desk) -> None:
    """What cannot be written down may not be done."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    (desk.folder / "file").write_text("")
    desk.set(run_dir=str(desk.folder / "file"))
    with pytest.raises(StateUnusable):
        restore(desk.action())
    assert desk.ec2.written == []


def test_restore_killed_after_any_write_and_run_again_ends_the_same(tmp_path: Path) -> None:
    """Killed at any instant and run again, a restore ends as if it had not been."""

    class Killed(BaseException):
        pass

    for number in range(1, 4):
        desk = a_desk(tmp_path / str(number), a_resource())
        desk.ec2.routes = {f"rtb-{n}": ENI_B for n in range(3)}

        def kill(_: str, desk: Desk = desk, number: int = number) -> None:
            if len(desk.ec2.written) >= number:
                raise Killed

        desk.ec2.after_write = kill
        with pytest.raises(Killed):
            restore(desk.action())
        desk.ec2 = PretendedEc2(dict(desk.ec2.routes))  # what threads of the dead still do, happens elsewhere
        left = sorted(table for table, target in desk.ec2.routes.items() if target != ENI_A)
        restore(desk.action())
        assert set(desk.ec2.routes.values()) == {ENI_A}
        assert sorted(targets(desk)) == left
        assert desk.registry.in_service("ec2-vip1")


# -- restore, Elastic IP -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(held_by(ENI_B, IP_B), id="elsewhere"),
        pytest.param(held_by(None), id="nobody"),
        pytest.param(held_by(ENI_A, "10.0.1.99"), id="other-private-address"),
    ],
)
def test_restore_elastic_ip_is_associated_with_one_call(before: Address, eip_desk: Desk) -> None:
    """AWS may charge for each remap: one call, and none if it is right."""
    associate(eip_desk, before)
    restore(eip_desk.action())
    restore(eip_desk.action())
    assert eip_desk.ec2.written == [("AssociateAddress", ALLOCATION, ENI_A)]
    assert eip_desk.ec2.held[ALLOCATION].private_ip_address == IP_A
    assert eip_desk.registry.in_service("ec2-vip1")


def test_restore_elastic_ip_displacing_another_is_logged(eip_desk: Desk) -> None:
    """An Elastic IP that EC2 takes off our private address is told of."""
    associate(eip_desk, held_by(ENI_B, IP_B), held_by(ENI_A, IP_A, "eipalloc-2"))
    restore(eip_desk.action())
    (line,) = eip_desk.lines.of(catalogue.ADDRESS_DISPLACED)
    assert "eipalloc-2" in line


@pytest.mark.parametrize(("exclusive", "gone"), [(False, False), (True, True)], ids=["default", "exclusive"])
def test_restore_elastic_ip_neighbour_is_cleared_only_if_exclusive(
    exclusive: bool, gone: bool, eip_desk: Desk
) -> None:
    """Other Elastic IPs of the ENI are touched only with EC2_EIP_EXCLUSIVE=1."""
    eip_desk.set(eip_exclusive=exclusive)
    associate(eip_desk, held_by(ENI_B, IP_B), held_by(ENI_A, "10.0.1.12", "eipalloc-2"))
    restore(eip_desk.action())
    assert (eip_desk.ec2.held["eipalloc-2"].association_id is None) is gone
    assert eip_desk.ec2.held[ALLOCATION].network_interface_id == ENI_A


@pytest.mark.parametrize(
    ("protect", "told"),
    [
        pytest.param(
            lambda desk: desk.registry.store(a_resource(ELASTIC_IP, "ec2-eip2", address="203.0.113.20")),
            catalogue.NEIGHBOUR_SPARED,
            id="another resource has it",
        ),
        pytest.param(
            lambda desk: Path(desk.registry.place, "ec2-eip2.json").write_text("{"),
            catalogue.NEIGHBOURS_UNKNOWN,
            id="a definition cannot be read",
        ),
    ],
)
def test_restore_elastic_ip_exclusive_takes_nothing_off_that_another_resource_may_have(
    protect: Callable[[Desk], None], told: Message, eip_desk: Desk
) -> None:
    """EC2_EIP_EXCLUSIVE=1 is for what no resource protects; otherwise two resources would take turns for ever."""
    eip_desk.set(eip_exclusive=True)
    protect(eip_desk)
    neighbour = held_by(ENI_A, "10.0.1.12", "eipalloc-2")._replace(public_ip="203.0.113.20")
    associate(eip_desk, held_by(ENI_B, IP_B), neighbour)
    restore(eip_desk.action())
    assert eip_desk.ec2.written == [("AssociateAddress", ALLOCATION, ENI_A)]
    (line,) = eip_desk.lines.of(told)
    assert "eipalloc-2: Elastic IP 203.0.113.20 stays" in line


def test_restore_elastic_ip_link_down_is_switched_on(eip_desk: Desk) -> None:
    """A link that is down is switched on with `ip`."""
    eip_desk.link("down")
    ip = eip_desk.folder / "ip"
    ip.write_text(f"#!/bin/sh\necho up > {eip_desk.settings.net_dir}/eth1/operstate\n")
    ip.chmod(0o755)
    eip_desk.set(path=f"{eip_desk.folder}:/usr/bin:/bin")
    associate(eip_desk, held_by(ENI_A, IP_A))
    assert list(restore(eip_desk.action())) == ["eth1"]
    assert eip_desk.lines.of(catalogue.LINK_SET_UP)


def test_restore_elastic_ip_released_fails(eip_desk: Desk) -> None:
    """An address that does not exist cannot be brought here."""
    with pytest.raises(NotBroughtHere, match="does not exist"):
        restore(eip_desk.action())


# -- a newer intention -------------------------------------------------------------------------------------


def test_restore_remove_asked_meanwhile_stops_before_the_next_write(desk: Desk) -> None:
    """A remove while a restore runs does not wait; the restore writes no more, the state is the remove's."""
    desk.ec2.routes = {"rtb-1": ENI_B}

    def remove_and_steal(table: str) -> None:
        remove(desk.action("remove"))
        desk.ec2.routes[table] = FOREIGN

    desk.ec2.after_write = remove_and_steal
    with pytest.raises(Overtaken, match="remove"):
        restore(desk.action())
    assert targets(desk) == ["rtb-1"]
    assert desk.registry.state("ec2-vip1") == "OSU"


def test_restore_remove_asked_after_the_last_write_is_not_in_service(desk: Desk) -> None:
    """A restore whose last look is good, but which nobody wants any more, is never marked in service."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.after_write = lambda _: remove(desk.action("remove")) and None
    with pytest.raises(Overtaken):
        restore(desk.action())
    assert desk.registry.state("ec2-vip1") == "OSU"


def test_restore_remove_asked_while_waiting_keeps_the_state_of_the_remove(desk: Desk) -> None:
    """A restore that fails after it was overtaken does not overwrite what the remove recorded."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.late = 10_000
    desk.ec2.after_write = lambda _: remove(desk.action("remove")) and None
    with pytest.raises(Ec2KitError):
        restore(desk.action())
    assert desk.registry.state("ec2-vip1") == "OSU"


def test_restore_remove_asked_while_the_state_is_tried_keeps_the_state_of_the_remove(desk: Desk) -> None:
    """Whenever a remove comes, its state is the one that stays."""

    class Raced(LocalRegistry):
        def in_service(self, tag: str) -> bool:
            answer = super().in_service(tag)
            remove(desk.action("remove"))
            return answer

    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.registry.mark_in_service("ec2-vip1")
    action = desk.action()
    action = action._replace(registry=Raced(desk.settings.state_dir, server="server-a"))
    with suppress(Overtaken):
        restore(action)
    assert (desk.registry.state("ec2-vip1"), desk.action().intentions.current().direction) in (  # type: ignore[union-attr]
        ("OSU", Direction.DOWN),
        ("ISP", Direction.UP),
    )


def test_restore_intention_damaged_goes_forward_and_looks_twice(desk: Desk) -> None:
    """A damaged intention is no reason not to take over; that nothing is to be done has to be confirmed then."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.action().intentions.declare(Direction.UP, desk.action().deadline)
    Path(desk.settings.run_dir, "ec2-vip1.intention.json").write_text("half")
    assert restore(desk.action()) == {}
    assert desk.ec2.looked == 2
    current = desk.action().intentions.current()
    assert current is not None
    assert current.direction is Direction.UP


def test_restore_state_damaged_goes_forward_and_mends_it(desk: Desk) -> None:
    """A damaged state file is no reason not to take over; it is written anew."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.registry.mark_in_service("ec2-vip1")
    Path(desk.settings.state_dir, "states", "ec2-vip1.json").write_text("half")
    restore(desk.action())
    assert desk.ec2.routes == {"rtb-1": ENI_A}
    assert desk.registry.in_service("ec2-vip1")


def test_restore_state_cannot_be_written_anywhere_writes_nothing(desk: Desk) -> None:
    """An address that moved and a registry that cannot say so would lead the other servers astray."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    Path(desk.settings.state_dir, "states").write_text("")
    Path(desk.settings.run_dir, "ec2-vip1.state.json").mkdir(parents=True)
    with pytest.raises(StateUnusable):
        restore(desk.action())
    assert desk.ec2.written == []


# -- remove ------------------------------------------------------------------------------------------------


def test_remove_route_table_asks_aws_nothing(desk: Desk) -> None:
    """The next server's restore moves the routes."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.registry.mark_in_service("ec2-vip1")
    assert remove(desk.action("remove")) == {}
    assert (desk.ec2.looked, desk.ec2.written) == (0, [])
    assert desk.registry.state("ec2-vip1") == "OSU"


def test_remove_while_another_process_writes_never_waits(eip_desk: Desk) -> None:
    """Remove marks, tells the running restore to stop, and acts, whoever holds the lock."""
    eip_desk.clock, began = ImpatientClock(), time.monotonic()
    associate(eip_desk, held_by(ENI_A, IP_A))
    running = eip_desk.action().intentions
    mine = running.declare(Direction.UP, eip_desk.action().deadline)
    with another_process(holding(running.writing.path)):
        remove(eip_desk.action("remove"))
    assert eip_desk.ec2.written == [("DisassociateAddress", ALLOCATION, None)]
    assert eip_desk.clock.skipped < 3
    assert time.monotonic() - began < 200
    with pytest.raises(Overtaken):
        running.check(mine)


@pytest.mark.parametrize("earlier", Direction)
def test_remove_while_a_stopped_process_keeps_the_mutex_is_written_down_and_acts(
    eip_desk: Desk, earlier: Direction
) -> None:
    """A process that is stopped at the wrong moment neither holds up a remove nor makes it unknown to others."""
    eip_desk.clock = ImpatientClock()
    associate(eip_desk, held_by(ENI_A, IP_A))
    running = eip_desk.action().intentions
    running.declare(earlier, eip_desk.action().deadline)
    lock = Path(eip_desk.action().settings.run_dir) / f"{eip_desk.action().tag}.intention.lock"
    with another_process(holding(str(lock))):
        remove(eip_desk.action("remove"))
    assert eip_desk.ec2.written == [("DisassociateAddress", ALLOCATION, None)]
    current = running.current()
    assert current is not None
    assert current.direction is Direction.DOWN


@pytest.mark.parametrize(
    ("before", "written"),
    [
        pytest.param(held_by(ENI_A, IP_A), 1, id="ours"),
        pytest.param(held_by(ENI_A, "10.0.1.99"), 1, id="ours-other-private-address"),
        pytest.param(held_by(ENI_B, IP_B), 0, id="the-peer's"),
        pytest.param(held_by(FOREIGN, "10.0.9.9"), 0, id="foreign"),
        pytest.param(held_by(None), 0, id="nobody's"),
    ],
)
def test_remove_elastic_ip_is_taken_off_only_if_it_is_ours(before: Address, written: int, eip_desk: Desk) -> None:
    """Only an association with this server's ENI is ended."""
    associate(eip_desk, before)
    remove(eip_desk.action("remove"))
    assert len(eip_desk.ec2.written) == written
    if not written:
        assert eip_desk.ec2.held[ALLOCATION] == before


def test_remove_elastic_ip_taken_between_look_and_write_is_left_to_the_taker(eip_desk: Desk) -> None:
    """The association's id is gone when the address moves, so the peer keeps what it took."""
    associate(eip_desk, held_by(ENI_A, IP_A))
    shown = eip_desk.ec2.look

    def look_then_taken():  # type: ignore[no-untyped-def]
        seen = shown()
        if eip_desk.ec2.looked == 1:
            eip_desk.ec2.hold(ALLOCATION, ENI_B, IP_B)
        return seen

    eip_desk.ec2.look = look_then_taken  # type: ignore[method-assign]
    remove(eip_desk.action("remove"))
    assert eip_desk.ec2.held[ALLOCATION].network_interface_id == ENI_B
    assert eip_desk.ec2.written == []


def test_remove_elastic_ip_on_a_clone_writes_nothing_and_succeeds(eip_desk: Desk) -> None:
    """A clone of the server takes nothing away from the server that it was cloned from."""
    known_as(eip_desk.settings, "i-clone")
    associate(eip_desk, held_by(ENI_A, IP_A))
    remove(eip_desk.action("remove"))
    assert eip_desk.ec2.written == []


def test_remove_elastic_ip_kept_if_told_so(eip_desk: Desk) -> None:
    """With EC2_EIP_KEEP_ON_REMOVE=1 a planned switchover has no gap."""
    eip_desk.set(eip_keep_on_remove=True)
    associate(eip_desk, held_by(ENI_A, IP_A))
    remove(eip_desk.action("remove"))
    assert eip_desk.ec2.looked == 0
    assert eip_desk.registry.state("ec2-vip1") == "OSU"


@pytest.mark.parametrize("error", [unreachable(), not_permitted("DisassociateAddress"), refused("InternalNo")])
@pytest.mark.parametrize("when", ["look", "write"])
def test_remove_elastic_ip_aws_silent_or_refusing_succeeds_with_an_error_line(
    error: Ec2KitError, when: str, eip_desk: Desk
) -> None:
    """A failed remove would reboot the server for nothing; the peer's restore takes the address anyway."""
    associate(eip_desk, held_by(ENI_A, IP_A))
    eip_desk.ec2.looks = [error] * 10 if when == "look" else []
    eip_desk.ec2.refusing = {ALLOCATION: error} if when == "write" else {}
    remove(eip_desk.action("remove"))
    assert eip_desk.lines.of(catalogue.LEFT_ASSOCIATED)
    assert eip_desk.registry.state("ec2-vip1") == "OSU"


def test_remove_elastic_ip_link_unreadable_is_taken_off_all_the_same(eip_desk: Desk) -> None:
    """The state of the link makes no difference to a remove."""
    associate(eip_desk, held_by(ENI_A, IP_A))
    operstate = Path(eip_desk.settings.net_dir, "eth1", "operstate")
    operstate.unlink()
    operstate.mkdir()
    remove(eip_desk.action("remove"))
    assert eip_desk.ec2.held[ALLOCATION].association_id is None


def test_remove_elastic_ip_intention_unwritable_still_takes_it_off(eip_desk: Desk) -> None:
    """A full disk keeps no server from giving the address up."""
    associate(eip_desk, held_by(ENI_A, IP_A))
    (eip_desk.folder / "file").write_text("")
    eip_desk.set(run_dir=str(eip_desk.folder / "file"))
    remove(eip_desk.action("remove"))
    assert eip_desk.ec2.held[ALLOCATION].association_id is None


def test_remove_restore_asked_before_the_state_is_marked_keeps_the_state_of_the_restore(desk: Desk) -> None:
    """A remove that was held up, and that nobody wants any more, does not mark out of service what is in service."""

    class Raced(LocalRegistry):
        def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
            with suppress(Ec2KitError):
                restore(desk.action())
            return super().mark_out_of_service(tag, failed=failed)

    desk.ec2.routes = {"rtb-1": ENI_A}
    action = desk.action("remove")
    action = action._replace(registry=Raced(desk.settings.state_dir, server="server-a"))
    remove(action)
    assert (desk.registry.state("ec2-vip1"), desk.action().intentions.current().direction) in (  # type: ignore[union-attr]
        ("OSU", Direction.DOWN),
        ("ISP", Direction.UP),
    )


def test_remove_registry_broken_succeeds_and_stops_a_running_restore(desk: Desk) -> None:
    """Trouble of our own is logged; what can be done is done."""
    mine = desk.action().intentions.declare(Direction.UP, desk.action().deadline)
    Path(desk.registry.place, "ec2-vip1.json").write_text("half")
    assert remove(desk.action("remove")) == {}
    with pytest.raises(Overtaken):
        desk.action().intentions.check(mine)


def test_remove_unknown_tag_raises_tag_unknown(desk: Desk) -> None:
    """A tag that an intact registry does not know is none."""
    desk.resource = a_resource(tag="ec2-none")
    with pytest.raises(TagUnknown):
        remove(desk.action("remove"))


# -- quick_check -------------------------------------------------------------------------------------------


def test_quick_check_all_right_is_in_service_after_one_look(desk: Desk) -> None:
    """One look is enough to say yes."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    assert quick_check(desk.action("quickCheck")).verdict.status is IN
    assert desk.ec2.looked == 1
    assert desk.ec2.written == []


def test_quick_check_out_of_service_is_said_after_two_agreeing_looks(desk: Desk) -> None:
    """A no needs a second fresh look, EC2_CONFIRM_INTERVAL later, that agrees."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    checked = quick_check(desk.action("quickCheck"))
    assert checked.says_no
    assert "eni-b" in str(checked.verdict.reason)
    assert desk.ec2.looked == 2
    assert isinstance(desk.clock, FakeClock)
    assert desk.clock.time == pytest.approx(1002)


def test_quick_check_second_look_disagrees_is_in_service(desk: Desk) -> None:
    """EC2's reads may go back in time; one look never says no."""
    desk.ec2.routes = {"rtb-1": ENI_B}

    def moved(number: int) -> None:
        if number == 2:
            desk.ec2.routes = {"rtb-1": ENI_A}

    desk.ec2.before_look = moved
    assert quick_check(desk.action("quickCheck")).verdict.status is IN
    assert desk.lines.of(catalogue.STATUS_SECOND_LOOK)


def test_quick_check_second_look_silent_is_unknown(desk: Desk) -> None:
    """A no that could not be confirmed is none."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.looks = [None, unreachable()]
    checked = quick_check(desk.action("quickCheck"))
    assert checked.verdict.status is UNKNOWN
    assert not checked.says_no


def test_quick_check_deadline_before_the_second_look_is_unknown(desk: Desk) -> None:
    """No time left to confirm is no confirmation."""
    desk.ec2.routes, desk.seconds = {"rtb-1": ENI_B}, 1
    assert quick_check(desk.action("quickCheck")).verdict.status is UNKNOWN


def test_quick_check_evidence_of_out_beats_a_later_page_unknown(desk: Desk) -> None:
    """A table that points elsewhere is evidence, whatever later pages would say."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    desk.ec2.later_pages = unreachable()
    assert quick_check(desk.action("quickCheck")).verdict.status is OUT


def test_quick_check_later_page_unknown_and_the_rest_right_is_unknown(desk: Desk) -> None:
    """What could not be seen may be wrong."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.later_pages = unreachable()
    assert quick_check(desk.action("quickCheck")).verdict.status is UNKNOWN


def test_quick_check_unknown_is_counted_with_age_and_told_when_known_again(desk: Desk) -> None:
    """Since when, how often in a row and why is kept; a NOTIFY says when EC2 answers again."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    desk.ec2.looks = [unreachable()] * 3
    began = desk.clock.now()
    quick_check(desk.action("quickCheck"))
    desk.clock.sleep(60)
    quick_check(desk.action("quickCheck"))
    quick_check(desk.action("quickCheck"))
    kept = memory.recall(desk.settings.run_dir, "ec2-vip1")
    assert (kept.unknown_since, kept.unknown_count) == (began, 3)
    assert "nobody listens" in kept.reason
    line = desk.lines.of(catalogue.STATUS_UNKNOWN)[-1]
    assert "3" in line
    assert "60 s" in line
    assert quick_check(desk.action("quickCheck")).verdict.status is IN
    (line,) = desk.lines.of(catalogue.STATUS_KNOWN_AGAIN)
    assert "after 3 check" in line
    assert "60 s" in line
    assert memory.recall(desk.settings.run_dir, "ec2-vip1").unknown_count == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(unreachable(), catalogue.STATUS_UNKNOWN, id="silence-is-warned-of"),
        pytest.param(not_permitted("DescribeRouteTables"), catalogue.STATUS_TROUBLE, id="permission-is-an-error"),
        pytest.param(refused("InvalidAction"), catalogue.STATUS_TROUBLE, id="refusal-is-an-error"),
    ],
)
def test_quick_check_no_answer_is_unknown_at_its_level(error: Ec2KitError, message: Message, desk: Desk) -> None:
    """Trouble is never a verdict; what a person has to mend is an ERROR, the rest a WARN."""
    desk.ec2.looks = [error]
    assert quick_check(desk.action("quickCheck")).verdict.status is UNKNOWN
    assert desk.lines.of(message)


def test_quick_check_while_another_action_writes_is_busy_and_looks_not(desk: Desk) -> None:
    """While a restore or recover runs, quickCheck says busy, and asks AWS nothing."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    with another_process(holding(desk.action().intentions.writing.path)):
        checked = quick_check(desk.action("quickCheck"))
    assert checked.busy
    assert not checked.says_no
    assert desk.ec2.looked == 0


@pytest.mark.parametrize("what", ["remove", "restore"])
def test_quick_check_action_begins_between_the_looks_never_says_no(what: str, desk: Desk) -> None:
    """A no that an action meanwhile explains is busy."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    direction = Direction.DOWN if what == "remove" else Direction.UP

    def begin(number: int) -> None:
        if number == 2:
            action = desk.action(what)
            action.intentions.declare(direction, action.deadline)

    desk.ec2.before_look = begin
    assert not quick_check(desk.action("quickCheck")).says_no


def test_quick_check_dead_writer_does_not_make_it_busy(desk: Desk) -> None:
    """A restore that was killed leaves nothing that keeps checks from looking."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    with another_process(holding(desk.action().intentions.writing.path)) as writer:
        writer.kill()
        writer.wait()
        assert quick_check(desk.action("quickCheck")).verdict.status is IN


def test_quick_check_table_that_lost_the_route_is_warned_of(desk: Desk) -> None:
    """A table that used to hold the VIP and no longer does is told, and makes no failure."""
    desk.ec2.routes = {"rtb-1": ENI_A, "rtb-2": ENI_A}
    restore(desk.action())
    del desk.ec2.routes["rtb-2"]
    assert quick_check(desk.action("quickCheck")).verdict.status is IN
    (line,) = desk.lines.of(catalogue.TABLE_LOST_ROUTE)
    assert "rtb-2" in line


def test_quick_check_no_table_has_the_route_is_out_of_service(desk: Desk) -> None:
    """At least one table must hold the VIP."""
    assert quick_check(desk.action("quickCheck")).says_no


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda desk: Path(desk.registry.place, "ec2-vip1.json").write_text("half"), id="definition-damaged"
        ),
        pytest.param(lambda desk: Path(desk.registry.place, "ec2-vip1.json").unlink(), id="registry-empty"),
        pytest.param(lambda desk: desk.set(server="server-z"), id="server-unknown"),
        pytest.param(
            lambda desk: Path(desk.settings.run_dir, "ec2-vip1.intention.json").write_text("half"),
            id="intention-damaged",
        ),
        pytest.param(lambda desk: desk.set(state_dir=str(desk.folder / "nowhere")), id="registry-missing"),
    ],
)
def test_quick_check_trouble_of_our_own_is_unknown_and_an_error(spoil: Callable[[Desk], object], desk: Desk) -> None:
    """A broken registry or state is never a verdict, and is told as an ERROR."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    spoil(desk)
    assert quick_check(desk.action("quickCheck")).verdict.status is UNKNOWN
    assert desk.lines.of(catalogue.STATUS_TROUBLE)


def test_quick_check_memory_cannot_be_written_still_judges(desk: Desk) -> None:
    """A full disk costs the memory, and never the verdict."""
    desk.ec2.routes = {"rtb-1": ENI_A}
    Path(desk.settings.run_dir, "ec2-vip1.memory.json").mkdir()
    assert quick_check(desk.action("quickCheck")).verdict.status is IN


def test_quick_check_unknown_tag_raises_tag_unknown(desk: Desk) -> None:
    """A tag that an intact registry does not know is one of the few failures."""
    desk.resource = a_resource(tag="ec2-none")
    with pytest.raises(TagUnknown):
        quick_check(desk.action("quickCheck"))


@pytest.mark.parametrize(
    ("address", "link", "nolinkcheck", "expected"),
    [
        pytest.param(held_by(ENI_A, IP_A), "up", False, IN, id="here"),
        pytest.param(held_by(ENI_A, "10.0.1.99"), "up", False, OUT, id="other-private-address"),
        pytest.param(held_by(None), "up", False, OUT, id="nobody"),
        pytest.param(held_by(ENI_A, IP_A), "down", False, OUT, id="link-down"),
        pytest.param(held_by(ENI_A, IP_A), "down", True, IN, id="link-down-and-no-matter"),
    ],
)
def test_quick_check_elastic_ip_is_association_and_link(
    address: Address, link: str, nolinkcheck: bool, expected: Status, eip_desk: Desk
) -> None:
    """In service is this server's ENI and private address, and a link that is up unless nobody cares."""
    associate(eip_desk, address)
    eip_desk.link(link)
    eip_desk.set(nolinkcheck=nolinkcheck)
    assert quick_check(eip_desk.action("quickCheck")).verdict.status is expected


# -- recover -----------------------------------------------------------------------------------------------


@pytest.fixture
def active(desk: Desk) -> Desk:
    """Server-a, where the resource is in service."""
    desk.registry.mark_in_service("ec2-vip1")
    return desk


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(lambda desk: None, id="never-restored"),
        pytest.param(lambda desk: desk.registry.mark_out_of_service("ec2-vip1"), id="out-of-service"),
        pytest.param(lambda desk: desk.registry.mark_out_of_service("ec2-vip1", failed=True), id="failed"),
        pytest.param(
            lambda desk: StateFile(f"{desk.settings.state_dir}/states/ec2-vip1.json").write(
                {"state": "ISP", "boot": "x"}
            ),
            id="in-service-of-another-boot",
        ),
    ],
)
def test_recover_not_in_service_here_writes_nothing(mark: Callable[[Desk], object], desk: Desk) -> None:
    """Recovery mends what this server runs; it starts nothing."""
    desk.ec2.routes = {"rtb-1": None}
    mark(desk)
    with raises(Ec2KitError, catalogue.NOT_IN_SERVICE_HERE):
        recover(desk.action("recover"))
    assert desk.ec2.written == []
    assert desk.action().intentions.current() is None


def test_recover_remove_was_asked_for_writes_nothing(active: Desk) -> None:
    """A remove that was asked for is not undone by a recovery, whatever the state says."""
    active.ec2.routes = {"rtb-1": None}
    action = active.action()
    action.intentions.declare(Direction.DOWN, action.deadline)
    with pytest.raises(Overtaken):
        recover(active.action("recover"))
    assert active.ec2.written == []


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(None, id="nothing"),
        pytest.param(FOREIGN, id="foreign-eni"),
        pytest.param("igw-1", id="gateway"),
    ],
)
def test_recover_owner_is_no_server_of_the_resource_is_taken(target: str | None, active: Desk) -> None:
    """What no server of the resource holds is taken back without asking anybody."""
    active.peer_answers("exit 1")
    active.ec2.routes = {"rtb-1": target, "rtb-2": ENI_A}
    recover(active.action("recover"))
    assert active.ec2.written == [("ReplaceRoute", "rtb-1", ENI_A)]


def test_recover_blackhole_of_the_peer_is_taken(active: Desk) -> None:
    """A blackhole belongs to nobody."""
    active.peer_answers("exit 1")
    active.ec2.routes, active.ec2.blackholes = {"rtb-1": ENI_B}, {"rtb-1"}
    active.ec2.after_write = active.ec2.blackholes.discard
    recover(active.action("recover"))
    assert active.ec2.routes == {"rtb-1": ENI_A}


def test_recover_peer_says_that_it_is_not_in_service_is_taken(active: Desk) -> None:
    """The owner was asked, and gave it up."""
    active.peer_answers(f'echo "$1 $2" > {active.folder}/asked\n{SAYS_NO}')
    active.ec2.routes = {"rtb-1": ENI_B, "rtb-2": ENI_B}
    recover(active.action("recover"))
    assert set(active.ec2.routes.values()) == {ENI_A}
    server, _, line = (active.folder / "asked").read_text().strip().partition(" ")
    assert server == "server-b"
    assert line.endswith("peer state ec2-vip1")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(SAYS_YES, "server-b", id="in-service"),
        pytest.param("echo 'no route to host' >&2; exit 255", "no route to host", id="silent"),
        pytest.param(
            says(', "error": "broken registry"'),
            "broken registry",
            id="could-not-say",
        ),
        pytest.param(says(', "in_service": null'), "server-b", id="says-neither"),
        pytest.param(says(""), "server-b", id="says-nothing-of-it"),
        pytest.param(says(', "in_service": 0'), "server-b", id="says-something-odd"),
    ],
)
def test_recover_peer_has_it_or_is_silent_fails_without_a_write(script: str, reason: str, active: Desk) -> None:
    """A server that has it, or may have it, keeps it."""
    active.peer_answers(script)
    active.ec2.routes = {"rtb-1": ENI_B, "rtb-2": None}
    with raises(
        Ec2KitError, catalogue.TAKEN_OVER, match=f"taken over by server-b.*{reason}|{reason}.*nothing is written"
    ):
        recover(active.action("recover"))
    assert active.ec2.written == []


def test_recover_one_of_two_peers_has_it_fails_without_a_write(active: Desk) -> None:
    """Every owner is asked, and one yes is enough."""
    active.peer_answers(f'if [ "$1" = server-c ]; then {SAYS_YES}; else {SAYS_NO}; fi')
    active.ec2.routes = {"rtb-1": ENI_B, "rtb-2": "eni-c"}
    with raises(Ec2KitError, catalogue.TAKEN_OVER, match="server-c"):
        recover(active.action("recover"))
    assert active.ec2.written == []


def test_recover_take_from_peer_takes_it_without_asking(active: Desk) -> None:
    """EC2_RECOVER_TAKE_FROM_PEER=1 takes it in any case, as the original kit does."""
    active.peer_answers(f"touch {active.folder}/asked; {SAYS_YES}")
    active.set(recover_take_from_peer=True)
    active.ec2.routes = {"rtb-1": ENI_B}
    recover(active.action("recover"))
    assert active.ec2.routes == {"rtb-1": ENI_A}
    assert not (active.folder / "asked").exists()


def test_recover_peer_takes_it_after_our_write_is_asked_before_the_second(active: Desk) -> None:
    """The question is asked again before each round of writes."""
    active.peer_answers(SAYS_YES)
    active.ec2.routes = {"rtb-1": None}
    active.ec2.after_write = stolen_once(active, by=ENI_B)
    with raises(Ec2KitError, catalogue.TAKEN_OVER):
        recover(active.action("recover"))
    assert active.ec2.written == [("ReplaceRoute", "rtb-1", ENI_A)]
    assert active.ec2.routes == {"rtb-1": ENI_B}


def seen_before(
    desk: Desk, hold_up: Callable[[], None]
) -> Callable[[], tuple[dict[str, str | None], dict[str, Address]]]:
    """Looks of which the first was held up on its way back, while the world went on."""
    shown = desk.ec2.look

    def look() -> tuple[dict[str, str | None], dict[str, Address]]:
        seen = shown()
        if desk.ec2.looked == 1:
            hold_up()
        return seen

    return look


def test_recover_held_up_after_its_look_looks_and_asks_again_before_it_writes(active: Desk) -> None:
    """What was seen long ago permits nothing: meanwhile another server may have been restored."""
    active.peer_answers(SAYS_YES)
    active.ec2.routes = {"rtb-1": FOREIGN, "rtb-2": ENI_A}

    def taken_over_meanwhile() -> None:
        active.clock.sleep(60)
        active.ec2.routes = dict.fromkeys(active.ec2.routes, ENI_B)

    active.ec2.look = seen_before(active, taken_over_meanwhile)  # type: ignore[method-assign]
    with raises(Ec2KitError, catalogue.TAKEN_OVER, match="server-b"):
        recover(active.action("recover"))
    assert active.ec2.written == []


def test_recover_what_ec2_did_not_carry_out_is_told_as_that_and_tried_again(active: Desk) -> None:
    """A refusal for expired credentials leaves nothing uncertain; after another look it is written."""
    active.set(max_retry=1)
    active.ec2.routes = {"rtb-1": FOREIGN}
    active.ec2.refusing = {"rtb-1": REFUSED_CREDENTIALS}
    active.ec2.before_look = lambda number: active.ec2.refusing.clear() if number == 2 else None
    recover(active.action("recover"))
    assert active.ec2.routes == {"rtb-1": ENI_A}
    assert active.lines.of(catalogue.CHANGE_UNCONFIRMED) == []
    assert "was not carried out" in active.lines.of(catalogue.CHANGE_TO_BE_REPEATED)[0]


def test_recover_held_up_and_still_permitted_goes_on(active: Desk) -> None:
    """A look that is too old is no failure, nor a retry: the next one permits the same."""
    active.set(max_retry=0)
    active.ec2.routes = {"rtb-1": FOREIGN, "rtb-2": ENI_A}
    active.ec2.look = seen_before(active, lambda: active.clock.sleep(60))  # type: ignore[method-assign]
    recover(active.action("recover"))
    assert active.ec2.routes == {"rtb-1": ENI_A, "rtb-2": ENI_A}
    assert "was more than 15 s ago" in active.lines.of(catalogue.CHANGE_UNCONFIRMED)[0]


def test_recover_take_from_peer_held_up_writes_as_restore_does(active: Desk) -> None:
    """Who asks nobody is not bound by an answer."""
    active.set(recover_take_from_peer=True)
    active.ec2.routes = {"rtb-1": ENI_B}
    active.ec2.look = seen_before(active, lambda: active.clock.sleep(60))  # type: ignore[method-assign]
    recover(active.action("recover"))
    assert (active.ec2.looked, active.ec2.routes) == (2, {"rtb-1": ENI_A})


def test_recover_worked_example_of_the_specification(active: Desk) -> None:
    """Both tables' routes for the VIP are moved; the write list has them and nothing else."""
    active.peer_answers(SAYS_NO)
    active.ec2.routes = {"rtb-A": ENI_B, "rtb-B": ENI_B}
    recover(active.action("recover"))
    assert sorted(active.ec2.written) == [("ReplaceRoute", "rtb-A", ENI_A), ("ReplaceRoute", "rtb-B", ENI_A)]
    assert all(CIDR in line for line in active.lines.of(catalogue.ROUTE_REPLACED))


def test_recover_all_is_right_writes_nothing_and_asks_nobody(active: Desk) -> None:
    """A recovery of what is right is a success without a write."""
    active.peer_answers(f"touch {active.folder}/asked; {SAYS_YES}")
    active.ec2.routes = {"rtb-1": ENI_A}
    assert recover(active.action("recover")) == {}
    assert not (active.folder / "asked").exists()


def test_recover_other_instance_writes_nothing(active: Desk) -> None:
    """A clone recovers nothing."""
    known_as(active.settings, "i-clone")
    active.ec2.routes = {"rtb-1": None}
    with pytest.raises(OtherInstance):
        recover(active.action("recover"))
    assert active.ec2.written == []


def test_recover_elastic_ip_taken_between_look_and_write_stays_with_the_taker(eip_desk: Desk) -> None:
    """On an address without owner the write is conditional, so whoever came first keeps it."""
    eip_desk.registry.mark_in_service("ec2-vip1")
    associate(eip_desk, held_by(None))
    shown = eip_desk.ec2.look

    def look_then_taken():  # type: ignore[no-untyped-def]
        seen = shown()
        if eip_desk.ec2.looked == 1:
            eip_desk.ec2.hold(ALLOCATION, ENI_B, IP_B)
        return seen

    eip_desk.ec2.look = look_then_taken  # type: ignore[method-assign]
    with raises(Ec2KitError, catalogue.NOT_BROUGHT_HERE, catalogue.TAKEN_OVER):
        recover(eip_desk.action("recover"))
    assert eip_desk.ec2.held[ALLOCATION].network_interface_id == ENI_B


def test_recover_elastic_ip_without_owner_is_taken(eip_desk: Desk) -> None:
    """An address that nobody has comes back."""
    eip_desk.registry.mark_in_service("ec2-vip1")
    associate(eip_desk, held_by(None))
    recover(eip_desk.action("recover"))
    assert eip_desk.ec2.held[ALLOCATION].network_interface_id == ENI_A


# -- look --------------------------------------------------------------------------------------------------


def test_look_tells_verdict_and_owners_and_remembers_nothing(desk: Desk) -> None:
    """A person who looks changes nothing."""
    desk.ec2.routes = {"rtb-1": ENI_B}
    seen = judgement.look(desk.action("status"))
    assert seen.verdict.status is OUT
    assert seen.owners == {"rtb-1": ENI_B}
    assert not Path(desk.settings.run_dir, "ec2-vip1.memory.json").exists()


def test_look_ec2_silent_is_unknown_with_its_reason(desk: Desk) -> None:
    """Silence is said to be silence."""
    desk.ec2.looks = [unreachable()]
    seen = judgement.look(desk.action("status"))
    assert seen.verdict.status is UNKNOWN
    assert "nobody listens" in str(seen.verdict.reason)


# -- nothing secret, nothing foreign -------------------------------------------------------------------------


def test_state_files_of_all_deeds_are_private_and_whole(eip_desk: Desk) -> None:
    """Whatever the deeds leave behind is 0600 and readable as JSON."""
    associate(eip_desk, held_by(ENI_B, IP_B))
    restore(eip_desk.action())
    quick_check(eip_desk.action("quickCheck"))
    remove(eip_desk.action("remove"))
    for folder in (eip_desk.settings.run_dir, eip_desk.settings.state_dir):
        for path in (each for each in Path(folder).rglob("*") if each.is_file()):
            assert path.stat().st_mode & 0o077 == 0
            assert path.suffix == ".lock" or json.loads(path.read_text())["version"] == 1


def test_restore_other_resource_in_the_same_tables_is_not_its_business(tmp_path: Path) -> None:
    """Two resources have intentions, memories and locks of their own."""
    first = a_desk(tmp_path, a_resource())
    second = replace(first, resource=a_resource(tag="ec2-vip2", address="10.1.0.20"))
    second.registry.store(second.resource)
    first.ec2.routes = {"rtb-1": ENI_B}
    restore(first.action())
    assert second.action().intentions.current() is None
    assert second.registry.state("ec2-vip2") == "OSU"
