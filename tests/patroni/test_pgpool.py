"""The real Pgpool-II: its watchdog's escalation and de-escalation run ec2kit's own scripts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..actions.cluster import ACTIONS, VIP_TAG, Cluster
from .real import free_port, until

pytestmark = [pytest.mark.patroni, pytest.mark.timeout(300)]

NODES = ("node1", "node2")


class Pgpools:
    """Two pgpools that watch each other, without a database: only the watchdog is of interest."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder
        self._ports = {server: [free_port() for _ in range(4)] for server in NODES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._begins: dict[str, int] = {}

    def start(self, server: str) -> None:
        place = self._folder / server
        place.mkdir(exist_ok=True)
        (place / "pgpool_node_id").write_text(str(NODES.index(server)))
        (place / "pgpool.conf").write_text(self._configuration(server, place))
        for name in ("pcp.conf", "pool_hba.conf"):
            (place / name).touch()
        words = ["-n", "-f", place / "pgpool.conf", "-F", place / "pcp.conf", "-a", place / "pool_hba.conf"]
        environment = self.cluster.environment(server)
        with (place / "log").open("ab") as log:
            self._begins[server] = log.tell()
            self._running[server] = subprocess.Popen(
                ["pgpool", *words],
                env={**environment, "PATH": f"{environment['PATH']}:/usr/sbin"},
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _configuration(self, server: str, place: Path) -> str:
        listens, pcp, *_ = self._ports[server]
        lines = {
            "port": listens,
            "pcp_port": pcp,
            "backend_port0": free_port(),
            "use_watchdog": "on",
            "enable_consensus_with_half_votes": "on",
            "wd_heartbeat_keepalive": 1,
            "wd_heartbeat_deadtime": 5,
            "wd_interval": 2,
            "num_init_children": 2,
            "sr_check_period": 0,
            "delegate_IP": "''",
            "wd_escalation_command": f"'{ACTIONS}/restore -t {VIP_TAG}'",
            "wd_de_escalation_command": f"'{ACTIONS}/remove -t {VIP_TAG}'",
            "backend_hostname0": "'127.0.0.1'",
            "pid_file_name": f"'{place}/pgpool.pid'",
            **dict.fromkeys(("socket_dir", "pcp_socket_dir", "wd_ipc_socket_dir", "logdir"), f"'{place}'"),
        }
        for number, each in enumerate(NODES):
            port, _, watchdog, heartbeat = self._ports[each]
            lines |= {f"hostname{number}": "'127.0.0.1'", f"heartbeat_hostname{number}": "'127.0.0.1'"}
            lines |= {
                f"pgpool_port{number}": port,
                f"wd_port{number}": watchdog,
                f"heartbeat_port{number}": heartbeat,
            }
        return "".join(f"{name} = {value}\n" for name, value in lines.items())

    def until_stands_by(self, server: str) -> None:
        """Wait until a pgpool says so in what it has written since its start; a line may follow upon it at once."""
        log, begins = self._folder / server / "log", self._begins[server]
        until(lambda: b"STANDBY" in log.read_bytes()[begins:], f"{server} stands by", told=self.told)

    def told(self) -> str:
        return "\n".join((self._folder / each / "log").read_text()[-1500:] for each in NODES if each in self._running)

    def signal(self, server: str, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._running[server].pid, number)
            else:
                self._running[server].send_signal(number)
        self._running[server].wait(30)

    def end(self) -> None:
        for server in self._running:
            self.signal(server, signal.SIGKILL)

    def until_on(self, server: str) -> None:
        until(lambda: set(self.cluster.holders()) == {server}, f"the address is on {server}", told=self.told)


@pytest.fixture
def pgpools(one_sandbox: object, tmp_path: Path) -> Iterator[Pgpools]:
    if shutil.which("pgpool", path="/usr/sbin:/usr/bin") is None or os.geteuid() == 0:
        reason = "Pgpool-II is not there, or this is root: run 'make patroni-setup' and 'make patroni'"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    cluster = Cluster(one_sandbox, size=3)  # type: ignore[arg-type]
    cluster.clean()
    pgpools = Pgpools(cluster.with_resource(), tmp_path)
    try:
        yield pgpools
    finally:
        pgpools.end()


def test_address_follows_the_leader_of_the_watchdog(pgpools: Pgpools) -> None:
    """To the one that is alone, to the other when it is killed, and back when that one is stopped."""
    pgpools.start("node2")
    pgpools.until_on("node2")
    pgpools.start("node1")
    until(lambda: "node2" in pgpools.cluster.holders(), "the leader keeps it", told=pgpools.told)
    pgpools.until_stands_by("node1")
    pgpools.signal("node2", signal.SIGKILL)
    pgpools.until_on("node1")
    pgpools.start("node2")
    pgpools.until_stands_by("node2")
    pgpools.signal("node1", signal.SIGTERM)
    pgpools.until_on("node2")
