"""The life of a resource of every kind of address, by the real action scripts: one story, told once for each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..one_sandbox import OneSandbox
from .cluster import DNS_TAG, EIP_TAG, KINDS, Cluster, finished, standby

each_kind = pytest.mark.parametrize("tag", KINDS)


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    """Servers whose checks always ask EC2, because an outside hand moves the address between them."""
    cluster = Cluster(one_sandbox, {"EC2_SNAPSHOT_MAX_AGE": "0"})
    cluster.clean()
    return cluster


def asked(cluster: Cluster, server: str, *words: str) -> Any:
    """What the admin CLI says in JSON."""
    with subprocess.Popen(
        [Path(sys.executable).with_name("ec2kit"), *words, "--json"],
        env=cluster.environment(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        return json.loads(finished(process).stdout)


@pytest.mark.parametrize("tag", [*KINDS, DNS_TAG])
def test_a_resource_of_each_kind_is_led_through_its_whole_life(cluster: Cluster, tag: str) -> None:
    """create, extend, failover, drift repaired, late remove, recover that refuses to steal, unextend, delete."""
    other = standby(tag)
    cluster.with_resource(tag)
    assert cluster.holder(tag) == "node1"
    assert cluster.act(other, "restore", tag).status == 0
    assert cluster.holder(tag) == other
    assert (cluster.act(other, "quickCheck", tag).status, cluster.act("node1", "quickCheck", tag).status) == (0, 1)
    stealing = cluster.act("node1", "recover", tag)
    assert (stealing.status, f"taken over by {other}" in stealing.stderr) == (1, True), stealing.stderr
    assert cluster.act("node1", "remove", tag).status == 0
    assert cluster.holder(tag) == other
    cluster.move(tag, cluster.eni("node1"))
    assert cluster.act(other, "quickCheck", tag).status == 1
    repaired = cluster.act(other, "recover", tag)
    assert (repaired.status, cluster.holder(tag)) == (0, other), repaired.stderr
    (shown,) = asked(cluster, other, "status", tag)["resources"]
    assert (shown["status"], {each["server"] for each in shown["owners"].values()}) == ("IN_SERVICE", {other})
    assert cluster.act(other, "remove", tag).status == 0
    assert cluster.holder(tag) == (None if tag == EIP_TAG else other)
    done = cluster.run("node1", "unextend", tag, "--server", other)
    assert done.status == 0, done.stderr
    assert cluster.run("node1", "delete", tag).status == 0
    assert asked(cluster, "node1", "status")["resources"] == []


@each_kind
def test_a_create_that_fails_puts_the_address_back(cluster: Cluster, tag: str) -> None:
    """EC2 shows the move later than create may wait: create fails, and its undo waits and gives the address back."""
    cluster.move(tag, cluster.eni("node3"))
    cluster.sandbox.fault("late", seconds=2.5)
    done = cluster.create(tag=tag, EC2_VERIFY_TIMEOUT="1")
    assert done.status != 0
    assert "1 put back" in done.stderr or f"{cluster.size} put back" in done.stderr, done.stderr
    assert cluster.holder(tag) == "node3"
    assert asked(cluster, "node1", "status")["resources"] == []
