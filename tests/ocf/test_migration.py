"""A resource with `allow-migrate=true` moves by migrate_to, migrate_from and stop, and is never without a server."""

from __future__ import annotations

import pytest

from ..actions.cluster import DNS_TAG, EIP_TAG, SIP_TAG, VIP_TAG, Cluster, standby
from .resource import NOT_RUNNING, SUCCESS, OcfResource

AGENTS = {"aws-vpc-move-ip": VIP_TAG, "awseip": EIP_TAG, "awsvip": SIP_TAG, "aws-vpc-route53": DNS_TAG}
"""Agent → a resource of the kind that it moves."""


def a_resource(cluster: Cluster, agent: str) -> OcfResource:
    told = cluster.sandbox.description
    parameters = {
        "aws-vpc-move-ip": {"ip": told["vip"], "routing_table": ",".join(cluster.tables), "interface": "eth1"},
        "awseip": {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"], "interface": "eth1"},
        "awsvip": {"secondary_private_ip": told["secondary_ip"], "interface": "eth1"},
        "aws-vpc-route53": {"hostedzoneid": told["hosted_zone_id"], "fullname": told["record"], "interface": "eth1"},
    }
    return OcfResource(cluster, agent, AGENTS[agent], parameters[agent])


@pytest.mark.parametrize("agent", AGENTS)
def test_migration_moves_the_address_in_one_step_and_stop_leaves_it_there(cluster: Cluster, agent: str) -> None:
    """
    awseip and awsvip have both operations, but migrate_to is their stop: the address is nowhere until migrate_from.

    Pacemaker calls them wherever `allow-migrate` is set, whatever the meta-data say; "not implemented" is an error.
    """
    tag, to = AGENTS[agent], standby(AGENTS[agent])
    resource = a_resource(cluster, agent)
    assert resource.start("node1").status == SUCCESS
    written = len(cluster.writes("node1"))
    done = resource.run("node1", "migrate_to", {"timeout": 60_000, "migrate_target": to})
    assert (done.status, cluster.holder(tag)) == (SUCCESS, "node1")
    done = resource.run(to, "migrate_from", {"timeout": 240_000, "migrate_source": "node1"})
    assert done.status == SUCCESS, done.stderr
    assert cluster.holder(tag) == to
    assert resource.stop("node1").status == SUCCESS
    assert (resource.monitor("node1").status, resource.monitor(to).status) == (NOT_RUNNING, SUCCESS)
    assert (cluster.holder(tag), len(cluster.writes("node1"))) == (to, written)


def test_migration_that_fails_leaves_the_address_where_it_was(cluster: Cluster) -> None:
    """The other server may not write: nothing has changed in AWS."""
    resource = a_resource(cluster, "awseip")
    assert resource.start("node1").status == SUCCESS
    assert resource.run("node1", "migrate_to", {"timeout": 60_000, "migrate_target": "node2"}).status == SUCCESS
    cluster.sandbox.fault("deny", server="node2", operation="AssociateAddress")
    assert resource.run("node2", "migrate_from", {"timeout": 240_000, "migrate_source": "node1"}).status != SUCCESS
    assert cluster.holder(EIP_TAG) == "node1"
