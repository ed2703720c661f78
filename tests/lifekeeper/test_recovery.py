"""Checks and recovery on the stand-in: both ways in which recovery begins, and what never begins one."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, until
from ..patience import HANGS
from .kit import Kit
from .world import IP_TAG

WAYS = ["exit", "event", "both"]

IMPATIENT = {
    "EC2_QUICKCHECK_TIMEOUT": "2",
    "AWSCLI_CONNECT_TIMEOUT": "1",
    "AWSCLI_READ_TIMEOUT": "1",
    "EC2_REMOVE_TIMEOUT": "3",
}


def _drift(kit: Kit) -> None:
    """An outside hand points one route at an ENI that is no server's of the resource."""
    kit.point(kit.tables[0], kit.eni("node3", "eth0"))


def _check(kit: Kit, recovery: str) -> None:
    kit.check("node1", recovery)
    kit.wait_idle()


@pytest.mark.parametrize("recovery", WAYS)
def test_outside_drift_is_told_both_ways_and_repaired_by_the_check_loop(kit: Kit, recovery: str) -> None:
    """quickCheck sends the event and exits 1, whoever listens; the route is back, and nothing failed over."""
    kit.with_route_table().forget_log()
    _drift(kit)
    _check(kit, recovery)
    assert kit.holders() == ["node1"] * 3
    assert kit.states(VIP_TAG)[:2] == ["ISP", "OSU"]
    assert "failover begins" not in kit.log("node1")
    assert kit.codes("node1", 620330) == ["reported to LifeKeeper as event ec2/outOfService"]
    assert "quickCheck ended with status 1" in kit.log("node1")


def test_recovery_that_begins_twice_is_done_once(kit: Kit) -> None:
    """By the event and by the exit status, at the same time: one looks and writes, the other asks AWS nothing."""
    kit.with_route_table().forget_log()
    _drift(kit)
    before = len(kit.sandbox.calls())
    _check(kit, "both")
    recoveries = [
        call
        for call in kit.sandbox.calls()[before:]
        if " recover " in str(call["user_agent"]) and call["server"] == "node1"
    ]
    assert [call["operation"] for call in recoveries].count("ReplaceRoute") == 1
    assert len(kit.codes("node1", 620328)) == 1
    assert len(re.findall("BEGIN recover", kit.log("node1"))) == 2
    assert kit.states(VIP_TAG)[0] == "ISP"


def test_recovery_that_failed_is_not_tried_again_for_the_same_failure(kit: Kit) -> None:
    """Permission missing: the one that comes second fails at once, with the first one's reason."""
    kit.with_route_table()
    _drift(kit)
    kit.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    kit.recovery("event")
    assert kit.hook("node1", "quickCheck").status == 1
    kit.wait_idle()
    kit.forget_log()
    kit.sandbox.clear()
    calls = len(kit.sandbox.calls())
    second = kit.hook("node1", "recover")
    assert second.status == 1
    assert "tried already, and failed" in second.stderr
    assert len(kit.sandbox.calls()) == calls


def test_recovery_by_a_person_is_always_tried(kit: Kit) -> None:
    """`ec2kit recover` is nobody's second attempt; and the next failure is a new one."""
    kit.with_elastic_ip()
    kit.associate("node3", "eth0")
    kit.sandbox.fault("deny", server="node1", operation="AssociateAddress")
    assert kit.hook("node1", "quickCheck", EIP_TAG, EC2KIT_RUN_DIR="").status in (0, 1)
    kit.sandbox.clear()
    assert kit.ec2kit("node1", "recover", EIP_TAG).status == 0
    assert kit.address_holder() == "node1"


@pytest.mark.parametrize("recovery", WAYS)
def test_recovery_that_fails_leads_to_failover(kit: Kit, recovery: str) -> None:
    """The other server takes the resource over, with all that depends on it."""
    kit.with_route_table()
    _drift(kit)
    kit.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    _check(kit, recovery)
    assert kit.states(VIP_TAG)[:2] == ["OSU", "ISP"]
    assert kit.states(IP_TAG)[:2] == ["OSU", "ISP"]
    assert kit.holders() == ["node2"] * 3


def test_recovery_program_finds_the_tag_by_which_the_event_named_it(kit: Kit) -> None:
    """A recovery program that is given -n in place of -t acts all the same."""
    kit.with_route_table()
    _drift(kit)
    program = kit.lkroot("node1") / "subsys/comm/resources/ec2/recovery/ec2/outOfService"
    done = kit.command("node1", str(program), "-C", "ec2", "-E", "outOfService", "-n", VIP_TAG)
    assert done.status == 0, done.stderr
    assert kit.holders() == ["node1"] * 3


def test_elastic_ip_whose_link_is_down_is_recovered(kit: Kit) -> None:
    """Local recovery brings the link up; the address stays where it is."""
    kit.with_elastic_ip()
    kit.command("node1", "ip", "link", "set", "dev", "eth1", "down")
    _check(kit, "exit")
    assert (kit.path("node1", "EC2KIT_NET_DIR") / "eth1" / "operstate").read_text().strip() == "up"
    assert kit.states(EIP_TAG)[:2] == ["ISP", "OSU"]


def test_event_that_cannot_be_sent_is_an_error_and_the_check_still_fails(kit: Kit) -> None:
    """The exit status remains; the log says what LifeKeeper did not take."""
    kit.with_route_table()
    _drift(kit)
    (kit.lkroot("node1") / "bin" / "sendevent").write_text("#!/bin/sh\necho 'no LCM' >&2\nexit 3\n")
    done = kit.hook("node1", "quickCheck")
    assert done.status == 1
    assert kit.codes("node1", 620408) == ["LifeKeeper's sendevent failed: exit status 3, no LCM"]


# -- no answer is never a failure ---------------------------------------------------------------------------------


def test_ten_checks_with_a_silent_api_change_nothing_and_say_since_when(kit: Kit) -> None:
    """One WARN line a check, with age and count; no recovery, no failover; one NOTIFY when EC2 answers again."""
    kit.with_elastic_ip().forget_log()
    kit.settings(**{**IMPATIENT, "EC2_QUICKCHECK_TIMEOUT": "1"})
    kit.sandbox.fault("silent", server="node1")
    for _ in range(10):
        kit.check("node1", "both")
    kit.wait_idle()
    lines = kit.codes("node1", 620314)
    assert len(lines) == 10
    assert [int(re.findall(r"no\. (\d+) in a row, for \d+ s", line)[0]) for line in lines] == list(range(1, 11))
    assert kit.states(EIP_TAG)[:2] == ["ISP", "OSU"]
    assert "recover" not in kit.log("node1")
    assert "failover" not in kit.log("node1")
    kit.sandbox.clear()
    kit.settings(EC2_QUICKCHECK_TIMEOUT="30")
    kit.check("node1", "both")
    assert len(kit.codes("node1", 620316)) == 1
    assert ":NOTIFY:" not in kit.log("node1").replace("NOTIFY:ec2kit:quickCheck", "")


def _broken_python(kit: Kit) -> None:
    launcher = kit.program_path("node1", "launch")
    launcher.write_text(re.sub(r"(?m)^python=.*$", "python=/bin/false", launcher.read_text()))


def _missing_python(kit: Kit) -> None:
    launcher = kit.program_path("node1", "launch")
    launcher.write_text(re.sub(r"(?m)^python=.*$", "python=/nowhere/python", launcher.read_text()))


def _unreadable_registry(kit: Kit) -> None:
    kit.command("node1", "ins_setinfo", "-t", EIP_TAG, "-v", "no definition")


def _database_refuses(kit: Kit) -> None:
    (kit.lkroot("node1") / "bin" / "ins_list").write_text("#!/bin/sh\necho 'shared memory' >&2\nexit 1\n")


def _database_hangs(kit: Kit) -> None:
    kit.settings(EC2_QUICKCHECK_TIMEOUT="2")
    (kit.lkroot("node1") / "bin" / "ins_list").write_text("#!/bin/sh\nexec sleep 600\n")


def _database_garbled(kit: Kit) -> None:
    (kit.lkroot("node1") / "bin" / "ins_list").write_text("#!/bin/sh\necho garbage\n")


def _run_folder_full(kit: Kit) -> None:
    kit.settings(EC2KIT_RUN_DIR="/dev/full/run")


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        pytest.param(_broken_python, "", id="python-broken"),
        pytest.param(_missing_python, "", id="python-missing"),
        pytest.param(_unreadable_registry, ":620315:", id="registry-unreadable"),
        pytest.param(_database_refuses, ":620315:", id="database-refuses"),
        pytest.param(_database_hangs, ":620315:", id="database-hangs"),
        pytest.param(_database_garbled, ":620315:", id="database-garbled"),
        pytest.param(_run_folder_full, "ERROR:", id="run-folder-unusable"),
    ],
)
def test_check_that_breaks_down_begins_no_recovery_and_no_failover(kit: Kit, breaks: object, said: str) -> None:
    """Broken Python, unreadable registry, no place for files: the resource stays, the log has an ERROR."""
    kit.with_elastic_ip().forget_log()
    kit.associate("node3", "eth0")  # even though the address is not here
    if breaks is _run_folder_full:
        kit.associate("node1")
    breaks(kit)  # type: ignore[operator]
    _check(kit, "both")
    assert kit.states(EIP_TAG)[:2] == ["ISP", "OSU"]
    assert "BEGIN recover" not in kit.log("node1")
    assert "failover" not in kit.log("node1")
    assert said in kit.log("node1")


def test_remove_that_cannot_reach_aws_succeeds_and_halts_no_server(kit: Kit) -> None:
    """Failover with node1's API silent: node1's remove ends with success, node2 has the address, node1 lives."""
    kit.with_elastic_ip()
    kit.settings(**IMPATIENT)
    kit.sandbox.fault("silent", server="node1")
    assert kit.perform("node2", EIP_TAG, "restore").status == 0
    assert (kit.address_holder(), kit.states(EIP_TAG)[:2]) == ("node2", ["OSU", "ISP"])
    assert not kit.halted("node1")
    assert kit.runs("node1")
    assert kit.codes("node1", 620321)


def test_definition_lost_from_the_database_is_trouble_and_not_an_answer(kit: Kit) -> None:
    """An empty database says nothing about the resource: exit 0 and ERROR."""
    kit.with_elastic_ip()
    kit.server("node1").database.write(kit.database("node3"))
    done = kit.hook("node1", "quickCheck", EIP_TAG)
    assert done.status == 0
    assert "missing or empty" in kit.log("node1")


def test_database_that_contradicts_itself_is_no_word_that_there_is_no_such_resource(kit: Kit) -> None:
    """It lists the tag and then does not know it: who asks hears of trouble, and the definition keeps the server."""
    kit.with_elastic_ip()
    place = kit.lkroot("node2") / "bin" / "ins_list"
    real = place.with_name("ins_list.real")
    place.rename(real)
    place.write_text(f'#!/bin/sh\ncase "$*" in *"-t {EIP_TAG}"*) exit 7;; esac\nexec "{real}" "$@"\n')
    place.chmod(0o755)
    told = kit.ec2kit("node2", "peer", "state", EIP_TAG)
    assert told.status == 1
    assert f"it lists {EIP_TAG}, and then does not know it" in told.stdout


# -- ended by LifeKeeper ------------------------------------------------------------------------------------------


def test_check_ended_by_sigalrm_leaves_the_resource_and_says_so(kit: Kit) -> None:
    """LifeKeeper's own time limit, shorter than ours: a line in the log, exit 0, no lock left, no half file."""
    kit.with_elastic_ip().forget_log()
    kit.sandbox.fault("silent", server="node1")
    kit.check("node1", "both", limit=1.0)
    kit.wait_idle()
    assert "stopped by signal" in kit.log("node1")
    assert kit.states(EIP_TAG)[:2] == ["ISP", "OSU"]
    assert "BEGIN recover" not in kit.log("node1")
    assert not list(kit.path("node1", "EC2KIT_RUN_DIR").glob("*.tmp"))
    kit.sandbox.clear()
    assert kit.hook("node1", "quickCheck", EIP_TAG).status == 0


@pytest.mark.parametrize("tag", ["ec2-gone", "ec2 gone"])
def test_remove_hook_of_what_cannot_be_here_is_an_error_and_no_failure(kit: Kit, tag: str) -> None:
    """A failing remove halts the server; a tag that is gone or none is no reason for that."""
    kit.with_elastic_ip()
    done = kit.hook("node1", "remove", tag)
    assert done.status == 0
    assert "ERROR" in kit.log("node1")


def test_recovery_with_a_damaged_state_file_goes_by_lifekeepers_word(kit: Kit) -> None:
    """Trouble of our own file fails nothing over: LifeKeeper knows that the resource is in service here."""
    kit.with_route_table()
    (kit.sandbox.folder / "node1" / "state" / "states" / f"{VIP_TAG}.json").write_text("{")
    _drift(kit)
    _check(kit, "both")
    assert kit.holders() == ["node1"] * 3
    assert kit.states(VIP_TAG)[:2] == ["ISP", "OSU"]


def test_event_under_way_survives_a_signal_and_so_does_the_no(kit: Kit) -> None:
    """What was found stays what it is: exit 1, and sendevent ends by itself."""
    kit.with_route_table()
    _drift(kit)
    mark = kit.sandbox.folder / "sent"
    script = f"#!/bin/sh\ntouch '{mark}.begun'\nsleep 2\ntouch '{mark}'\n"
    (kit.lkroot("node1") / "bin" / "sendevent").write_text(script)
    words = [str(kit.hook_path("node1", "quickCheck")), "-t", VIP_TAG, "-i", "x"]
    check = subprocess.Popen(words, env=kit.environment("node1"), cwd="/", stderr=subprocess.DEVNULL)
    until(mark.with_name("sent.begun").exists)
    check.send_signal(signal.SIGALRM)
    assert check.wait(HANGS) == 1
    until(mark.exists)
