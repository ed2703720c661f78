"""
Measures the open windows of docs/reliability.md on a sandbox, that is, simulated: `python -m tests.soak.windows`.

How long ago was what a write rests on when it arrives at EC2? For the last look at intention and deadline, and for
the look at the address (and the question to its owner) that permits a recovery.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from ec2kit import settings
from ec2kit.deadline import Deadline
from ec2kit.ec2.operations import Ec2
from ec2kit.messages.log import Log
from ec2kit.sandbox.client import Sandbox, started

from ..actions.cluster import VIP_TAG, Cluster
from ..one_sandbox import OneSandbox

ROUNDS = 25


def guarded_writes(sandbox: Sandbox) -> Iterator[tuple[float, float]]:
    """Seconds from the last look at what is wanted to the arrival: of a first write, and of the next one."""
    os.environ.update(sandbox.environment("node1"))
    chosen = settings.load(os.environ, tag="")
    description = sandbox.description
    route = {
        "route_table_id": description["route_table_ids"][0],
        "destination_cidr_block": f"{description['vip']}/32",
        "network_interface_id": description["nodes"]["node1"]["interfaces"]["eth1"]["network_interface_id"],
    }
    for _ in range(ROUNDS):
        looks: list[float] = []
        ec2 = Ec2(
            region=description["region"],
            settings=chosen,
            deadline=Deadline(30),
            log=Log(action="restore", tag="", sinks=()),
            user_agent="windows",
            guard=lambda looks=looks: looks.append(time.time()),  # type: ignore[misc]
        )
        first, second = ((ec2.replace_route(**route).request_id, looks[-1]) for _ in range(2))
        arrived = {call["request_id"]: call["time"] for call in sandbox.calls()[-2:]}
        yield arrived[first[0]] - first[1], arrived[second[0]] - second[1]


def looked_writes(cluster: Cluster, action: str, server: str, target: str) -> Iterator[float]:
    """Seconds from the answered look that a write rests on to the write's arrival."""
    for _ in range(ROUNDS):
        cluster.point(cluster.tables[0], target)
        before = len(cluster.sandbox.calls())
        done = cluster.act(server, action)
        assert done.status == 0, done.stderr
        yield _between(cluster.sandbox.calls()[before:])


def _between(calls: list[dict[str, Any]]) -> float:
    looks = (each for each in calls if each["operation"] == "DescribeRouteTables")
    writes = (each for each in calls if each["operation"] == "ReplaceRoute" and each["server"])
    look, write = next(looks), next(writes)
    return float(write["time"] - look["time"] - look["milliseconds"] / 1000)


def tell(what: str, seconds: list[float]) -> None:
    at, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    sys.stdout.write(f"{what}: median {at:.1f} ms, at most {most:.1f} ms, of {len(seconds)}\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, started(folder, nodes=2, tables=2) as sandbox:
        cluster = Cluster(OneSandbox(sandbox.folder), size=2).with_resource(VIP_TAG)
        foreign, standby = cluster.eni("node1", "eth0"), cluster.eni("node2")
        tell("look to write, restore", list(looked_writes(cluster, "restore", "node1", foreign)))
        tell("look to write, recover, nobody to ask", list(looked_writes(cluster, "recover", "node1", foreign)))
        tell("look to write, recover, one server asked", list(looked_writes(cluster, "recover", "node1", standby)))
        first, again = zip(*guarded_writes(sandbox), strict=True)
        tell("last look at what is wanted to arrival, first write", list(first))
        tell("last look at what is wanted to arrival, next write", list(again))


if __name__ == "__main__":
    main()
