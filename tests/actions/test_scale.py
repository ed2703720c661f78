"""Many resources on one server: the real scripts against an EC2 that answers at the size of the quotas."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ec2kit.state.file import StateFile

from ..patience import HANGS
from ..scripted_server import ScriptedServer, a_table, scripted, tables
from .cluster import ACTIONS, VIP_TAG, Cluster

ONE_RUN = Path(__file__).parents[2] / "bench" / "one_run.py"
EC2KIT = Path(sys.executable).parent / "ec2kit"

MEMORY = 60.0
"""MiB that an action on one of these resources takes at most."""


@contextmanager
def _many(cluster: Cluster, resources: int, of: int) -> Iterator[tuple[ScriptedServer, list[str]]]:
    """Give node1 so many resources, and so many tables with all of their routes; yield EC2 and the tags."""
    cluster.with_resource()
    addresses = [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(resources)]
    cluster.copied(VIP_TAG, addresses)
    StateFile(str(cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json")).remove()
    routes = [(f"{each}/32", cluster.eni("node1")) for each in addresses]
    with scripted(tables(*(a_table(f"rtb-{number:017x}", *routes) for number in range(of)))) as ec2:
        yield ec2, [f"{VIP_TAG}-{number}" for number in range(resources)]


def _cost(cluster: Cluster, ec2: ScriptedServer, words: Sequence[object]) -> dict[str, float]:
    """Run an action, and return its status, and what it has cost as the benchmarks measure it."""
    environment = cluster.environment("node1", EC2_ENDPOINT_URL=ec2.url, EC2_SNAPSHOT_MAX_AGE="600")
    lean = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-I", "-S", str(ONE_RUN), *map(str, words)]
    done = subprocess.run(command, env=lean, capture_output=True, check=True, timeout=HANGS)
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


@pytest.mark.parametrize(
    ("resources", "of", "requests"),
    [pytest.param(50, 200, 1, id="50-in-200"), pytest.param(500, 4, 3, id="500-in-4")],
)
def test_checks_of_many_resources_are_one_look_in_little_memory(
    cluster: Cluster, resources: int, of: int, requests: int
) -> None:
    """One look, 200 addresses a request, serves the checks of an interval; status asks as often, and shows all."""
    with _many(cluster, resources, of) as (ec2, tags):
        for tag in (tags[0], tags[-1], tags[resources // 2], tags[0]):
            cost = _cost(cluster, ec2, [ACTIONS / "quickCheck", "-t", tag])
            assert cost["status"] == 0
            assert cost["memory"] <= MEMORY
        assert "taken as in service" not in cluster.log("node1")
        assert len(ec2.asked) == requests


def test_status_of_300_resources_asks_twice_and_takes_no_three_seconds(cluster: Cluster) -> None:
    """All of them are shown; the time is that of the processor, which a busy machine does not change."""
    with _many(cluster, 300, 20) as (ec2, tags):
        cost = _cost(cluster, ec2, [EC2KIT, "status"])
        assert cost["status"] == 0
        assert len(ec2.asked) == 2
        assert cost["cpu"] <= 3
        assert cost["memory"] <= MEMORY
        environment = cluster.environment("node1", EC2_ENDPOINT_URL=ec2.url)
        shown = subprocess.run(
            [str(EC2KIT), "status", "--json"], env=environment, capture_output=True, check=True, timeout=HANGS
        ).stdout
        assert {each["tag"]: each["status"] for each in json.loads(shown)["resources"]} == dict.fromkeys(
            tags, "IN_SERVICE"
        )
