"""
One server with two ENIs, run by the real network programs of Debian, and a client that asks its virtual IP.

    client 10.0.3.50 ─ VPC ─┬─ eth0 10.0.1.11    the default route
                            └─ eth1 10.0.11.11   the VIP's packets arrive here, and replies have to leave here

The VPC drops what comes from an ENI with an address that is not there, as EC2 does: by a strict rp_filter.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from botocore.client import BaseClient

from ec2kit.sandbox.client import Sandbox, started

from ..actions.cluster import undisturbed
from ..cluster.network import METADATA
from ..debian.root import Release, Root
from ..ocf.resource import variables

HERE = Path(__file__).parent
VIP = "10.1.0.10"
TABLE = "167837706"
CLIENT = "10.0.3.50"
INTERVAL = 0.02
"""Seconds between two packets of the client."""

MONITOR = 1.0
"""Seconds between two monitors."""

_CLEAN = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}


BOOKWORM = Release(
    "",
    (
        "amazon-ec2-net-utils=2.3.0-3",
        "curl",
        "dbus-daemon",
        "dnsmasq-base",
        "isc-dhcp-client=4.4.3-P1-2",
        "libnetplan0=0.106-2+deb12u1",
        "netplan.io=0.106-2+deb12u1",
        "network-manager=1.42.4-1+deb12u1",
        "procps",
        "systemd=252.39-1~deb12u2",
    ),
)
TRIXIE = Release(
    "trixie",
    (
        "amazon-ec2-net-utils",
        "curl",
        "dbus-daemon",
        "dnsmasq-base",
        "iproute2",
        "isc-dhcp-client",
        "netplan.io",
        "network-manager",
        "procps",
        "python3-boto3",
        "python3-click",
        "python3-venv",
        "systemd",
        "udev",
    ),
)


def until(
    condition: Callable[[], object], *, within: float, what: str, story: Callable[[], str] = lambda: ""
) -> None:
    """Wait until a condition of other processes holds."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"it did not come to that within {within:g} s: {what}\n{story()}"
        time.sleep(0.1)


def _run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


class Answer(NamedTuple):
    """An answer to the client: the number of the question, when it was asked, and when the answer came."""

    number: float
    asked: float
    came: float


_numbers = itertools.count()


class Server:
    """node1 of the sandbox as a machine of its own, with the agent's monitor at each second; `laid` makes one."""

    def __init__(self, root: Root, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._prefix = f"gr{os.getpid()}-{next(_numbers)}-"
        self._root = root
        self._folder = sandbox.folder
        self.interfaces = sandbox.description["nodes"]["node1"]["interfaces"]
        self.parameters = {"ip": VIP, "interface": "eth1"}
        self.statuses: list[int] = []
        self._over = threading.Event()
        self._children: list[subprocess.Popen[bytes]] = []

    # -- the machine and the VPC --

    def boot(self) -> None:
        for name in ("server", "vpc"):
            _run("ip", "netns", "add", self._prefix + name)
            self._ip(name, "link", "set", "lo", "up")
        for device in ("eth0", "eth1"):
            self.plug(device, self.interfaces[device]["private_ip_address"], self.interfaces[device]["mac"])
        self._ip("server", "addr", "add", f"{METADATA}/32", "dev", "lo")
        self._ip("vpc", "addr", "add", f"{CLIENT}/32", "dev", "lo")
        self._route()
        inside = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        enter = self._root.entered(f"{self._prefix}server")
        command = [*enter, "unshare", *inside, "chroot", str(self._root.path), "bash", "/usr/local/sbin/lab-init"]
        self._machine = self._start(command)
        until(
            lambda: self.run("test", "-e", "/run/ready", check=False) == "" and self._is_ready(),
            within=20,
            what="boot",
        )
        self._lay_wires()

    def _is_ready(self) -> bool:
        return self._status("test", "-e", "/run/ready") == 0

    def plug(self, device: str, address: str, mac: str = "") -> None:
        """Attach an ENI."""
        peer = ["peer", "name", f"vpc-{device}", "netns", self._prefix + "vpc"]
        words = ["link", "add", device, *(["address", mac] if mac else []), "type", "veth", *peer]
        self._ip("server", *words)
        router = address.rpartition(".")[0] + ".1"
        self._ip("vpc", "addr", "add", f"{router}/24", "dev", f"vpc-{device}")
        self._ip("vpc", "link", "set", f"vpc-{device}", "up")
        for each in ("all", f"vpc-{device}"):
            _run("ip", "netns", "exec", self._prefix + "vpc", "sysctl", "-qw", f"net.ipv4.conf.{each}.rp_filter=1")

    def carrier(self, device: str, state: str) -> None:
        """Take the cable out, or put it in again; the VPC's own route is not concerned."""
        self._ip("vpc", "link", "set", f"vpc-{device}", state)
        if device == "eth1" and state == "up":
            self._route()

    def _route(self) -> None:
        address = self.interfaces["eth1"]["private_ip_address"]
        self._ip("vpc", "route", "replace", f"{VIP}/32", "via", address, "dev", "vpc-eth1")

    def serve_dhcp(self) -> None:
        """Give both devices their addresses, as the VPC does."""
        own = [each["private_ip_address"] for each in self.interfaces.values()]
        options = "-k -C /dev/null --user=root --port=0 --dhcp-authoritative --no-ping --pid-file=".split()
        files = ["--dhcp-leasefile=/dev/null", "--leasefile-ro"]
        devices = [f"--interface=vpc-{device}" for device in self.interfaces]
        ranges = [f"--dhcp-range={each},{each},3600" for each in own]
        enter = self._root.entered(f"{self._prefix}vpc")
        words = [*enter, "chroot", str(self._root.path), "dnsmasq", *options, *files, *devices, *ranges]
        self._dhcp = self._start(words)

    def end_dhcp(self) -> None:
        """Let nobody renew an address."""
        self._dhcp.kill()
        self._dhcp.wait()

    @property
    def ec2(self) -> BaseClient:
        """A client at the endpoint where nothing is disturbed."""
        return undisturbed(self.sandbox.description["endpoint_url"])

    def _ip(self, name: str, *words: str) -> None:
        _run("ip", "-n", self._prefix + name, *words)

    def _lay_wires(self) -> None:
        described = self.sandbox.description["nodes"]["node1"]
        ec2, imds = (urllib.parse.urlsplit(described[url]).port for url in ("endpoint_url", "metadata_url"))
        wires = [f"{self._prefix}server,127.0.0.1:{port},{port}" for port in (ec2, imds)]
        wires.append(f"{self._prefix}server,{METADATA}:80,{imds}")
        process = self._start([sys.executable, str(HERE.parent / "cluster" / "wires.py"), *wires], pipes=True)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def _start(self, command: list[str], *, pipes: bool = False) -> subprocess.Popen[bytes]:
        with (self._folder / "init.out").open("ab") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else out,
                stderr=out,
                env=_CLEAN,
                cwd="/",
            )
        self._children.append(process)
        return process

    def halt(self) -> None:
        """Nothing is left of it."""
        self._over.set()
        for each in reversed(self._children):
            each.kill()
            each.communicate()
        for name in ("server", "vpc"):
            _run("ip", "netns", "del", self._prefix + name, check=False)

    # -- commands on it --

    def _inside(self) -> list[str]:
        children = Path(f"/proc/{self._machine.pid}/task/{self._machine.pid}/children").read_text().split()
        return ["nsenter", "-t", children[0] if children else "0", "-m", "-n", "-u", "-i", "-p", "-r"]

    def _status(self, *words: str) -> int:
        return subprocess.run(
            [*self._inside(), *words], capture_output=True, env=_CLEAN, cwd="/", check=False
        ).returncode

    def run(self, *words: str, check: bool = True) -> str:
        """What a command prints on the server."""
        done = subprocess.run(
            [*self._inside(), *words], capture_output=True, text=True, env=_CLEAN, cwd="/", timeout=60, check=False
        )
        assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stdout}{done.stderr}{self.story()}"
        return done.stdout

    def sh(self, script: str, *, check: bool = True) -> str:
        return self.run("bash", "-c", script, check=check)

    def daemon(self, *words: str) -> None:
        """Start a program that goes on; its output is in /run/NAME.log."""
        name = Path(words[0]).name
        self.sh(f"setsid {' '.join(words)} </dev/null >>/run/{name}.log 2>&1 & echo $! >/run/{name}.pid")

    def end(self, name: str, signal: str = "TERM") -> None:
        """End a daemon, and wait until it is gone."""
        self.sh(
            f"p=$(cat /run/{name}.pid); kill -{signal} $p; for i in $(seq 200); do kill -0 $p 2>/dev/null || exit 0;"
            " grep -q '^State:.Z' /proc/$p/status && exit 0; sleep 0.05; done; exit 1"
        )

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        target = f"install -D -m {mode:o} /dev/stdin {path}"
        subprocess.run(
            [*self._inside(), "sh", "-c", target], input=text.encode(), env=_CLEAN, cwd="/", check=True, timeout=20
        )

    # -- the kit on it --

    def environment(self) -> dict[str, str]:
        sandbox = self.sandbox.environment("node1")
        ours = {"EC2KIT_NET_DIR": "/sys/class/net", "EC2KIT_SYSTEM_ROOT": "/", "EC2_SNAPSHOT_MAX_AGE": "0"}
        return {**sandbox, **_CLEAN, **ours, "EC2KIT_RUN_DIR": "/run/ec2kit"}

    def agent(self, operation: str, **meta: int | str) -> subprocess.CompletedProcess[str]:
        """One operation of the agent route-table."""
        given = variables("vip", self.parameters, timeout=20_000, **meta)
        command = [*self._inside(), str(self._root.actions / "ocf" / "route-table"), operation]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**self.environment(), **given},
            cwd="/",
            check=False,
            timeout=40,
        )

    def ec2kit(self, *words: str) -> str:
        command = [*self._inside(), str(self._root.command), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment(), cwd="/", check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the resource, its monitors and the client."""
        done = self.agent("start")
        assert done.returncode == 0, f"{done.stderr}{self.story()}"
        self._checks = threading.Thread(target=self._monitor, daemon=True)
        self._checks.start()
        own = self.interfaces["eth1"]["private_ip_address"]
        self._ask(own, by=own.rpartition(".")[0] + ".1")
        self._ask(VIP, by=CLIENT)
        until(self.is_answered, within=10, what="the address answers", story=self.story)

    def _ask(self, address: str, *, by: str) -> None:
        command = ["ip", "netns", "exec", self._prefix + "vpc", sys.executable, str(HERE / "pinger.py")]
        with (self._folder / f"answers of {address}").open("wb") as out:
            words = [*command, by, address, str(INTERVAL)]
            self._children.append(subprocess.Popen(words, stdout=out, stdin=subprocess.DEVNULL))

    def _monitor(self) -> None:
        while not self._over.wait(MONITOR):
            with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
                self.statuses.append(self.agent("monitor", interval=int(MONITOR * 1000 * 20)).returncode)

    def watch_checks(self, number: int) -> None:
        """Wait until so many more monitors have ended."""
        wanted = len(self.statuses) + number
        until(lambda: len(self.statuses) >= wanted, within=60, what=f"{number} monitors", story=self.story)

    def stop_checks(self) -> None:
        """Let no more monitor begin, and wait for the one that runs."""
        self._over.set()
        self._checks.join()

    def answers(self, address: str = VIP) -> list[Answer]:
        lines = (self._folder / f"answers of {address}").read_text().split("\n")[:-1]
        return [Answer(*map(float, line.split())) for line in lines]

    def is_answered(self) -> bool:
        answers = self.answers()
        return bool(answers) and time.monotonic() - answers[-1].came < 0.5

    def lost_by_the_device(self, since: float) -> int:
        """How many questions to the device's own address had no answer: no other address on it can do better."""
        return self.lost(since, self.interfaces["eth1"]["private_ip_address"])[0]

    def lost(self, since: float, address: str = VIP) -> tuple[int, float]:
        """How many questions from a moment on had no answer, up to the last with one, and for how long at most."""
        answers = self.answers(address)
        first = max(sum(each.asked < since for each in answers) - 1, 0)  # the last one that was asked before
        answers = answers[first:]
        gaps = [
            (int(after.number - before.number - 1), after.asked - before.asked)
            for before, after in itertools.pairwise(answers)
            if after.number > before.number + 1
        ]
        return sum(count for count, _ in gaps), max((seconds for _, seconds in gaps), default=0.0)

    def log(self) -> str:
        path = Path(self.environment()["EC2KIT_LOG_FILE"])
        return path.read_text() if path.exists() else ""

    def story(self) -> str:
        """What the server shows of itself."""
        shown = "ip -4 addr; ip rule; ip route show table all | head -n 20; tail -n 15 /run/*.log"
        with contextlib.suppress(Exception):
            said = subprocess.run(
                [*self._inside(), "sh", "-c", shown], capture_output=True, text=True, env=_CLEAN, cwd="/", check=False
            )
            return f"\n{said.stdout}\n{self.log()[-3000:]}\n{self.statuses}"
        return ""


@contextlib.contextmanager
def laid(root: Root) -> Iterator[Server]:
    """A server that is booted and has no network configuration yet."""
    folder = Path(tempfile.mkdtemp(prefix="ec2kit-ground-"))
    try:
        with started(folder / "sandbox", nodes=2, tables=2) as sandbox:
            server = Server(root, sandbox)
            try:
                server.boot()
                yield server
            finally:
                server.halt()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
