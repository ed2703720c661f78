"""
Defects of awseip, the Elastic IP agent for Pacemaker, and that ec2kit has none of them.

Source: ClusterLabs/resource-agents, heartbeat/awseip at bf01ad08, and the issues named.
"""

from __future__ import annotations

from ..actions.cluster import EIP_TAG, Cluster


def test_an_address_that_begins_alike_is_another_one(cluster: Cluster) -> None:
    """awseip searches its address unanchored, so 52.9.0.12 is found in 52.9.0.123 (#1624, #1625)."""
    cluster.with_resource(EIP_TAG)
    ours = cluster.sandbox.description["elastic_ip"]
    longer = _an_address_beginning_with(cluster, ours)
    cluster.associate("node2")
    cluster.aws.associate_address(AllocationId=longer, NetworkInterfaceId=cluster.eni("node1"))
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1


def _an_address_beginning_with(cluster: Cluster, beginning: str) -> str:
    while True:
        address = cluster.aws.allocate_address(Domain="vpc")
        if address["PublicIp"].startswith(beginning):
            return str(address["AllocationId"])


def test_an_api_error_in_a_check_is_not_a_failed_resource(cluster: Cluster) -> None:
    """awseip's monitor says not running after any API error, which fails the resource (#1794)."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("error", server="node1")
    done = cluster.act("node1", "quickCheck", EIP_TAG)
    assert done.status == 0
    assert "cannot be judged, taken as in service" in done.stderr


def test_a_planned_switchover_can_be_without_a_gap(cluster: Cluster) -> None:
    """awseip disassociates in stop and associates in start, so in between the address belongs to nobody."""
    cluster.with_resource(EIP_TAG)
    before = len(cluster.sandbox.calls())
    assert cluster.act("node1", "remove", EIP_TAG, EC2_EIP_KEEP_ON_REMOVE="1").status == 0
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    operations = [call["operation"] for call in cluster.sandbox.calls()[before:]]
    assert operations.count("AssociateAddress") == 1
    assert "DisassociateAddress" not in operations
    assert cluster.address_holder() == "node2"


def test_a_stop_that_could_not_be_done_is_said_and_the_next_start_takes_the_address(cluster: Cluster) -> None:
    """awseip's stop returns "not running" where it failed, which a cluster takes for a success (#1794)."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("deny", server="node1", operation="DisassociateAddress")
    done = cluster.act("node1", "remove", EIP_TAG)
    assert "ERROR" in done.stderr
    assert "may still be associated here" in done.stderr
    assert cluster.address_holder() == "node1"
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    assert cluster.address_holder() == "node2"


def test_start_looks_whether_the_address_came(cluster: Cluster) -> None:
    """awseip sleeps 3 s after AssociateAddress and never reads it again, so a missed association is a success."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("steal", server="node2")
    assert cluster.act("node2", "restore", EIP_TAG, EC2_VERIFY_TIMEOUT="1").status == 1
    cluster.sandbox.clear()
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    assert cluster.address_holder() == "node2"


def test_nobody_sleeps_where_ec2_has_done_it_already(cluster: Cluster) -> None:
    """awseip and awsvip sleep a fixed 3 s for EC2's consistency, however quick or slow it is (#1113, #1143)."""
    cluster.with_resource(EIP_TAG)
    first = cluster.act("node2", "restore", EIP_TAG)
    assert first.status == 0
    assert "AWS showed the change" not in first.stderr
    cluster.sandbox.fault("late", seconds=3.5)
    late = cluster.act("node1", "restore", EIP_TAG, EC2_VERIFY_TIMEOUT="20")
    assert late.status == 0
    assert "AWS showed the change" in late.stderr
