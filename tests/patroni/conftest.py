"""Two members whose Patroni says what a test lets it say, on servers that all tests of a worker share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ..actions.cluster import Cluster
from ..one_sandbox import OneSandbox
from .member import Member


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return cluster


@pytest.fixture
def node2(cluster: Cluster) -> Iterator[Member]:
    """A member on node2, with a virtual IP that is in service on node1."""
    with ExitStack() as stack:
        yield Member(cluster.with_resource(), "node2", stack)
