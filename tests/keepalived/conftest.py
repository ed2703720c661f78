"""One sandbox for all tests of a worker; each test gets it clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox, started

from ..actions.cluster import Cluster
from .pipe import Pipe


@pytest.fixture(scope="session")
def keepalived_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("keepalived"), nodes=2, tables=3) as running:
        yield running


@pytest.fixture
def cluster(keepalived_sandbox: Sandbox) -> Iterator[Cluster]:
    cluster = Cluster(keepalived_sandbox)
    cluster.clean()
    yield cluster
    cluster.clean()


@pytest.fixture
def pipe(cluster: Cluster) -> Iterator[Pipe]:
    """The program of node2's pipe, with a virtual IP that is in service on node1."""
    pipe = Pipe(cluster.with_resource(), "node2")
    yield pipe
    pipe.end()
