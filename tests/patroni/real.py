"""
Real Patroni on servers of the sandbox: a member for each server, with PostgreSQL, and etcd for their lock.

All listen on loopback. A server is all its processes: they can be killed, paused and resumed together.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..actions.cluster import ACTIONS, VIP_TAG, Cluster

PROGRAMS = Path(__file__).parents[2] / ".venv-patroni" / "bin"
SCOPE = "demo"

TTL, LOOP = 20, 2
"""Seconds that Patroni's lock lasts, the least that Patroni allows, and between two rounds of its loop."""

FAILS_OVER = 90.0
"""Seconds in which another member must be the leader and have the address, also on a machine that is busy."""


def why_not() -> str:
    """Why there can be no real Patroni here; empty if there can."""
    if os.geteuid() == 0:
        return "PostgreSQL does not run as root"
    missing = [name for name in ("etcd",) if shutil.which(name) is None]
    missing += [str(path) for path in (PROGRAMS / "patroni",) if not path.exists()]
    missing += [] if _postgres() else ["PostgreSQL"]
    return f"{', '.join(missing)} not found: run 'make patroni-setup'" if missing else ""


def _postgres() -> Path | None:
    """The folder of the newest PostgreSQL that Debian's packages have installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


def free_port() -> int:
    """A port that nothing uses at this moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


class Member:
    """One member: its server's processes, and what its Patroni says."""

    def __init__(self, cluster: Cluster, server: str, folder: Path, etcd: int) -> None:
        self.server = server
        self._environment = cluster.environment(server, EC2_WRITE_BESIDE_LOOK="0")  # a pause comes before the write
        self._paused: set[int] = set()
        self._folder = folder
        self._port, self._api = free_port(), free_port()
        self._etcd = etcd
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        path = self._folder / "patroni.json"  # which is YAML as well
        path.write_text(json.dumps(self._configuration()))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAMS / "patroni", path],
                env={**self._environment, "LC_ALL": "C.UTF-8"},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _configuration(self) -> dict[str, Any]:
        callback = f"{ACTIONS / 'patroni'} -t {VIP_TAG} --api http://127.0.0.1:{self._api}"
        events = ("on_start", "on_role_change", "on_stop", "on_restart", "on_reload")
        users = {"superuser": {"username": "postgres", "password": "p"}}
        users["replication"] = users["superuser"]
        parameters = {"unix_socket_directories": str(self._folder), "fsync": "off", "shared_buffers": "16MB"}
        return {
            "scope": SCOPE,
            "name": self.server,
            "restapi": {"listen": f"127.0.0.1:{self._api}", "connect_address": f"127.0.0.1:{self._api}"},
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {
                "dcs": {"ttl": TTL, "loop_wait": LOOP, "retry_timeout": 3},
                "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}, "no-sync"],
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self._port}",
                "connect_address": f"127.0.0.1:{self._port}",
                "data_dir": str(self._folder / "data"),
                "bin_dir": str(_postgres()),
                "authentication": users,
                "parameters": parameters,
                "use_pg_rewind": True,
                "callbacks": dict.fromkeys(events, callback),
            },
        }

    # -- what Patroni says --

    def asked(self, method: str, path: str, **told: str) -> int:
        """The status of Patroni's answer, 0 if there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self._api, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request(method, path, json.dumps(told) if told else None)
            return connection.getresponse().status
        return 0

    @property
    def leads(self) -> bool:
        return self.asked("GET", "/primary") == 200

    @property
    def follows(self) -> bool:
        return self.asked("GET", "/replica") == 200

    # -- the server --

    def processes(self) -> set[int]:
        """All processes of the server: Patroni's, PostgreSQL's, and callbacks."""
        roots = {self._process.pid} if self._process else set()
        with contextlib.suppress(OSError, ValueError):
            roots.add(int((self._folder / "data" / "postmaster.pid").read_text().split("\n")[0]))
        found, parents = {each for each in roots if Path(f"/proc/{each}").exists()}, _parents()
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def signal(self, number: int) -> None:
        """Signal all processes of the server, twice: one may just have begun another, or have lost its parent."""
        for _ in range(2):
            found = self.processes() | self._paused
            self._paused = found if number == signal.SIGSTOP else set()
            for each in sorted(found):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, number)

    def die(self) -> None:
        """The server loses its power."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        until(lambda: not self.processes(), "its processes are gone", within=20)

    def told(self) -> str:
        """The end of Patroni's log, and the log of ec2kit."""
        log = Path(self._environment["EC2KIT_LOG_FILE"])
        texts = [each.read_text() for each in (self._folder / "log", log) if each.exists()]
        return f"-- {self.server}\n" + "\n--\n".join("\n".join(each.splitlines()[-12:]) for each in texts)


def _parents() -> dict[int, int]:
    """Every process of this machine → its parent."""
    found: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    return found


class Members:
    """The cluster of Patroni, and where the address is."""

    def __init__(self, cluster: Cluster, members: list[Member]) -> None:
        self.cluster = cluster
        self.all = members

    @property
    def leader(self) -> Member | None:
        return next((each for each in self.all if each.leads), None)

    @property
    def holders(self) -> set[str]:
        return set(self.cluster.holders())

    def other(self, than: Member) -> Member:
        return next(each for each in self.all if each is not than)

    def settled(self, *, on: Member | None = None) -> Member:
        """Wait until there is a leader, this one if given, that has the address; return it."""

        def found() -> Member | None:
            leader = self.leader
            wanted = leader is not None and on in (None, leader)
            return leader if wanted and leader is not None and self.holders == {leader.server} else None

        until(found, f"{on.server if on else 'a member'} leads and has the address", told=self.told)
        leader = found()
        assert leader is not None, self.told()
        return leader

    def stays(self, on: Member, *, seconds: float) -> None:
        """Watch that the address is on a member, all the time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert self.holders == {on.server}, f"it is on {self.holders}\n{self.told()}"
            time.sleep(0.1)

    def told(self) -> str:
        return "\n".join(each.told() for each in self.all)


def until(
    condition: Callable[[], object], what: str, *, within: float = FAILS_OVER, told: Callable[[], str] = lambda: ""
) -> None:
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"not within {within:g} s: {what}\n{told()}"
        time.sleep(0.1)


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[Members]:
    """Yield two members, of which one leads and has the address."""
    client, peer = free_port(), free_port()
    urls = [f"http://127.0.0.1:{each}" for each in (client, peer)]
    words = ["--listen-client-urls", urls[0], "--advertise-client-urls", urls[0], "--listen-peer-urls", urls[1]]
    words += [
        "--initial-advertise-peer-urls",
        urls[1],
        "--initial-cluster",
        f"default={urls[1]}",
        "--unsafe-no-fsync",
    ]
    members = [Member(cluster, server, folder / server, client) for server in ("node1", "node2")]
    with (folder / "etcd.log").open("wb") as log:
        etcd = subprocess.Popen(
            ["etcd", "--data-dir", folder / "etcd", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _listens(client), "etcd answers", told=(folder / "etcd.log").read_text)
        for each in members:
            each.start()
        yield Members(cluster, members)
    finally:
        for each in members:
            each.signal(signal.SIGCONT)
            each.die()
        etcd.kill()
        etcd.wait()
