"""Commands that change a definition at the same time, or are interrupted, by the real scripts; see also model/."""

from __future__ import annotations

import json
import re
import shlex
import signal
from pathlib import Path

import pytest

from .cluster import EIP_TAG, VIP_TAG, Cluster, Done, finished, until

SERVERS = ("node1", "node2", "node3")


def definitions(cluster: Cluster) -> list[dict[str, object] | None]:
    """What each server has; None where there is nothing."""
    files = [cluster.path(name, "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json" for name in SERVERS]
    return [json.loads(file.read_text()) if file.exists() else None for file in files]


def names(definition: dict[str, object] | None) -> list[str]:
    """The servers of a definition."""
    return [each["name"] for each in definition["servers"]] if definition else []  # type: ignore[attr-defined]


def interrupted_at(cluster: Cluster, question: str, tmp_path: Path) -> str:
    """A way to the other servers, on which whoever asks this question is sent SIGINT before it is carried out."""
    way = cluster.environment("node3")["EC2_REMOTE_COMMAND"]
    path = tmp_path / "way"
    path.write_text(
        f'#!/bin/sh\ncase "$2" in *" peer {question} "*) kill -INT $PPID; sleep 0.2 ;; esac\nexec {way} "$@"\n'
    )
    return f"/bin/sh {shlex.quote(str(path))}"


def test_extend_while_the_resource_is_deleted_refuses_and_stores_nothing(cluster: Cluster) -> None:
    """What was deleted on all servers while extend made its checks is not there again afterwards."""
    cluster.with_resource()
    fault = cluster.sandbox.fault("silent", server="node3", operation="DescribeRouteTables")
    extend = cluster.start("node3", "extend", "node1", VIP_TAG, "--priority", "30")
    until(lambda: cluster.met(fault))
    assert cluster.act("node1", "delete").status == 0
    cluster.sandbox.clear()
    done = finished(extend)
    assert done.status == 1
    assert "these servers have no resource ec2-vip1: node1, node2" in done.stderr
    assert definitions(cluster) == [None, None, None]


@pytest.mark.parametrize("question", ["describe", "claim", "store"])
def test_extend_interrupted_anywhere_leaves_every_server_as_it_was(
    cluster: Cluster, question: str, tmp_path: Path
) -> None:
    """Ctrl-C at each question that it asks: one definition on all servers, without the new one, and no claim."""
    cluster.with_resource()
    routes = cluster.routes()
    way = interrupted_at(cluster, question, tmp_path)
    words = ["node1", VIP_TAG, "--priority", "30"]
    done = cluster.run("node3", "extend", *words, EC2_REMOTE_COMMAND=way)
    assert done.status == 1
    assert "stopped by signal SIGINT" in done.stderr
    one, two, three = definitions(cluster)
    assert one == two
    assert (names(one), three, cluster.routes()) == (["node1", "node2"], None, routes)
    done = cluster.run("node3", "extend", *words)
    assert done.status == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_canextend_interrupted_in_its_checks_leaves_no_trace(cluster: Cluster, number: signal.Signals) -> None:
    """It changes nothing at any time."""
    cluster.with_resource()
    before, routes = definitions(cluster), cluster.routes()
    fault = cluster.sandbox.fault("silent", server="node3", operation="DescribeRouteTables")
    asking = cluster.start("node3", "canextend", "node1", VIP_TAG)
    until(lambda: cluster.met(fault))
    asking.send_signal(number)
    done = finished(asking)
    assert done.status == 1
    assert f"stopped by signal {number.name}" in done.stderr
    assert (definitions(cluster), cluster.routes()) == (before, routes)
    assert not list(cluster.path("node3", "EC2KIT_STATE_DIR").rglob(f"{VIP_TAG}*"))


# -- two creates at once -------------------------------------------------------------------------------------------


def create_words(tag: str, vip: str) -> list[str]:
    return ["-t", tag, "--type", "route-table", "--vip", vip, "--interface", "eth1"]


def creates_at_once(cluster: Cluster, *creates: tuple[str, str, str]) -> list[Done]:
    """Several creates, as server, tag and address, whose checks go on at the same time."""
    looks = [
        cluster.sandbox.fault("delay", server=server, operation="DescribeRouteTables", seconds=1, count=1)
        for server in {server for server, *_ in creates}
    ]
    running = [cluster.start(server, "create", *create_words(tag, vip)) for server, tag, vip in creates]
    done = [finished(each) for each in running]
    assert all(map(cluster.met, looks))
    return done


def made(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Server, tag and address of each route table resource that there is."""
    files = [
        (name, json.loads(path.read_text()))
        for name in SERVERS
        for path in (cluster.path(name, "EC2KIT_STATE_DIR") / "resources").glob("*.json")
    ]
    return [(name, each["tag"], each["address"]) for name, each in files if each["scenario"] == "route-table"]


def add_address(cluster: Cluster, vip: str) -> None:
    """One more address that the route tables hold."""
    for table in cluster.tables:
        cluster.aws.create_route(
            RouteTableId=table, DestinationCidrBlock=f"{vip}/32", NetworkInterfaceId=cluster.eni("node3", "eth0")
        )


ONE, OTHER = ("ec2-one", "10.1.0.10"), ("ec2-other", "10.1.0.77")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(ONE, ONE, id="the-same"),
        pytest.param(ONE, (ONE[0], OTHER[1]), id="one-tag"),
        pytest.param(ONE, (OTHER[0], ONE[1]), id="one-address"),
    ],
)
def test_two_creates_at_once_on_one_server_make_one_resource(
    cluster: Cluster, first: tuple[str, str], second: tuple[str, str]
) -> None:
    """The one that comes second says what is taken; AWS is as the first one left it."""
    add_address(cluster, OTHER[1])
    done = creates_at_once(cluster, ("node1", *first), ("node1", *second))
    assert sorted(each.status for each in done) == [0, 1]
    wish = (first, second)[[each.status for each in done].index(0)]
    assert made(cluster) == [("node1", *wish)]
    refused = next(each.stderr for each in done if each.status)
    assert re.search("taken|is protected by|is being changed|failed: address free|changing", refused), refused
    assert cluster.holders(f"{wish[1]}/32") == ["node1"] * 6


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(ONE, id="the-same"),
        pytest.param((ONE[0], OTHER[1]), id="one-tag"),
        pytest.param((OTHER[0], ONE[1]), id="one-address"),
    ],
)
def test_two_creates_at_once_on_two_servers_make_one_resource_or_none(
    cluster: Cluster, second: tuple[str, str]
) -> None:
    """Servers that know each other: at least one sees the other, and a refused one leaves nothing behind."""
    cluster.with_resource(EIP_TAG)
    add_address(cluster, OTHER[1])
    before = cluster.routes()
    done = creates_at_once(cluster, ("node1", *ONE), ("node2", *second))
    wishes = [("node1", *ONE), ("node2", *second)]
    successes = [wish for wish, each in zip(wishes, done, strict=True) if each.status == 0]
    assert len(successes) <= 1, done
    assert made(cluster) == successes
    if not successes:
        assert cluster.routes() == before
    for each in done:
        assert each.status == 0 or re.search("is protected by|has a resource", each.stderr), each.stderr
    assert cluster.run("node1", "create", *create_words(*ONE)).status == (1 if successes else 0)
