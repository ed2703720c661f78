"""The cluster of the action scripts; each test gets it clean, and with as many tables as it wants."""

from __future__ import annotations

import pytest

from ..one_sandbox import OneSandbox
from .cluster import Cluster


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox)
    cluster.clean()
    return cluster


@pytest.fixture
def fifty_tables(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=50)
    cluster.clean()
    return cluster


@pytest.fixture
def large_cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, {"EC2_VERIFY_TIMEOUT": "60"}, size=120)
    cluster.clean()
    return cluster
