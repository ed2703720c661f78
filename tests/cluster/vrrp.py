"""Two servers with the real keepalived, by the configuration in docs/keepalived.md, on the lab's network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ec2kit.sandbox.client import started

from ..actions.cluster import Cluster
from ..debian.root import Root
from ..one_sandbox import OneSandbox
from ..patience import HANGS
from .kit import ROOT, installed
from .lab import lay_wires, reaped
from .network import Network
from .node import until

PRIORITIES = {"node1": "150", "node2": "100"}

_DOCUMENTED = ROOT / "docs" / "keepalived.md"
_ADDRESSES = {"node1": "10.0.1.11", "node2": "10.0.2.12"}
_HURRY = {
    "global_defs {": "global_defs {\n    vrrp_version 3",  # the other one knows whole seconds only
    "advert_int 1\n": "advert_int 0.2\n",
    "interval 10\n": "interval 1\n",
    "--within 8": "--within 4",
}
_MACHINE = """
mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs -o mode=755 tmpfs /opt || exit 1
mkdir -p /opt/ec2kit/share/ec2kit && mount --bind "$1" /opt/ec2kit/share/ec2kit || exit 1
shift
exec keepalived "$@"
"""
"""Places of a server of its own; `ip netns exec` has made its mounts nobody else's."""

_MACHINE_OF_ROOT = """
mount -t tmpfs -o mode=755 tmpfs /run || exit 1
exec keepalived "$@"
"""
"""The same in a root that has the kit at the sample's place."""


def documented() -> str:
    """The sample configuration, as the document has it."""
    (sample,) = re.findall(r"```\n(global_defs \{.*?)```", _DOCUMENTED.read_text(), re.DOTALL)
    return str(sample)


def configuration(server: str, tracked: str) -> str:
    """The sample for one of the servers, in a hurry; `tracked` is the file by which the kit lets it leave."""
    (peer,) = (each for each in _ADDRESSES if each != server)
    text = documented()
    for old, new in {
        "unicast_src_ip 10.0.1.11": f"unicast_src_ip {_ADDRESSES[server]}",
        "        10.0.2.11\n": f"        {_ADDRESSES[peer]}\n",
        "/run/ec2kit.leave": tracked,
        "priority 100 ": f"priority {PRIORITIES[server]} ",
        **_HURRY,
    }.items():
        assert text.count(old) == 1, f"the sample has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    return text


class Keepalived:
    """keepalived on one server; not running at first."""

    def __init__(self, server: str, namespace: str, cluster: Cluster, folder: Path, root: Root | None = None) -> None:
        self.server = server
        self._namespace = namespace
        self._cluster = cluster
        self._folder = folder
        self._root = root
        self._log = folder / f"{server}.log"
        self.path = folder / f"{server}.conf"
        self.tracked = cluster.path(server, "EC2KIT_RUN_DIR").with_name("run.leave")
        self.path.write_text(configuration(server, str(self.tracked)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["-n", "-l", "-D", "-G", "-P", "-p", "/run/keepalived.pid", "-r", "/run/vrrp.pid"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(*options, "-f", str(self.path)),
                env=self._environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def tested(self, path: Path) -> tuple[int, str]:
        """What `keepalived -t` says of a configuration."""
        command = self._command("-t", "-f", str(path))
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False, timeout=HANGS
        )
        return done.returncode, done.stdout + done.stderr

    def _command(self, *options: str) -> list[str]:
        if self._root is not None:
            enter = [*self._root.entered(self._namespace), "unshare", "--mount", "chroot", str(self._root.path)]
            return [*enter, "sh", "-c", _MACHINE_OF_ROOT, "sh", *options]
        kit, ip = str(self._folder / "kit"), str(shutil.which("ip"))  # PATH has the sandbox's ip, for the kit
        return [ip, "netns", "exec", self._namespace, "sh", "-c", _MACHINE, "sh", kit, *options]

    @property
    def _environment(self) -> dict[str, str]:
        environment = self._cluster.environment(self.server, EC2_SNAPSHOT_MAX_AGE="0")
        return {**environment, "PATH": f"{environment['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C"}

    def stop(self) -> None:
        """As systemd does; the program of its pipe may live on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=HANGS)
            self._process = None

    def reload(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def programs(self) -> set[int]:
        """The kit's programs that run in the server's namespace."""
        command = ["ip", "netns", "pids", self._namespace]
        pids = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return {int(pid) for pid in pids if b"ec2kit.frameworks" in _command_line(pid)}

    def states(self) -> list[str]:
        """All VRRP states that it has entered."""
        return re.findall(r"\(VI_1\) Entering (\w+) STATE", self.log())

    @property
    def state(self) -> str:
        return ["", *self.states()][-1]

    def until_state(self, state: str) -> None:
        until(lambda: self.state == state, what=f"{self.server} is {state}")

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def forget(self) -> None:
        self._log.unlink(missing_ok=True)


def _command_line(pid: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Pair:
    """Both servers, the network between them, and AWS."""

    def __init__(self, cluster: Cluster, network: Network, folder: Path, root: Root | None = None) -> None:
        self.cluster = cluster
        self.network = network
        self.servers = {
            name: Keepalived(name, network.namespace(name), cluster, folder, root)
            for name in cluster.sandbox.description["nodes"]
        }
        self.node1, self.node2 = self.servers.values()

    def begin(self) -> None:
        """Start both, with the resource in service nowhere and its routes at the one that will be BACKUP."""
        self.cluster.clean()
        self.cluster.with_resource()
        assert self.cluster.act("node1", "remove").status == 0
        self.steal("node2")
        for each in self.servers.values():
            each.forget()
        self.node1.start()  # the first one becomes MASTER, whatever its priority, by nopreempt
        self.node1.until_state("MASTER")
        self.node2.start()
        self.node2.until_state("BACKUP")
        self.until_held_by("node1")

    def end(self) -> None:
        self.cluster.sandbox.clear()
        self.network.mend("node1")
        self.network.mend_path()
        for each in self.servers.values():
            each.stop()
        until(lambda: not any(each.programs() for each in self.servers.values()), what="all programs end")

    def steal(self, server: str) -> None:
        """An outside hand points every route at a server."""
        for table in self.cluster.tables:
            self.cluster.point(table, self.cluster.eni(server))

    def held_by(self, server: str) -> bool:
        return set(self.cluster.holders()) == {server}

    def until_held_by(self, server: str) -> None:
        """MASTER by keepalived, in service by the kit, and all routes by EC2."""

        ends = time.monotonic() + HANGS
        while not (self.servers[server].state == "MASTER" and self.in_service(server) and self.held_by(server)):
            assert time.monotonic() < ends, f"{server} is not MASTER with the routes\n{self.story()}"
            time.sleep(0.1)

    def in_service(self, server: str) -> bool:
        path = self.cluster.path(server, "EC2KIT_STATE_DIR") / "states" / "ec2-vip1.json"
        return path.exists() and '"ISP"' in path.read_text()

    def stays(self, seconds: float, server: str) -> None:
        """A server has the routes all the time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert self.held_by(server), self.story()
            time.sleep(0.1)

    def story(self) -> str:
        """What both servers say of themselves."""
        told = []
        for name, each in self.servers.items():
            told += [f"-- {name}", *each.log().splitlines()[-30:], *self.cluster.log(name).splitlines()[-20:]]
        return "\n".join(told)


@contextlib.contextmanager
def laid(root: Root | None = None) -> Iterator[Pair]:
    """Two servers without keepalived yet, for as long as the block runs and this process lives."""
    prefix, folder = f"kv{os.getpid()}-", Path(tempfile.mkdtemp(prefix="ec2kit-vrrp-"))
    folder.chmod(0o755)
    with reaped(prefix, folder), started(folder / "sandbox", nodes=2, tables=2) as sandbox:
        if root is None:
            installed(folder / "kit")
        network = Network(prefix, {})
        for name in PRIORITIES:
            network.ip(name, "link", "add", "eth1", "type", "veth", "peer", "name", "vpc1")
            network.ip(name, "link", "set", "vpc1", "up")
            network.ip(name, "link", "set", "eth1", "up")
        wires = lay_wires(network, sandbox)
        try:
            yield Pair(Cluster(OneSandbox(sandbox.folder), size=2), network, folder, root)
        finally:
            wires.communicate()
