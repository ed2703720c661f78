"""A restore by the third of three ways to EC2, two of them dead, is measured beside one with only the good way."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass

from contestants import VIP_TAG, Servers
from measure import once

from ec2kit.sandbox.client import started

_TIME_OUT = "2"
"""Seconds of AWSCLI_CONNECT_TIMEOUT, its default."""


@dataclass(frozen=True)
class Costs:
    """Hold the seconds of a restore: by the good way alone; by the list at first, and from the second run on."""

    alone: float
    first: float
    later: float


def measure(*, rounds: int) -> Costs:
    """Measure in alternation, over HTTPS: the first way is a black hole, the second has a dead proxy."""
    with tempfile.TemporaryDirectory() as folder, started(folder, tables=1, tls=True) as sandbox:
        servers = Servers(sandbox)
        servers.create()
        for server in ("node1", "node2"):
            sandbox.fault("drop", service="interface", server=server)
        _moved(servers, "node2", dead=False)
        _moved(servers, "node1", dead=False)
        first = statistics.mean(_moved(servers, server, dead=True) for server in ("node2", "node1"))
        alone, later = [], []
        for _ in range(rounds):
            for server in ("node2", "node1"):
                alone.append(_moved(servers, server, dead=False))
            for server in ("node2", "node1"):
                later.append(_moved(servers, server, dead=True))
        return Costs(statistics.median(alone), first, statistics.median(later))


def _moved(servers: Servers, server: str, *, dead: bool) -> float:
    """Give the address away on the other server, restore it here, and return the seconds of the restore."""
    node = servers.sandbox.description["nodes"][server]
    ways = [node["fips_url"]]
    if dead:
        ways = [node["interface_url"], f"{node['dual_stack_url']} via http://127.0.0.1:9", *ways]
    once(servers.action("node1" if server == "node2" else "node2", "remove", VIP_TAG))
    settings = {"EC2_ENDPOINTS": ", ".join(ways), "AWSCLI_CONNECT_TIMEOUT": _TIME_OUT}
    return once(servers.action(server, "restore", VIP_TAG, **settings))["wall"]
