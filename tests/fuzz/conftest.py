"""What the fuzz tests of whole actions share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ec2kit.registry.local import LocalRegistry

from ..builders import a_device, a_resource
from .forked import Forked, forked


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """A server with a resource, whose actions run in a process that was loaded before, or with its environment."""
    with forked(tmp_path_factory.mktemp("server")) as running:
        a_device(running.folder / "net", "eth1")
        LocalRegistry(f"{running.folder}/state", server="server-a").store(a_resource())
        yield running
