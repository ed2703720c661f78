"""
Defects of F5's Cloud Failover Extension for AWS, and that ec2kit has none of them.

Source: F5Networks/f5-cloud-failover-extension v2.4.0, src/nodejs, and the issues named.
"""

from __future__ import annotations

import signal

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Cluster, finished, until


def test_the_lock_of_a_killed_run_keeps_nobody_waiting(cluster: Cluster) -> None:
    """CFE writes one field of its lock's time and reads another, so a crashed run's never expires (#12, #17)."""
    cluster.with_resource()
    cluster.sandbox.fault("delay", server="node2", operation="ReplaceRoute", seconds=20)
    running = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: any(rule["hits"] for rule in cluster.sandbox.faults()))
    running.send_signal(signal.SIGKILL)
    finished(running)
    cluster.sandbox.clear()
    done = cluster.act("node2", "restore", EC2_RESTORE_TIMEOUT="10")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 6


@pytest.mark.parametrize(
    ("tag", "operation", "objects"), [(VIP_TAG, "ReplaceRoute", 6), (EIP_TAG, "AssociateAddress", 1)]
)
def test_what_repeating_cannot_mend_is_not_repeated(cluster: Cluster, tag: str, operation: str, objects: int) -> None:
    """CFE repeats every error, "not authorised" too, every 5 s and up to 50 times."""
    cluster.with_resource(tag)
    cluster.sandbox.fault("deny", server="node2", operation=operation)
    before = len(cluster.sandbox.calls())
    done = cluster.act("node2", "restore", tag)
    assert done.status == 1
    assert f"permission missing for {operation}" in done.stderr
    assert [call["operation"] for call in cluster.sandbox.calls()[before:]].count(operation) == objects


def test_an_address_is_never_disassociated_to_be_associated(cluster: Cluster) -> None:
    """CFE disassociates all, waits, then associates, now and then to the passive unit's private address (#118)."""
    cluster.with_resource(EIP_TAG)
    before = len(cluster.sandbox.calls())
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    looked, associated, verified = cluster.sandbox.calls()[before:]
    assert looked["operation"] == verified["operation"] == "DescribeAddresses"
    assert associated["operation"] == "AssociateAddress"
    private = cluster.sandbox.description["nodes"]["node2"]["interfaces"]["eth1"]["private_ip_address"]
    assert associated["parameters"]["PrivateIpAddress"] == private


def test_addresses_that_were_never_configured_are_not_touched(cluster: Cluster) -> None:
    """CFE removes secondary addresses and Elastic IPs that it was never asked to manage (#56, #58, #64, #85)."""
    cluster.with_resource(EIP_TAG)
    for server in ("node1", "node2"):
        _a_neighbour_on(cluster, server)
    before = _others(cluster)
    for server, action in [("node2", "restore"), ("node1", "remove"), ("node2", "remove"), ("node1", "restore")]:
        assert cluster.act(server, action, EIP_TAG).status == 0
    assert _others(cluster) == before
    assert cluster.address_holder() == "node1"


def _a_neighbour_on(cluster: Cluster, server: str) -> None:
    """Another Elastic IP, on a private address of its own."""
    eni, private = cluster.eni(server), f"10.0.{11 if server == 'node1' else 12}.77"
    cluster.aws.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[private])
    allocation = cluster.aws.allocate_address(Domain="vpc")["AllocationId"]
    cluster.aws.associate_address(AllocationId=allocation, NetworkInterfaceId=eni, PrivateIpAddress=private)


def _others(cluster: Cluster) -> list[object]:
    """All other Elastic IPs, all private addresses and all other routes of the account."""
    ours = cluster.sandbox.description["allocation_id"]
    addresses = [each for each in cluster.aws.describe_addresses()["Addresses"] if each["AllocationId"] != ours]
    private = [
        each["PrivateIpAddress"]
        for interface in cluster.aws.describe_network_interfaces()["NetworkInterfaces"]
        for each in interface["PrivateIpAddresses"]
    ]
    return [addresses, private, cluster.others()]


def test_throttling_is_waited_out(cluster: Cluster) -> None:
    """CFE's failover breaks at RequestLimitExceeded (#80)."""
    cluster.with_resource()
    cluster.sandbox.fault("bucket", operation="ReplaceRoute", burst=2, rate=5, tokens=0)
    done = cluster.act("node2", "restore", EC2_WRITE_RATE="5")
    assert done.status == 0, done.stderr
    assert "RequestLimitExceeded" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_an_address_that_nobody_brought_back_is_brought_back(cluster: Cluster) -> None:
    """CFE acts on an event only: with both units restarted nothing puts wrong addresses right (#36)."""
    cluster.with_resource()
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    assert cluster.act("node1", "quickCheck").status == 1
    assert cluster.act("node1", "recover").status == 0
    assert cluster.holders() == ["node1"] * 6
