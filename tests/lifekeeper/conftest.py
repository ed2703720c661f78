"""One sandbox of three servers for all tests of a worker, LifeKeeper's stand-in on each; each test gets it clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.sandbox.client import Sandbox, started

from .kit import Kit
from .world import World


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("lifekeeper"), nodes=3, tables=3) as running:
        yield running


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    world = World(sandbox)
    world.clean()
    yield world
    world.stop()


@pytest.fixture
def kit(sandbox: Sandbox) -> Iterator[Kit]:
    """The same with the kit installed on all servers."""
    kit = Kit(sandbox)
    kit.clean()
    kit.install()
    yield kit
    kit.stop()
