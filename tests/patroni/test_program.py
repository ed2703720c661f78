"""The callback and the check, as processes, with what Patroni says of the leader."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Cluster, finished, given_time, go_on, stop, until
from ..scripted_server import answers, hangs_up, silent
from .member import LEADER, NO_LEADER, Member, leader

UP = [("on_start", "primary"), ("on_role_change", "primary"), ("on_restart", "primary")]
DOWN = [("on_stop", "primary"), ("on_role_change", "replica"), ("on_role_change", "demoted"), ("on_start", "replica")]


def holders(member: Member) -> set[str]:
    return set(member.cluster.holders())


def test_leader_gets_the_address_and_a_member_that_is_none_leaves_it(cluster: Cluster, node2: Member) -> None:
    """Every event of a leader brings the address here; every other event changes nothing of the leader's."""
    for event, role in DOWN:
        assert node2.callback(event, role).status == 0
        assert holders(node2) == {"node1"}
    for event, role in UP:
        cluster.act("node1", "restore")
        done = node2.callback(event, role)
        assert done.status == 0, done.stderr
        assert f"Patroni reports {event} as {role} of demo: restore {VIP_TAG}" in done.stderr
        assert holders(node2) == {"node2"}
    assert set(node2.asked) == {"GET /leader"}


def test_reload_moves_nothing_and_asks_nothing(cluster: Cluster, node2: Member) -> None:
    """It happens on each change of the configuration."""
    assert node2.callback("on_reload", "primary").status == 0
    assert (holders(node2), node2.asked) == ({"node1"}, [])


def test_late_or_repeated_down_does_not_touch_the_address_of_another_owner(cluster: Cluster) -> None:
    """The Elastic IP, which a remove takes off, stays with the new leader, however late and often it comes."""
    cluster.with_resource(EIP_TAG)
    words = ["-t", EIP_TAG, "--no-api"]
    assert cluster.run("node2", "patroni", *words, "on_role_change", "primary", "demo").status == 0
    for event, role in (DOWN[0], *DOWN):
        done = cluster.run("node1", "patroni", *words, event, role, "demo")
        assert done.status == 0, done.stderr
    assert cluster.address_holder() == "node2"
    assert "DisassociateAddress" not in [call["operation"] for call in cluster.writes("node1")]


def test_member_that_is_not_the_leader_writes_nothing(node2: Member) -> None:
    """The event is out of date, or was never true."""
    told = "said that this member is not the leader"
    node2.says(NO_LEADER)
    done = given_time(
        lambda seconds: node2.callback("on_role_change", "primary", EC2_RESTORE_TIMEOUT=f"{seconds:.1f}"),
        lambda done: told in done.stderr,
    )
    assert done.status == 1
    assert told in done.stderr
    assert (holders(node2), node2.cluster.writes("node2")) == ({"node1"}, [])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hangs_up, id="closed"),
        pytest.param(silent, id="silent"),
        pytest.param(answers("{}", 404), id="no-patroni"),
        pytest.param(lambda handler: handler.wfile.write(b"SSH-2.0\r\n"), id="no-http"),
    ],
)
def test_patroni_that_does_not_answer_permits_nothing_and_is_asked_again(node2: Member, answer: object) -> None:
    """No answer is no leadership; when it answers, the restore goes on, because Patroni calls only once."""
    script = [answer, answer, *map(leader, range(5))]
    done = node2.says(*script).callback("on_role_change", "primary")  # type: ignore[arg-type]
    assert done.status == 0, done.stderr
    assert holders(node2) == {"node2"}
    assert len(node2.asked) > 2


def test_patroni_that_is_gone_permits_nothing(cluster: Cluster, node2: Member) -> None:
    """A dead Patroni cannot hold the lock."""
    words = ["-t", VIP_TAG, "--api", "http://127.0.0.1:9", "on_role_change", "primary", "demo"]
    told = "did not say who is the leader (Connection refused)"
    done = given_time(
        lambda seconds: cluster.run("node2", "patroni", *words, EC2_RESTORE_TIMEOUT=f"{seconds:.1f}"),
        lambda done: told in done.stderr,
    )
    assert done.status == 1
    assert told in done.stderr
    assert holders(node2) == {"node1"}


def test_restore_that_was_paused_writes_nothing_after_the_leadership_is_lost(cluster: Cluster, node2: Member) -> None:
    """What began as the leader, and goes on when another is, takes the address from none."""
    restoring = paused_in_a_look(node2, 2.5)  # longer than a yes counts
    node2.says(NO_LEADER)
    go_on(restoring)
    done = finished(restoring)
    assert done.status == 1
    assert "said that this member is not the leader" in done.stderr
    assert (holders(node2), cluster.writes("node2")) == ({"node1"}, [])


def paused_in_a_look(member: Member, seconds: float) -> subprocess.Popen[str]:
    """A restore that has begun as the leader and is stopped for a while, as a server that is suspended."""
    sandbox = member.cluster.sandbox
    look = sandbox.fault("silent", operation="DescribeRouteTables", server="node2", count=1)
    restoring = member.begin("on_role_change", "primary", AWSCLI_READ_TIMEOUT="240")
    until(lambda: _looks(member.cluster))
    stop(restoring)
    sandbox.clear(look)
    time.sleep(seconds)
    return restoring


@pytest.mark.parametrize("visits", [[1, 1], [1, 2, 2]], ids=["none", "one-that-was-under-way"])
def test_yes_of_a_patroni_that_was_paused_itself_does_not_count(node2: Member, visits: list[int]) -> None:
    """A Patroni that renewed its lock when it was paused says yes until it has been at its store again."""
    restoring = paused_in_a_look(node2, 2.5)
    node2.says(*(leader(each) for each in visits for _ in range(3)), NO_LEADER)
    go_on(restoring)
    done = finished(restoring)
    assert done.status == 1
    assert "Patroni has not been at its store since" in done.stderr
    assert (holders(node2), node2.cluster.writes("node2")) == ({"node1"}, [])


def test_leader_that_was_paused_and_still_leads_gets_the_address(node2: Member) -> None:
    """When Patroni has been at its store again, the restore goes on."""
    restoring = paused_in_a_look(node2, 2.5)
    node2.says(*(leader(each) for each in range(1, 5) for _ in range(3)))
    go_on(restoring)
    done = finished(restoring)
    assert done.status == 0, done.stderr
    assert holders(node2) == {"node2"}


def _looks(cluster: Cluster) -> bool:
    """Whether node2's look is under way: the fault holds it up."""
    return any(each["hits"] for each in cluster.sandbox.faults())


def test_down_that_comes_while_a_restore_is_under_way_ends_it(cluster: Cluster, node2: Member) -> None:
    """Patroni kills the callback that runs; where it could not, the newer event counts all the same."""
    cluster.sandbox.fault("silent", operation="DescribeRouteTables", server="node2")
    restoring = node2.begin("on_role_change", "primary")
    until(lambda: _looks(cluster))
    assert node2.callback("on_role_change", "replica").status == 0
    done = finished(restoring)
    assert done.status == 1
    assert "overtaken: remove was asked for" in done.stderr
    assert holders(node2) == {"node1"}


def test_callback_that_was_killed_is_repeated_by_the_check(cluster: Cluster, node2: Member) -> None:
    """Patroni calls once; the timer follows the leader."""
    fault = cluster.sandbox.fault("silent", operation="ReplaceRoute", server="node2")
    restoring = node2.begin("on_role_change", "primary")
    until(lambda: _looks(cluster))
    restoring.send_signal(signal.SIGKILL)
    restoring.communicate()
    cluster.sandbox.clear(fault)
    assert node2.check().status == 0
    assert holders(node2) == {"node2"}
    assert f"WARN:ec2kit:check:{VIP_TAG}:620247" in cluster.log("node2")


def test_check_takes_back_what_another_party_has_moved(cluster: Cluster, node2: Member) -> None:
    """There is one leader, so its address is here; two looks and Patroni agree on that."""
    node2.callback("on_role_change", "primary")
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node3"))
    assert node2.check().status == 0
    assert holders(node2) == {"node2"}


def test_check_of_a_leader_with_its_address_writes_nothing(cluster: Cluster, node2: Member) -> None:
    """It looks, and that is all."""
    node2.callback("on_role_change", "primary")
    before = len(cluster.writes("node2"))
    assert node2.check().status == 0
    assert len(cluster.writes("node2")) == before
    assert "620247" not in cluster.log("node2")


def test_check_of_a_member_that_is_no_leader_any_more_marks_it_and_asks_ec2_nothing_of_others(
    cluster: Cluster, node2: Member
) -> None:
    """A leader whose last callback never came is out of service here, and what another has stays there."""
    node2.callback("on_role_change", "primary")
    cluster.act("node1", "restore")
    assert node2.says(NO_LEADER).check().status == 0
    assert holders(node2) == {"node1"}
    state = cluster.path("node2", "EC2KIT_STATE_DIR") / "states" / f"{VIP_TAG}.json"
    assert '"OSU"' in state.read_text()
    looks = len(cluster.sandbox.calls())
    assert node2.check().status == 0
    assert len(cluster.sandbox.calls()) == looks


@pytest.mark.parametrize("answer", [hangs_up, answers("{}", 500)])
def test_check_without_an_answer_changes_nothing(cluster: Cluster, node2: Member, answer: object) -> None:
    """Neither a leader's address nor another's."""
    node2.callback("on_role_change", "primary")
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node3"))
    assert node2.says(answer).check().status == 0  # type: ignore[arg-type]
    assert holders(node2) == {"node3"}


def test_several_tags_move_together(cluster: Cluster, node2: Member) -> None:
    """One callback serves all addresses of the database, one of which may fail."""
    cluster.with_resource(EIP_TAG)
    assert node2.callback("on_role_change", "primary", tag=f"{VIP_TAG},{EIP_TAG}").status == 0
    assert (holders(node2), cluster.address_holder()) == ({"node2"}, "node2")
    done = node2.callback("on_role_change", "primary", tag=f"nosuch,{EIP_TAG}")
    assert done.status == 1
    assert "nosuch" in done.stderr


def test_slow_patroni_is_waited_for(node2: Member) -> None:
    """The event may come a moment before the lock is seen."""
    assert node2.says(*[NO_LEADER] * 4, LEADER).callback("on_role_change", "primary").status == 0
    assert len(node2.asked) > 4


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["-t", VIP_TAG], id="no-event"),
        pytest.param(["-t", VIP_TAG, "on_fire", "primary", "demo"], id="no-event-of-patronis"),
        pytest.param(["-t", VIP_TAG, "--api", "ftp://x", "on_start", "primary", "demo"], id="no-url"),
        pytest.param(["-t", "a b", "on_start", "primary", "demo"], id="no-tag"),
        pytest.param(["check"], id="no-tag-to-check"),
        pytest.param(["check", "-t", VIP_TAG, "--no-api"], id="check-without-api"),
    ],
)
def test_command_line_that_is_none_is_told_and_nothing_is_done(cluster: Cluster, words: list[str]) -> None:
    """A typing error in patroni.yml is found in the log."""
    done = cluster.run("node1", "patroni", *words)
    assert done.status in (1, 2)
    assert done.stderr.strip()
    assert cluster.writes("node1") == []
