"""When nothing can be known or done: quickCheck is 0 with the reason, restore fails truthfully, remove is 0."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from .cluster import ACTIONS, EIP_TAG, HURRY, VIP_TAG, Cluster, Done, finished

Settings = dict[str, str]
Fault = Callable[[Cluster, ExitStack, Path], Settings]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and bind port 53")


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


def _full_disk(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
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
    silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    address = "127.1.{}.{}".format(*divmod(os.getpid() % 60_000 + 1, 256))  # one for each worker
    silent.bind((address, 53))
    (tmp_path / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
    return {"EC2_ENDPOINT_URL": "http://ec2.us-east-1.example.com", "RESOLV_CONF": str(tmp_path / "resolv.conf")}


def _full_state_disk(cluster: Cluster, stack: ExitStack, tmp_path: Path) -> Settings:
    settings = _full_disk(cluster, stack, tmp_path)
    return {"EC2KIT_STATE_DIR": settings["EC2KIT_STATE_DIR"]}


AWS_IS_SILENT = [
    pytest.param(_sandbox_fault("refuse"), "Connection refused", id="endpoint refused"),
    pytest.param(_sandbox_fault("silent"), "none within", id="endpoint black-holed"),
    pytest.param(_sandbox_fault("drip", seconds=1), "none within", id="endpoint dripping"),
    pytest.param(_sandbox_fault("garble"), "unusable answer", id="endpoint garbling"),
    pytest.param(_sandbox_fault("error", status=500, code="InternalError"), "InternalError", id="HTTP 500"),
    pytest.param(_sandbox_fault("throttle"), "RequestLimitExceeded", id="throttled"),
    pytest.param(_hanging_resolver, "none within", id="resolver hanging", marks=needs_root),
    pytest.param(_sandbox_fault("silent", service="imds"), "no credentials", id="IMDS silent"),
    pytest.param(_sandbox_fault("no-role", service="imds"), "no credentials", id="no credentials"),
    pytest.param(_sandbox_fault("deny"), "permission missing", id="permission denied"),
]

OWN_TROUBLE = [
    pytest.param(_broken_registry, "cannot be used: it is not JSON", id="registry broken"),
    pytest.param(_lost_registry, "missing or empty", id="registry lost"),
    pytest.param(_read_only_run_folder, "Read-only file system", id="run folder read-only", marks=needs_root),
    pytest.param(_full_disk, "No space left", id="disk full", marks=needs_root),
]


def _act(cluster: Cluster, action: str, tag: str, settings: Settings) -> Done:
    """Run an action on node1, in a hurry; with a resolver of its own in a mount namespace of its own, if asked."""
    settings = {**HURRY, **settings}
    resolver = settings.pop("RESOLV_CONF", "")
    if not resolver:
        return cluster.act("node1", action, tag, **settings)
    script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", resolver, str(ACTIONS / action), "-t", tag]
    environment = cluster.environment("node1", **settings)
    environment["PATH"] += ":/usr/sbin:/sbin"
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        return finished(process)


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
@pytest.mark.parametrize(("fault", "reason"), AWS_IS_SILENT + OWN_TROUBLE)
def test_quick_check_in_trouble_is_0_with_the_reason_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """Trouble is never a verdict, and it never takes longer than the deadline and a second."""
    cluster.with_resource(tag)
    with ExitStack() as stack:
        done = _act(cluster, "quickCheck", tag, dict(fault(cluster, stack, tmp_path)))
    assert done.status == 0, done.stderr
    assert reason in done.stderr
    assert done.seconds <= 4


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
@pytest.mark.parametrize(("fault", "reason"), AWS_IS_SILENT + OWN_TROUBLE)
def test_restore_in_trouble_fails_with_the_reason_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """A restore that cannot be done says what could not, within the deadline and a second, and changes nothing."""
    cluster.with_resource(tag)
    before = cluster.writes("node1")
    with ExitStack() as stack:
        done = _act(cluster, "restore", tag, dict(fault(cluster, stack, tmp_path)))
    assert done.status == 1, done.stderr
    assert reason in done.stderr
    assert done.seconds <= 4
    assert cluster.writes("node1") == before


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
@pytest.mark.parametrize(("fault", "reason"), AWS_IS_SILENT + OWN_TROUBLE)
def test_remove_in_trouble_is_0_in_time(
    cluster: Cluster, tmp_path: Path, fault: Fault, reason: str, tag: str
) -> None:
    """A failed remove would halt the server, so it does not fail; where the address stays, the log says ERROR."""
    cluster.with_resource(tag)
    with ExitStack() as stack:
        done = _act(cluster, "remove", tag, dict(fault(cluster, stack, tmp_path)))
    assert done.status == 0, done.stderr
    assert done.seconds <= 4


@needs_root
def test_restore_with_the_states_disk_full_fails_before_it_writes(cluster: Cluster, tmp_path: Path) -> None:
    """An address that moved and a registry that cannot say so would lead the other servers astray."""
    cluster.with_resource().act("node2", "restore")
    before = cluster.writes("node1")
    with ExitStack() as stack:
        done = _act(cluster, "restore", VIP_TAG, _full_state_disk(cluster, stack, tmp_path))
    assert done.status == 1
    assert "No space left" in done.stderr
    assert cluster.writes("node1") == before


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


def test_quick_check_after_trouble_counts_it_and_then_tells_that_it_is_over(cluster: Cluster) -> None:
    """UNKNOWN is remembered: since when, how often in a row, why; and its end is told."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    cluster.act("node1", "quickCheck")
    assert "no. 2 in a row" in cluster.act("node1", "quickCheck").stderr
    cluster.sandbox.clear()
    assert "EC2 answers again, after 2 check" in cluster.act("node1", "quickCheck").stderr
    assert "EC2 answers again" not in cluster.act("node1", "quickCheck").stderr


def test_an_action_whose_log_hangs_ends_in_time(cluster: Cluster, tmp_path: Path) -> None:
    """Whatever hangs, the process ends with its proper status: the last net needs neither log nor disk."""
    cluster.with_resource()
    os.mkfifo(tmp_path / "log")
    settings = {
        **HURRY,
        "EC2_QUICKCHECK_TIMEOUT": "1",
        "EC2_MAX_RETRY": "many",
        "EC2KIT_LOG_FILE": str(tmp_path / "log"),
    }
    done = cluster.act("node1", "quickCheck", **settings)
    assert done.status == 0
    assert "did not end by itself" in done.stderr


def test_secrets_in_an_endpoint_reach_no_file_and_no_line(cluster: Cluster) -> None:
    """A password in a URL stays out of the log, the state files and the status."""
    cluster.with_resource()
    done = cluster.act("node1", "quickCheck", **HURRY, EC2_ENDPOINT_URL="http://user:s3cr3t-word@127.0.0.1:9")
    assert done.status == 0
    places = [cluster.path("node1", name) for name in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR")]
    texts = [path.read_text() for place in places for path in place.rglob("*") if path.is_file()]
    assert "s3cr3t-word" not in "".join([done.stderr, cluster.log("node1"), *texts])
