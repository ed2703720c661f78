"""What the agents move, on servers that all tests of a worker share; each test gets them clean."""

from __future__ import annotations

import pytest

from ..actions.cluster import Cluster
from ..one_sandbox import OneSandbox
from .resource import ElasticIp, VirtualIp


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return cluster


@pytest.fixture
def vip(cluster: Cluster) -> VirtualIp:
    """A virtual IP that runs nowhere; its routes point at node1."""
    return VirtualIp(cluster)


@pytest.fixture
def eip(cluster: Cluster) -> ElasticIp:
    """An Elastic IP that runs nowhere and is associated with nothing."""
    return ElasticIp(cluster)
