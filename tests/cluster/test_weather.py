"""The weather of a real region (TLS, latencies, changes that take effect late), and nodes with systemd-networkd."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from . import cib
from .conftest import running
from .lab import Lab
from .node import Node, until
from .report import Report
from .test_leaving import ATTRIBUTE, announce, documented, notices, options
from .weather import REAL

pytestmark = pytest.mark.timeout(900)

GAP = 1.0
"""Seconds without an answer that a planned move may cost; alone what EC2 needs to make it effective is as long."""


@pytest.fixture(scope="module")
def weathered(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A cluster in that weather, whose group Pacemaker may migrate."""
    with running(request, REAL) as lab:
        lab.settle()
        lab.configure(fencing=cib.fence_lab(), front=cib.front(lab.description, migrates=True))
        yield lab


@pytest.fixture
def outside(weathered: Lab) -> Lab:
    """The cluster with both nodes online, the group running, nothing failed and nothing to do."""
    weathered.settle()
    return weathered


def was_handed_over(lab: Lab, source: Node, target: Node, since: float) -> None:
    """By migrate_to, migrate_from and one stop; nothing failed, and no client has missed it."""
    lab.idle()
    assert lab.failures() == []
    for resource in ("vip", "eip"):
        assert len(lab.called(source, resource, "migrate_to", since)) == 1
        assert len(lab.called(target, resource, "migrate_from", since)) == 1
        assert len(lab.called(source, resource, "stop", since)) == 1
        assert lab.called(target, resource, "start", since) == []
    assert not source.has(lab.vip)
    assert lab.client.outage(since) <= GAP, lab.story()


def test_planned_move_without_a_gap(outside: Lab, report: Report) -> None:
    """The old node answers until packets go to the new one, a second after EC2's answer, and lets the address go."""
    active, other = outside.active()
    began = time.time()
    active.run("crm_resource", "--move", "-r", "front", "-N", other.name)
    outside.moved_to(other)
    report.add(f"real weather: planned move, {outside.client.lost(began)} packets", outside, began)
    was_handed_over(outside, active, other, began)


def test_maintenance_moves_the_group_without_a_gap_or_fencing_and_back(outside: Lab, report: Report) -> None:
    """A node that leaves before AWS does, comes back after it, and takes the group when the other one leaves."""
    options(outside, **documented())
    fenced = list(outside.hypervisor.fenced)
    try:
        active, other = outside.active()
        for source, target in ((active, other), (other, active)):
            began = time.time()
            rule = announce(outside, source, seconds=60)
            assert notices(outside, source)["step"] == "leaves"
            outside.moved_to(target)
            report.add(f"real weather: leaves, {outside.client.lost(began)} packets", outside, began)
            was_handed_over(outside, source, target, began)
            outside.sandbox.clear(rule)
            assert notices(outside, source, EC2_NOTICE_CALM="0")["step"] == "comes back"
            assert 'value="red"' not in source.run("attrd_updater", "-n", ATTRIBUTE, "-Q", check=False)
        assert outside.hypervisor.fenced == fenced
    finally:
        options(outside)


def test_node_killed_is_fenced_and_the_other_one_takes_over(outside: Lab, report: Report) -> None:
    """There is nobody to hand anything over: start, as without allow-migrate."""
    active, other = outside.active()
    fenced, began = list(outside.hypervisor.fenced), time.time()
    active.switch_off()
    outside.moved_to(other)
    (called,) = outside.called(other, "vip", "start", began)
    report.add("real weather: node killed", outside, began, outside.client.first_answer_after(called) - called)
    assert outside.failures() == []
    assert outside.hypervisor.fenced == [*fenced, active.name]


def test_restart_of_networkd_is_repaired_by_monitor(outside: Lab, report: Report) -> None:
    """As an upgrade of the package does it: the address is off the device, and back without a failover."""
    active, _ = outside.active()
    told, began = len(active.ec2kit_log()), time.time()
    active.restart_networkd()
    until(lambda: ":620370:" in active.ec2kit_log()[told:], what="monitor puts the address on again")
    until(outside.is_answered, what="clients are answered")
    report.add("real weather: systemd-networkd restarted", outside, began)
    assert outside.failures() == []
    assert outside.where("vip") == [active.name]
