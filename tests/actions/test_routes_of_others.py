"""Routes and addresses that another mechanism owns, beside those that ec2kit moves, by the real action scripts."""

from __future__ import annotations

import pytest

from .cluster import EIP_TAG, Cluster


@pytest.mark.parametrize("effect", ["propagated", "advertised"])
def test_a_route_of_another_mechanism_beside_the_static_one_counts_for_nothing(cluster: Cluster, effect: str) -> None:
    """EC2 lists it first: quickCheck is right; restore moves the static routes, ends well, writes no other table."""
    cluster.with_resource()
    cluster.sandbox.fault(effect)
    assert cluster.act("node1", "quickCheck").status == 0
    done = cluster.act("node2", "restore")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 6
    assert cluster.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0").status == 1
    written = {write["parameters"]["RouteTableId"] for write in cluster.writes("node2")}  # type: ignore[index]
    assert written == set(cluster.tables)


def test_create_names_the_tables_that_another_mechanism_owns(cluster: Cluster) -> None:
    """A table with only a propagated route is named; create, and its undo, leave it alone."""
    cluster.sandbox.fault("propagated")
    done = cluster.create()
    assert done.status == 0, done.stderr
    assert "leads to vgw-0ec2000000000k170 by EnableVgwRoutePropagation" in done.stderr
    assert "another mechanism owns it" in done.stderr


def test_quick_check_where_only_another_mechanism_has_the_route_says_whose_it_is(cluster: Cluster) -> None:
    """Without a static route the address is out of service, even if the other route leads here; none is written."""
    cluster.with_resource()
    for table in cluster.tables:
        cluster.aws.delete_route(RouteTableId=table, DestinationCidrBlock="10.1.0.10/32")
    cluster.sandbox.fault("advertised")
    done = cluster.act("node1", "quickCheck")
    assert done.status == 1
    assert "by Advertisement" in done.stderr
    assert cluster.act("node1", "restore").status == 1
    assert cluster.writes("node1") == []


def test_quick_check_of_a_route_in_a_state_that_is_not_known_is_0(cluster: Cluster) -> None:
    """A state newer than ec2kit is no answer; filtered is a no."""
    cluster.with_resource()
    rule = cluster.sandbox.fault("blackhole", of="node1", state="resting")
    done = cluster.act("node1", "quickCheck")
    assert done.status == 0
    assert "(resting), a state that this version of ec2kit does not know" in done.stderr
    cluster.sandbox.clear(rule)
    cluster.sandbox.fault("blackhole", of="node1", state="filtered")
    done = cluster.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0")
    assert done.status == 1
    assert "(filtered)" in done.stderr


def test_an_elastic_ip_that_aws_manages_is_refused_by_name_and_never_taken(cluster: Cluster) -> None:
    """create refuses the address of a load balancer; a restore, should it have become one, takes nothing."""
    rule = cluster.sandbox.fault("managed", manager="nlb")
    done = cluster.create(tag=EIP_TAG)
    assert done.status == 1
    assert "belongs to nlb: AWS manages it" in done.stderr
    cluster.sandbox.clear(rule)
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("managed", manager="nlb")
    before = cluster.writes("node2")
    done = cluster.act("node2", "restore", EIP_TAG)
    assert done.status == 1
    assert "belongs to nlb" in done.stderr
    assert cluster.writes("node2") == before


def test_the_elastic_ip_of_a_nat_gateway_is_refused_by_name_and_never_taken(cluster: Cluster) -> None:
    """EC2 does not say of such an address who manages it, only of its network interface."""
    cluster.with_resource(EIP_TAG)
    description = cluster.sandbox.description
    (address,) = cluster.aws.describe_addresses(AllocationIds=[description["allocation_id"]])["Addresses"]
    cluster.aws.disassociate_address(AssociationId=address["AssociationId"])
    subnet = description["nodes"]["node1"]["interfaces"]["eth0"]["subnet_id"]
    cluster.aws.create_nat_gateway(SubnetId=subnet, AllocationId=description["allocation_id"])
    before = cluster.writes("node2")
    done = cluster.act("node2", "restore", EIP_TAG)
    assert done.status == 1
    assert "belongs to nat_gateway" in done.stderr
    done = cluster.run("node3", "canextend", "node1", EIP_TAG)
    assert done.status == 1
    assert "belongs to nat_gateway: AWS manages it" in done.stderr
    assert cluster.writes("node2") == before
