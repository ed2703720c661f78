"""The kit installed into LifeKeeper's stand-in, and what an administrator does with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..actions.cluster import EIP_TAG, VIP_TAG, Done
from ..patience import HANGS
from .world import IP_TAG, World

EC2KIT = str(Path(sys.executable).parent / "ec2kit")

NEEDED = {"NOBCASTPING": "1", "RESRVRECTIMEOUT": "300"}

_OF_A_SERVER = ("lk", "state", "run", "net", "lifekeeper.log")


class Kit(World):
    """The stand-in's world with the kit in it; resources are made once and copied for each test."""

    def install(self) -> Kit:
        """The kit on all servers, as `ec2kit install` puts it there."""
        self._kept("installed", self._install)
        self.settings(**NEEDED)
        return self

    def _install(self) -> None:
        for server in self.servers:
            self.needed(self.ec2kit(server, "install", "--lkroot", str(self.lkroot(server))))

    # -- running --

    def ec2kit(self, server: str, *words: str, within: float = HANGS) -> Done:
        return self._run([EC2KIT, *words], self.environment(server), within)

    def program(self, server: str, name: str, *words: str, within: float = HANGS) -> Done:
        """An administration program of the kit, where it is installed."""
        return self._run([str(self.program_path(server, name)), *words], self.environment(server), within)

    def program_path(self, server: str, name: str) -> Path:
        return self.lkroot(server) / "lkadm/subsys/comm/ec2/bin" / name

    def hook_path(self, server: str, name: str) -> Path:
        return self.lkroot(server) / "subsys/comm/resources/ec2/actions" / name

    def hook(self, server: str, name: str, tag: str = VIP_TAG, **different: str) -> Done:
        """A hook as LifeKeeper runs it."""
        words = [str(self.hook_path(server, name)), "-t", tag, "-i", "x"]
        return self._run(words, self.environment(server, **different), HANGS)

    def start(self, server: str, action: str, *words: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.program_path(server, action)), *words],
            env=self.environment(server, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # -- resources --

    def create_words(self, tag: str = VIP_TAG, switchback: str = "intelligent") -> list[str]:
        kind = ["--type", "route-table", "--ip-resource", IP_TAG]
        if tag == EIP_TAG:
            kind = ["--type", "elastic-ip", "--elastic-ip", self.sandbox.description["elastic_ip"]]
        return ["-t", tag, "-s", switchback, *kind, "--interface", "eth1"]

    def with_route_table(self, servers: int = 2, switchback: str = "intelligent") -> Kit:
        """A virtual IP on node1, with its IP resource, extended to the others."""
        return self._kept(f"vip-{servers}-{switchback}", lambda: self._make(VIP_TAG, servers, switchback))

    def with_elastic_ip(self, servers: int = 2) -> Kit:
        self._kept(f"eip-{servers}", lambda: self._make(EIP_TAG, servers, "intelligent"))
        self.associate("node1")
        return self

    def with_both(self, servers: int = 2) -> Kit:
        """Both scenarios in one hierarchy: the IP resource depends on the Elastic IP as well."""
        self._kept(f"both-{servers}", lambda: self._make_both(servers))
        self.associate("node1")
        return self

    def with_ip(self, server: str = "node1") -> Kit:
        """An IP resource on one server, in service."""
        return self._kept(f"ip-{server}", lambda: self.create_ip(server))

    def _make(self, tag: str, servers: int, switchback: str) -> None:
        """On one server, or on one more than what was made before."""
        if servers > 1:
            self._extend(tag, servers, switchback)
            return
        if tag == VIP_TAG:
            self.with_ip()
            if switchback == "automatic":
                self.needed(self.command("node1", "ins_setas", "-t", IP_TAG, "-s", "AUTOMATIC"))
        self.needed(self.program("node1", "create", *self.create_words(tag, switchback)))

    def _extend(self, tag: str, servers: int, switchback: str) -> None:
        name, priority = f"node{servers}", servers * 10
        if tag == EIP_TAG:
            self.with_elastic_ip(servers - 1)
        else:
            self.with_route_table(servers - 1, switchback)
            self.extend_ip(to=name, priority=priority)
            if switchback == "automatic":
                self.needed(self.command(name, "ins_setas", "-t", IP_TAG, "-s", "AUTOMATIC"))
        self.needed(self.program(name, "extend", "node1", tag, "--priority", str(priority)))

    def _make_both(self, servers: int) -> None:
        self.with_route_table(servers)
        self.needed(self.program("node1", "create", *self.create_words(EIP_TAG)))
        for number in range(2, servers + 1):
            words = ["node1", EIP_TAG, "--priority", str(number * 10)]
            self.needed(self.program(f"node{number}", "extend", *words))
        for server in self.servers[:servers]:
            self.needed(self.command(server, "dep_create", "-p", IP_TAG, "-c", EIP_TAG))

    def _kept(self, name: str, make: Callable[[], None]) -> Kit:
        def made(kept: Path) -> None:
            make()
            for server in self.servers:
                for place in _OF_A_SERVER:
                    _copy(self.sandbox.folder / server / place, kept / server / place)

        kept = self.sandbox.layouts.get(f"lifekeeper-{name}", made)
        for server in self.servers:
            for place in _OF_A_SERVER:
                _copy(kept / server / place, self.sandbox.folder / server / place)
        return self

    def forget_log(self) -> None:
        for server in self.servers:
            (self.sandbox.folder / server / "lifekeeper.log").unlink(missing_ok=True)

    # -- what came of it --

    def codes(self, server: str, code: int) -> list[str]:
        """The texts of the log's lines of one message."""
        return re.findall(rf":{code}:(.*)$", self.log(server), re.MULTILINE)

    def traces(self, server: str, tag: str) -> list[str]:
        """What a server still has of a resource: in LifeKeeper's database, and in the kit's files."""
        database = [f"database: {tag}"] if tag in str(self.database(server)) else []
        files = [str(path) for name in ("state", "run") for path in self._place(server, name).rglob(f"{tag}*")]
        return database + files

    def _place(self, server: str, name: str) -> Path:
        return self.sandbox.folder / server / name


def _copy(source: Path, to: Path) -> None:
    """A folder with all that is in it, in place of what is there; or a file."""
    if source.is_dir():
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(source, to)
    elif source.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, to)
