"""When nothing can be known or done: quickCheck is 0 with the reason, restore fails truthfully, remove is 0."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from ec2kit.frameworks.edge import OVERDUE

from ..children import must_be_gone
from ..patience import Stalls
from ..resolver import Name, needs_root, resolving
from .cluster import (
    ACTIONS,
    DNS_TAG,
    EIP_TAG,
    KINDS,
    PATIENCE,
    ROLES_TAG,
    ROUTES,
    SILENCE,
    SIP_TAG,
    VIP_TAG,
    Cluster,
    Done,
    finished,
    given_time,
    in_a_hurry,
    standby,
    until,
    with_descriptors,
)

Settings = dict[str, str]
Fault = Callable[[Cluster, ExitStack, Path], Settings]

RESOLVER = "words before a command that give it a resolver of its own"


def _sandbox_fault(effect: str, **arguments: object) -> Fault:
    def fault(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
        cluster.sandbox.fault(effect, server="node1", **arguments)  # type: ignore[arg-type]
        return {}

    return fault


def _broken_registry(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    for path in (cluster.path("node1", "EC2KIT_STATE_DIR") / "resources").iterdir():
        path.write_text('{"version": 1, "tag": "ec2-')
    return {}


def _lost_registry(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    shutil.rmtree(cluster.path("node1", "EC2KIT_STATE_DIR"))
    return {}


@contextmanager
def _mounted(*mount: str, on: Path) -> Iterator[None]:
    subprocess.run(["mount", *mount, str(on)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(on)], check=True)


def _read_only_run_folder(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    run = cluster.path("node1", "EC2KIT_RUN_DIR")
    stack.enter_context(_mounted("--bind", str(run), on=run))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(run)], check=True)
    return {}


def _read_only_state_folder(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    states = cluster.path("node1", "EC2KIT_STATE_DIR") / "states"
    stack.enter_context(_mounted("--bind", str(states), on=states))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(states)], check=True)
    return {}


def full_disk(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    disk = tmp_path / "disk"
    disk.mkdir()
    stack.enter_context(_mounted("-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", on=disk))
    settings = {}
    for name in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR"):
        shutil.copytree(cluster.path("node1", name), disk / name)
        settings[name] = str(disk / name)
    settings["EC2KIT_LOG_FILE"] = str(disk / "log")
    with open(disk / "ballast", "wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    return settings


def _hanging_resolver(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    resolver = stack.enter_context(resolving({"ec2.sandbox.test": Name(seconds=float("inf"))}))
    return {"EC2_ENDPOINT_URL": "http://ec2.sandbox.test", RESOLVER: shlex.join(resolver.command())}


def _full_state_disk(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    settings = full_disk(cluster, stack, tmp_path)
    return {"EC2KIT_STATE_DIR": settings["EC2KIT_STATE_DIR"]}


AWS_IS_SILENT = [
    pytest.param(_sandbox_fault("refuse"), "Connection refused", id="endpoint refused"),
    pytest.param(_sandbox_fault("silent"), "none within", id="endpoint black-holed"),
    pytest.param(_sandbox_fault("drip", seconds=1), "none within", id="endpoint dripping"),
    pytest.param(_sandbox_fault("garble"), "unusable answer", id="endpoint garbling"),
    pytest.param(_sandbox_fault("error", status=500, code="InternalError"), "InternalError", id="HTTP 500"),
    pytest.param(_sandbox_fault("throttle"), "RequestLimitExceeded", id="throttled"),
    pytest.param(_hanging_resolver, "none within", id="resolver hanging", marks=needs_root),
    pytest.param(_sandbox_fault("silent", service="imds"), "no credentials|no answer from EC2", id="IMDS silent"),
    pytest.param(_sandbox_fault("no-role", service="imds"), "no credentials", id="no credentials"),
    pytest.param(_sandbox_fault("deny"), "permission missing", id="permission denied"),
]
"""
A fault, and the reason that is told.

Where IMDS is silent the deadline may come before the SDK has given it up. BAD_ANSWERS has the same with time enough.
"""

ROUTE_53_IS_SILENT = [
    pytest.param(_sandbox_fault("silent", service="route53"), "no answer from Route 53", id="Route 53 black-holed"),
    pytest.param(
        _sandbox_fault("deny", service="route53"), "permission missing for ListRes", id="Route 53 permission denied"
    ),
    pytest.param(_sandbox_fault("refuse", service="route53"), "Connection refused", id="Route 53 refused"),
    pytest.param(_sandbox_fault("drip", service="route53", seconds=1), "none within", id="Route 53 dripping"),
    pytest.param(
        _sandbox_fault("garble", service="route53"), "unusable answer from Route 53", id="Route 53 garbling"
    ),
    pytest.param(_sandbox_fault("error", service="route53", status=500), "Route 53 failed", id="Route 53 HTTP 500"),
    pytest.param(_sandbox_fault("throttle", service="route53"), "Route 53 throttles", id="Route 53 throttled"),
]
"""The same of Route 53, which has an endpoint of its own."""

OWN_TROUBLE = [
    pytest.param(_broken_registry, "cannot be used: it is not JSON", id="registry broken"),
    pytest.param(_lost_registry, "missing or empty", id="registry lost"),
    pytest.param(_read_only_run_folder, "Read-only file system", id="run folder read-only", marks=needs_root),
    pytest.param(full_disk, "No space left", id="disk full", marks=needs_root),
]


def _of(tag: str, cases: list[ParameterSet]) -> list[ParameterSet]:
    """The same cases with a tag."""
    return [pytest.param(*each.values, tag, id=f"{each.id}-{tag}", marks=each.marks) for each in cases]


STS_IS_SILENT = [
    pytest.param(_sandbox_fault("silent", service="sts"), "STS gives no credentials yet", id="STS black-holed"),
    pytest.param(_sandbox_fault("deny", service="sts"), "STS does not let this server assume", id="STS denies"),
    pytest.param(_sandbox_fault("error", service="sts", status=500), "STS gives no credentials", id="STS HTTP 500"),
]
"""The same of STS, which gives the keys of a role."""

TROUBLE = [case for tag in (*KINDS, *ROUTES) for case in _of(tag, AWS_IS_SILENT + OWN_TROUBLE)]
TROUBLE += _of(DNS_TAG, ROUTE_53_IS_SILENT + OWN_TROUBLE)
TROUBLE += _of(ROLES_TAG, STS_IS_SILENT)
"""
Every kind. Most ask by the same door, with other operations: `make test` runs them once where nothing comes, and once
where AWS says no; all of the rest is slow.
"""


def _act(cluster: Cluster, action: str, tag: str, settings: Settings, *, tells: str = "") -> Done:
    """
    Run an action on node1, in a hurry: it ends by its deadline and a second.

    If asked, it has a resolver of its own in a mount namespace of its own. One that the machine kept from ending by
    itself, so that its watchdog ended it, or from telling a reason, is given more time.
    """
    for seconds in (3, 12, 48):
        given, stalls = {**in_a_hurry(seconds), **settings}, Stalls()
        done = _acted(cluster, action, tag, given)
        has_ended = "END" in done.stderr
        assert not has_ended or done.seconds <= float(given[f"EC2_{action.upper()}_TIMEOUT"]) + 1 + stalls.seconds
        if (has_ended and re.search(tells, done.stderr)) or stalls.seconds < OVERDUE:
            break
    assert has_ended, done.stderr
    return done


def _told(cluster: Cluster, action: str, tag: str, settings: Settings, reason: str, status: int) -> Done:
    """Run an action that has to tell a reason."""
    done = _act(cluster, action, tag, settings, tells=reason)
    assert done.status == status, done.stderr
    assert re.search(reason, done.stderr), done.stderr
    return done


def _acted(cluster: Cluster, action: str, tag: str, settings: Settings) -> Done:
    resolver = shlex.split(settings.get(RESOLVER, ""))
    if not resolver:
        return cluster.act("node1", action, tag, **settings)
    words = [*resolver, str(ACTIONS / action), "-t", tag]
    given = {name: value for name, value in settings.items() if name != RESOLVER}
    environment = cluster.environment("node1", **given)
    environment["PATH"] += ":/usr/sbin:/sbin"
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        return finished(process)


@pytest.mark.parametrize(("fault", "reason", "tag"), TROUBLE)
def test_quick_check_in_trouble_is_0_with_the_reason_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """Trouble is never a verdict, and it never takes longer than the deadline and a second."""
    cluster.with_resource(tag)
    with ExitStack() as stack:
        _told(cluster, "quickCheck", tag, dict(fault(cluster, stack, tmp_path)), reason, status=0)


@pytest.mark.parametrize(("fault", "reason", "tag"), TROUBLE)
def test_restore_in_trouble_fails_with_the_reason_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """A restore that cannot be done says what could not, within the deadline and a second, and changes nothing."""
    cluster.with_resource(tag)
    before = cluster.writes("node1")
    with ExitStack() as stack:
        _told(cluster, "restore", tag, dict(fault(cluster, stack, tmp_path)), reason, status=1)
    assert cluster.writes("node1") == before


@pytest.mark.parametrize(("fault", "reason"), AWS_IS_SILENT)
def test_remove_in_trouble_is_0_in_time(cluster: Cluster, tmp_path: Path, fault: Fault, reason: str) -> None:
    """A failed remove would halt the server for nothing: the peer's restore takes the address. It is an ERROR."""
    cluster.with_resource(EIP_TAG)
    with ExitStack() as stack:
        done = _act(cluster, "remove", EIP_TAG, dict(fault(cluster, stack, tmp_path)))
    assert done.status == 0, done.stderr
    assert "ERROR" in done.stderr
    assert "may still be associated here" in done.stderr


@pytest.mark.parametrize(
    ("fault", "reason", "tag"), [case for tag in (VIP_TAG, EIP_TAG, SIP_TAG) for case in _of(tag, OWN_TROUBLE)]
)
def test_remove_in_trouble_of_this_server_is_0_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """Whatever this server's own trouble is, its remove does not fail."""
    cluster.with_resource(tag)
    with ExitStack() as stack:
        done = _act(cluster, "remove", tag, dict(fault(cluster, stack, tmp_path)))
    assert done.status == 0, done.stderr


@needs_root
@pytest.mark.parametrize(
    ("fault", "tag"),
    [
        pytest.param(_full_state_disk, VIP_TAG, id="full"),
        pytest.param(_read_only_state_folder, EIP_TAG, id="read-only"),
        pytest.param(_read_only_state_folder, SIP_TAG, id="read-only-secondary"),
    ],
)
def test_the_address_moves_although_the_states_cannot_be_written(
    cluster: Cluster, tmp_path: Path, fault: Fault, tag: str
) -> None:
    """restore, remove and what other servers are told go by the spare place; the log names the broken folder."""
    cluster.with_resource(tag, on=standby(tag))
    with ExitStack() as stack:
        settings = {**PATIENCE, **fault(cluster, stack, tmp_path)}
        done = _act(cluster, "restore", tag, settings)
        assert done.status == 0, done.stderr
        folder = settings.get("EC2KIT_STATE_DIR", cluster.path("node1", "EC2KIT_STATE_DIR"))
        assert f"WARN: {folder}/states/{tag}.json cannot be written" in done.stderr
        assert _peer_state(cluster, tag, settings)["in_service"] is True
        assert _act(cluster, "quickCheck", tag, settings).status == 0
        assert _act(cluster, "remove", tag, settings).status == 0
        told = _peer_state(cluster, tag, settings)
        assert (told["in_service"], told["state"]) == (False, "OSU")


def _peer_state(cluster: Cluster, tag: str, settings: Settings) -> dict[str, object]:
    """What node1 tells another server that asks."""
    words = [str(Path(sys.executable).with_name("ec2kit")), "peer", "state", tag]
    environment = cluster.environment("node1", **settings)
    answer: dict[str, object] = json.loads(subprocess.check_output(words, env=environment))
    return answer


@needs_root
def test_a_state_in_the_spare_place_gives_way_to_a_newer_one(cluster: Cluster, tmp_path: Path) -> None:
    """When the disk is mended, what is written there counts, and the older state does not come back."""
    cluster.with_resource()
    with ExitStack() as stack:
        _read_only_state_folder(cluster, stack, tmp_path)
        assert cluster.act("node1", "restore").status == 0
    assert _peer_state(cluster, VIP_TAG, {})["in_service"] is True
    assert cluster.act("node1", "remove").status == 0
    assert _peer_state(cluster, VIP_TAG, {})["in_service"] is False


@pytest.mark.parametrize("action", ["quickCheck", "remove"])
def test_an_action_without_its_python_is_0_with_the_reason(cluster: Cluster, tmp_path: Path, action: str) -> None:
    """A missing interpreter is trouble, too."""
    shutil.copytree(ACTIONS, tmp_path / "kit" / "actions")
    done = subprocess.run(
        [tmp_path / "kit" / "actions" / action, "-t", VIP_TAG], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "not installed" in done.stderr


@pytest.mark.parametrize("action", ["quickCheck", "remove"])
def test_an_action_with_a_broken_python_is_0_with_the_reason(tmp_path: Path, action: str) -> None:
    """A Python that dies, whatever its exit status, is no answer."""
    shutil.copytree(ACTIONS, tmp_path / "actions")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("ec2kit", "python"):
        (tmp_path / ".venv" / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    done = subprocess.run([tmp_path / "actions" / action, "-t", VIP_TAG], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "says nothing about the address" in done.stderr


@pytest.mark.parametrize("action", ["quickCheck", "remove"])
def test_an_action_without_its_guard_is_0_with_the_reason(tmp_path: Path, action: str) -> None:
    """A guard that is cut off, or missing, is no answer either."""
    shutil.copytree(ACTIONS, tmp_path / "actions")
    guard = tmp_path / "actions" / "guard"
    guard.write_text(guard.read_text().partition("esac")[0])
    cut_off = subprocess.run([tmp_path / "actions" / action, "-t", "x"], capture_output=True, check=False)
    guard.unlink()
    missing = subprocess.run([tmp_path / "actions" / action, "-t", "x"], capture_output=True, check=False)
    assert [cut_off.returncode, missing.returncode] == [0, 0]
    assert b"guard" in cut_off.stderr
    assert b"guard" in missing.stderr


@pytest.mark.parametrize("action", ["quickCheck", "remove"])
def test_a_signal_before_the_guard_is_read_in_ends_an_action_with_0(tmp_path: Path, action: str) -> None:
    """Also the first program that the script runs may be too late."""
    (tmp_path / "readlink").write_text("#!/bin/sh\nkill -TERM $PPID\n")
    (tmp_path / "readlink").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert subprocess.run([ACTIONS / action, "-t", VIP_TAG], env={"PATH": path}, check=False).returncode == 0


def test_quick_check_after_trouble_counts_it_and_then_tells_that_it_is_over(cluster: Cluster) -> None:
    """UNKNOWN is remembered: since when, how often in a row, why; and its end is told."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    cluster.act("node1", "quickCheck")
    assert "no. 2 in a row" in cluster.act("node1", "quickCheck").stderr
    cluster.sandbox.clear()
    assert "EC2 answers again, after 2 check" in cluster.act("node1", "quickCheck").stderr
    assert "EC2 answers again" not in cluster.act("node1", "quickCheck").stderr


@pytest.mark.parametrize("tag", KINDS)
def test_an_action_whose_log_hangs_does_its_work(cluster: Cluster, tmp_path: Path, tag: str) -> None:
    """A log that nobody reads holds up nothing: the address moves, and who watches stderr reads all of it."""
    cluster.with_resource(tag)
    os.mkfifo(tmp_path / "log")
    done = cluster.act(standby(tag), "restore", tag, EC2KIT_LOG_FILE=str(tmp_path / "log"))
    assert done.status == 0, done.stderr
    assert "END successful restore" in done.stderr


def test_secrets_in_an_endpoint_reach_no_file_and_no_line(cluster: Cluster) -> None:
    """A password in a URL stays out of the log, the state files and the status."""
    cluster.with_resource()
    done = cluster.act("node1", "quickCheck", **in_a_hurry(), EC2_ENDPOINT_URL="http://user:s3cr3t-word@127.0.0.1:9")
    assert done.status == 0
    places = [cluster.path("node1", name) for name in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR")]
    texts = [path.read_text() for place in places for path in place.rglob("*") if path.is_file()]
    assert "s3cr3t-word" not in "".join([done.stderr, cluster.log("node1"), *texts])


# -- answers that are none, and an answer to the wrong question ------------------------------------------------

BAD_ANSWERS = [
    pytest.param(_sandbox_fault("gateway"), "HTTP 504", id="a gateway's page"),
    pytest.param(
        _sandbox_fault("cut"), "unusable answer|Connection was closed", id="cut in the body"
    ),  # by the SDK's age
    pytest.param(_sandbox_fault("empty"), "unusable answer", id="no body"),
    pytest.param(_sandbox_fault("hollow"), "'RouteTables' is missing", id="nothing in the document"),
    pytest.param(_sandbox_fault("reset"), "Connection reset", id="connection reset"),
    pytest.param(_sandbox_fault("expired"), "RequestExpired", id="credentials expired"),
    pytest.param(_sandbox_fault("skew", seconds=1200), "RequestExpired", id="clock wrong"),
    pytest.param(_sandbox_fault("bucket", rate=0, tokens=0), "RequestLimitExceeded", id="bucket empty"),
    pytest.param(_sandbox_fault("silent", service="imds"), "no credentials", id="IMDS silent"),
    pytest.param(_sandbox_fault("stale-token", service="imds"), "no credentials", id="IMDS forgets tokens"),
    pytest.param(_sandbox_fault("hop-limit", service="imds"), "no credentials", id="IMDS behind a hop limit"),
    pytest.param(_sandbox_fault("error", service="imds", status=403), "no credentials", id="IMDS switched off"),
]

BRIEF = {**SILENCE, "EC2_QUICKCHECK_TIMEOUT": "120", "EC2_RESTORE_TIMEOUT": "2", "AWSCLI_READ_TIMEOUT": "30"}
"""Time for a check to give up by itself, and a restore that is ended by its deadline."""


@pytest.mark.parametrize(("fault", "reason"), BAD_ANSWERS)
def test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str
) -> None:
    """What is no answer is no verdict: quickCheck is 0 with the reason, restore fails with it and writes nothing."""
    cluster.with_resource()
    before = cluster.writes("node1")
    with ExitStack() as stack:
        fault(cluster, stack, tmp_path)
        checked, restored = (cluster.act("node1", action, **BRIEF) for action in ("quickCheck", "restore"))
    assert (checked.status, restored.status) == (0, 1)
    assert re.search(reason, checked.stderr)
    assert re.search(reason, cluster.log("node1"))
    assert cluster.writes("node1") == before


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"effect": "stale-token", "service": "imds", "count": 2}, id="IMDS forgets tokens"),
        pytest.param({"effect": "delay", "service": "imds", "seconds": 0.3, "spread": 0.3}, id="IMDS slow"),
        pytest.param({"effect": "expired", "count": 2}, id="credentials expire"),
        pytest.param({"effect": "cut", "count": 2}, id="answers are cut"),
        pytest.param({"effect": "empty-page", "count": 2}, id="pages are empty"),
        pytest.param({"effect": "error", "probability": 0.3, "seed": 1}, id="every third call fails"),
    ],
)
def test_restore_gets_over_what_passes(cluster: Cluster, arguments: dict[str, object]) -> None:
    """Trouble that ends is waited out, and every table is moved."""
    cluster.with_resource()
    cluster.sandbox.fault(server="node2", **arguments)  # type: ignore[arg-type]
    done = cluster.act("node2", "restore")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 6


@pytest.mark.parametrize("effect", ["blackhole", "gone"])
def test_quick_check_of_a_dead_interface_is_1_and_restore_fails_for_it(cluster: Cluster, effect: str) -> None:
    """EC2 answers, and what it says is no: packets to the address are dropped."""
    cluster.with_resource()
    cluster.sandbox.fault(effect, server="node1")
    assert cluster.act("node1", "quickCheck").status == 1
    restored = cluster.act("node1", "restore", EC2_VERIFY_TIMEOUT="1")
    assert restored.status == 1
    assert "blackhole" in restored.stderr


def test_restore_to_an_interface_that_is_gone_fails_and_names_it(cluster: Cluster) -> None:
    """A write that EC2 refuses is not repeated."""
    cluster.with_resource()
    cluster.sandbox.fault("gone", server="node2")
    before = len(cluster.sandbox.calls())
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert f"InvalidNetworkInterfaceID.NotFound, The networkInterface ID '{cluster.eni('node2')}'" in done.stderr
    written = [call for call in cluster.sandbox.calls()[before:] if call["operation"] == "ReplaceRoute"]
    assert len(written) == 6


def test_quick_check_whose_reads_go_back_in_time_is_0(cluster: Cluster) -> None:
    """A look that shows the time before the last move is not believed alone."""
    cluster.with_resource()
    cluster.sandbox.fault("back", server="node2", seconds=60, skip=1)
    assert cluster.act("node2", "restore", EC2_VERIFY_TIMEOUT="60").status == 0
    checked = [cluster.act("node2", "quickCheck") for _ in range(2)]
    assert [each.status for each in checked] == [0, 0]
    assert "the second look" in "".join(each.stderr for each in checked)


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
def test_an_address_taken_once_after_the_write_is_written_once_more(cluster: Cluster, tag: str) -> None:
    """One hand from outside is no reason to fail; the restore that says 0 has it."""
    cluster.with_resource(tag)
    cluster.sandbox.fault("steal", server="node2", count=1)
    done = cluster.act("node2", "restore", tag)
    assert done.status == 0, done.stderr
    assert set(cluster.holders() if tag == VIP_TAG else [cluster.address_holder()]) == {"node2"}


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
def test_an_address_taken_after_each_write_is_given_up_and_the_thief_is_named(cluster: Cluster, tag: str) -> None:
    """Two that pull at one address are not settled by pulling for ever."""
    cluster.with_resource(tag)
    cluster.sandbox.fault("steal", server="node2")
    before = len(cluster.writes("node2"))
    done = cluster.act("node2", "restore", tag, EC2_VERIFY_TIMEOUT="1")
    assert done.status == 1
    assert str(cluster.sandbox.description["third_party_network_interface_id"]) in done.stderr
    assert "contested" in done.stderr
    assert len(cluster.writes("node2")) == before + 2 * (6 if tag == VIP_TAG else 1)


# -- file descriptors ------------------------------------------------------------------------------------------


def _with_descriptors(cluster: Cluster, free: int, *command: str, seconds: float = 3) -> Done:
    action, *arguments = command
    words = with_descriptors(free, str(ACTIONS / action), *arguments, "-t", VIP_TAG)
    environment = cluster.environment("node1", **in_a_hurry(seconds))
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        return finished(process)


@pytest.mark.parametrize("free", [1, 2])
@pytest.mark.parametrize("command", [["quickCheck"], ["remove"], ["keepalived", "check"]], ids=" ".join)
def test_a_guarded_script_whose_shell_gives_up_is_0(cluster: Cluster, free: int, command: list[str]) -> None:
    """A shell that cannot even make a pipe ends with 2, which must not look like the action's own answer."""
    done = _with_descriptors(cluster, free, *command)
    assert done.status == 0, done.stderr
    assert done.stderr


@pytest.mark.parametrize("free", [3, 5])
def test_quick_check_and_remove_without_file_descriptors_are_0(cluster: Cluster, free: int) -> None:
    """Who cannot open a file or a socket any more knows nothing, and does not say no."""
    cluster.with_resource()
    for action in ("quickCheck", "remove"):
        done = _with_descriptors(cluster, free, action)
        assert done.status == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "Too many open files" in done.stderr or "END successful" in done.stderr


@pytest.mark.parametrize("free", [3, 5])
def test_restore_without_file_descriptors_fails_and_loses_nothing(cluster: Cluster, free: int) -> None:
    """It says what could not be opened; with descriptors again, the next one succeeds."""
    cluster.with_resource()
    told = ("Too many open files", "Pipe call failed")
    done = given_time(
        lambda seconds: _with_descriptors(cluster, free, "restore", seconds=seconds),
        lambda done: any(each in done.stderr for each in told),
    )
    assert done.status != 0
    assert any(each in done.stderr for each in told), done.stderr
    assert "Traceback" not in done.stderr or "Fatal Python error" in done.stderr  # Python itself could not start
    assert cluster.act("node1", "restore").status == 0


# -- a token bucket, late reads, lost answers ------------------------------------------------------------------

RATE = 10
"""Tokens a second that the account has in these tests; EC2 publishes 5."""


def test_restore_of_50_tables_with_an_empty_bucket_keeps_ec2s_pace(fifty_tables: Cluster) -> None:
    """It takes the tokens' time and a fifth of that; one throttle slows all writers; no check says no meanwhile."""
    cluster = fifty_tables.with_resource()
    cluster.sandbox.fault("bucket", operation="ReplaceRoute", rate=RATE, tokens=0)
    before = len(cluster.sandbox.calls())
    pace = {"EC2_WRITE_BURST": "1000", "EC2_WRITE_RATE": str(RATE)}
    stalls, restoring = Stalls(), cluster.start("node2", "restore", "-t", VIP_TAG, **pace)
    until(lambda: cluster.writes("node2"))
    checks = []
    while restoring.poll() is None:
        checks.append(cluster.act("node2", "quickCheck").status)
    done = finished(restoring)
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 50
    assert set(checks) == {0}
    calls = [call for call in cluster.sandbox.calls()[before:] if call["operation"] == "ReplaceRoute"]
    first, last = calls[0]["time"], calls[-1]["time"]
    throttled_at = min(call["time"] for call in calls if call["effects"] == ["bucket"])
    assert last - first <= 50 / RATE * 1.2 + stalls.seconds
    assert len([call for call in calls if call["time"] > throttled_at + 1]) <= (last - throttled_at - 1) * RATE * 1.2


def test_restore_while_reads_are_seconds_late_waits_says_so_and_writes_once(cluster: Cluster) -> None:
    """A describe that shows the old state is no failure yet, and no reason to write again."""
    for tag in KINDS:
        cluster.with_resource(tag)
    before = {server: len(cluster.writes(server)) for server in ("node2", "node3")}
    cluster.sandbox.fault("late", seconds=5)
    running = [cluster.start(standby(tag), "restore", "-t", tag, EC2_VERIFY_TIMEOUT="60") for tag in KINDS]
    for done in [finished(each) for each in running]:
        assert done.status == 0, done.stderr
        (waited,) = re.findall(r"AWS showed the change ([0-9.]+) s after it had accepted it", done.stderr)
        assert float(waited) >= 4.5
    written = {server: len(cluster.writes(server)) - number for server, number in before.items()}
    assert written == {"node2": 6 + 1, "node3": 1 + 2}


# -- keys that have had their time -----------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["restore", "quickCheck"])
def test_keys_that_nobody_renews_and_have_expired_are_not_tried_again(cluster: Cluster, action: str) -> None:
    """Unlike a role's they do not get better by waiting, so a person is told at once."""
    cluster.with_resource()
    cluster.sandbox.fault("expired", server="node1")
    before = len(cluster.sandbox.calls())
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test"}
    done = cluster.act("node1", action, **keys)
    assert done.status == (1 if action == "restore" else 0), done.stderr
    assert "RequestExpired" in done.stderr
    assert "ERROR" in done.stderr
    assert len(cluster.sandbox.calls()) == before + 1


def test_keys_in_a_file_that_have_expired_may_be_written_anew_meanwhile(cluster: Cluster, tmp_path: Path) -> None:
    """Whoever renews them may be about to: the next attempt reads the file again."""
    path = tmp_path / "credentials"
    path.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\naws_session_token = test\n")
    cluster.with_resource()
    cluster.sandbox.fault("expired", server="node2", count=2)
    done = cluster.act("node2", "restore", AWS_SHARED_CREDENTIALS_FILE=str(path))
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 6


@needs_root
def test_recover_that_writes_the_state_to_the_spare_place_says_so(cluster: Cluster, tmp_path: Path) -> None:
    """The folder that is broken is named by whichever action meets it."""
    cluster.with_resource()
    with ExitStack() as stack:
        settings = _read_only_state_folder(cluster, stack, tmp_path)
        done = cluster.act("node1", "recover", **settings)
    assert done.status == 0, done.stderr
    assert re.search(r"WARN: .*/states/.* cannot be written", done.stderr)


def test_a_credential_helper_that_hangs_is_named_and_not_left_behind(cluster: Cluster, tmp_path: Path) -> None:
    """A check each half minute would leave thousands of them a day; what follows the program's name may be secret."""
    pids, helper = tmp_path / "pids", tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\nsleep 1000 &\necho $$ $! >>{pids}\nwait\n")
    helper.chmod(0o700)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {helper} --key hidden\n")
    cluster.with_resource()
    done = given_time(
        lambda seconds: cluster.act(
            "node1",
            "quickCheck",
            AWS_CONFIG_FILE=str(tmp_path / "config"),
            EC2_QUICKCHECK_TIMEOUT=f"{seconds:.1f}",
        ),
        lambda done: pids.exists(),
    )
    assert (done.status, "UNKNOWN" in done.stderr) == (0, True), done.stderr
    assert (
        f"credential_process gives no credentials yet, so DescribeRouteTables is not sent: {helper}: " in done.stderr
    )
    assert "hidden" not in done.stderr
    for pid in pids.read_text().split():
        must_be_gone(int(pid))
