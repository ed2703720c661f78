"""What a configuration of resource-agents' AWS agents may have besides: one address twice, and live migration."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from . import cib
from .lab import Lab
from .node import until
from .report import Report

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def twice(cluster: Lab) -> Iterator[None]:
    """The group has the virtual IP twice, each time in one table, as where the tables belong to two accounts."""
    told = cluster.description
    eip = {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"]}
    members = [
        cib.primitive(name, "aws-vpc-move-ip", {"ip": cluster.vip, "routing_table": table, "interface": "eth0"})
        for name, table in zip(("vip", "vip-of-others"), told["route_table_ids"], strict=True)
    ]
    cluster.configure(fencing=cib.fence_lab(), front=cib.group(*members, cib.primitive("eip", "awseip", eip)))
    yield
    cluster.configure(fencing=cib.fence_lab(), front=cib.front(told))


def holders(cluster: Lab) -> set[str | None]:
    """The nodes at which the tables' routes to the virtual IP point."""
    found = cluster.aws.describe_route_tables(RouteTableIds=cluster.description["route_table_ids"])["RouteTables"]
    routes = [route for each in found for route in each["Routes"]]
    return {cluster.node_of(each) for each in routes if each["DestinationCidrBlock"] == f"{cluster.vip}/32"}


def test_two_resources_with_one_address_in_other_tables_run_restart_and_fail_over(
    cluster: Lab, twice: None, report: Report
) -> None:
    """One that is restarted takes nothing from the other; the address goes with the last one."""
    active, other = cluster.active()
    cluster.moved_to(active)
    assert (cluster.where("vip-of-others"), holders(cluster)) == ([active.name], {active.name})
    began = time.time()
    active.run("crm_resource", "--restart", "-r", "vip-of-others")
    cluster.moved_to(active)
    report.add("one of two resources with one address restarted", cluster, began)
    assert cluster.client.outage(began) < 0.5
    began = time.time()
    active.switch_off()
    cluster.moved_to(other)
    report.add("node killed, two resources with one address", cluster, began)
    assert (cluster.where("vip-of-others"), holders(cluster)) == ([other.name], {other.name})
    assert cluster.failures() == []
    other.run("crm_resource", "-r", "front", "--meta", "-p", "target-role", "-v", "Stopped")
    cluster.idle()
    assert (cluster.where("vip-of-others"), other.has(cluster.vip)) == ([], False)
    assert cluster.failures() == []


@pytest.fixture
def moving(cluster: Lab) -> Iterator[None]:
    """The Elastic IP is a resource beside the group, and may be migrated."""
    told = cluster.description
    vip = cib.primitive("vip", "aws-vpc-move-ip", {"ip": cluster.vip, "interface": "eth0"})
    eip = {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"]}
    meta = f'<meta_attributes id="eip-meta">{cib.pairs("eip-meta", {"allow-migrate": "true"})}</meta_attributes>'
    cluster.configure(fencing=cib.fence_lab(), front=cib.group(vip))
    xml = cib.primitive("eip", "awseip", eip, more=meta)
    cluster.any_node().run("cibadmin", "--create", "--scope=resources", f"--xml-text={xml}")
    cluster.idle()
    yield
    node = cluster.any_node()
    node.run("crm_resource", "--clear", "-r", "eip", check=False)
    node.run("cibadmin", "--delete", "--xml-text=<primitive id='eip'/>")
    cluster.configure(fencing=cib.fence_lab(), front=cib.front(told))


def test_elastic_ip_that_may_migrate_moves_without_a_gap(cluster: Lab, moving: None) -> None:
    """Pacemaker calls migrate_to, migrate_from and stop, and the address is never disassociated."""
    (name,) = cluster.where("eip")
    active, other = cluster.nodes[name], next(each for each in cluster.nodes.values() if each.name != name)
    assert cluster.address_holder() == name
    began, asked = time.time(), len(cluster.sandbox.calls())
    active.run("crm_resource", "--move", "-r", "eip", "-N", other.name)
    until(lambda: cluster.where("eip") == [other.name], what="the Elastic IP is on the other node")
    cluster.idle()
    assert (cluster.address_holder(), cluster.failures()) == (other.name, [])
    written = [each["operation"] for each in cluster.sandbox.calls()[asked:] if each["carried_out"]]
    assert [each for each in written if each.endswith("Address")] == ["AssociateAddress"]
    (left,) = cluster.called(active, "eip", "migrate_to", began)
    (taken,) = cluster.called(other, "eip", "migrate_from", began)
    (stopped,) = cluster.called(active, "eip", "stop", began)
    assert left < taken < stopped
    assert cluster.called(other, "eip", "start", began) == []
