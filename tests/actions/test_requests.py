"""How many requests an action costs: as few as the answer needs, whatever the number of tables."""

from __future__ import annotations

import pytest

from .cluster import EIP_TAG, VIP_TAG, Cluster, finished, until

LOOK, ADDRESSES, INTERFACE = "DescribeRouteTables", "DescribeAddresses", "DescribeNetworkInterfaces"

CREDENTIALS = ["/latest/api/token", "/latest/meta-data/iam/security-credentials/"]
"""What a process asks of IMDS: a token, the role's name, and then its credentials."""


def _asked(cluster: Cluster, server: str, action: str, tag: str, **settings: str) -> list[str]:
    """The operations that an action called, sorted; its requests to IMDS are those for credentials and no more."""
    calls, imds = len(cluster.sandbox.calls()), len(cluster.sandbox.imds_calls())
    cluster.act(server, action, tag, **settings)
    asked = sorted(str(call["operation"]) for call in cluster.sandbox.calls()[calls:])
    paths = [str(call["path"]) for call in cluster.sandbox.imds_calls()[imds:]]
    assert paths[:2] == (CREDENTIALS if asked else [])
    assert len(paths) == (3 if asked else 0)
    return asked


@pytest.mark.parametrize(("tag", "look"), [(VIP_TAG, LOOK), (EIP_TAG, ADDRESSES)])
def test_quick_check_in_service_asks_once(cluster: Cluster, tag: str, look: str) -> None:
    """One look answers for all tables."""
    cluster.with_resource(tag)
    assert _asked(cluster, "node1", "quickCheck", tag) == [look]


@pytest.mark.parametrize(("tag", "look"), [(VIP_TAG, LOOK), (EIP_TAG, ADDRESSES)])
def test_quick_check_out_of_service_asks_twice(cluster: Cluster, tag: str, look: str) -> None:
    """A no is looked at once more, and that is all."""
    cluster.with_resource(tag)
    assert _asked(cluster, "node2", "quickCheck", tag) == [look] * 2


def test_restore_asks_before_and_after_its_writes_and_for_its_own_eni(cluster: Cluster) -> None:
    """Look, one write a table, look; and the source/destination check of the ENI."""
    cluster.with_resource()
    assert _asked(cluster, "node2", "restore", VIP_TAG) == [INTERFACE, LOOK, LOOK, *["ReplaceRoute"] * 6]


def test_restore_looks_at_the_eni_while_it_writes(cluster: Cluster) -> None:
    """The look that makes no difference to the result adds nothing to the time until it is known."""
    cluster.with_resource()
    before = len(cluster.sandbox.calls())
    writes = cluster.sandbox.fault("silent", server="node2", operation="ReplaceRoute")
    running = cluster.start("node2", "restore", "-t", VIP_TAG, AWSCLI_READ_TIMEOUT="240")
    until(lambda: cluster.asked("node2", INTERFACE))
    cluster.sandbox.clear(writes)
    assert finished(running).status == 0
    assert [call["operation"] for call in cluster.sandbox.calls()[before:]][-1] == LOOK


@pytest.mark.parametrize(
    ("tag", "look", "writes"),
    [(VIP_TAG, LOOK, ["ReplaceRoute"] * 6), (EIP_TAG, ADDRESSES, ["AssociateAddress"])],
)
def test_restore_of_what_came_back_writes_while_its_first_look_is_not_answered(
    cluster: Cluster, tag: str, look: str, writes: list[str]
) -> None:
    """A server that had the address in this boot does not wait for EC2 to say where the address is now."""
    cluster.with_resource(tag)
    cluster.act("node1", "remove", tag)
    cluster.act("node2", "restore", tag)
    before = len(cluster.sandbox.calls())
    first = cluster.sandbox.fault("silent", server="node1", operation=look, count=1)
    running = cluster.start("node1", "restore", "-t", tag, AWSCLI_READ_TIMEOUT="240")
    until(lambda: [call["operation"] for call in cluster.sandbox.calls()[before:]].count(writes[0]) == len(writes))
    cluster.sandbox.clear(first)
    assert finished(running).status == 0
    asked = [str(call["operation"]) for call in cluster.sandbox.calls()[before:] if call["operation"] != INTERFACE]
    assert asked == [*writes, look, look]


def test_restore_of_what_came_back_looks_first_if_told_so(cluster: Cluster) -> None:
    """EC2_WRITE_BESIDE_LOOK=0."""
    cluster.with_resource()
    cluster.act("node1", "remove")
    cluster.act("node2", "restore")
    before = len(cluster.sandbox.calls())
    assert cluster.act("node1", "restore", EC2_WRITE_BESIDE_LOOK="0").status == 0
    asked = [str(call["operation"]) for call in cluster.sandbox.calls()[before:] if call["operation"] != INTERFACE]
    assert asked == [LOOK, *["ReplaceRoute"] * 6, LOOK]


def test_restore_where_all_is_right_looks_once(cluster: Cluster) -> None:
    """Nothing to do costs one look, and one at the ENI."""
    cluster.with_resource()
    assert _asked(cluster, "node1", "restore", VIP_TAG) == [INTERFACE, LOOK]


def test_restore_of_an_elastic_ip_asks_three_times(cluster: Cluster) -> None:
    """Look, associate, look."""
    cluster.with_resource(EIP_TAG)
    assert _asked(cluster, "node2", "restore", EIP_TAG) == ["AssociateAddress", ADDRESSES, ADDRESSES]


def test_remove_of_an_elastic_ip_asks_three_times(cluster: Cluster) -> None:
    """Look, disassociate, look."""
    cluster.with_resource(EIP_TAG)
    assert _asked(cluster, "node1", "remove", EIP_TAG) == [ADDRESSES, ADDRESSES, "DisassociateAddress"]


def test_remove_of_a_route_asks_nobody(cluster: Cluster) -> None:
    """Neither EC2 nor IMDS."""
    cluster.with_resource()
    assert _asked(cluster, "node1", "remove", VIP_TAG) == []


ONCE = {"EC2_WRITE_BURST": "6", "EC2_WRITE_RATE": "0.001"}
"""Buckets that hold the writes of one restore, and practically never fill again."""


def test_restores_of_one_server_take_their_writes_from_one_bucket_an_operation(cluster: Cluster) -> None:
    """What one restore took of the burst, the next one has to wait for, unless it calls another operation of EC2."""
    cluster.with_resource().with_resource(EIP_TAG)
    assert cluster.act("node2", "restore", **ONCE).status == 0
    cluster.point(cluster.tables[0], cluster.eni("node1"))
    before = len(cluster.writes("node2"))
    late = cluster.act("node2", "restore", **ONCE, EC2_RESTORE_TIMEOUT="3")
    assert late.status == 1
    assert cluster.writes("node2")[before:] == []
    assert cluster.act("node2", "restore", EIP_TAG, **ONCE).status == 0
    assert cluster.address_holder() == "node2"


def test_remove_of_an_elastic_ip_waits_for_no_token(cluster: Cluster) -> None:
    """Where nothing is left in the bucket, remove goes at once, and leaves the pace to EC2."""
    cluster.with_resource(EIP_TAG)
    for _ in range(2):
        cluster.associate("node1")
        assert cluster.act("node1", "remove", EIP_TAG, EC2_WRITE_BURST="1", EC2_WRITE_RATE="0.001").status == 0
        assert cluster.address_holder() is None
