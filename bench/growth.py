"""The cost grows with the tables of one address, and with the resources of one server."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contestants import VIP_TAG, Servers
from measure import Figures, measured, once

from ec2kit.sandbox.client import started

TABLES = (1, 10, 50, 200)
RESOURCES = (1, 10, 50)
LATENCIES = (0.0, 0.05, 0.2)
"""Seconds that EC2 takes longer to answer each request."""

PACE = {"EC2_WRITE_BURST": "50", "EC2_WRITE_RATE": "5"}
"""The defaults, which the sandbox switches off."""


@dataclass(frozen=True)
class Point:
    """Hold the cost of one size, in seconds."""

    size: int
    latency: float
    wall: float
    cpu: float
    requests: int


def over_tables(*, rounds: int) -> Iterator[Point]:
    """Measure a restore that moves all tables, with a full bucket, as after ten quiet seconds."""
    for tables in TABLES:
        with tempfile.TemporaryDirectory() as folder, started(folder, tables=tables, tls=True) as sandbox:
            servers = Servers(sandbox)
            servers.create()
            for latency in LATENCIES:
                sandbox.clear()
                if latency:
                    sandbox.fault("delay", seconds=latency)
                figures = Figures()
                for number in range(1 if tables > 100 else rounds):
                    server = ("node2", "node1")[number % 2]
                    _fill_the_bucket(servers.run_dir(server))
                    measured(servers.action(server, "restore", VIP_TAG, **PACE), sandbox, figures)
                sandbox.clear()
                once(servers.action("node1", "restore", VIP_TAG))
                yield _point(tables, latency, figures)


def _fill_the_bucket(run_dir: Path) -> None:
    for each in run_dir.glob("write-bucket.*"):
        each.unlink()


def over_resources(*, shared: bool, rounds: int) -> Iterator[Point]:
    """
    Measure a quickCheck of each of a server's resources, one after the other.

    Args:
        shared: True: they share one answer. False: each asks for its own.
    """
    age = "3600" if shared else "0"
    for count in RESOURCES:
        with tempfile.TemporaryDirectory() as folder, started(folder, tables=1, tls=True) as sandbox:
            servers = Servers(sandbox)
            servers.create()
            tags = _more_resources(servers, count)
            figures = Figures()
            for _ in range(rounds):
                for file in servers.run_dir("node1").glob("shared.*"):
                    file.unlink()
                each = Figures()
                for tag in tags:
                    measured(servers.action("node1", "quickCheck", tag, EC2_SNAPSHOT_MAX_AGE=age), sandbox, each)
                figures.walls.append(sum(each.walls))
                figures.cpus.append(sum(each.cpus))
                figures.memories.append(max(each.memories))
                figures.ec2.append(sum(each.ec2))
            yield _point(count, 0.0, figures)


def _more_resources(servers: Servers, count: int) -> list[str]:
    """Make the VIP's route for other VIPs, and a resource for each, as many as wanted; put the Elastic IP's aside."""
    state, sandbox = servers.state_dir("node1"), servers.sandbox
    for file in (state / "resources").glob("ec2-eip*"):
        file.unlink()
    eni = sandbox.description["nodes"]["node1"]["interfaces"]["eth1"]["network_interface_id"]
    definition = json.loads((state / "resources" / f"{VIP_TAG}.json").read_text())
    tags = [VIP_TAG]
    for number in range(2, count + 1):
        tag, address = f"ec2-vip{number}", f"10.9.0.{number}"
        for table in sandbox.description["route_table_ids"]:
            servers.aws.create_route(RouteTableId=table, DestinationCidrBlock=f"{address}/32", NetworkInterfaceId=eni)
        content = {**definition, "tag": tag, "address": address}
        (state / "resources" / f"{tag}.json").write_text(json.dumps(content))
        shutil.copy(state / "states" / f"{VIP_TAG}.json", state / "states" / f"{tag}.json")
        tags.append(tag)
    return tags


def _point(size: int, latency: float, figures: Figures) -> Point:
    return Point(size, latency, figures.wall, figures.cpu, round(statistics.median(figures.ec2)))
