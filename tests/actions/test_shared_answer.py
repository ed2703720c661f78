"""The answer that the quickChecks of one server share, by the real action scripts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..patience import HANGS
from .cluster import EIP_TAG, VIP_TAG, Cluster, finished

SHARED = {"EC2_SNAPSHOT_MAX_AGE": "600"}
"""An age that no slow machine reaches."""


def _looks(cluster: Cluster) -> list[dict[str, object]]:
    calls = [call for call in cluster.sandbox.calls() if call["server"] is not None]
    return [each for each in calls if each["operation"] in ("DescribeRouteTables", "DescribeAddresses")]


@pytest.mark.parametrize(("more", "requests"), [(0, 1), (199, 2)])
def test_quick_check_of_a_second_resource_asks_nobody(cluster: Cluster, more: int, requests: int) -> None:
    """The first check of a server asks for the addresses of all its resources, 200 at once."""
    cluster.with_resource()
    cluster.copied(VIP_TAG, (f"10.0.{number}.1" for number in range(more)))
    words = ["-t", "ec2-vip2", "--type", "route-table", "--vip", "10.1.0.20", "--interface", "eth1"]
    assert cluster.run("node1", "create", *words).status == 0
    before = len(_looks(cluster))
    for tag in (VIP_TAG, "ec2-vip2", VIP_TAG):
        done = cluster.act("node1", "quickCheck", tag, **SHARED)
        assert (done.status, "IN_SERVICE" in done.stderr) == (0, True)
    assert len(_looks(cluster)) == before + requests


def test_quick_checks_at_once_ask_once(cluster: Cluster) -> None:
    """Those that come while one asks wait for its answer."""
    cluster.with_resource(EIP_TAG)
    before = len(_looks(cluster))
    cluster.sandbox.fault("delay", seconds=1.5, server="node1", operation="DescribeAddresses")
    running = [cluster.start("node1", "quickCheck", "-t", EIP_TAG, **SHARED) for _ in range(6)]
    assert [finished(each).status for each in running] == [0] * 6
    assert len(_looks(cluster)) == before + 1


def test_quick_checks_at_once_in_a_throttled_account_do_not_ask_each(cluster: Cluster) -> None:
    """That EC2 throttles is shared with those that wait; each check alone would ask three times."""
    cluster.with_resource(EIP_TAG)
    before = len(_looks(cluster))
    cluster.sandbox.fault("throttle", server="node1", operation="DescribeAddresses")
    checks = cluster.act_at_once("node1", "quickCheck", *[EIP_TAG] * 12)
    assert {each.status for each in checks} == {0}
    assert all("RequestLimitExceeded" in each.stderr for each in checks)
    assert len(_looks(cluster)) < before + 3 * 12


def test_quick_check_shared_answer_says_no_is_confirmed_by_two_fresh_looks(cluster: Cluster) -> None:
    """An answer of a moment ago is no reason to fail over."""
    cluster.with_resource()
    assert cluster.act("node2", "quickCheck", **SHARED).status == 1
    before = len(_looks(cluster))
    assert cluster.act("node2", "quickCheck", **SHARED).status == 1
    assert len(_looks(cluster)) == before + 2
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    assert cluster.act("node2", "quickCheck", **SHARED).status == 0


def test_quick_check_after_recover_sees_what_it_did(cluster: Cluster) -> None:
    """A write of this server makes void what was said before it."""
    cluster.with_resource()
    assert cluster.act("node1", "quickCheck", **SHARED).status == 0
    cluster.point(cluster.tables[0], cluster.eni("node1", "eth0"))
    assert cluster.act("node1", "quickCheck", **SHARED).status == 0
    assert cluster.act("node1", "recover", **SHARED).status == 0
    before = len(_looks(cluster))
    assert cluster.act("node1", "quickCheck", **SHARED).status == 0
    assert len(_looks(cluster)) == before + 1


def test_restore_recover_and_status_look_for_themselves(cluster: Cluster) -> None:
    """What was said a moment ago is good enough for a check, and for nothing else."""
    cluster.with_resource()
    assert cluster.act("node1", "quickCheck", **SHARED).status == 0
    cluster.point(cluster.tables[0], cluster.eni("node1", "eth0"))
    ec2kit = [Path(sys.executable).with_name("ec2kit"), "status"]
    environment = cluster.environment("node1", **SHARED)
    shown = subprocess.run(ec2kit, env=environment, capture_output=True, text=True, check=False, timeout=HANGS)
    assert "OUT_OF_SERVICE" in shown.stdout
    assert cluster.act("node1", "restore", **SHARED).status == 0
    assert cluster.holders() == ["node1"] * 6


def test_quick_check_shared_never_asks_each_time(cluster: Cluster) -> None:
    """EC2_SNAPSHOT_MAX_AGE=0 is for who wants every check to look."""
    cluster.with_resource()
    before = len(_looks(cluster))
    for _ in range(2):
        assert cluster.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0").status == 0
    assert len(_looks(cluster)) == before + 2


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
def test_quick_check_by_a_shared_answer_loads_no_sdk(cluster: Cluster, tag: str) -> None:
    """Neither boto3 nor urllib3, which would take longer than all the rest, nor what dataclasses are made with."""
    cluster.with_resource(tag)
    assert cluster.act("node1", "quickCheck", tag, **SHARED).status == 0
    asked = len(cluster.sandbox.calls())
    modules = cluster.modules_loaded_by("node1", "quickCheck", tag, **SHARED)
    assert len(cluster.sandbox.calls()) == asked
    unused = {"boto3", "botocore", "urllib3", "ssl", "http", "click", "argparse", "subprocess"}
    unused |= {"dataclasses", "inspect", "ipaddress", "urllib"}
    assert not {each.split(".")[0] for each in modules} & unused
    assert not modules & {"ec2kit.role", "ec2kit.ec2.assumed"}
