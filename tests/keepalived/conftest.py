"""The pipe of keepalived, on two servers that all tests of a worker share; each test gets them clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox

from ..actions.cluster import Cluster
from .pipe import Pipe


@pytest.fixture
def cluster(pair: Sandbox) -> Iterator[Cluster]:
    cluster = Cluster(pair)
    cluster.clean()
    yield cluster
    cluster.clean()


@pytest.fixture
def pipe(cluster: Cluster) -> Iterator[Pipe]:
    """The program of node2's pipe, with a virtual IP that is in service on node1."""
    pipe = Pipe(cluster.with_resource(), "node2")
    yield pipe
    pipe.end()
