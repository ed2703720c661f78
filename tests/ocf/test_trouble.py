"""When nothing can be known: monitor is a success in time where the resource runs, and never a failure."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ..actions.cluster import ACTIONS, with_descriptors
from .resource import ERR_GENERIC, ERR_INSTALLED, NOT_RUNNING, SUCCESS, VirtualIp, ended, kill, variables


@pytest.fixture
def running(vip: VirtualIp) -> VirtualIp:
    """The virtual IP, started on node2."""
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    return vip


AWS_IS_SILENT = [
    pytest.param({"effect": "silent"}, id="silent"),
    pytest.param({"effect": "refuse"}, id="refusing"),
    pytest.param({"effect": "drip"}, id="dripping"),
    pytest.param({"effect": "garble"}, id="garbling"),
    pytest.param({"effect": "throttle"}, id="throttled"),
    pytest.param({"effect": "error"}, id="http-500"),
    pytest.param({"effect": "deny"}, id="permission"),
    pytest.param({"effect": "silent", "service": "imds"}, id="imds-silent"),
    pytest.param({"effect": "no-role", "service": "imds"}, id="no-role"),
]


@pytest.mark.parametrize("fault", AWS_IS_SILENT)
def test_monitor_in_trouble_is_a_success_before_pacemaker_would_kill_it(
    running: VirtualIp, fault: dict[str, str]
) -> None:
    """The operation's own time-out is kept, whatever hangs; the reason is told."""
    running.cluster.sandbox.fault(server="node2", **fault)  # type: ignore[arg-type]
    done = running.run("node2", "monitor", {"timeout": 5_000, "interval": 10_000})
    assert done.status == SUCCESS, done.stderr
    assert "WARN: 10.1.0.10 cannot be judged, taken as in service (no. 1 in a row" in done.stderr


def test_monitor_in_trouble_counts_and_tells_when_it_is_over(running: VirtualIp) -> None:
    """How often in a row and for how long is told each time, the first answer once."""
    running.cluster.sandbox.fault("deny", server="node2")
    assert "no. 1 in a row" in running.monitor("node2").stderr
    assert "no. 2 in a row" in running.monitor("node2").stderr
    running.cluster.sandbox.clear()
    running.monitor("node2")
    running.monitor("node2")
    assert running.cluster.log("node2").count("EC2 answers again, after 2 check") == 1


@pytest.mark.parametrize("fault", AWS_IS_SILENT)
def test_start_in_trouble_fails_in_time_and_leaves_no_address(vip: VirtualIp, fault: dict[str, str]) -> None:
    """A start that cannot be done says why, before Pacemaker would kill it."""
    vip.cluster.sandbox.fault(server="node2", **fault)  # type: ignore[arg-type]
    done = vip.run("node2", "start", {"timeout": 5_000})
    assert done.status == ERR_GENERIC
    assert "ocf-exit-reason:" in done.stderr
    assert not vip.is_on("node2")
    assert vip.cluster.holders() == ["node1"] * 3


def test_start_goes_on_when_the_api_comes_back(vip: VirtualIp) -> None:
    """A start that meets a dead API ends well as soon as it lives again."""
    vip.cluster.sandbox.fault("refuse", server="node2", lasts=2)
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert vip.cluster.holders() == ["node2"] * 3


@pytest.mark.parametrize("effect", ["refuse", "error"])
def test_start_goes_on_when_imds_comes_back(vip: VirtualIp, effect: str) -> None:
    """The first start in a boot asks where it is; one that failed at once would ban the only server left."""
    vip.cluster.sandbox.fault(effect, server="node2", service="imds", lasts=2)
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert vip.cluster.holders() == ["node2"] * 3


def test_start_without_imds_ends_in_time_with_its_reason(vip: VirtualIp) -> None:
    """It is the reason that crm_mon shows, not that time ran out."""
    vip.cluster.sandbox.fault("refuse", server="node2", service="imds")
    done = vip.run("node2", "start", {"timeout": 5_000})
    assert done.status == ERR_GENERIC
    assert "ocf-exit-reason:no usable answer from the instance metadata service" in done.stderr
    assert not vip.is_on("node2")


def test_tunable_shorter_than_the_operation_s_time_counts(running: VirtualIp) -> None:
    """The nearer of the two deadlines holds."""
    running.cluster.sandbox.fault("silent", server="node2")
    process = running.begin("node2", "monitor", {"timeout": 60_000}, EC2_QUICKCHECK_TIMEOUT="1")
    assert ended(process, within=10).status == SUCCESS


# -- a Python that is missing or dies ----------------------------------------------------------------------------


@pytest.fixture(params=["missing", "dying"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Agents whose Python is missing, or dies with 1 as Python does."""
    shutil.copytree(ACTIONS, tmp_path / "kit" / "actions")
    if request.param == "dying":
        bin_ = tmp_path / "kit" / ".venv" / "bin"
        bin_.mkdir(parents=True)
        for name in ("ec2kit", "python"):
            (bin_ / name).write_text("#!/bin/sh\nexit 1\n")
            (bin_ / name).chmod(0o755)
    return tmp_path / "kit" / "actions" / "ocf" / "route-table", str(request.param)


def without_python(kit: tuple[Path, str], vip: VirtualIp, server: str, operation: str) -> int:
    done = subprocess.run(
        [kit[0], operation],
        env={**vip.cluster.environment(server), **variables(vip.name, vip.parameters, interval=10_000)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "says nothing about the resource" in done.stderr
    return done.returncode


def test_without_python_monitor_goes_by_what_start_and_stop_wrote(kit: tuple[Path, str], running: VirtualIp) -> None:
    """A broken installation is no failure of what runs, and does not make run what does not."""
    elsewhere = ERR_INSTALLED if kit[1] == "missing" else NOT_RUNNING
    assert without_python(kit, running, "node2", "monitor") == SUCCESS
    assert without_python(kit, running, "node1", "monitor") == elsewhere
    assert running.stop("node2").status == SUCCESS
    assert without_python(kit, running, "node2", "monitor") == elsewhere


def test_without_python_stop_does_not_claim_what_it_did_not_do(kit: tuple[Path, str], running: VirtualIp) -> None:
    """Where a start began, nobody took the address off; where none did, there is nothing to stop."""
    assert without_python(kit, running, "node2", "stop") == ERR_GENERIC
    assert without_python(kit, running, "node1", "stop") == SUCCESS


def test_without_python_an_address_on_the_interface_counts(kit: tuple[Path, str], vip: VirtualIp) -> None:
    """Whoever put it there, and whatever was written down: it runs, and stop does not claim that it is stopped."""
    vip.put_on("node2")
    assert without_python(kit, vip, "node2", "monitor") == SUCCESS
    assert without_python(kit, vip, "node2", "stop") == ERR_GENERIC
    vip.given(manage_address="false")  # then it is another resource's
    assert without_python(kit, vip, "node2", "stop") == SUCCESS


def test_without_python_a_name_with_a_colon_is_found(kit: tuple[Path, str], vip: VirtualIp) -> None:
    """So are the instances of a unique clone called, and what is in a bundle."""
    vip.name = "vip:0"
    vip.given(manage_address="false")
    assert vip.start("node2").status == SUCCESS
    assert without_python(kit, vip, "node2", "monitor") == SUCCESS
    assert without_python(kit, vip, "node2", "stop") == ERR_GENERIC


def test_without_python_a_name_that_the_script_cannot_spell_claims_nothing(
    kit: tuple[Path, str], vip: VirtualIp
) -> None:
    """It does not know what was written down."""
    vip.name = "vip-é"
    assert without_python(kit, vip, "node2", "stop") == ERR_GENERIC


def test_without_python_start_fails(kit: tuple[Path, str], vip: VirtualIp) -> None:
    """A server without ec2kit is not tried again."""
    assert without_python(kit, vip, "node1", "start") == (ERR_INSTALLED if kit[1] == "missing" else ERR_GENERIC)


# -- a shell that gives up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("free", [1, 2, 3])
@pytest.mark.parametrize("operation", ["monitor", "stop", "start"])
def test_without_file_descriptors_nothing_is_claimed(running: VirtualIp, operation: str, free: int) -> None:
    """A shell that cannot make a pipe, and cannot look what was written down, knows neither yes nor no."""
    for server in ("node1", "node2"):
        done = subprocess.run(
            with_descriptors(free, str(ACTIONS / "ocf" / "route-table"), operation),
            env={**running.cluster.environment(server), **variables(running.name, running.parameters)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == ERR_GENERIC, done.stderr


# -- signals --------------------------------------------------------------------------------------------------------


def test_monitor_ended_by_a_signal_is_a_success_where_it_runs(running: VirtualIp) -> None:
    """A signal is no verdict."""
    running.cluster.sandbox.fault("silent", server="node2")
    process = running.begin("node2", "monitor", {"timeout": 20_000, "interval": 10_000})
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert ended(process, within=10).status == SUCCESS


def test_start_ended_by_a_signal_leaves_no_address(vip: VirtualIp) -> None:
    """Who is told to end cleans up first."""
    vip.cluster.sandbox.fault("silent", server="node2")
    process = vip.begin("node2", "start", {"timeout": 20_000})
    time.sleep(1)
    kill(process, signal.SIGTERM)
    assert ended(process, within=10).status == ERR_GENERIC
    assert not vip.is_on("node2")


def test_operation_whose_log_hangs_ends_in_time(running: VirtualIp, tmp_path: Path) -> None:
    """Whatever hangs where no network is, monitor ends with what start and stop wrote down."""
    os.mkfifo(tmp_path / "log")
    meta: dict[str, int | str] = {"timeout": 4_000, "interval": 10_000}
    assert running.run("node2", "monitor", meta, EC2KIT_LOG_FILE=str(tmp_path / "log")).status == SUCCESS
