"""The kit as pip installs it, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel of this checkout; the SDK is lent by the environment of the tests."""
    place = tmp_path_factory.mktemp("install")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, ROOT], check=True)
    prefix = place / "opt ec2kit"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    (wheel,) = place.glob("*.whl")
    subprocess.run([*pip, "--python", prefix / "bin" / "python", "install", "--no-deps", wheel], check=True)
    (site,) = (prefix / "lib").glob("python3.*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return prefix
