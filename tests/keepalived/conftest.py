"""The pipe of keepalived, on servers that all tests of a worker share; each test gets them clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..actions.cluster import Cluster
from ..one_sandbox import OneSandbox
from .pipe import Pipe


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return cluster


@pytest.fixture
def pipe(cluster: Cluster) -> Iterator[Pipe]:
    """The program of node2's pipe, with a virtual IP that is in service on node1."""
    pipe = Pipe(cluster.with_resource(), "node2")
    yield pipe
    pipe.end()
