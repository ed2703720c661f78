"""One sandbox for all tests of a worker; each test gets it clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox, started

from .cluster import Cluster


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("sandbox"), nodes=3, tables=6) as running:
        yield running


@pytest.fixture
def cluster(sandbox: Sandbox) -> Iterator[Cluster]:
    cluster = Cluster(sandbox)
    cluster.clean()
    yield cluster
    cluster.clean()


@pytest.fixture(scope="module")
def large_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("large"), nodes=2, tables=120) as running:
        yield running


@pytest.fixture
def large_cluster(large_sandbox: Sandbox) -> Cluster:
    cluster = Cluster(large_sandbox, {"EC2_RESTORE_TIMEOUT": "60", "EC2_VERIFY_TIMEOUT": "30"})
    cluster.clean()
    return cluster
