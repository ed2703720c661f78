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
    held = cluster.sandbox.fault("silent", operation="AssociateAddress")
    both = {server: cluster.start(server, "recover", "-t", EIP_TAG) for server in ("node1", "node2")}
    until(lambda: cluster.sandbox.faults()[0]["hits"] == 2)  # both have seen it free, and neither has it
    cluster.sandbox.clear(held)
    done = {server: finished(process) for server, process in both.items()}
    (winner,) = [server for server, each in done.items() if each.status == 0]
    (loser,) = [server for server, each in done.items() if each.status == 1]
    assert cluster.address_holder() == winner
    assert f"taken over by {winner}" in done[loser].stderr or "Resource.AlreadyAssociated" in done[loser].stderr


def _free(cluster: Cluster) -> None:
    """An outside hand takes the address off; both servers believe that it is in service there."""
    ids = [cluster.sandbox.description["allocation_id"]]
    (address,) = cluster.aws.describe_addresses(AllocationIds=ids)["Addresses"]
    cluster.aws.disassociate_address(AssociationId=address["AssociationId"])
