"""
Defects of awsvip, the secondary private IP agent for Pacemaker, and that ec2kit has none of them.

Source: ClusterLabs/resource-agents, heartbeat/awsvip up to v4.18, and the commits and issues named.
"""

from __future__ import annotations

from ..actions.cluster import EIP_TAG, Cluster


def test_an_address_that_looks_alike_is_another_one(cluster: Cluster) -> None:
    """awsvip matched addresses partially (fixed in 3491a6ad3): 10.1.0.1 and 10.1.0.100 passed for 10.1.0.10."""
    cluster.with_resource()
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    assert {cluster.routes()[table, "10.1.0.100/32"] for table in cluster.tables} == {cluster.eni("node1")}
    assert cluster.act("node1", "quickCheck").status == 1
    assert cluster.act("node2", "quickCheck").status == 0


def test_the_interface_is_the_one_that_was_named(cluster: Cluster) -> None:
    """awsvip knew only the first NIC of an instance until v4.17 (#1992); the one here is the second."""
    cluster.with_resource(EIP_TAG)
    cluster.associate("node1", "eth0")
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1
    assert cluster.act("node1", "restore", EIP_TAG).status == 0
    assert cluster.address_holder() == "node1"


def test_imds_that_does_not_answer_is_not_a_failed_resource(cluster: Cluster) -> None:
    """awsvip fails its resource where IMDS answers late or not at all (#1876)."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1", service="imds")
    done = cluster.act("node1", "quickCheck")
    assert done.status == 0
    assert "no credentials for DescribeRouteTables" in done.stderr


def test_imds_that_answers_late_delays_and_does_not_fail(cluster: Cluster) -> None:
    """awsvip gives up on a metadata service that is slow (#1876)."""
    cluster.with_resource()
    cluster.sandbox.fault("delay", server="node2", service="imds", seconds=0.5)
    assert cluster.act("node2", "restore").status == 0


def test_a_failed_start_says_what_to_look_at(cluster: Cluster) -> None:
    """awsvip's start fails after some seconds without a message that helps (#1466)."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    before = len(cluster.sandbox.calls())
    done = cluster.act("node2", "restore")
    refused = [call for call in cluster.sandbox.calls()[before:] if call["effects"] == ["deny"]]
    for call in refused:
        table, request_id = call["parameters"]["RouteTableId"], call["request_id"]
        refusal = f"UnauthorizedOperation (credentials: iam-role; request {request_id})"
        assert f"permission missing for ReplaceRoute on {table}: {refusal}" in done.stderr
    assert len(refused) == 6
