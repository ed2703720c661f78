"""The lab for all tests of the folder, one after the other; why it is skipped; and the table of cases in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ..debian.root import Root
from ..debian.root import built as root_built
from .lab import Lab, built
from .needed import BUILDING, CLUSTER, KEEPALIVED, OUTSIDE, RELEASES, why_not
from .node import INIT
from .report import Report
from .vrrp import Pair, laid
from .weather import FINE, Weather

_reports = pytest.StashKey[Report]()
_labs = pytest.StashKey[list[Lab]]()


def require(needed: tuple[str, ...]) -> None:
    """Skip where these programs cannot do their work, but never in CI."""
    reason = why_not(needed)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    if not os.environ["PATH"].endswith(":/usr/sbin:/sbin"):
        os.environ["PATH"] += ":/usr/sbin:/sbin"


@pytest.fixture(scope="module")
def laid_pair(root: Root | None) -> Iterator[Pair]:
    require(KEEPALIVED if root is None else ())
    with laid(root) as pair:
        yield pair


@pytest.fixture
def pair(laid_pair: Pair) -> Iterator[Pair]:
    """Two servers with keepalived: node1 is MASTER and has the routes, node2 is BACKUP."""
    try:
        laid_pair.begin()
        yield laid_pair
    finally:
        laid_pair.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/cluster/" in str(item.path):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def root(request: pytest.FixtureRequest) -> Iterator[Root | None]:
    """What the nodes boot from: with --debian another release of Debian; None: this machine's own root."""
    release = RELEASES[request.config.getoption("--debian")]
    if release is None:
        yield None
        return
    require(BUILDING)
    with root_built(release, INIT) as made:
        yield made


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A running cluster; skipped where there can be none, but never in CI."""
    with running(request) as built_lab:
        yield built_lab


@contextmanager
def running(request: pytest.FixtureRequest, weather: Weather = FINE) -> Iterator[Lab]:
    """A cluster in some weather; a test that fails tells its story, and in the end Pacemaker has asserted nothing."""
    root = request.getfixturevalue("root")
    require(CLUSTER if root is None else OUTSIDE)
    with built(weather=weather, root=root) as lab:
        labs = request.config.stash.setdefault(_labs, [])
        labs.append(lab)
        yield lab
        labs.remove(lab)
        assert not lab.assertions()


@pytest.fixture
def cluster(lab: Lab) -> Lab:
    """The cluster with both nodes online, the group running, nothing failed and nothing to do."""
    lab.settle()
    return lab


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Where a case notes what its client felt."""
    return request.config.stash.setdefault(_reports, Report())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A case that fails shows what the cluster says of it."""
    report = yield
    labs = item.config.stash.get(_labs, [])
    if report.failed and report.when != "teardown" and labs:  # in the end there is none to ask
        report.sections.append(("the cluster", labs[-1].story()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_reports, None)
    if found is not None:
        terminalreporter.section("cluster cases")
        terminalreporter.write_line(found.table())
