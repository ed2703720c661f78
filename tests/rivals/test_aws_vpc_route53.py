"""
Defects of aws-vpc-route53, the record set agent for Pacemaker, and that ec2kit has none of them.

Source: ClusterLabs/resource-agents, heartbeat/aws-vpc-route53.in at bf01ad08, and
findings/heartbeat-route53-probe-writes.sh.
"""

from __future__ import annotations

from ..actions.cluster import DNS_TAG, Cluster
from ..ocf.resource import ERR_GENERIC, NOT_RUNNING, SUCCESS, OcfResource


def a_resource(cluster: Cluster) -> OcfResource:
    told = cluster.sandbox.description
    parameters = {"hostedzoneid": told["hosted_zone_id"], "fullname": told["record"], "interface": "eth1"}
    return OcfResource(cluster, "aws-vpc-route53", DNS_TAG, parameters)


def test_a_probe_writes_no_record_set_and_claims_none(cluster: Cluster) -> None:
    """Its probe creates a record set that is missing, and says that the resource runs: on every node at once."""
    resource = a_resource(cluster)
    assert [resource.probe(server).status for server in ("node1", "node2")] == [NOT_RUNNING, NOT_RUNNING]
    assert (cluster.record(), cluster.writes("node1"), cluster.writes("node2")) == ([], [], [])


def test_a_monitor_that_cannot_put_it_right_is_no_success(cluster: Cluster) -> None:
    """Its monitor changes a record set that another program changed, and ends well also if Route 53 refuses that."""
    resource = a_resource(cluster)
    assert resource.start("node1").status == SUCCESS
    cluster.point_record("192.0.2.7")
    cluster.sandbox.fault("deny", service="route53", server="node1", operation="ChangeResourceRecordSets")
    done = resource.given(repair_in_monitor="true").monitor("node1")
    assert (done.status, cluster.record()) == (ERR_GENERIC, ["192.0.2.7"])
    assert "not repaired" in done.stderr
