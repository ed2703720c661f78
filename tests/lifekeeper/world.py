"""A cluster of LifeKeeper's stand-in on the sandbox, as tests see it: commands, knowledge, and fates of servers."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..actions.cluster import PATIENCE, Cluster, Done
from ..patience import HANGS
from .standin import process
from .standin.install import install
from .standin.server import Server

CORE = Path(__file__).parent / "standin" / "__main__.py"

IP_TAG = "ip-10.1.0.10"


class World(Cluster):
    """The servers of one sandbox, each with LifeKeeper's stand-in; each test gets it clean, without resources."""

    @property
    def servers(self) -> list[str]:
        return list(self.sandbox.description["nodes"])

    def lkroot(self, server: str) -> Path:
        return self.sandbox.folder / server / "lk"

    def environment(self, server: str, **settings: str) -> dict[str, str]:
        """That of a root shell on the server; the tunables are in the server's `default` file, not here."""
        base = self._environments[server]
        root = self.lkroot(server)
        return {**base, "LKROOT": str(root), "PATH": f"{root}/bin:{base['PATH']}", **settings}

    # -- commands --

    def command(self, server: str, name: str, *words: str, within: float = HANGS) -> Done:
        """One command of $LKROOT/bin, or any other program, in a root shell on the server; 255 if it has no power."""
        if not self.runs(server):
            return Done(255, f"{server} has no power", "")
        place = self.lkroot(server) / "bin" / name
        return self._run([str(place) if place.exists() else name, *words], self.environment(server), within)

    def perform(self, server: str, tag: str, action: str, *, within: float = HANGS) -> Done:
        return self.command(server, "perform_action", "-t", tag, "-a", action, within=within)

    def check(self, server: str, recovery: str = "exit", *, limit: float = 250, within: float = HANGS) -> Done:
        """
        One round of the checks there.

        Args:
            recovery: What begins a recovery, from now on: "exit" a status that is not 0, and it has ended when this
                returns; "event" what sendevent reports, in the background (`wait_idle`); "both".
            limit: Seconds that one quickCheck may take.
        """
        self.recovery(recovery)
        return self.command(server, "lkcheck", "-l", str(limit), within=within)

    def recovery(self, how: str) -> None:
        """What begins a recovery: "exit", "event" or "both"."""
        for server in self.servers:
            self.server(server).recovery = how

    def remove_dependents(self) -> None:
        """Let ins_remove remove what depends on the resource, too, rather than refuse."""
        for server in self.servers:
            (self.lkroot(server) / "config" / "remove-dependents").touch()

    def wait_idle(self, *, within: float = HANGS) -> None:
        """Wait until no recovery runs in the background on any server."""
        ends = time.monotonic() + within
        while any(process.running(self.server(server), "background") for server in self.servers):
            assert time.monotonic() < ends, "a recovery did not end"
            time.sleep(0.01)

    # -- what is on the servers --

    def settings_file(self, server: str) -> Path:
        """The server's /etc/default/LifeKeeper."""
        return self.sandbox.folder / server / "default"

    def settings(self, server: str | None = None, **values: str) -> None:
        """Write tunables into the settings file of one server, or of all."""
        for each in [server] if server else self.servers:
            with self.settings_file(each).open("a") as file:
                file.writelines(f"{name}='{value}'\n" for name, value in values.items())

    def create_ip(
        self, server: str = "node1", tag: str = IP_TAG, address: str = "10.1.0.10", device: str = "eth1"
    ) -> None:
        """An IP resource, in service there."""
        self._make_ip(server, tag, address, device)
        self.needed(self.perform(server, tag, "restore"))

    def extend_ip(self, tag: str = IP_TAG, to: str = "node2", priority: int = 10) -> None:
        """Let one more server have the IP resource, with a lower priority than the first one's 1."""
        template = next(each for each in self.servers if each != to and self.state(each, tag))
        _, device, address, *_ = self.instance(template, tag)["info"].split()
        known = {template: self.priorities(template, tag).get(template, 1), **self.priorities(template, tag)}
        self._make_ip(to, tag, address, device)
        for other, priority_there in known.items():
            words = ["-t", tag, "-p", str(priority_there), "-S", to, "-o", tag, "-r", str(priority), "-e", "SHARED"]
            self.needed(self.command(other, "eqv_create", *words))

    def _make_ip(self, server: str, tag: str, address: str, device: str) -> None:
        info = f"{server} {device} {address} 255.255.255.255"
        words = ["-a", "comm", "-r", "ip", "-t", tag, "-i", f"IP-{address}", "-v", info]
        self.needed(self.command(server, "ins_create", *words))

    def addresses(self, server: str, device: str = "eth1") -> list[str]:
        """What is on a device, "10.1.0.10/32"."""
        return (self.sandbox.folder / server / "net" / device / "addresses").read_text().split()

    # -- what LifeKeeper knows --

    def server(self, name: str) -> Server:
        return Server(str(self.lkroot(name)))

    def database(self, server: str) -> dict[str, Any]:
        """All that the server's LifeKeeper knows, to be compared."""
        return self.server(server).database.raw()

    def instance(self, server: str, tag: str) -> dict[str, str]:
        """app, type, tag, id, info, state, reason, init, switchback."""
        return self.server(server).database.read().need(tag)

    def state(self, server: str, tag: str) -> str:
        """ISP, ISU, OSU, OSF; "" if the server does not have the resource."""
        instance = self.server(server).database.read().find(tag)
        return instance["state"] if instance else ""

    def states(self, tag: str) -> list[str]:
        """The state on each server, in the order of their names."""
        return [self.state(server, tag) for server in self.servers]

    def equivalents(self, server: str, tag: str) -> dict[str, str]:
        """Other servers that have the resource → its tag there, as that server sees it."""
        rows = self.server(server).database.read().equivalents(tag)
        return {row["system"]: row["other_tag"] for row in rows}

    def priorities(self, server: str, tag: str) -> dict[str, int]:
        """Servers that have the resource → priority, as that server sees it; empty if it is on one server only."""
        rows = self.server(server).database.read().equivalents(tag)
        own = {server: rows[0]["priority"]} if rows else {}
        return own | {row["system"]: row["other_priority"] for row in rows}

    def dependencies(self, server: str) -> list[tuple[str, str]]:
        """Pairs of parent and child."""
        return [(parent, child) for parent, child in self.server(server).database.read().dependencies]

    def log(self, server: str) -> str:
        """LifeKeeper's log, which is the kit's, too."""
        path = self.sandbox.folder / server / "lifekeeper.log"
        return path.read_text() if path.exists() else ""

    def background(self, server: str) -> str:
        """What recoveries in the background printed."""
        path = self.lkroot(server) / "config" / "background.log"
        return path.read_text() if path.exists() else ""

    # -- the fates of servers --

    def power_off(self, server: str) -> None:
        """It is gone at once; the others have taken over when this returns."""
        self._core(server, "power_off")

    def power_on(self, server: str) -> None:
        """It comes back as after a boot; what goes back to it has done so when this returns."""
        self._core(server, "power_on")

    def cut_off(self, server: str) -> None:
        """It runs, and it and the others do not reach each other any more; nobody takes over by that alone."""
        super().cut_off(server)

    def reconnect(self, server: str) -> None:
        (self.sandbox.folder / server / "unreachable").unlink(missing_ok=True)

    def take_over(self, server: str) -> None:
        """The others take over what is in service on a server that they do not reach, whether it runs or not."""
        self._core(server, "take_over")

    def runs(self, server: str) -> bool:
        return not self.server(server).is_off

    def halted(self, server: str) -> bool:
        """Whether LifeKeeper halted it because a remove failed."""
        mark = Path(self.server(server).off_mark)
        return mark.exists() and mark.read_text() == "halted"

    def processes(self, server: str) -> list[int]:
        """What LifeKeeper has running there: its scripts, by their process ids."""
        return process.running(self.server(server), "script")

    # -- each test begins clean --

    def stop(self) -> None:
        """Nothing that LifeKeeper started runs any more."""
        for server in self.servers:
            if self.lkroot(server).exists():
                process.kill_all(self.server(server))

    def clean(self) -> None:
        """No resources, no logs, all servers run; settings, devices and $LKROOT as at the start."""
        self.stop()
        super().clean()
        for server in self.servers:
            self._clean_server(server)

    def _clean_server(self, server: str) -> None:
        folder = self.sandbox.folder / server
        install(self.lkroot(server))
        self.settings_file(server).write_text("# This server's /etc/default/LifeKeeper\n")
        self.settings(server, **PATIENCE, LKROOT=str(self.lkroot(server)), EC2KIT_LOG_FILE=f"{folder}/lifekeeper.log")

    # -- running --

    def _core(self, server: str, name: str) -> None:
        """One of the core's own doings, which have no command in $LKROOT/bin."""
        words = [sys.executable, "-I", "-S", str(CORE), str(self.lkroot(server)), name]
        self.needed(self._run(words, self.environment(server), HANGS))

    def _run(self, words: list[str], environment: dict[str, str], within: float) -> Done:
        """Output goes to files, not to pipes: who is left running keeps nobody waiting."""
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            with subprocess.Popen(
                words, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            ) as running:
                _wait(running, within)
            stdout.seek(0)
            stderr.seek(0)
            return Done(running.returncode, stderr.read(), stdout.read())

    def needed(self, done: Done) -> Done:
        """A step that must succeed for the test to make sense."""
        assert done.status == 0, done
        return done


def _wait(running: subprocess.Popen[bytes], within: float) -> None:
    """What `Popen.wait` does, without its polling, which doubles what a short command costs."""
    descriptor = os.pidfd_open(running.pid)
    try:
        if not select.select([descriptor], [], [], within)[0]:
            running.kill()
            raise subprocess.TimeoutExpired(running.args, within)
    finally:
        os.close(descriptor)
