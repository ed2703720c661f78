"""Good manners on the stand-in: LifeKeeper's log, its signals, its versions, its language."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, until
from ..patience import HANGS
from .kit import Kit

LISTENER = textwrap.dedent("""
    import os, socket, subprocess, sys
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    log.settimeout(5)
    subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL)
    try:
        while True:
            print(log.recv(4000).decode().strip("\\0\\n"), flush=True)
            log.settimeout(0.5)
    except TimeoutError:
        pass
""")
"""Is the system's log for one command, in a mount namespace of its own."""

IN_A_NAMESPACE = """
mount --bind /dev/shm /mnt && mount -t tmpfs tmpfs /dev &&
mkdir /dev/shm && mount --move /mnt /dev/shm && # the sandbox may be there
mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && exec "$@"
"""


def _syslog_of(kit: Kit, *words: str) -> list[str]:
    listener = [sys.executable, "-c", LISTENER, *words]
    command = ["unshare", "-m", "sh", "-c", IN_A_NAMESPACE, "sh", *listener]
    environment = {**kit.environment("node1"), "EC2KIT_LOG_FILE": ""}
    done = subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, timeout=HANGS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("selector", "facility"), [pytest.param("", 22, id="local6"), pytest.param("local3", 19, id="local3")]
)
def test_hooks_log_by_lifekeepers_syslog_facility_under_the_actions_name(
    kit: Kit, selector: str, facility: int
) -> None:
    """So the lines come where LifeKeeper's own stand, in its form."""
    kit.with_elastic_ip()
    kit.settings("node1", EC2KIT_LOG_FILE="", LKSYSLOGSELECTOR=selector)
    lines = _syslog_of(kit, str(kit.hook_path("node1", "quickCheck")), "-t", EIP_TAG, "-i", "x")
    assert lines
    for line in lines:
        priority, program, text = re.findall(r"^<(\d+)>.*? (\w+)\[\d+\]: (.*)$", line)[0]
        assert (int(priority) >> 3, program) == (facility, "quickCheck")
        assert re.match(rf"[A-Z]+:ec2kit:quickCheck:{EIP_TAG}:62\d{{4}}:", text)


def test_every_line_of_the_kit_has_lifekeepers_form(kit: Kit) -> None:
    """Mon dd HH:MM:SS host program[pid]: LEVEL:module:action:tag:NNNNNN:text, one line a message."""
    kit.with_route_table()
    kit.perform("node2", VIP_TAG, "restore")
    form = re.compile(
        r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ \w+\[\d+\]: "
        r"(FATAL|ERROR|WARN|NOTIFY|INFO):ec2kit:\w+:[\w.-]*:62\d{4}:.+"
    )
    lines = [line for line in kit.log("node1").splitlines() + kit.log("node2").splitlines() if ":ec2kit:" in line]
    assert len(lines) > 20
    assert [line for line in lines if not form.fullmatch(line)] == []


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGTERM])
def test_restore_ended_by_a_signal_frees_its_lock_and_leaves_whole_files(kit: Kit, number: signal.Signals) -> None:
    """A message, no lock, no half-written file; the same restore succeeds right after."""
    kit.with_route_table()
    kit.sandbox.fault("silent", server="node2", operation="DescribeRouteTables")
    words = [str(kit.hook_path("node2", "restore")), "-t", VIP_TAG, "-i", "x"]
    hook = subprocess.Popen(words, env=kit.environment("node2"), cwd="/", stderr=subprocess.PIPE, text=True)
    until(lambda: "BEGIN restore" in kit.log("node2"))
    hook.send_signal(number)
    _, stderr = hook.communicate(timeout=HANGS)
    assert hook.returncode == 1
    assert f"stopped by signal {number.name}" in stderr
    kit.sandbox.clear()
    run = kit.path("node2", "EC2KIT_RUN_DIR")
    assert not list(run.glob("*.tmp"))
    assert kit.hook("node2", "restore").status == 0
    assert set(kit.holders()) == {"node2"}


def test_what_hooks_say_is_english_whatever_lifekeepers_locale(kit: Kit) -> None:
    """LifeKeeper may copy it into its log; an administrator's program speaks Japanese."""
    kit.with_elastic_ip()
    japanese = {"LC_ALL": "", "LANG": "ja_JP.UTF-8"}
    assert "BEGIN quickCheck" in kit.hook("node1", "quickCheck", EIP_TAG, **japanese).stderr
    words = [str(kit.program_path("node1", "unextend")), "-t", EIP_TAG]
    assert "開始" in kit._run(words, kit.environment("node1", **japanese), 60).stderr


@pytest.mark.parametrize(
    ("there", "level", "said"),
    [
        pytest.param("9.3.1-6863", "INFO", "LifeKeeper 9.3.1-6863 on both servers", id="same"),
        pytest.param("9.9.0-1", "WARN", "LifeKeeper 9.3.1-6863 here, 9.9.0-1 on the template server", id="different"),
    ],
)
def test_canextend_compares_lifekeepers_versions(kit: Kit, there: str, level: str, said: str) -> None:
    """As the package manager of each server tells them."""
    kit.with_elastic_ip(servers=1)
    for server, version in (("node1", there), ("node2", "9.3.1-6863")):
        rpm = kit.lkroot(server) / "bin" / "rpm"
        rpm.write_text(f"#!/bin/sh\nprintf %s {version}\n")
        rpm.chmod(0o755)
    done = kit.program("node2", "canextend", "node1", EIP_TAG)
    assert done.status == 0, done.stderr
    assert any(f"{level}:ec2kit:" in line and said in line for line in kit.log("node2").splitlines())


def test_uninstall_is_refused_while_lifekeeper_has_resources_of_the_kit(kit: Kit) -> None:
    """They are named, and their hooks stay; when they are deleted, or by force, the kit goes."""
    kit.with_elastic_ip()
    refused = kit.ec2kit("node2", "uninstall", "--lkroot", str(kit.lkroot("node2")))
    assert refused.status == 1
    assert f"there are resources: {EIP_TAG}" in refused.stderr
    assert kit.hook_path("node2", "restore").exists()
    forced = kit.ec2kit("node2", "uninstall", "--force", "--lkroot", str(kit.lkroot("node2")))
    assert forced.status == 0, forced.stderr
    assert not kit.hook_path("node2", "restore").exists()


def test_uninstall_after_delete_needs_no_force(kit: Kit) -> None:
    """Resources of other kits do not count."""
    kit.with_route_table()
    assert kit.program("node1", "delete", "-t", VIP_TAG).status == 0
    done = kit.ec2kit("node1", "uninstall", "--lkroot", str(kit.lkroot("node1")))
    assert done.status == 0, done.stderr


def test_uninstall_is_refused_where_lifekeeper_does_not_tell(kit: Kit) -> None:
    """No answer is no leave to take the hooks away."""
    kit.with_elastic_ip()
    (kit.lkroot("node1") / "bin" / "ins_list").write_text("#!/bin/sh\nexit 1\n")
    refused = kit.ec2kit("node1", "uninstall", "--lkroot", str(kit.lkroot("node1")))
    assert refused.status == 1
    assert "cannot be listed" in refused.stderr
    assert kit.hook_path("node1", "restore").exists()
