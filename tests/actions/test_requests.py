"""How many requests an action costs: as few as the answer needs, whatever the number of tables."""

from __future__ import annotations

import pytest

from .cluster import EIP_TAG, VIP_TAG, Cluster

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
    cluster.sandbox.fault("delay", seconds=1.0, server="node2", operation="ReplaceRoute")
    assert cluster.act("node2", "restore").status == 0
    assert [call["operation"] for call in cluster.sandbox.calls()[before:]][-1] == LOOK


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


def test_restores_of_one_server_take_their_writes_from_one_bucket(cluster: Cluster) -> None:
    """What one restore took of the burst, the next one of another resource has to wait for."""
    cluster.with_resource().with_resource(EIP_TAG)
    bucket = {"EC2_WRITE_BURST": "6", "EC2_WRITE_RATE": "0.001"}
    assert cluster.act("node2", "restore", **bucket).status == 0
    before = len(cluster.writes("node2"))
    late = cluster.act("node2", "restore", EIP_TAG, **bucket, EC2_RESTORE_TIMEOUT="3")
    assert late.status == 1
    assert len(cluster.writes("node2")) == before
    assert cluster.address_holder() == "node1"
