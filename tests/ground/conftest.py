"""One root with the network programs for all tests of the folder; why they are skipped; the table of results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cluster.needed import why_not
from ..debian.root import Root, built
from .report import Report
from .server import BOOKWORM, TRIXIE, Server, laid

_NEEDED = ("ip", "unshare", "nsenter", "chroot", "sysctl", "apt-get")
INIT = Path(__file__).parent / "init.sh"
RELEASES = {"12": BOOKWORM, "13": TRIXIE}
_reports = pytest.StashKey[Report]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/ground/" in str(item.path):
            item.add_marker(pytest.mark.ground)


@pytest.fixture(scope="session")
def root(request: pytest.FixtureRequest) -> Iterator[Root]:
    """Skipped where there can be none, but never in CI."""
    release = RELEASES[request.config.getoption("--debian")]
    reason = why_not((*_NEEDED, *(("debootstrap",) if release.name else ()))).replace("cluster-setup", "ground-setup")
    if reason:
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with built(release, INIT) as made:
        yield made


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
