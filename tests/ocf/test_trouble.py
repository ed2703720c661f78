"""When nothing can be known: monitor is a success in time where the resource runs, and never a failure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..actions.cluster import ACTIONS, Done, crowded, given_time, until, with_descriptors
from ..inherited import STREAMS, begun, status_of
from ..inherited import ended as status_at_the_end
from ..patience import HANGS, Stalls
from .resource import (
    ERR_CONFIGURED,
    ERR_GENERIC,
    ERR_INSTALLED,
    LONG,
    NOT_RUNNING,
    SUCCESS,
    VirtualIp,
    brief,
    ended,
    kill,
    variables,
)


@pytest.fixture
def running(vip: VirtualIp) -> VirtualIp:
    """The virtual IP, started on node2."""
    vip.started("node2")
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
def test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them(
    running: VirtualIp, fault: dict[str, str]
) -> None:
    """The operation's own time-out is kept, whatever hangs, and the reason is told; a start leaves no address."""
    running.cluster.sandbox.fault(**fault)  # type: ignore[arg-type]

    def operated(seconds: float) -> tuple[Done, Done]:
        running.started("node2")
        began, stalls = time.monotonic(), Stalls()
        starting = running.begin("node1", "start", {"timeout": round(seconds * 1000)})
        monitored = running.run("node2", "monitor", {"timeout": round(seconds * 1000), "interval": 10_000})
        return monitored, ended(starting, within=began + seconds - time.monotonic(), stalls=stalls)

    def have_told(done: tuple[Done, Done]) -> bool:
        return "cannot be judged" in done[0].stderr and "ocf-exit-reason:" in done[1].stderr

    monitored, started = given_time(operated, have_told, seconds=5)
    assert monitored.status == SUCCESS, monitored.stderr
    assert "WARN: 10.1.0.10 cannot be judged, taken as in service (no. 1 in a row" in monitored.stderr
    assert started.status == ERR_GENERIC
    assert "ocf-exit-reason:" in started.stderr
    assert not running.is_on("node1")
    assert running.cluster.holders() == ["node2"] * 3


def test_monitor_in_trouble_counts_and_tells_when_it_is_over(running: VirtualIp) -> None:
    """How often in a row and for how long is told each time, the first answer once."""
    running.cluster.sandbox.fault("deny", server="node2")
    assert "no. 1 in a row" in running.monitor("node2").stderr
    assert "no. 2 in a row" in running.monitor("node2").stderr
    running.cluster.sandbox.clear()
    running.monitor("node2")
    running.monitor("node2")
    assert running.cluster.log("node2").count("EC2 answers again, after 2 check") == 1


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
    told = "ocf-exit-reason:no usable answer from the instance metadata service"
    done = given_time(
        lambda seconds: vip.run("node2", "start", {"timeout": round(seconds * 1000)}),
        lambda done: told in done.stderr,
        seconds=5,
    )
    assert done.status == ERR_GENERIC
    assert told in done.stderr
    assert not vip.is_on("node2")


def test_tunable_shorter_than_the_operation_s_time_counts(running: VirtualIp) -> None:
    """The nearer of the two deadlines holds."""
    running.cluster.sandbox.fault("silent", server="node2")
    process = running.begin("node2", "monitor", {"timeout": 1_000_000}, EC2_QUICKCHECK_TIMEOUT="1")
    assert ended(process, within=HANGS).status == SUCCESS


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
    vip.take_off("node2")
    vip.put_on("node2", "lo")
    assert without_python(kit, vip, "node2", "stop") == SUCCESS
    vip.given(address_device="lo")
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


@pytest.mark.parametrize("line", ["EC2KIT_RUN_DIR={}", "  export EC2KIT_RUN_DIR='{}' # places"])
def test_without_python_the_run_folder_of_the_tunables_file_is_found(
    kit: tuple[Path, str], vip: VirtualIp, tmp_path: Path, line: str
) -> None:
    """The script looks where ec2kit has written."""
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "tunables").write_text(f"EC2KIT_RUN_DIR=/nowhere\n{line.format(tmp_path / 'run')}\n")
    vip.given(manage_address="false")
    vip.cluster.tunables.update(EC2KIT_RUN_DIR="", EC2KIT_DEFAULTS=str(tmp_path / "tunables"))
    started = vip.start("node2")
    assert started.status == SUCCESS
    assert "the agent's script looks in" not in started.stderr
    assert without_python(kit, vip, "node2", "monitor") == SUCCESS
    assert without_python(kit, vip, "node2", "stop") == ERR_GENERIC


def test_a_run_folder_that_the_script_does_not_find_is_warned_about(vip: VirtualIp, tmp_path: Path) -> None:
    """A monitor whose Python breaks would look elsewhere."""
    (tmp_path / "run").mkdir(mode=0o700)
    done = vip.run("node2", "validate-all", EC2KIT_RUN_DIR_vip=str(tmp_path / "run"))
    assert done.status == SUCCESS
    looked = vip.cluster.path("node2", "EC2KIT_RUN_DIR")
    assert f"the agent's script looks in {looked} for what start and stop have written" in done.stderr


def test_without_python_what_was_written_in_another_boot_does_not_count(
    kit: tuple[Path, str], running: VirtualIp
) -> None:
    """A folder that a boot does not empty says what was, not what is; a boot that cannot be read claims nothing."""
    running.given(manage_address="false")
    intention = running.cluster.path("node2", "EC2KIT_RUN_DIR") / f"{running.name}.intention.json"
    content = json.loads(intention.read_text())
    intention.write_text(json.dumps({**content, "boot": "11111111-2222-3333-4444-555555555555"}))
    elsewhere = ERR_INSTALLED if kit[1] == "missing" else NOT_RUNNING
    assert without_python(kit, running, "node2", "monitor") == elsewhere
    assert without_python(kit, running, "node2", "stop") == SUCCESS
    intention.write_text("{}")
    assert without_python(kit, running, "node2", "stop") == ERR_GENERIC


def test_a_name_with_more_characters_than_a_file_may_have_is_refused(kit: tuple[Path, str], vip: VirtualIp) -> None:
    """Cut, it could be another resource's; the script claims nothing of it."""
    vip.name = "vip" + "x" * 200
    done = vip.start("node2")
    assert done.status == ERR_CONFIGURED
    assert "more than 200 characters" in done.stderr
    assert without_python(kit, vip, "node2", "stop") == ERR_GENERIC
    vip.name = "vip" + "x" * 150
    vip.given(manage_address="false")
    assert vip.start("node2").status == SUCCESS
    assert without_python(kit, vip, "node2", "monitor") == SUCCESS


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
    look = running.cluster.sandbox.fault("silent", server="node2")
    process = running.begin("node2", "monitor", {"timeout": LONG, "interval": 10_000})
    until(lambda: running.cluster.met(look))
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert done.status == SUCCESS
    assert "stopped by signal" in running.cluster.log("node2")


def test_start_ended_by_a_signal_leaves_no_address(vip: VirtualIp) -> None:
    """Who is told to end cleans up first."""
    look = vip.cluster.sandbox.fault("silent", server="node2")
    process = vip.begin("node2", "start", {"timeout": LONG})
    until(lambda: vip.cluster.met(look))
    kill(process, signal.SIGTERM)
    done = ended(process)
    assert (done.status, "stopped by signal" in done.stderr) == (ERR_GENERIC, True), done.stderr
    assert not vip.is_on("node2")


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", ">&-", "full", "gone"])
def test_operations_whose_streams_are_closed_or_full_say_what_is_the_case(vip: VirtualIp, streams: str) -> None:
    """Pacemaker's own pipes are read; those of another caller need not be."""
    agent = str(ACTIONS / "ocf" / "route-table")
    meta = {"timeout": LONG, "interval": 10_000}
    environment = vip.cluster.environment("node2") | variables(vip.name, vip.parameters, **meta)
    wanted = [("start", SUCCESS), ("monitor", SUCCESS), ("stop", SUCCESS), ("monitor", NOT_RUNNING)]
    for operation, status in wanted:
        assert status_of([agent, operation], environment, streams=streams) == status, operation
    assert vip.cluster.holders() == ["node2"] * 3


def _operations_end_in_time_while_ec2_is_silent(vip: VirtualIp, streams: str) -> None:
    """monitor of what runs and stop are successes, start is a failure; each before Pacemaker would kill it."""
    agent, seconds = str(ACTIONS / "ocf" / "route-table"), crowded(4)
    vip.cluster.clean()
    vip.started("node2")
    vip.cluster.sandbox.fault("silent")
    wanted = [("node2", "monitor", SUCCESS), ("node1", "start", ERR_GENERIC), ("node3", "stop", SUCCESS)]
    meta: dict[str, object] = {"timeout": int(seconds * 1000), "interval": 10_000}
    began, stalls = time.monotonic(), Stalls()
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                begun(
                    [agent, operation],
                    vip.cluster.environment(server) | variables(vip.name, vip.parameters, **meta),
                    streams=streams,
                )
            )
            for server, operation, _ in wanted
        ]
        statuses = [status_at_the_end(each) for each in running]
        assert time.monotonic() - began <= seconds + 1 + stalls.seconds
    assert statuses == [status for *_, status in wanted], streams


def test_operations_whose_output_nobody_takes_end_in_time_while_ec2_is_silent(vip: VirtualIp) -> None:
    """A pipe without room."""
    _operations_end_in_time_while_ec2_is_silent(vip, "full")


@pytest.mark.slow
def test_operations_with_any_streams_end_in_time_while_ec2_is_silent(vip: VirtualIp) -> None:
    """Each stream closed, full, or read by nobody."""
    for streams in STREAMS:
        _operations_end_in_time_while_ec2_is_silent(vip, streams)


def test_operation_whose_log_hangs_is_not_held_up(running: VirtualIp, tmp_path: Path) -> None:
    """A monitor whose log nobody reads says what EC2 says."""
    os.mkfifo(tmp_path / "log")
    meta: dict[str, int | str] = {"timeout": brief(4), "interval": 10_000}
    assert running.run("node2", "monitor", meta, EC2KIT_LOG_FILE=str(tmp_path / "log")).status == SUCCESS
