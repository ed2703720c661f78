"""A restore that writes beside its first look is measured beside one that looks first."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contestants import VIP_TAG, Servers
from installed import ACTIONS
from measure import once

from ec2kit.sandbox.client import started

LATENCIES = (0.05, 0.1, 0.2, 0.4)
"""Seconds that EC2 takes to answer each request; the promise is about 0.2."""

BESIDE, AFTER = "first writes beside the first look", "look first"
BEFORE = "as an earlier build does"
WAYS = {AFTER: {"EC2_WRITE_BESIDE_LOOK": "0"}, BESIDE: {"EC2_WRITE_BESIDE_LOOK": "1"}, BEFORE: {}}
"""Name of the way → its settings."""

SHORT = {AFTER: "look first", BESIDE: "write first", BEFORE: "earlier build"}
"""Name of the way → the name in a legend."""


@dataclass(frozen=True)
class Moments:
    """Hold the seconds from exec of restore to the arrival of its first write at EC2, and to its end."""

    way: str
    latency: float
    first_write: float
    end: float


def measure(*, rounds: int, latencies: Sequence[float] = LATENCIES, before: Path | None = None) -> list[Moments]:
    """
    Measure all ways in alternation, over HTTPS, for an address of one table that is on the other server.

    Args:
        before: The folder of the actions of an earlier build, which has a sandbox of its own. None: there is none.
    """
    with ExitStack() as stack:
        now = stack.enter_context(_servers(ACTIONS))
        by_way = {AFTER: now, BESIDE: now}
        if before is not None:
            by_way[BEFORE] = stack.enter_context(_servers(before))
        return [each for latency in latencies for each in _at(by_way, latency, rounds)]


@contextmanager
def _servers(actions: Path) -> Iterator[Servers]:
    """Yield servers of which each had the address before in this boot."""
    with tempfile.TemporaryDirectory() as folder, started(folder, tables=1, tls=True) as sandbox:
        servers = Servers(sandbox, actions)
        servers.create()
        for server in ("node2", "node1"):
            _moved(servers, server, {})
        yield servers


def _at(by_way: Mapping[str, Servers], latency: float, rounds: int) -> Iterator[Moments]:
    samples: dict[str, list[tuple[float, float]]] = {way: [] for way in by_way}
    for servers in by_way.values():
        servers.sandbox.clear()
        servers.sandbox.fault("delay", seconds=latency)
    for _ in range(rounds):
        for way, servers in by_way.items():
            samples[way] += [_moved(servers, server, WAYS[way]) for server in ("node2", "node1")]
    for way, moments in samples.items():
        firsts, ends = zip(*moments, strict=True)
        yield Moments(way, latency, statistics.median(firsts), statistics.median(ends))


def _moved(servers: Servers, server: str, settings: Mapping[str, str]) -> tuple[float, float]:
    """Give the address away on the other server, restore it here, and return the two moments."""
    other = "node1" if server == "node2" else "node2"
    once(servers.action(other, "remove", VIP_TAG))
    before = len(servers.sandbox.calls())
    cost = once(servers.action(server, "restore", VIP_TAG, **settings))
    calls = servers.sandbox.calls()[before:]
    writes = [float(call["time"]) for call in calls if call["operation"] == "ReplaceRoute"]
    return min(writes) - cost["began"], cost["wall"]
