"""An instance with its metadata service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.settings import Settings

from ..builders import a_device
from ..scripted_server import scripted
from .service import ITEMS, MAC, at, imds


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Settings]:
    """An instance with eth1, the ENI eni-a, and lo."""
    a_device(tmp_path / "net", "eth1", address=MAC)
    a_device(tmp_path / "net", "lo", address="00:00:00:00:00:00")
    with scripted(imds(ITEMS)) as server:
        yield at(server, tmp_path)
