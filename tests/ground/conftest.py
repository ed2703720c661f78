"""One root with the network programs for all tests of the folder; why they are skipped; the table of results."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cluster.needed import why_not
from .report import Report
from .server import BOOKWORM, TRIXIE, Root, Server, laid

_NEEDED = ("ip", "unshare", "nsenter", "chroot", "sysctl", "apt-get")
ROOT = Path(__file__).parents[2]
RELEASES = {"12": BOOKWORM, "13": TRIXIE}
_reports = pytest.StashKey[Report]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/ground/" in str(item.path):
            item.add_marker(pytest.mark.ground)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--debian", choices=RELEASES, default="12", help="the release whose programs are run")


@pytest.fixture(scope="session")
def root(request: pytest.FixtureRequest) -> Iterator[Root]:
    """Skipped where there can be none, but never in CI."""
    release = RELEASES[request.config.getoption("--debian", "12")]
    reason = why_not((*_NEEDED, *(("debootstrap",) if release.name else ()))).replace("cluster-setup", "ground-setup")
    if reason:
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="ec2kit-ground-root-", dir="/var/tmp"))
    try:
        with tempfile.TemporaryDirectory() as built:
            made = Root(folder, release, _wheel(built) if release.name else None)
        yield made
        made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wheel(folder: str) -> Path:
    """The kit of this checkout, built outside of the root, where there is no network."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(ROOT)]
    subprocess.run(command, check=True, timeout=300)
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


@pytest.fixture
def server(root: Root) -> Iterator[Server]:
    """A server that is booted, with two ENIs and without a network configuration."""
    with laid(root) as booted:
        yield booted


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    return request.config.stash.setdefault(_reports, Report())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_reports, None)
    if found is not None:
        terminalreporter.section("what the network programs did")
        terminalreporter.write_line(found.table())
