"""
What AWSnycast got right or wrong, and how ec2kit goes on.

Source: bobtfish/AWSnycast at 0a945c3, and the issues named.
"""

from __future__ import annotations

from ..actions.cluster import Cluster


def test_a_source_dest_check_that_is_on_is_switched_off(cluster: Cluster) -> None:
    """AWSnycast refuses to start while the source/destination check is on: rightly found, and left to a person."""
    cluster.with_resource()
    _switch_check_on(cluster)
    done = cluster.act("node2", "restore")
    assert done.status == 0
    assert "source/destination check switched off" in done.stderr
    assert _check_is_on(cluster) is False


def test_a_source_dest_check_that_cannot_be_switched_off_does_not_stop_a_failover(cluster: Cluster) -> None:
    """AWSnycast would not take the route at all; here it moves, and ERROR says what drops the packets."""
    cluster.with_resource()
    _switch_check_on(cluster)
    cluster.sandbox.fault("deny", server="node2", operation="ModifyNetworkInterfaceAttribute")
    done = cluster.act("node2", "restore")
    assert done.status == 0
    assert f"ERROR: {cluster.eni('node2')}: source/destination check is on and cannot be switched off" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_extend_to_a_server_whose_check_stays_on_is_refused(cluster: Cluster) -> None:
    """What AWSnycast finds at its start is found before a server can become one of the resource's."""
    cluster.with_resource()
    eni = cluster.eni("node3")
    cluster.aws.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    cluster.sandbox.fault("deny", server="node3", operation="ModifyNetworkInterfaceAttribute")
    done = cluster.run("node3", "extend", "node1", "ec2-vip1", "--priority", "30")
    assert done.status == 1
    assert "source/destination check" in done.stderr
    assert f"on on {eni}" in done.stderr


def test_a_blackhole_that_ec2_reports_is_out_of_service(cluster: Cluster) -> None:
    """AWSnycast has only EC2's word for a blackhole, which comes late (#9): here it counts from then on."""
    cluster.with_resource()
    cluster.sandbox.fault("blackhole", server="node1", skip=1)
    fresh = {"EC2_SNAPSHOT_MAX_AGE": "0"}  # a shared answer may be as old as a moment ago
    assert [cluster.act("node1", "quickCheck", **fresh).status for _ in range(2)] == [0, 1]


def _switch_check_on(cluster: Cluster) -> None:
    cluster.aws.modify_network_interface_attribute(
        NetworkInterfaceId=cluster.eni("node2"), SourceDestCheck={"Value": True}
    )


def _check_is_on(cluster: Cluster) -> bool:
    ids = [cluster.eni("node2")]
    (interface,) = cluster.aws.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
    return bool(interface["SourceDestCheck"])
