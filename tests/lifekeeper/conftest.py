"""The sandbox's three servers with LifeKeeper's stand-in on each; each test gets them clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..one_sandbox import OneSandbox
from .kit import Kit
from .world import World


@pytest.fixture
def world(one_sandbox: OneSandbox) -> Iterator[World]:
    world = World(one_sandbox, size=3)
    world.clean()
    yield world
    world.stop()


@pytest.fixture
def kit(one_sandbox: OneSandbox) -> Iterator[Kit]:
    """The same with the kit installed on all servers."""
    kit = Kit(one_sandbox, size=3)
    kit.clean()
    kit.install()
    yield kit
    kit.stop()
