"""What the agents move, on two servers that all tests of a worker share; each test gets them clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox

from ..actions.cluster import Cluster
from .resource import ElasticIp, VirtualIp


@pytest.fixture
def cluster(pair: Sandbox) -> Iterator[Cluster]:
    cluster = Cluster(pair)
    cluster.clean()
    yield cluster
    cluster.clean()


@pytest.fixture
def vip(cluster: Cluster) -> Iterator[VirtualIp]:
    """A virtual IP that runs nowhere; its routes point at node1."""
    vip = VirtualIp(cluster)
    yield vip
    vip.clean()


@pytest.fixture
def eip(cluster: Cluster) -> ElasticIp:
    """An Elastic IP that runs nowhere and is associated with nothing."""
    return ElasticIp(cluster)
