"""
A defect of aws-ec2-assign-elastic-ip, and that ec2kit does not have it.

Source: sebdah/aws-ec2-assign-elastic-ip issue 24.
"""

from __future__ import annotations

from ..actions.cluster import EIP_TAG, Cluster, finished, until


def test_of_two_that_want_a_free_address_one_succeeds(cluster: Cluster) -> None:
    """aws-ec2-assign-elastic-ip lets two nodes succeed for one free address, as re-association is on (#24)."""
    cluster.with_resource(EIP_TAG)
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    _free(cluster)
    cluster.sandbox.fault("silent", server="node2", operation="AssociateAddress")
    late = cluster.start("node2", "recover", "-t", EIP_TAG, AWSCLI_READ_TIMEOUT="60")
    until(
        lambda: cluster.sandbox.faults()[0]["hits"]
    )  # it has seen that the address is free, and its write is under way
    assert cluster.act("node1", "recover", EIP_TAG).status == 0
    cluster.sandbox.clear()
    done = finished(late)
    assert done.status == 1
    assert "Resource.AlreadyAssociated" in done.stderr
    assert cluster.address_holder() == "node1"


def _free(cluster: Cluster) -> None:
    """An outside hand takes the address off; both servers believe that it is in service there."""
    ids = [cluster.sandbox.description["allocation_id"]]
    (address,) = cluster.aws.describe_addresses(AllocationIds=ids)["Addresses"]
    cluster.aws.disassociate_address(AssociationId=address["AssociationId"])
