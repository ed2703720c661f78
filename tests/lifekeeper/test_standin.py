"""The stand-in keeps what its documents say: with dummy hooks, without the kit."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from ec2kit.deadline import Deadline
from ec2kit.frameworks.lifekeeper.commands import Instance, LifeKeeper

from ..actions.cluster import given_time, until
from ..patience import HANGS
from .dummies import (
    TAG,
    calls,
    create_dummy,
    forget_calls,
    let,
    put_hook,
    short_calls,
    with_dummies,
    with_dummy_type,
)
from .standin import process
from .world import IP_TAG, World

LINE = re.compile(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d (node\d) [\w.]+\[\d+\]: [A-Z]+:[\w.]+:\w*:[\w.-]*:\d{6}:.+")
"""The documented form of a line in LifeKeeper's log."""


@pytest.fixture
def dummies(world: World) -> World:
    """A hierarchy on three servers, in service on node1: the IP resource needs a dummy resource."""
    return with_dummies(world)


@pytest.fixture
def bare(world: World) -> World:
    """The dummy type, and no resource at all."""
    return with_dummy_type(world)


# -- the database --


def test_ins_list_says_its_fields_in_the_documented_order(dummies: World) -> None:
    """The info is the sixth field and the state the seventh; \\001 is between them unless -f says another one."""
    listed = dummies.command("node1", "ins_list", "-t", TAG).stdout.rstrip("\n")
    assert listed.split("\x01")[:7] == ["node1", "comm", "ec2", TAG, f"id-{TAG}", "some info", "ISP"]
    assert dummies.command("node1", "ins_list", "-t", TAG, "-f:").stdout == listed.replace("\x01", ":") + "\n"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(2, f"ins_setstate -t {TAG}", id="syntax: a flag is missing"),
        pytest.param(2, f"ins_list -t {TAG} -x", id="syntax: an unknown flag"),
        pytest.param(4, "app_create -a comm", id="exists: application"),
        pytest.param(4, "typ_create -a comm -r ec2", id="exists: type"),
        pytest.param(4, f"ins_create -a comm -r ec2 -t {TAG} -i other", id="exists: tag"),
        pytest.param(4, f"dep_create -p {IP_TAG} -c {TAG}", id="exists: dependency"),
        pytest.param(4, f"eqv_create -t {TAG} -S node2 -o {TAG} -e SHARED", id="exists: equivalency"),
        pytest.param(5, f"ins_setstate -t {TAG} -S OSF", id="illegal: OSF is not for people"),
        pytest.param(5, f"ins_setas -t {TAG} -s sometimes", id="illegal: switchback"),
        pytest.param(5, f"dep_create -p {TAG} -c {IP_TAG}", id="illegal: a circle"),
        pytest.param(5, f"hry_setpri -t {TAG} -p 10", id="illegal: a priority twice"),
        pytest.param(6, f"hry_setpri -t {TAG} -p 1025", id="out of range: priority"),
        pytest.param(7, "ins_setinfo -t nobody -v x", id="missing: resource"),
        pytest.param(7, "typ_create -a nobody -r x", id="missing: application"),
        pytest.param(7, "ins_create -a comm -r nobody -t x -i x", id="missing: type"),
        pytest.param(7, f"eqv_create -t {TAG} -S nobody -o x -e SHARED", id="missing: system"),
        pytest.param(7, "flg_remove -f nobody", id="missing: flag"),
        pytest.param(8, f"ins_remove -t {TAG}", id="depended on: resource"),
        pytest.param(8, "typ_remove -a comm -r ec2", id="depended on: type"),
    ],
)
def test_a_command_that_fails_has_its_documented_status_and_changes_nothing(
    dummies: World, status: int, words: str
) -> None:
    """2 syntax, 4 exists, 5 illegal, 6 range, 7 missing, 8 depended on; why stands on stderr."""
    before = [dummies.database(server) for server in dummies.servers]
    done = dummies.command("node1", *words.split())
    assert (done.status, done.stdout) == (status, "")
    assert done.stderr.startswith(words.split(maxsplit=1)[0] + ": ")
    assert [dummies.database(server) for server in dummies.servers] == before


def test_d_works_on_another_server_and_is_9_where_none_answers(dummies: World) -> None:
    """-d names the server; one that is cut off, or has no power, is status 9."""
    dummies.needed(dummies.command("node1", "ins_setinfo", "-d", "node2", "-t", TAG, "-v", "new"))
    assert dummies.instance("node2", TAG)["info"] == "new"
    assert dummies.instance("node1", TAG)["info"] == "some info"
    dummies.cut_off("node2")
    dummies.power_off("node3")
    for server in ("node2", "node3"):
        assert dummies.command("node1", "ins_list", "-d", server).status == 9
        assert dummies.command("node1", "sys_getst", "-s", server).stdout == "DEAD\n"
    assert dummies.command("node2", "ins_list", "-d", "node1").status == 9
    dummies.reconnect("node2")
    assert dummies.command("node1", "sys_getst", "-s", "node2").stdout == "ALIVE\n"
    assert dummies.command("node1", "sys_list").stdout.split() == ["node1", "node2", "node3"]


def test_an_equivalency_appears_and_goes_on_both_servers(dummies: World) -> None:
    """One server is told, the other one knows; a server that cannot be told keeps its side."""
    assert dummies.priorities("node3", TAG) == {"node1": 1, "node2": 10, "node3": 20}
    words = ["-t", TAG, "-o", TAG, "-e", "SHARED"]
    dummies.needed(dummies.command("node1", "eqv_remove", *words, "-S", "node3"))
    assert dummies.equivalents("node3", TAG) == {"node2": TAG}
    dummies.cut_off("node2")
    assert dummies.command("node1", "eqv_remove", *words, "-S", "node2").status == 9
    assert dummies.equivalents("node1", TAG) == {}
    assert dummies.equivalents("node2", TAG) == {"node1": TAG, "node3": TAG}


def test_hry_setpri_is_known_everywhere_and_decides_who_takes_over(dummies: World) -> None:
    """A priority has one value, whichever server is asked."""
    dummies.needed(dummies.command("node2", "hry_setpri", "-t", IP_TAG, "-p", "30"))
    dummies.needed(dummies.command("node2", "hry_setpri", "-t", TAG, "-p", "30"))
    for server in dummies.servers:
        assert dummies.priorities(server, TAG) == {"node1": 1, "node2": 30, "node3": 20}
    dummies.power_off("node1")
    assert dummies.states(IP_TAG)[1:] == ["OSU", "ISP"]


def test_ins_remove_calls_delete_and_leaves_no_trace(bare: World) -> None:
    """With the resource go its relations, on the other servers, too."""
    before = [bare.database(server) for server in bare.servers]
    for server in ("node1", "node2"):
        create_dummy(bare, server)
        create_dummy(bare, server, "child")
        bare.needed(bare.command(server, "dep_create", "-p", TAG, "-c", "child"))
    for tag in (TAG, "child"):
        bare.needed(bare.command("node1", "eqv_create", "-t", tag, "-S", "node2", "-o", tag, "-e", "SHARED"))
    bare.needed(bare.command("node1", "ins_remove", "-t", TAG, "-G"))
    assert calls(bare) == [f"node1 delete -t {TAG} -i id-{TAG}"]
    assert bare.dependencies("node1") == []
    assert bare.equivalents("node2", TAG) == {}
    assert bare.equivalents("node2", "child") == {"node1": "child"}
    bare.needed(bare.command("node1", "ins_remove", "-t", "child"))
    assert bare.command("node2", "ins_remove", "-R", TAG, "-v").stdout == f"{TAG}\nchild\n"
    assert [bare.database(server) for server in bare.servers] == before


def test_a_resource_whose_delete_fails_stays(bare: World) -> None:
    """ins_remove fails, and what it was to remove is still there."""
    create_dummy(bare)
    let(bare, "node1", "delete", "exit 1")
    assert bare.command("node1", "ins_remove", "-t", TAG).status == 1
    assert bare.state("node1", TAG) == "OSU"


def test_ins_remove_may_take_the_dependents_with_it(dummies: World) -> None:
    """As the Windows edition's page has it; a test chooses."""
    dummies.remove_dependents()
    assert dummies.command("node1", "ins_remove", "-t", TAG, "-v").stdout == f"{IP_TAG}\n{TAG}\n"
    assert dummies.database("node1")["instances"] == []


def test_dep_list_tells_of_one_level_or_of_all(bare: World) -> None:
    """-c and -p the next level, -C and -P through all of them."""
    for tag in ("top", "middle", "bottom"):
        create_dummy(bare, tag=tag)
    for parent, child in (("top", "middle"), ("middle", "bottom")):
        bare.needed(bare.command("node1", "dep_create", "-p", parent, "-c", child))

    def listed(*words: str) -> list[str]:
        return bare.command("node1", "dep_list", "-f>", *words).stdout.split()

    assert listed("-p", "bottom") == ["middle>bottom"]
    assert listed("-c", "top") == ["top>middle"]
    assert listed("-C", "bottom") == listed("-P", "top") == listed() == ["top>middle", "middle>bottom"]


def test_a_change_waits_for_the_one_before(bare: World) -> None:
    """Two writers at the same time lose nothing."""
    server = bare.server("node1")
    with server.database.changing() as content:
        writer = subprocess.Popen([str(bare.lkroot("node1") / "bin/flg_create"), "-f", "later"])
        until(lambda: process.running(server, "command"))
        time.sleep(0.1)  # now it would have written, if it did not wait
        content.flags.append("first")
    assert writer.wait(HANGS) == 0
    assert bare.command("node1", "flg_list").stdout.split() == ["first", "later"]
    assert bare.command("node1", "flg_test", "-f", "first").status == 0


def test_the_kit_and_the_stand_in_mean_the_same_commands(dummies: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kit's own module calls is there, and is understood as it is meant."""
    lifekeeper = LifeKeeper(str(dummies.lkroot("node1")), seconds=40)
    assert lifekeeper.systems() == ["node1", "node2", "node3"]
    lifekeeper.create("new", "id", "two words\x01more", "automatic")
    made = ("node1", "comm", "ec2", "new", "id", "two words\x01more", "OSU", "automatic")
    assert lifekeeper.instance("new") == Instance(*made)
    lifekeeper.set_info("new", "another")
    lifekeeper.set_switchback("new", "intelligent")
    lifekeeper.set_state("new", "ISP")
    assert [each.tag for each in lifekeeper.instances(kind="ec2")] == [TAG, "new"]
    assert lifekeeper.instance("new", system="node2") is None
    lifekeeper.create_dependency(parent=IP_TAG, child="new")
    assert lifekeeper.parents("new") == lifekeeper.parents(TAG) == [IP_TAG]
    assert lifekeeper.equivalents(TAG) == {"node2": TAG, "node3": TAG}
    lifekeeper.remove_equivalence(TAG, system="node2", other_tag=TAG)
    lifekeeper.create_equivalence(TAG, priority=1, system="node2", other_tag=TAG, other_priority=10)
    assert dummies.priorities("node2", TAG)["node1"] == 1
    lifekeeper.synchronize()
    assert lifekeeper.perform(TAG, "remove", Deadline(20)).status == 0
    lifekeeper.send_event(TAG)
    assert dummies.states(TAG) == ["OSU", "OSU", "OSU"]


# -- another server's shell --


@pytest.mark.parametrize(
    ("words", "stdout", "stderr"),
    [
        pytest.param(["-d", "node2"], "outerr", "", id="both on stdout"),
        pytest.param(["-e", "-d", "node2"], "out", "err", id="each on its own"),
        pytest.param(["-d", "node1"], "out", "err", id="this server: as they are"),
    ],
)
def test_lcdremexec_brings_status_and_output(world: World, words: list[str], stdout: str, stderr: str) -> None:
    """The remote exit status is its own; -e keeps stdout and stderr apart."""
    done = world.command("node1", "lcdremexec", *words, "--", "printf out;", "printf err >&2;", "exit 5")
    assert (done.status, done.stdout, done.stderr) == (5, stdout, stderr)


def test_lcdremexec_runs_as_the_other_server(world: World) -> None:
    """There the environment is the other server's, and LifeKeeper's commands are that server's."""
    done = world.command(
        "node1", "lcdremexec", "-d", "node2", "--", "echo $EC2KIT_SERVER; echo $LKROOT; pwd; which ins_list"
    )
    root = world.lkroot("node2")
    assert done.stdout.splitlines() == ["node2", str(root), "/", f"{root}/bin/ins_list"]


def test_lcdremexec_gives_up_on_a_server_that_does_not_answer(world: World) -> None:
    """Whether it is cut off, silent, or only slow: status 9 within -t seconds."""
    words = ["-d", "node2", "-t", "0.3", "--", "sleep", "600"]
    assert world.command("node1", "lcdremexec", *words).status == 9
    (world.sandbox.folder / "node2" / "silent").touch()
    assert world.command("node1", "lcdremexec", *words).status == 9
    world.cut_off("node2")
    assert "cannot be reached" in world.command("node1", "lcdremexec", *words).stderr


# -- perform_action --


def test_restore_begins_with_what_the_resource_needs(dummies: World) -> None:
    """Children first; each script gets -t and -i, and what follows `--` unchanged."""
    dummies.needed(dummies.perform("node1", IP_TAG, "remove"))
    dummies.needed(dummies.perform("node1", TAG, "remove"))
    forget_calls(dummies)
    words = ["-t", TAG, "-a", "restore", "--", "-x", "two words"]
    dummies.needed(dummies.command("node1", "perform_action", *words))
    assert calls(dummies) == [f"node1 restore -t {TAG} -i id-{TAG} -x two words"]
    assert (dummies.state("node1", TAG), dummies.state("node1", IP_TAG)) == ("ISP", "OSU")  # and nothing above it
    dummies.needed(dummies.perform("node1", IP_TAG, "restore"))
    assert len(calls(dummies)) == 1  # ISP: nothing to do
    assert "10.1.0.10/32" in dummies.addresses("node1")


def test_a_script_has_the_environment_of_its_server_and_not_of_the_caller(dummies: World) -> None:
    """LKROOT, PATH and settings are the server's; folder /, no input. An application may have the script, too."""
    put_hook(dummies, "node1", "actions/probe")
    let(dummies, "node1", "probe", 'cat; pwd; printf "%s\\n" "$LKROOT" "$EC2KIT_DEFAULTS" $CALLER; which ins_list ip')
    command = [str(dummies.lkroot("node1") / "bin/perform_action"), "-t", TAG, "-a", "probe"]
    environment = dummies.environment("node1", CALLER="own")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=HANGS)
    there = dummies.sandbox.folder / "node1"
    assert done.stdout.splitlines() == [
        "/",
        *(str(there / each) for each in ("lk", "default", "lk/bin/ins_list", "bin/ip")),
    ]


def test_a_restore_that_fails_is_osf_and_nothing_above_it_is_begun(dummies: World) -> None:
    """The state says so, and the status too."""
    let(dummies, "node2", "restore", "exit 3")
    assert dummies.perform("node2", IP_TAG, "restore").status != 0
    assert dummies.state("node2", TAG) == "OSF"
    assert dummies.state("node2", IP_TAG) == "OSU"
    assert dummies.addresses("node2") == ["10.0.12.12/24"]


def test_switchover_stops_there_from_the_top_and_starts_here_from_the_bottom(dummies: World) -> None:
    """The address leaves the old server before the dummy does, and comes to the new one after it."""
    for hook in ("remove", "restore"):
        for server in ("node1", "node2"):
            let(dummies, server, hook, '! grep -qx 10.1.0.10/32 "$EC2KIT_NET_DIR/eth1/addresses"')
    dummies.needed(dummies.perform("node2", IP_TAG, "restore"))
    assert short_calls(dummies) == ["node1 remove", "node2 restore"]
    assert dummies.states(IP_TAG) == dummies.states(TAG) == ["OSU", "ISP", "OSU"]
    assert "10.1.0.10/32" in dummies.addresses("node2")


def test_restore_of_an_isu_resource_runs_nothing(dummies: World) -> None:
    """ISU becomes ISP."""
    dummies.needed(dummies.command("node1", "ins_setstate", "-t", TAG, "-S", "ISU"))
    dummies.needed(dummies.perform("node1", TAG, "restore"))
    assert (dummies.state("node1", TAG), calls(dummies)) == ("ISP", [])


def test_a_remove_that_fails_there_lets_nothing_begin_here(dummies: World) -> None:
    """Two servers never have it at once, as far as they can talk."""
    let(dummies, "node1", "remove", "exit 1")
    assert dummies.perform("node2", IP_TAG, "restore").status != 0
    assert short_calls(dummies) == ["node1 remove"]
    assert dummies.states(TAG) == ["OSF", "OSU", "OSU"]


def test_any_other_action_is_simply_run(dummies: World) -> None:
    """Its status is perform_action's, the state stays; an action that does not exist fails."""
    let(dummies, "node1", "quickCheck", "exit 7")
    assert dummies.perform("node1", TAG, "quickCheck").status == 7
    assert dummies.state("node1", TAG) == "ISP"
    assert dummies.perform("node1", TAG, "nonsense").status == 1


def test_a_script_goes_on_when_perform_action_is_ended(dummies: World) -> None:
    """An interrupted command leaves the script to LifeKeeper, and the state as it was."""
    goes_on = dummies.sandbox.folder / "dummy-goes-on"
    goes_on.unlink(missing_ok=True)
    waits = f'until [ -e "{goes_on}" ]; do sleep 0.05; done'
    let(dummies, "node1", "restore", f'{waits}; echo node1 end >>"$LKROOT/../../dummy-calls"')
    dummies.needed(dummies.perform("node1", TAG, "remove"))
    forget_calls(dummies)
    command = [str(dummies.lkroot("node1") / "bin/perform_action"), "-t", TAG, "-a", "restore"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as performing:
        until(lambda: calls(dummies))
        performing.send_signal(signal.SIGTERM)
    assert performing.returncode == -signal.SIGTERM
    goes_on.touch()
    until(lambda: "node1 end" in calls(dummies))
    assert dummies.state("node1", TAG) == "OSU"


# -- checks and recovery --


def test_a_round_checks_what_is_in_service_from_the_bottom(dummies: World) -> None:
    """Children before parents, and nothing that is out of service."""
    let(dummies, "node1", "quickCheck", 'sed -i /10.1.0.10/d "$EC2KIT_NET_DIR/eth1/addresses"')
    dummies.check("node1", "event")
    dummies.check("node2")
    assert calls(dummies) == [f"node1 quickCheck -t {TAG} -i id-{TAG}"]
    assert "quickCheck ended with status 1" in dummies.log("node1")  # the address's, after the dummy's


def test_a_quick_check_that_takes_too_long_is_ended_and_nothing_fails(dummies: World) -> None:
    """SIGALRM, the documented line, no recovery, still ISP."""
    let(dummies, "node1", "quickCheck", "sleep 600")

    def checked(seconds: float) -> list[str]:
        dummies.check("node1", "both", limit=seconds)
        return short_calls(dummies)

    assert given_time(checked, lambda called: called != [], seconds=2) == ["node1 quickCheck"]
    assert dummies.state("node1", TAG) == "ISP"
    *_, line = [line for line in dummies.log("node1").splitlines() if f":{TAG}:001047:" in line]
    expected = (
        f'NOTIFY:RKActionHandler:quickCheck:{TAG}:001047:END failed quickCheck of "{TAG}" due to a "ALRM" signal.'
    )
    assert line.partition("]: ")[2] == expected


def test_a_failed_check_is_recovered_where_it_is(dummies: World) -> None:
    """recover succeeds: nothing moves."""
    let(dummies, "node1", "quickCheck", "exit 1")
    dummies.check("node1")
    assert calls(dummies)[1:] == [f"node1 recover -t {TAG} -i id-{TAG}"]
    assert dummies.states(TAG) == ["ISP", "OSU", "OSU"]


def test_a_recover_that_fails_moves_the_whole_hierarchy_to_the_next_server(dummies: World) -> None:
    """By priority; where restore fails, to the following one."""
    let(dummies, "node1", "quickCheck", "exit 1")
    let(dummies, "node1", "recover", "exit 1")
    let(dummies, "node2", "restore", "exit 1")
    dummies.check("node1")
    expected = ["node1 quickCheck", "node1 recover", "node1 remove", "node2 restore", "node3 restore"]
    assert short_calls(dummies) == expected
    assert dummies.states(IP_TAG) == ["OSU", "OSU", "ISP"]
    assert "10.1.0.10/32" in dummies.addresses("node3")
    assert "10.1.0.10/32" not in dummies.addresses("node1")


@pytest.mark.parametrize(
    ("recovery", "expected"),
    [
        pytest.param("exit", {"node1 quickCheck", "node1 recover"}, id="exit"),
        pytest.param("event", {"node1 quickCheck", "node1 outOfService"}, id="event"),
        pytest.param("both", {"node1 quickCheck", "node1 outOfService", "node1 recover"}, id="both"),
    ],
)
def test_a_recovery_begins_as_the_test_says(dummies: World, recovery: str, expected: set[str]) -> None:
    """By the status of quickCheck, by the event that it sends, or by both."""
    let(dummies, "node1", "quickCheck", f"sendevent -C ec2 -E outOfService -m quickCheck -n {TAG}; exit 1")
    dummies.check("node1", recovery)
    dummies.wait_idle()
    assert set(short_calls(dummies)) == expected
    assert dummies.states(TAG) == ["ISP", "OSU", "OSU"]


def test_two_recoveries_that_fail_are_one_failover(dummies: World) -> None:
    """Status and event at the same time: it moves once."""
    let(dummies, "node1", "quickCheck", f"sendevent -C ec2 -E outOfService -m quickCheck -n {TAG}; exit 1")
    let(dummies, "node1", "outOfService", "exit 1")
    let(dummies, "node1", "recover", "exit 1")
    dummies.check("node1", "both")
    dummies.wait_idle()
    assert dummies.states(IP_TAG) == ["OSU", "ISP", "OSU"]
    moves = [call for call in short_calls(dummies) if call.split()[1] in ("remove", "restore")]
    assert moves == ["node1 remove", "node2 restore"]


@pytest.mark.parametrize("event", ["outOfService", "unknown"])
def test_an_event_without_a_recovery_that_works_is_a_failover(dummies: World, event: str) -> None:
    """The program fails, or there is none for the event; sendevent itself does not wait."""
    dummies.recovery("event")
    let(dummies, "node1", "outOfService", "exit 1")
    dummies.needed(dummies.command("node1", "sendevent", "-C", "ec2", "-E", event, "-m", "test", "-n", TAG))
    dummies.wait_idle()
    assert dummies.states(TAG) == ["OSU", "ISP", "OSU"]
    assert dummies.background("node1") == ""


def test_a_remove_that_fails_in_a_failover_halts_the_server(dummies: World) -> None:
    """The documented EMERG line; the next server takes over from one that does not run any more."""
    let(dummies, "node1", "quickCheck", "exit 1")
    let(dummies, "node1", "recover", "exit 1")
    let(dummies, "node1", "remove", "exit 1")
    dummies.check("node1")
    assert f': EMERG:lcd.recover::{TAG}:004788:failed to remove resource "{TAG}". SYSTEM HALTED.' in dummies.log(
        "node1"
    )
    assert dummies.halted("node1")
    assert not dummies.runs("node1")
    assert dummies.command("node1", "ins_list").status != 0
    assert dummies.states(TAG)[1:] == ["ISP", "OSU"]


# -- servers that go and come --


def test_power_off_ends_what_runs_there_and_the_next_server_takes_over(dummies: World) -> None:
    """A script in the middle of its work is gone, with its children."""
    let(dummies, "node1", "quickCheck", 'sleep 600 & echo $! >"$LKROOT/dummy/pid"; wait')
    command = [dummies.lkroot("node1") / "bin/lkcheck"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as checking:
        until((dummies.lkroot("node1") / "dummy/pid").exists)
        assert len(dummies.processes("node1")) == 1
        dummies.power_off("node1")
    assert checking.returncode == -signal.SIGKILL
    assert dummies.processes("node1") == []
    child = int((dummies.lkroot("node1") / "dummy/pid").read_text())
    until(lambda: not _is_alive(child))
    assert dummies.states(IP_TAG)[1:] == ["ISP", "OSU"]
    assert not dummies.halted("node1")


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("switchback", "states"),
    [
        pytest.param("INTELLIGENT", ["OSU", "ISP", "OSU"], id="intelligent stays"),
        pytest.param("AUTOMATIC", ["ISP", "OSU", "OSU"], id="automatic goes back"),
    ],
)
def test_power_on_is_a_boot_and_then_a_switchback(dummies: World, switchback: str, states: list[str]) -> None:
    """Out of service, no address, an empty /run, another boot; then AUTOMATIC goes back to the higher priority."""
    for tag in (TAG, IP_TAG):
        dummies.needed(dummies.command("node1", "ins_setas", "-t", tag, "-s", switchback))
    place = dummies.sandbox.folder / "node1"
    (place / "run" / "lock").touch()
    (place / "state" / "states").mkdir(parents=True)
    (place / "state" / "states" / "x.json").write_text('{"version": 1, "boot": "this one", "state": "ISP"}')
    dummies.power_off("node1")
    assert dummies.states(IP_TAG) == ["ISP", "ISP", "OSU"]  # the first one is what its disk says
    dummies.power_on("node1")
    assert list((place / "run").iterdir()) == []
    state = json.loads((place / "state" / "states" / "x.json").read_text())
    assert state.pop("boot") != "this one"
    assert state == {"version": 1, "state": "ISP"}
    assert dummies.states(IP_TAG) == dummies.states(TAG) == states
    assert [("10.1.0.10/32" in dummies.addresses(server)) for server in dummies.servers] == [
        each == "ISP" for each in states
    ]


def test_what_was_in_service_nowhere_else_comes_back_after_a_boot(dummies: World) -> None:
    """All servers lost their power."""
    for server in ("node2", "node3", "node1"):
        dummies.power_off(server)
    dummies.power_on("node1")
    assert dummies.state("node1", IP_TAG) == "ISP"
    assert "10.1.0.10/32" in dummies.addresses("node1")


def test_a_server_that_is_cut_off_goes_on_and_the_others_may_take_over(dummies: World) -> None:
    """Split brain, where the test wants it: each side has it in service, nobody removes it on the other."""
    dummies.cut_off("node1")
    assert dummies.states(TAG) == ["ISP", "OSU", "OSU"]
    dummies.take_over("node1")
    assert dummies.states(TAG) == ["ISP", "ISP", "OSU"]
    assert "node1 remove" not in short_calls(dummies)
    assert dummies.runs("node1")


def test_a_server_that_is_cut_off_cannot_fail_over(dummies: World) -> None:
    """It takes itself out of service, and nobody hears of it."""
    dummies.cut_off("node1")
    let(dummies, "node1", "quickCheck", "exit 1")
    let(dummies, "node1", "recover", "exit 1")
    dummies.check("node1")
    assert dummies.states(TAG) == ["OSU", "OSU", "OSU"]


def test_every_line_of_the_log_has_the_documented_form(dummies: World) -> None:
    """Month, time, server, program, LEVEL:module:action:tag:code:text."""
    let(dummies, "node1", "quickCheck", "exit 1")
    let(dummies, "node1", "recover", "exit 1")
    dummies.check("node1")
    dummies.power_off("node2")
    dummies.power_on("node2")
    for server in dummies.servers:
        lines = dummies.log(server).splitlines()
        assert lines or server == "node3"  # nothing happened there
        assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_each_test_begins_clean(world: World) -> None:
    """Nothing of an earlier test is left: resources, addresses, marks, processes."""
    with_dummies(world)
    world.settings(EC2_MAX_RETRY="1")
    world.settings("node1", EC2_MAX_RETRY="2")
    assert world.settings_file("node1").read_text().endswith("EC2_MAX_RETRY='1'\nEC2_MAX_RETRY='2'\n")
    world.power_off("node2")
    world.cut_off("node3")
    let(world, "node1", "quickCheck", "sleep 600")
    command = [world.lkroot("node1") / "bin/lkcheck"]
    with subprocess.Popen(command):
        until(lambda: world.processes("node1"))
        world.clean()
    assert all(_is_clean(world))


def _is_clean(world: World) -> Iterator[bool]:
    for server in world.servers:
        yield world.database(server)["instances"] == []
        yield world.runs(server)
        yield len(world.addresses(server)) == 1
        yield world.processes(server) == []
        yield world.log(server) == ""
        yield "EC2_MAX_RETRY" not in world.settings_file(server).read_text()
        yield world.settings_file(server).stat().st_mode & 0o777 == 0o644
    yield world.command("node1", "sys_getst", "-s", "node3").stdout == "ALIVE\n"
