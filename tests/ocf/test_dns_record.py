"""The agent of record sets, under both of its names, by its operations as processes."""

from __future__ import annotations

from ..actions.cluster import DNS_TAG, Cluster
from .resource import ERR_CONFIGURED, NOT_RUNNING, SUCCESS, OcfResource


def a_resource(cluster: Cluster, agent: str, **parameters: str) -> OcfResource:
    told = cluster.sandbox.description
    given = {"hostedzoneid": told["hosted_zone_id"], "fullname": f"{told['record']}.", "interface": "eth1"}
    return OcfResource(cluster, agent, DNS_TAG, {**given, **parameters})


def test_the_drop_in_starts_monitors_moves_and_leaves_the_record_set(cluster: Cluster) -> None:
    """start makes or changes the record set; stop leaves it, and its monitor says that nothing runs here."""
    resource = a_resource(cluster, "aws-vpc-route53", ttl="20", ip="local", profile="default", curl_retries="4")
    assert resource.monitor("node1").status == NOT_RUNNING
    started = resource.start("node1")
    assert started.status == SUCCESS, started.stderr
    assert (resource.monitor("node1").status, cluster.holder(DNS_TAG)) == (SUCCESS, "node1")
    assert resource.stop("node1").status == SUCCESS
    assert (resource.monitor("node1").status, cluster.holder(DNS_TAG)) == (NOT_RUNNING, "node1")
    assert resource.start("node2").status == SUCCESS
    assert (resource.monitor("node2").status, cluster.holder(DNS_TAG)) == (SUCCESS, "node2")


def test_the_agent_points_a_record_set_at_a_name_that_is_given(cluster: Cluster) -> None:
    """A CNAME has its value from the parameter; another program's change is a failure of monitor."""
    resource = a_resource(cluster, "dns-record", record_type="CNAME", ip="node1.example.org")
    assert resource.start("node1").status == SUCCESS
    assert cluster.record() == ["node1.example.org"]
    assert resource.monitor("node1").status == SUCCESS


def test_the_agent_without_a_valid_value_is_misconfigured(cluster: Cluster) -> None:
    """What cannot be a record set is refused by the name of the parameter, before anything is asked."""
    for name, wrong in (("ip", "node1"), ("fullname", "*.example.com")):
        done = a_resource(cluster, "aws-vpc-route53", **{name: wrong}).start("node1")
        assert (done.status, name in done.stderr) == (ERR_CONFIGURED, True), done.stderr
