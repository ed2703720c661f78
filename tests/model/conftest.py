"""Where the model's servers keep their files: in memory where there is one, since each step syncs some."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def a_fast_folder() -> Iterator[Path]:
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(
        prefix="ec2kit-model-", dir=memory if os.access(memory, os.W_OK) else None
    ) as it:
        yield Path(it)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is gone after the test."""
    with a_fast_folder() as made:
        yield made
