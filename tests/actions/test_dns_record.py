"""Record sets of Route 53 by the real scripts: what EC2 does not have, another shape and a change that spreads."""

from __future__ import annotations

from typing import Any

import pytest

from ..one_sandbox import OneSandbox
from .cluster import DNS_TAG, Cluster


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, {"EC2_SNAPSHOT_MAX_AGE": "0"})
    cluster.clean()
    return cluster


def _weighted(cluster: Cluster) -> None:
    """An outside hand puts a weighted record set in the place of the simple one."""
    told = cluster.sandbox.description
    zone, name, values = told["hosted_zone_id"], told["record"], [{"Value": each} for each in cluster.record()]
    simple: dict[str, Any] = {"Name": name, "Type": "A", "TTL": 10, "ResourceRecords": values}
    weighted = {**simple, "SetIdentifier": "one", "Weight": 1}
    changes = [{"Action": "DELETE", "ResourceRecordSet": simple}, {"Action": "CREATE", "ResourceRecordSet": weighted}]
    cluster.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def test_restore_waits_until_all_dns_servers_have_the_change_and_writes_once(cluster: Cluster) -> None:
    """Longer than EC2 has for a change; a lost answer costs no second write, and a second restore writes nothing."""
    cluster.with_resource(DNS_TAG)
    cluster.sandbox.fault("spreading", server="node2", service="route53", seconds=2.5)
    done = cluster.act("node2", "restore", DNS_TAG, EC2_VERIFY_TIMEOUT="1")
    assert (done.status, cluster.holder(DNS_TAG)) == (0, "node2"), done.stderr
    assert "AWS showed the change" in done.stderr
    cluster.move(DNS_TAG, cluster.eni("node1"))
    cluster.sandbox.fault("lose", server="node2", service="route53", operation="ChangeResourceRecordSets", count=1)
    assert cluster.act("node2", "restore", DNS_TAG).status == 0
    assert len(cluster.writes("node2")) == 2
    assert cluster.act("node2", "restore", DNS_TAG).status == 0
    assert len(cluster.writes("node2")) == 2


def test_record_set_of_another_shape_is_never_touched(cluster: Cluster) -> None:
    """It says nothing about where it points: no failover by quickCheck, no write by restore, no create upon it."""
    cluster.with_resource(DNS_TAG)
    _weighted(cluster)
    before = cluster.writes("node1")
    checked = cluster.act("node1", "quickCheck", DNS_TAG)
    assert (checked.status, "is weighted" in checked.stderr) == (0, True), checked.stderr
    restored = cluster.act("node1", "restore", DNS_TAG)
    assert (restored.status, "is weighted" in restored.stderr) == (1, True), restored.stderr
    made = cluster.run(
        *("node2", "create", "-t", "ec2-alias", "--type", "dns-record", "--interface", "eth1"),
        *("--hosted-zone", "Z0EC2KITPUBLIC", "--record", "alias.example.com"),
    )
    assert (made.status, "is an alias" in made.stderr) == (1, True), made.stderr
    assert (cluster.writes("node1"), cluster.writes("node2")) == (before, [])


def test_create_that_fails_gives_the_record_set_its_former_values_back(cluster: Cluster) -> None:
    """What was written cannot be verified, so it is undone: both values, and the time to live."""
    cluster.point_record("192.0.2.8", "192.0.2.9", ttl=300)
    cluster.sandbox.fault("deny", server="node1", service="route53", operation="GetChange")
    made = cluster.create(tag=DNS_TAG)
    assert (made.status, "permission missing for GetChange" in made.stderr) == (1, True), made.stderr
    assert len(cluster.writes("node1")) == 2
    assert cluster.record() == ["192.0.2.8", "192.0.2.9"]


def test_name_in_a_public_zone_points_at_the_public_address_of_the_server(cluster: Cluster) -> None:
    """Here an Elastic IP; the metadata say which it is."""
    cluster.associate("node1")
    made = cluster.run(
        *("node1", "create", "-t", "ec2-web", "--type", "dns-record", "--interface", "eth1", "--points-at", "public"),
        *("--hosted-zone", "/hostedzone/Z0EC2KITPUBLIC", "--record", "Web.example.com.", "--ttl", "30"),
    )
    assert made.status == 0, made.stderr
    listed = cluster.route53.list_resource_record_sets(HostedZoneId="Z0EC2KITPUBLIC")["ResourceRecordSets"]
    (found,) = (each for each in listed if each["Name"] == "web.example.com.")
    assert (found["TTL"], found["ResourceRecords"]) == (30, [{"Value": cluster.sandbox.description["elastic_ip"]}])
