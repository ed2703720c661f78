"""Both kinds of registry, on the sandbox that all tests of a worker share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..actions.cluster import Cluster
from ..lifekeeper.kit import Kit
from ..one_sandbox import OneSandbox
from .place import LifeKeeperPlace, Place


@pytest.fixture
def local(one_sandbox: OneSandbox) -> Place:
    return Place(Cluster(one_sandbox, size=3))


@pytest.fixture
def lifekeeper(one_sandbox: OneSandbox) -> Iterator[LifeKeeperPlace]:
    place = LifeKeeperPlace(Kit(one_sandbox, size=3))
    yield place
    place.cluster.stop()


@pytest.fixture(params=["local", "lifekeeper"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found
