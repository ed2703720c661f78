"""One sandbox for all tests of a worker; each test gets it clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox, started

from ..actions.cluster import Cluster
from .resource import ElasticIp, VirtualIp


@pytest.fixture(scope="session")
def ocf_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("ocf"), nodes=2, tables=3) as running:
        yield running


@pytest.fixture
def cluster(ocf_sandbox: Sandbox) -> Iterator[Cluster]:
    cluster = Cluster(ocf_sandbox)
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
