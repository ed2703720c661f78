"""An Elastic IP run as Pacemaker runs it: the marker of start says where it runs, AWS only whether it is well."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import pytest

from ..actions.cluster import until
from .resource import ERR_GENERIC, LONG, NOT_RUNNING, SUCCESS, ElasticIp, brief, ended, kill


@pytest.fixture
def running(eip: ElasticIp) -> ElasticIp:
    """The Elastic IP, started on node1."""
    eip.started("node1")
    return eip


def place(eip: ElasticIp, server: str, device: str = "eth0") -> tuple[str, str]:
    interface = eip.cluster.sandbox.description["nodes"][server]["interfaces"][device]
    return interface["network_interface_id"], interface["private_ip_address"]


# -- start and stop ----------------------------------------------------------------------------------------------


def test_start_associates_with_the_primary_interface_in_one_call(eip: ElasticIp) -> None:
    """Without further parameters it is the instance's primary ENI, as with awseip."""
    assert eip.start("node1").status == SUCCESS
    assert eip.holder() == place(eip, "node1")
    assert [name for name in eip.calls("node1") if name.startswith("Associate")] == ["AssociateAddress"]
    assert eip.marker("node1").exists()


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"interface": "eth1"}, id="interface"),
        pytest.param({"private_ip_address": "10.0.11.11"}, id="private-address"),
        pytest.param({"interface": "eth1", "private_ip_address": "10.0.11.11"}, id="both"),
    ],
)
def test_start_associates_with_the_place_that_was_given(eip: ElasticIp, parameters: dict[str, str]) -> None:
    """A private address names the interface, too."""
    assert eip.given(**parameters).start("node1").status == SUCCESS
    assert eip.holder() == place(eip, "node1", "eth1")


def test_start_takes_the_address_from_the_other_server_without_a_gap(running: ElasticIp) -> None:
    """After a node's death nobody runs stop there; the start elsewhere takes the address in one call."""
    assert running.start("node2").status == SUCCESS
    assert running.holder() == place(running, "node2")
    assert "DisassociateAddress" not in running.calls("node2")


def test_start_with_an_allocation_of_another_address_touches_nothing(eip: ElasticIp) -> None:
    """A slip in one of two parameters does not move somebody else's address."""
    foreign = eip.cluster.sandbox.description["foreign_allocation_id"]
    done = eip.given(allocation_id=foreign).start("node1")
    assert done.status == ERR_GENERIC
    assert eip.calls("node1") == ["DescribeAddresses"]


def test_stop_deletes_the_marker_and_gives_the_address_up(running: ElasticIp) -> None:
    """Stopped is stopped, also in AWS."""
    assert running.stop("node1").status == SUCCESS
    assert running.holder() == (None, None)
    assert not running.marker("node1").exists()


def test_stop_while_aws_is_silent_is_a_success_in_time(running: ElasticIp) -> None:
    """The next start takes the address anyway; a failed stop would fence this server for nothing."""
    running.cluster.sandbox.fault("silent", server="node1")
    done = running.run("node1", "stop", {"timeout": brief(6)})
    assert done.status == SUCCESS
    assert "may still be associated here" in done.stderr
    assert running.probe("node1").status == NOT_RUNNING


def test_stop_of_a_server_that_lost_the_address_leaves_it_to_the_other(running: ElasticIp) -> None:
    """A late stop takes nothing from whoever has the address now."""
    assert running.start("node2").status == SUCCESS
    assert running.stop("node1").status == SUCCESS
    assert running.holder() == place(running, "node2")


def test_stop_keeps_the_address_for_the_next_server_if_told_so(running: ElasticIp) -> None:
    """A planned move without a gap."""
    assert running.stop("node1", EC2_EIP_KEEP_ON_REMOVE="1").status == SUCCESS
    assert running.holder() == place(running, "node1")
    assert running.probe("node1").status == NOT_RUNNING


def test_start_killed_in_the_middle_does_not_run_here(eip: ElasticIp) -> None:
    """Only a start that ended well leaves a marker; what it began, stop undoes."""
    eip.cluster.sandbox.fault("delay", operation="AssociateAddress", seconds=1)
    process = eip.begin("node1", "start", {"timeout": LONG})
    until(lambda: "DescribeAddresses" in eip.calls("node1"))
    kill(process)
    assert eip.probe("node1").status == NOT_RUNNING
    until(lambda: eip.stop("node1").status == SUCCESS and eip.holder() == (None, None))


# -- monitor -----------------------------------------------------------------------------------------------------


def test_monitor_of_what_runs_is_a_success(running: ElasticIp) -> None:
    """Associated with this server's ENI and private address, and the link up."""
    assert running.monitor("node1").status == SUCCESS


@pytest.mark.parametrize("fault", [None, "refuse", "stale"])
def test_standby_never_believes_that_it_runs_the_resource(running: ElasticIp, fault: str | None) -> None:
    """Whatever the API says or does not say, a server without a marker does not run it, and asks nobody."""
    running.cluster.associate("node2", "eth0")
    if fault:
        running.cluster.sandbox.fault(fault, server="node2")
    assert running.monitor("node2").status == NOT_RUNNING
    assert running.probe("node2").status == NOT_RUNNING
    assert running.calls("node2") == []
    assert running.stand_by("node2").status == NOT_RUNNING


def test_monitor_of_an_address_that_is_elsewhere_fails(running: ElasticIp) -> None:
    """The marker says here, AWS says there: a failure, for a probe too."""
    running.cluster.associate("node2", "eth0")
    assert running.monitor("node1").status == ERR_GENERIC
    done = running.probe("node1")
    assert done.status == ERR_GENERIC
    assert "ocf-exit-reason:" in done.stderr


def test_monitor_that_may_repair_takes_the_address_back(running: ElasticIp) -> None:
    """An outside hand is put right without moving or restarting anything."""
    running.cluster.associate("node2", "eth0")
    assert running.given(repair_in_monitor="true").monitor("node1").status == SUCCESS
    assert running.holder() == place(running, "node1")


def test_monitor_with_the_link_down_fails(running: ElasticIp) -> None:
    """An address on a dead link serves nobody."""
    device = running.cluster.path("node1", "EC2KIT_NET_DIR") / "eth0"
    for name, text in (("operstate", "down"), ("flags", "0x1002")):
        (device / name).write_text(text + "\n")
    assert running.monitor("node1").status == ERR_GENERIC


@pytest.mark.parametrize("fault", ["refuse", "throttle", "garble", "deny"])
def test_monitor_without_an_answer_is_a_success_with_a_warning(running: ElasticIp, fault: str) -> None:
    """No answer is no verdict."""
    running.cluster.sandbox.fault(fault, server="node1")
    done = running.monitor("node1")
    assert done.status == SUCCESS
    assert "WARN: " in done.stderr
    assert "no. 1 in a row" in done.stderr


def test_alias_with_the_rival_s_whole_configuration_works(eip: ElasticIp) -> None:
    """The switch from ocf:heartbeat:awseip is a change of one word."""
    eip.agent = "awseip"
    eip.given(awscli="/usr/bin/aws", profile="default", api_delay="3", private_ip_address="10.0.1.11")
    done = eip.start("node1")
    assert done.status == SUCCESS, done.stderr
    assert "api_delay, awscli: without meaning" in done.stderr
    assert eip.holder() == place(eip, "node1")
    assert eip.monitor("node1").status == SUCCESS
    assert eip.stop("node1").status == SUCCESS


def test_monitor_paused_in_the_middle_is_no_failure(running: ElasticIp) -> None:
    """A check that slept says nothing about the address."""
    look = running.cluster.sandbox.fault("silent", operation="DescribeAddresses")
    process, seconds = running.begun_until(lambda: running.cluster.met(look), "node1", "monitor", seconds=4)
    kill(process, signal.SIGSTOP)
    running.cluster.sandbox.clear(look)
    time.sleep(seconds - 1)
    with suppress(ProcessLookupError):
        kill(process, signal.SIGCONT)
    assert ended(process).status == SUCCESS
