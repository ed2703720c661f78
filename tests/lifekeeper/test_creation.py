"""create on the stand-in that does not come to its end: cancelled, interrupted, killed at each of its steps."""

from __future__ import annotations

import signal

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Done, finished, until
from ..actions.test_dialogue import at_a_terminal
from ..builders import another_process, holding
from .kit import Kit
from .world import IP_TAG

STEPS = ["app_create", "typ_create", "ins_create", "dep_create", "ins_setinfo", "lcdsync", "perform_action"]
"""The commands of LifeKeeper by which create changes something, in their order."""


def _drifted(kit: Kit) -> dict[tuple[str, str], str | None]:
    """All routes of the address on a third ENI, so that create has something to move; gives all routes."""
    for table in kit.tables:
        kit.point(table, kit.eni("node2", "eth0"))
    return kit.routes()


def _trip(kit: Kit, command: str, number: signal.Signals) -> None:
    """From now on whoever runs that command on node1 is sent a signal right after it was carried out."""
    place = kit.lkroot("node1") / "bin" / command
    real = place.with_name(f"{command}.real")
    place.rename(real)
    wait = "" if number is signal.SIGKILL else "sleep 0.5"  # the signal must find its receiver waiting
    place.write_text(f'#!/bin/sh\n"{real}" "$@"\nstatus=$?\nkill -{number.value} $PPID\n{wait}\nexit $status\n')
    place.chmod(0o755)


def _mend(kit: Kit, command: str) -> None:
    place = kit.lkroot("node1") / "bin" / command
    place.with_name(f"{command}.real").rename(place)


def _create(kit: Kit) -> Done:
    return finished(kit.start("node1", "create", *kit.create_words()))


@pytest.mark.parametrize("step", STEPS)
def test_create_killed_after_a_step_is_cleaned_and_done_by_the_next(kit: Kit, step: str) -> None:
    """kill -9: whatever was left, the next create ends with one resource, in service, and nothing else."""
    kit.with_ip()
    _drifted(kit)
    _trip(kit, step, signal.SIGKILL)
    assert _create(kit).status == -signal.SIGKILL
    _mend(kit, step)
    done = _create(kit)
    if step == "perform_action":  # its work was done
        assert "is taken" in done.stderr
    else:
        assert done.status == 0, done.stderr
    assert kit.states(VIP_TAG) == ["ISP", "", ""]
    assert kit.dependencies("node1") == [(IP_TAG, VIP_TAG)]
    assert kit.holders() == ["node1"] * 3
    assert not list((kit.sandbox.folder / "node1" / "state" / "creating").glob("*"))


@pytest.mark.parametrize("step", STEPS)
def test_create_interrupted_after_a_step_leaves_no_trace(kit: Kit, step: str) -> None:
    """Ctrl-C: registry clean, the routes back where they pointed, the IP resource as it was."""
    kit.with_ip()
    before = _drifted(kit)
    _trip(kit, step, signal.SIGINT)
    done = _create(kit)
    assert done.status == 1
    assert "stopped by signal SIGINT" in done.stderr
    assert kit.states(VIP_TAG) == ["", "", ""]
    assert kit.dependencies("node1") == []
    assert kit.routes() == before
    assert kit.state("node1", IP_TAG) == "ISP"
    assert not list((kit.sandbox.folder / "node1" / "state").rglob(f"{VIP_TAG}*"))


def test_create_on_another_server_interrupted_is_undone_there(kit: Kit) -> None:
    """Ctrl-C where it was asked for: the other server puts everything back, and that is waited for."""
    kit.with_ip("node2")
    for table in kit.tables:
        kit.point(table, kit.eni("node1", "eth0"))
    before = kit.routes()
    writes = kit.sandbox.fault("delay", server="node2", operation="ReplaceRoute", seconds=2)
    create = kit.start("node1", "create", "--server", "node2", *kit.create_words())
    until(lambda: kit.met(writes))
    create.send_signal(signal.SIGINT)
    done = finished(create)
    assert done.status == 1
    assert "stopped by signal SIGINT" in done.stderr
    assert "create of ec2-vip1 is undone: nothing of it is left on node2" in done.stderr
    assert kit.traces("node2", VIP_TAG) == []
    assert kit.routes() == before
    assert kit.state("node2", IP_TAG) == "ISP"
    assert not list(kit.path("node2", "EC2KIT_RUN_DIR").glob("errands/*"))


def test_create_on_another_server_points_a_route_back_to_its_gateway(kit: Kit) -> None:
    """A route that did not point at an ENI before is put back as well, and nothing is left."""
    kit.with_ip("node2")
    for table in kit.tables:
        kit.point(table, kit.eni("node1", "eth0"))
    gateway = kit.aws.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    (table,) = kit.aws.describe_route_tables(RouteTableIds=kit.tables[:1])["RouteTables"]
    kit.aws.attach_internet_gateway(InternetGatewayId=gateway, VpcId=table["VpcId"])
    kit.aws.replace_route(RouteTableId=kit.tables[0], DestinationCidrBlock="10.1.0.10/32", GatewayId=gateway)
    before = kit.routes()
    kit.sandbox.fault("delay", server="node2", operation="DescribeRouteTables", seconds=1.5)
    create = kit.start("node1", "create", "--server", "node2", *kit.create_words())
    until(lambda: len(kit.writes("node2")) == len(kit.tables))
    create.send_signal(signal.SIGINT)
    done = finished(create)
    assert done.status == 1
    assert "nothing of it is left on node2" in done.stderr
    assert kit.routes() == before
    assert kit.traces("node2", VIP_TAG) == []


def test_create_on_another_server_that_cannot_be_undone_is_told(kit: Kit) -> None:
    """Ctrl-C while EC2 tells nothing: who asked hears where the routes were, not that all is undone."""
    kit.with_ip("node2")
    for table in kit.tables:
        kit.point(table, kit.eni("node1", "eth0"))
    kit.sandbox.fault("delay", server="node2", operation="ReplaceRoute", seconds=2)
    create = kit.start("node1", "create", "--server", "node2", *kit.create_words())
    until(lambda: "BEGIN restore" in kit.log("node2"))
    kit.sandbox.fault("error", server="node2", operation="DescribeRouteTables", status=400, code="Odd")
    create.send_signal(signal.SIGINT)
    done = finished(create)
    assert done.status == 1
    assert "nothing of it is left" not in done.stderr
    assert all(f"{table} at {kit.eni('node1', 'eth0')}" in done.stderr for table in kit.tables)
    assert "Odd" in done.stderr
    assert not list(kit.path("node2", "EC2KIT_RUN_DIR").glob("errands/*"))


def test_create_on_another_server_interrupted_while_it_waits_leaves_what_is_there(kit: Kit) -> None:
    """A resource that another create made is not called what this one left."""
    kit.with_elastic_ip()
    lock = kit.path("node2", "EC2KIT_STATE_DIR") / "create.lock"
    with another_process(holding(str(lock))):
        create = kit.start("node1", "create", "--server", "node2", *kit.create_words(EIP_TAG))
        until(lambda: bool(list(kit.path("node2", "EC2KIT_RUN_DIR").glob("errands/*.runner.json"))))
        create.send_signal(signal.SIGINT)
        done = finished(create)
    assert done.status == 1
    assert "nothing of it is left on node2" in done.stderr
    assert "delete" not in done.stderr
    assert kit.states(EIP_TAG) == ["ISP", "OSU", ""]


@pytest.mark.parametrize("step", ["ins_create", "ins_setinfo"])
def test_create_interrupted_in_the_middle_of_a_write_lets_it_end(kit: Kit, step: str) -> None:
    """Ctrl-C: the command of LifeKeeper that writes its database is not killed in the middle."""
    kit.with_ip()
    place = kit.lkroot("node1") / "bin" / step
    real = place.with_name(f"{step}.real")
    place.rename(real)
    mark = kit.sandbox.folder / "node1" / "ended"
    mark.unlink(missing_ok=True)
    place.write_text(f'#!/bin/sh\nsleep 0.3\nkill -INT $PPID\nsleep 1\n"{real}" "$@" && touch "{mark}"\n')
    place.chmod(0o755)
    done = _create(kit)
    assert done.status == 1
    assert mark.exists()
    assert kit.states(VIP_TAG) == ["", "", ""]


def test_create_whose_restore_fails_under_lifekeeper_undoes_all(kit: Kit) -> None:
    """perform_action fails: its reason is told, the registry is clean, the routes are back."""
    kit.with_ip()
    before = _drifted(kit)
    kit.sandbox.fault("error", server="node1", operation="ReplaceRoute", status=400, code="Odd", count=2)
    done = _create(kit)
    assert done.status == 1
    assert "LifeKeeper could not restore ec2-vip1" in done.stderr
    assert kit.routes() == before
    assert kit.traces("node1", VIP_TAG) == []


def test_extend_killed_in_the_middle_is_done_by_the_next(kit: Kit) -> None:
    """The new server's instance without its relations does not count; the same command goes forward."""
    kit.with_route_table(servers=2)
    kit.extend_ip(to="node3", priority=30)
    place = kit.lkroot("node3") / "bin" / "eqv_create"
    text = place.read_text()
    place.write_text("#!/bin/sh\nkill -9 $PPID\n")
    words = ["node1", VIP_TAG, "--priority", "30"]
    assert kit.program("node3", "extend", *words).status != 0
    assert kit.instance("node3", VIP_TAG)["info"] == "ec2kit=1 unfinished"
    place.write_text(text)
    done = kit.program("node3", "extend", *words)
    assert done.status == 0, done.stderr
    assert kit.priorities("node3", VIP_TAG) == {"node1": 1, "node2": 20, "node3": 30}
    assert len({kit.instance(each, VIP_TAG)["info"] for each in kit.servers}) == 1


def _extend_killed(kit: Kit) -> None:
    """An extend to node3 that died when the others had the definition, and node3 half of it."""
    kit.with_elastic_ip(servers=2)
    place = kit.lkroot("node3") / "bin" / "eqv_create"
    text = place.read_text()
    place.write_text("#!/bin/sh\nkill -9 $PPID\n")
    assert kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30").status != 0
    place.write_text(text)
    assert kit.instance("node3", EIP_TAG)["info"] == "ec2kit=1 unfinished"
    assert "server=node3" in kit.instance("node1", EIP_TAG)["info"]


def test_extend_after_a_killed_one_does_not_call_its_own_server_gone(kit: Kit) -> None:
    """Who runs it again is just becoming a server of the resource."""
    _extend_killed(kit)
    assert "node3" not in kit.equivalents("node1", EIP_TAG)
    done = kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30")
    assert done.status == 0, done.stderr
    assert kit.states(EIP_TAG) == ["ISP", "OSU", "OSU"]
    assert "is no server of" not in kit.log("node1")


def test_set_after_a_killed_extend_goes_on_without_it(kit: Kit) -> None:
    """The servers that have the resource are changed, and extend can be run again."""
    _extend_killed(kit)
    done = kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic")
    assert done.status == 0, done.stderr
    assert "node3 is no server of ec2-eip1" in done.stderr
    assert {kit.instance(each, EIP_TAG)["switchback"] for each in ("node1", "node2")} == {"AUTOMATIC"}
    done = kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30")
    assert done.status == 0, done.stderr
    assert kit.states(EIP_TAG) == ["ISP", "OSU", "OSU"]
    assert kit.instance("node3", EIP_TAG)["switchback"] == "AUTOMATIC"


def test_delete_after_a_killed_extend_leaves_no_trace(kit: Kit) -> None:
    """What the extend left goes with the rest."""
    _extend_killed(kit)
    done = kit.program("node2", "delete", "-t", EIP_TAG)
    assert done.status == 0, done.stderr
    assert [kit.traces(each, EIP_TAG) for each in kit.servers] == [[], [], []]


def test_unextend_after_a_killed_extend_takes_away_what_it_left(kit: Kit) -> None:
    """Of the server of the extend, from any other server."""
    _extend_killed(kit)
    done = kit.program("node1", "unextend", "-t", EIP_TAG, "--server", "node3")
    assert done.status == 0, done.stderr
    assert kit.traces("node3", EIP_TAG) == []
    assert "server=node3" not in kit.instance("node2", EIP_TAG)["info"]


def test_a_command_where_an_extend_was_killed_says_what_to_run(kit: Kit) -> None:
    """On that server itself nothing is known of the resource; the way on, and the way back, are named."""
    _extend_killed(kit)
    done = kit.ec2kit("node3", "set", EIP_TAG, "switchback=automatic")
    assert done.status == 1
    assert "run create or extend again, or `ec2kit delete ec2-eip1 --local`" in done.stderr
    done = kit.ec2kit("node3", "delete", EIP_TAG, "--local")
    assert done.status == 0, done.stderr
    assert kit.traces("node3", EIP_TAG) == []
    assert kit.states(EIP_TAG) == ["ISP", "OSU", ""]


def test_dialogue_under_lifekeeper_offers_servers_and_ip_resources(kit: Kit) -> None:
    """The wizard's prompts: server, switchback, region, type, IP resource, tables, role, interface, tag."""
    kit.with_ip()
    program = [str(kit.program_path("node1", "create"))]
    status, shown = at_a_terminal(kit, program, *["\n"] * 10, "yes\n")
    assert status == 0, shown
    assert "2  node2" in shown
    assert f"{IP_TAG}  10.1.0.10" in shown
    assert f"Tag [ec2-{IP_TAG}]" in shown
    assert kit.state("node1", f"ec2-{IP_TAG}") == "ISP"


def test_dialogue_under_lifekeeper_that_is_cancelled_changes_nothing(kit: Kit) -> None:
    """Cancel at the last question abandons the whole creation."""
    kit.with_ip()
    before = kit.database("node1")
    status, shown = at_a_terminal(kit, [str(kit.program_path("node1", "create"))], *["\n"] * 10, "cancel\n")
    assert status == 1
    assert "cancelled; nothing was changed" in shown
    assert kit.database("node1") == before


def test_dialogue_for_another_server_offers_what_that_one_has(kit: Kit) -> None:
    """node2 is asked for its interfaces and IP resources, and makes the resource."""
    kit.with_ip("node2")
    typed = ["node2\n", *["\n"] * 9, "yes\n"]
    status, shown = at_a_terminal(kit, [str(kit.program_path("node1", "create"))], *typed)
    assert status == 0, shown
    assert kit.eni("node2") in shown
    assert kit.states(f"ec2-{IP_TAG}") == ["", "ISP", ""]
