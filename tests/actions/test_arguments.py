"""Hostile, missing and unknown arguments: one clear line, the right exit status, and nothing changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .cluster import VIP_TAG, Cluster

BY_TAG = ["restore", "remove", "quickCheck", "recover", "delete", "unextend"]

ROUTE_TABLE = ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]

HOSTILE = [
    pytest.param("../x", "restore", id="path"),
    pytest.param("a b", "remove", id="space"),
    pytest.param("a\nERROR:forged", "quickCheck", id="newline"),
    pytest.param("", "recover", id="empty"),
    pytest.param("x" * 300, "delete", id="long"),
    pytest.param("..", "unextend", id="dots"),
    pytest.param("a;reboot", "create", id="shell"),
    pytest.param("\x1b[2J", "remove", id="escape"),
    pytest.param("té", "quickCheck", id="letters of elsewhere"),
]
"""Each kind with one action, each action with one kind: all read a tag by the same line."""


def _files(cluster: Cluster) -> set[Path]:
    places = [cluster.path(server, "EC2KIT_STATE_DIR").parent for server in ("node1", "node2", "node3")]
    return {path for place in places for path in place.rglob("*") if path.name != "ec2kit.log"}


@pytest.mark.parametrize(("tag", "action"), HOSTILE)
def test_a_hostile_tag_is_refused_with_one_line(cluster: Cluster, action: str, tag: str) -> None:
    """A tag is never a path, a line or a command."""
    before = _files(cluster)
    more = ROUTE_TABLE if action == "create" else []
    done = cluster.run("node1", action, "-t", tag, *more)
    assert done.status == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is not a tag" in done.stderr
    assert "\x1b" not in done.stderr
    assert _files(cluster) == before
    assert done.stdout == ""


@pytest.mark.parametrize("action", BY_TAG)
def test_an_unknown_tag_in_an_intact_registry_is_refused_with_one_line(cluster: Cluster, action: str) -> None:
    """A resource that does not exist is said not to, and nothing begins."""
    cluster.with_resource()
    before, calls = _files(cluster), len(cluster.sandbox.calls())
    done = cluster.act("node1", action, "ec2-other")
    assert done.status == 1
    assert len(done.stderr.splitlines()) == 1
    assert "there is no resource ec2-other" in done.stderr
    assert _files(cluster) == before
    assert len(cluster.sandbox.calls()) == calls


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["restore"], id="no tag"),
        pytest.param(["quickCheck"], id="quickCheck without tag"),
        pytest.param(["remove"], id="remove without tag"),
        pytest.param(["recover", "-t"], id="tag without value"),
        pytest.param(["restore", "--tag=--"], id="tag that ends the options"),
        pytest.param(["remove", "--tag=--"], id="remove with such a tag"),
        pytest.param(["create", "--type", "route-table", "--vip=--"], id="vip that ends the options"),
        pytest.param(["restore", "-t", "x", "--force"], id="unknown long option"),
        pytest.param(["quickCheck", "-t", "x", "--force"], id="quickCheck with unknown long option"),
        pytest.param(["create", "-t", "x"], id="create without type"),
        pytest.param(["create", "-t", "x", "--type", "route-table", "--priority", "high"], id="priority no number"),
        pytest.param(["extend", "node1"], id="extend without tag"),
        pytest.param(["canextend"], id="canextend without anything"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_2_with_one_line(cluster: Cluster, words: list[str]) -> None:
    """Usage errors are told apart from failures."""
    done = cluster.run("node1", *words)
    assert done.status == 2
    assert len(done.stderr.splitlines()) == 1
    assert "usage" in done.stderr


def test_unknown_short_flags_are_ignored(cluster: Cluster) -> None:
    """A framework may add flags of its own."""
    cluster.with_resource()
    assert cluster.run("node1", "quickCheck", "-t", "ec2-vip1", "-i", "whatever", "-R", "-F", "x").status == 0


def test_delete_as_a_hook_of_a_resource_that_is_gone_already_succeeds(cluster: Cluster) -> None:
    """LifeKeeper calls it while it removes the resource; there is nothing left to clean, and no reason to refuse."""
    cluster.with_resource()
    assert cluster.run("node1", "delete", "--hook", "-t", "ec2-other").status == 0


def test_a_hook_of_an_unknown_resource_says_so_and_only_remove_succeeds(cluster: Cluster) -> None:
    """--hook stands before what LifeKeeper gives; for a remove that fails LifeKeeper would halt the server."""
    cluster.with_resource()
    for action in ("restore", "remove", "quickCheck", "recover"):
        done = cluster.run("node1", action, "--hook", "-t", "ec2-other")
        assert "there is no resource ec2-other" in done.stderr
        assert done.status == (0 if action == "remove" else 1), action


def test_a_tag_may_be_given_as_a_word_or_by_its_flag(cluster: Cluster) -> None:
    """Where a framework says -t TAG, a person may say TAG; and the other way round."""
    assert cluster.run("node1", "create", VIP_TAG, *ROUTE_TABLE).status == 0
    assert cluster.run("node2", "canextend", "-t", VIP_TAG, "node1").status == 0
    assert cluster.run("node2", "extend", "node1", "-t", VIP_TAG).status == 0
    for action in ("quickCheck", "recover", "remove", "restore"):
        assert cluster.run("node1", action, VIP_TAG).status == 0, action
    assert cluster.run("node1", "unextend", VIP_TAG, "--server", "node2").status == 0
    assert cluster.run("node1", "delete", VIP_TAG).status == 0


@pytest.mark.parametrize("action", BY_TAG)
def test_two_different_tags_are_refused_and_nothing_is_done(cluster: Cluster, action: str) -> None:
    """Which one is meant, nobody can say; both are named. Only restore takes several, by its flag."""
    cluster.with_resource()
    before, calls = _files(cluster), len(cluster.sandbox.calls())
    for words in [["-t", "ec2-other", "-t", VIP_TAG]] * (action != "restore") + [["ec2-other", VIP_TAG]]:
        done = cluster.run("node1", action, *words)
        assert done.status == 2
        assert f"'ec2-other', '{VIP_TAG}'" in done.stderr
    assert _files(cluster) == before
    assert len(cluster.sandbox.calls()) == calls


def test_restore_of_several_tries_all_and_fails_for_one(cluster: Cluster) -> None:
    """By hand and by script: each has its own lines, and the worst is the exit status."""
    cluster.with_resource()
    done = cluster.run("node2", "restore", "-t", "ec2-other", "-t", VIP_TAG)
    assert done.status == 1
    assert 'successful restore of "ec2-vip1"' in done.stderr
    assert cluster.holders() == ["node2"] * 6
    ec2kit = str(Path(sys.executable).with_name("ec2kit"))
    done = cluster.run("node1", ec2kit, "restore", "-t", VIP_TAG, "-t", "ec2-other", "--json")
    told = json.loads(done.stdout)
    assert (done.status, told["success"]) == (1, False)
    assert [(each["tag"], each["success"]) for each in told["resources"]] == [(VIP_TAG, True), ("ec2-other", False)]
    assert cluster.holders() == ["node1"] * 6


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--type", "bridge", "--vip", "10.1.0.10", "--interface", "eth1"], "type", id="type"),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0", "--interface", "eth1"], "neither an IPv4", id="vip"
        ),
        pytest.param(
            ["--type", "route-table", "--vip", "fd00::1", "--interface", "eth1"], "no route table", id="IPv6"
        ),
        pytest.param(["--type", "route-table", "--interface", "eth1"], "needs --vip", id="no vip"),
        pytest.param(["--type", "elastic-ip", "--interface", "eth1"], "needs --elastic-ip", id="no elastic ip"),
        pytest.param(["--type", "route-table", "--vip", "10.1.0.10"], "either --interface or", id="no interface"),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth9"], "eth0, eth1", id="device"
        ),
        pytest.param(["--type", "route-table", "--vip", "10.1.0.10", "--interface", "../x"], "'../x'", id="path"),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0.10", "--network-interface-id", "eni-0"], "eni-0", id="eni"
        ),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1", "--priority", "0"],
            "1 to 999",
            id="0",
        ),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1", "--region", "mars-1"],
            "mars-1",
            id="r",
        ),
        pytest.param(
            ["--type", "route-table", "--ip-resource", "ip-1", "--interface", "eth1"], "LifeKeeper", id="ip resource"
        ),
        pytest.param(
            ["--type", "route-table", "--vip", "10.0.3.4", "--interface", "eth1"], "is inside", id="in the vpc"
        ),
        pytest.param(
            ["--type", "route-table", "--vip", "10.1.0.77", "--interface", "eth1"], "no route table", id="none"
        ),
        pytest.param(
            ["--type", "elastic-ip", "--elastic-ip", "192.0.2.99", "--interface", "eth1"],
            "192.0.2.99",
            id="no such ip",
        ),
    ],
)
def test_create_of_what_cannot_be_is_refused_and_changes_nothing(
    cluster: Cluster, words: list[str], says: str
) -> None:
    """What is wrong is named, and no trace is left."""
    routes, writes = cluster.routes(), cluster.writes("node1")
    done = cluster.run("node1", "create", "-t", "ec2-new", *words)
    assert done.status == 1, done.stderr
    assert says in done.stderr
    assert not list((cluster.path("node1", "EC2KIT_STATE_DIR")).rglob("*ec2-new*"))
    assert cluster.routes() == routes
    assert cluster.writes("node1") == writes
