"""What every test stands on: no network but loopback, no AWS configuration of whoever runs the tests."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from ec2kit.sandbox.client import started

from . import leaks
from .builders import ELASTIC_IP, Desk, a_desk, a_resource
from .layouts import run_folder
from .one_sandbox import NODES, TABLES, OneSandbox
from .patience import HANGS
from .slow import is_slow

for name, examples in (("ec2kit", 30), ("wide", 60), ("thorough", 3000)):
    hypothesis.settings.register_profile(
        name,
        deadline=None,
        max_examples=examples,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],  # which is a question of the machine
    )
hypothesis.settings.load_profile("ec2kit")  # --hypothesis-profile=wide or =thorough overrides it

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background so, and each process hands it on to its children: no sh among the
    # scripts could trap it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

MEMORY = "/dev/shm"


def _is_roomy(place: str) -> bool:
    """Tell whether a folder can be written, has room for all that tests leave, and lets scripts be run."""
    if not os.access(place, os.W_OK):
        return False
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize >= 1 << 30 and not disk.f_flag & os.ST_NOEXEC


if _is_roomy(MEMORY):  # all that the kit writes is synced, and a disk takes its time for that
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

_NO_METADATA = "http://127.0.0.1:9"  # nobody listens there

# Between two tests, too: a thread that a test gave up may ask only then.
os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = _NO_METADATA

Counted = Callable[[str], None]

_PREFIXES = (
    "AWS_",
    "EC2",
    "AWSCLI_",
    "LKROOT",
    "LKSYSLOGSELECTOR",
    "LKCHECKINTERVAL",
    "NOBCASTPING",
    "RESRVRECTIMEOUT",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--debian", choices=("12", "13"), default="12", help="the release whose programs the labs run")


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # AF_UNIX and the like stay on this machine
    if address[0] == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuses connections to other machines, and fails the test that tried one."""
    strayed: list[object] = []

    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if not _is_loopback(address):
                strayed.append(address)
                raise ConnectionRefusedError(f"a test may not connect to {address!r}")
            return original(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(name))
    yield
    assert not strayed, f"a test may connect to loopback only: {strayed}"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Clears AWS_*, EC2*, EC2KIT_*, LifeKeeper's names and proxies, and keeps the SDK off files and the real IMDS.

    Whoever runs the tests is spoken to in English.
    """
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", _NO_METADATA)


@pytest.fixture(scope="session", autouse=True)
def no_secret_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Looks through all that the tests left on disk, logs, state, journals: the sandbox's secrets are nowhere."""
    yield
    leaks.must_not_be_left_in(tmp_path_factory.getbasetemp())


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Says in the end, after all tests, what a test has counted."""
    return lambda text: record_property("counted", text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the slow tests, unless a module is named: whoever works on one runs all of it."""
    if not any(".py" in each for each in config.args):
        for item in items:
            if is_slow(item.nodeid):
                item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed")
    lines = sorted(str(text) for each in reports for name, text in each.user_properties if name == "counted")
    if lines:
        terminalreporter.section("counted")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneSandbox]:
    """The sandbox for all tests of a worker; each of them resets it, with as many tables as it needs."""
    folder = tmp_path_factory.mktemp("sandbox") / "with space"
    with started(folder, nodes=NODES, tables=TABLES, within=HANGS):
        yield OneSandbox(folder, run_folder(tmp_path_factory) / "layouts")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Static credentials that open nothing."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Server-a of a route table resource of three servers, with folders of its own and a pretended EC2."""
    return a_desk(tmp_path, a_resource())


@pytest.fixture
def eip_desk(tmp_path: Path) -> Desk:
    """Server-a of an Elastic IP resource of three servers, with a link that is up."""
    return a_desk(tmp_path / "eip", a_resource(ELASTIC_IP))
