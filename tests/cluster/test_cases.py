"""Real clusters fail over with the agents: corosync, pacemaker, fencing, two nodes, and clients that always ask."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from . import cib
from .kinds import OWNER, ROLE, Kind, kinds
from .kit import ec2kit
from .lab import Lab
from .node import SECONDARY_IP, Node, until
from .report import Report

pytestmark = pytest.mark.timeout(900)


def share(lab: Lab, node: Node, since: float) -> float | None:
    """Seconds from pacemaker's first call of start to the client's first answer after it."""
    called = lab.called(node, "vip", "start", since)
    return lab.client.first_answer_after(called[0]) - called[0] if called else None


def takes_over(lab: Lab, node: Node, since: float, case: str, report: Report) -> None:
    """A node has all, nothing failed on the way, and the case is noted."""
    lab.moved_to(node)
    report.add(case, lab, since, share(lab, node, since))
    assert lab.failures() == []


def with_repair(lab: Lab, node: Node) -> None:
    """Let monitor repair; a parameter that takes effect without a restart."""
    node.run("crm_resource", "-r", "vip", "-p", "repair_in_monitor", "-v", "true")
    lab.idle()


def without_repair(lab: Lab, node: Node) -> None:
    node.run("crm_resource", "-r", "vip", "-d", "repair_in_monitor")
    lab.idle()


# -- failovers ---------------------------------------------------------------------------------------------------


def test_planned_move_takes_the_address_to_the_other_node(cluster: Lab, report: Report) -> None:
    """An administrator moves the group."""
    active, other = cluster.active()
    began = time.time()
    active.run("crm_resource", "--move", "-r", "front", "-N", other.name)
    takes_over(cluster, other, began, "planned move", report)
    assert not active.has(cluster.vip)


def test_standby_takes_the_address_to_the_other_node(cluster: Lab, report: Report) -> None:
    """A node is emptied for maintenance."""
    active, other = cluster.active()
    began = time.time()
    active.run("crm_standby", "-N", active.name, "-v", "on")
    takes_over(cluster, other, began, "standby", report)
    assert not active.has(cluster.vip)


def test_node_killed_is_fenced_and_the_other_one_takes_over(cluster: Lab, report: Report) -> None:
    """Power loss."""
    active, other = cluster.active()
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    active.switch_off()
    takes_over(cluster, other, began, "node killed", report)
    assert cluster.hypervisor.fenced == [*fenced, active.name]


def test_node_killed_is_fenced_by_fence_aws_and_the_other_one_takes_over(cluster: Lab, report: Report) -> None:
    """Power loss, and the fence agent of AWS: EC2 stops the instance before anything starts elsewhere."""
    active, other = cluster.active()
    cluster.configure(fencing=cib.fence_aws(cluster.description))
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    active.switch_off()
    takes_over(cluster, other, began, "node killed, fenced by fence_aws", report)
    assert cluster.hypervisor.fenced == [*fenced, active.name]
    stopped = next(call for call in cluster.sandbox.calls() if call["operation"] == "StopInstances")
    assert stopped["server"] == other.name
    assert stopped["time"] < cluster.called(other, "vip", "start", began)[0]
    cluster.configure(fencing=cib.fence_lab())


def test_node_cut_off_is_fenced_once_and_the_other_one_takes_over(cluster: Lab, report: Report) -> None:
    """A node without a network is switched off, and what it had is taken."""
    active, other = cluster.active()
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    cluster.cut(active.name)
    takes_over(cluster, other, began, "node cut off", report)
    assert not active.is_on
    assert cluster.hypervisor.fenced == [*fenced, active.name]


def test_node_paused_and_resumed_late_never_gets_the_route_back(cluster: Lab, report: Report) -> None:
    """
    Fencing claimed success and did nothing: the stale owner wakes, may repair, and does not have route and address.
    """
    active, other = cluster.active()
    with_repair(cluster, active)
    cluster.hypervisor.lies = True
    began = time.time()
    active.pause()
    cluster.moved_to(other)
    report.add("node paused", cluster, began, share(cluster, other, began))
    other.run("crm_resource", "--ban", "-r", "front", "-N", active.name)
    time.sleep(max(0, began + 12 - time.time()))  # a check of every 5 s is missing
    active.go_on()
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        assert cluster.route_holder() != active.name or not active.has(cluster.vip)
        time.sleep(0.05)
    assert cluster.route_holder() == other.name
    active.switch_off()
    without_repair(cluster, other)


def test_api_dead_on_both_during_the_failover_and_back_later(cluster: Lab, report: Report) -> None:
    """A start that meets a dead API goes on trying, and ends well as soon as it lives again."""
    active, other = cluster.active()
    cluster.sandbox.fault("silent")
    began = time.time()
    active.switch_off()
    until(lambda: cluster.called(other, "vip", "start", began), what="start called")
    time.sleep(20)
    assert cluster.route_holder() == active.name
    cluster.sandbox.clear()
    takes_over(cluster, other, began, "node killed, API dead for 20 s", report)


def test_failover_while_ec2_throttles(cluster: Lab, report: Report) -> None:
    """Throttling slows a failover down and does not fail it."""
    active, other = cluster.active()
    cluster.sandbox.fault("throttle", operation="ReplaceRoute", count=5)
    began = time.time()
    active.run("crm_resource", "--move", "-r", "front", "-N", other.name)
    takes_over(cluster, other, began, "planned move, throttled 5 times", report)


# -- packets -------------------------------------------------------------------------------------------------------


def test_probe_from_the_other_node_tells_what_packets_do_and_fails_nothing(cluster: Lab) -> None:
    """Real pings by the router of the lab: answered after a move; not answered where replies have no way back."""
    active, other = cluster.active()
    broken = ["rule", "add", "from", cluster.vip, "pref", "100", "blackhole"]
    with cluster.tunables(EC2_PROBE="icmp", EC2_PROBE_FROM="node1 node2", EC2_PROBE_TIMEOUT="10"):
        active.run("crm_resource", "--move", "-r", "front", "-N", other.name)
        cluster.moved_to(other)
        until(lambda: "probe:vip:620464" in other.ec2kit_log(), what="the other node is answered")
        assert f"620460:packets (icmp) to {cluster.vip} are answered: {active.name} reached in" in other.ec2kit_log()
        cluster.network.ip(active.name, *broken)
        try:
            other.run("crm_resource", "--move", "-r", "front", "-N", active.name)
            until(lambda: "probe:vip:620461" in active.ec2kit_log(), what="a warning that packets are not answered")
            cluster.idle()
            assert (cluster.where("vip"), cluster.route_holder()) == ([active.name], active.name)
            assert cluster.failures() == []
        finally:
            cluster.network.ip(active.name, "rule", "del", *broken[2:])
    cluster.moved_to(active)


# -- nothing fails over --------------------------------------------------------------------------------------------


def test_api_dead_on_the_active_node_for_a_minute_is_no_failure(cluster: Lab, report: Report) -> None:
    """No failover, no failed operation, no lost ping; the log says for how long nothing has been known."""
    active, _ = cluster.active()
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    cluster.sandbox.fault("silent", server=active.name)
    time.sleep(60)
    assert (cluster.where("vip"), cluster.where("eip")) == ([active.name], [active.name])
    assert (cluster.failures(), cluster.hypervisor.fenced) == ([], fenced)
    report.add("API dead on the active node for 60 s", cluster, began)
    assert cluster.client.outage(began) < 1
    ages = re.findall(r"WARN:ec2kit:monitor:vip:620314:.* for ([0-9]+) s\)", active.ec2kit_log())
    assert max(map(int, ages)) > 15
    cluster.sandbox.clear()
    until(lambda: "EC2 answers again" in active.ec2kit_log(), what="EC2 answers again")


def test_route_changed_by_an_outside_hand_is_repaired_where_it_runs(cluster: Lab, report: Report) -> None:
    """monitor finds it, and pacemaker restarts the group in its place."""
    active, other = cluster.active()
    began = time.time()
    cluster.point(other.name)
    until(lambda: cluster.route_holder() == active.name, what="route put right")
    cluster.moved_to(active)
    report.add("route changed, restarted in place", cluster, began, share(cluster, active, began))
    (failure,) = cluster.failures()
    assert "points at" in failure


def test_route_changed_by_an_outside_hand_is_repaired_by_monitor_if_told_so(cluster: Lab, report: Report) -> None:
    """The parameter takes effect without a restart; monitor puts the route right, and nothing fails."""
    active, other = cluster.active()
    started = len(cluster.called(active, "vip", "start", 0))
    with_repair(cluster, active)
    began = time.time()
    cluster.point(other.name)
    until(lambda: cluster.route_holder() == active.name, what="route put right")
    until(cluster.is_answered, what="client answered")
    report.add("route changed, repaired by monitor", cluster, began)
    assert cluster.failures() == []
    without_repair(cluster, active)
    assert len(cluster.called(active, "vip", "start", 0)) == started
    assert cluster.called(active, "vip", "reload-agent", 0)


# -- many, and the tools -------------------------------------------------------------------------------------------


def test_ten_addresses_in_one_group_move_together(cluster: Lab) -> None:
    """A group of ten starts, moves and stops."""
    addresses = [f"10.1.1.{number}" for number in range(1, 11)]
    for table in cluster.description["route_table_ids"]:
        for each in addresses:
            eni = cluster.description["nodes"]["node1"]["interfaces"]["eth1"]["network_interface_id"]
            cluster.aws.create_route(RouteTableId=table, DestinationCidrBlock=f"{each}/32", NetworkInterfaceId=eni)
    members = [
        cib.primitive(f"ip{number}", "route-table", {"ip": each, "interface": "eth0"}, interval=30, standby=False)
        for number, each in enumerate(addresses, start=1)
    ]
    active, other = cluster.active()
    group = f'<group id="many">{"".join(members)}</group>'
    active.run("cibadmin", "--create", "--scope=resources", f"--xml-text={group}")
    cluster.idle()
    (first,) = cluster.where("ip10")
    there = next(node for node in (active, other) if node.name != first)
    active.run("crm_resource", "--move", "-r", "many", "-N", there.name)
    until(lambda: cluster.where("ip10") == [there.name], what="ten addresses moved")
    assert cluster.failures() == []
    assert {cluster.route_holder(each) for each in addresses} == {there.name}
    assert all(there.has(each) for each in addresses)
    active.run("crm_resource", "--clear", "-r", "many")
    active.run("cibadmin", "--delete", "--xml-text=<group id='many'/>")
    cluster.idle()
    assert not any(there.has(each) for each in addresses)


def test_tools_of_pacemaker_know_the_agents(cluster: Lab) -> None:
    """They are listed, describe themselves, and validate a resource."""
    node, _ = cluster.active()
    listed = node.run("crm_resource", "--list-agents", "ocf:ec2kit").split()
    drop_ins = ["aws-vpc-move-ip", "aws-vpc-route53", "awseip", "awsvip"]
    assert listed == [*drop_ins, "dns-record", "elastic-ip", "route-table", "secondary-ip"]
    assert 'name="elastic_ip"' in node.run("crm_resource", "--show-metadata", "ocf:ec2kit:awseip")
    assert "returned 0 (ok)" in node.run("crm_resource", "--validate", "-r", "vip").lower()


def test_uninstall_is_refused_while_the_cluster_has_resources_with_the_agents(cluster: Lab) -> None:
    """They are named, and the agents stay."""
    node, _ = cluster.active()
    words = ["uninstall", "--ocf", "--ocf-root", str(cluster.folder / "kit" / "ocf"), "--json"]
    answer = json.loads(node.run(*ec2kit(cluster.folder / "kit", *words), check=False))
    assert (answer["success"], answer["error"]["code"]) == (False, 620711)
    assert "there are resources: vip" in answer["error"]["text"]
    assert "returned 0 (ok)" in node.run("crm_resource", "--validate", "-r", "vip").lower()


def test_standby_that_could_not_take_over_warns_and_fails_nothing(cluster: Lab) -> None:
    """The readiness check of the standby runs by itself, and its findings fail nothing."""
    _, other = cluster.active()
    cluster.sandbox.fault("deny", server=other.name, operation="ReplaceRoute")
    warned = len(other.ec2kit_log())
    until(lambda: "permission ec2:ReplaceRoute" in other.ec2kit_log()[warned:], what="the standby warns")
    assert cluster.failures() == []


# -- every kind of address ------------------------------------------------------------------------------------------


@pytest.fixture
def five_kinds(cluster: Lab) -> Iterator[list[Kind]]:
    """The group has one resource of each kind; the route tables belong to another account; names spread slowly."""
    members = kinds(cluster)
    cluster.sandbox.fault("other-account", account=OWNER)
    cluster.sandbox.fault("spreading", service="route53", seconds=2)
    cluster.configure(fencing=cib.fence_lab(), front=cib.group(*(each.primitive for each in members)))
    yield members
    cluster.sandbox.clear()
    cluster.configure(fencing=cib.fence_lab(), front=cib.front(cluster.description))


def test_every_kind_starts_is_repaired_by_monitor_fails_over_and_stops(
    cluster: Lab, five_kinds: list[Kind], report: Report
) -> None:
    """In one group: what an outside hand has moved comes back, and a node that is killed loses all of it."""

    def are_on(node: Node) -> bool:
        return {each.holder() for each in five_kinds} == {node.name}

    active, other = cluster.active()
    cluster.moved_to(active)
    assert are_on(active)
    assert active.has(SECONDARY_IP)
    for each in five_kinds:
        each.give(other.name)
    until(lambda: are_on(active), what="all kinds repaired")
    until(cluster.is_answered, what="client answered")
    assert cluster.failures() == []
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    active.switch_off()
    takes_over(cluster, other, began, "node killed, five kinds, tables of another account", report)
    assert are_on(other)
    assert other.has(SECONDARY_IP)
    assert cluster.hypervisor.fenced == [*fenced, active.name]
    other.run("crm_resource", "-r", "front", "--meta", "-p", "target-role", "-v", "Stopped")
    cluster.idle()
    assert [cluster.where(each.name) for each in five_kinds] == [[]] * len(five_kinds)
    assert not any(other.has(each) for each in (cluster.vip, SECONDARY_IP))
    left = {each.name: each.holder() for each in five_kinds}
    assert left == {**dict.fromkeys(left, other.name), "eip": None}
    assert cluster.failures() == []
    sessions = {(each["server"], each["parameters"]["RoleSessionName"]) for each in _assumed(cluster)}
    assert sessions == {(node.name, f"{name}@{node.name}") for node in (active, other) for name in ("vip", "nat")}


def _assumed(cluster: Lab) -> list[dict[str, Any]]:
    """The questions for keys of the role."""
    asked = [each for each in cluster.sandbox.sts_calls() if each["operation"] == "AssumeRole"]
    assert {each["parameters"]["RoleArn"] for each in asked} == {ROLE}
    return asked
