"""
Defects of a keepalived notify script on AWS, and that ec2kit has none of them.

Source: acassen/keepalived issues 100, 950 and 2231 and pull request 957; nginx/documentation pull request 520.
"""

from __future__ import annotations

import signal

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Cluster, finished, until


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
def test_the_true_owner_takes_back_what_a_backup_took_for_a_moment(cluster: Cluster, tag: str) -> None:
    """With keepalived a backup that was master for a moment steals the address for good (#950, #2231)."""
    cluster.with_resource(tag)
    assert cluster.act("node2", "restore", tag).status == 0
    assert cluster.act("node2", "remove", tag, EC2_EIP_KEEP_ON_REMOVE="1").status == 0
    assert cluster.act("node1", "quickCheck", tag).status == 1
    assert cluster.act("node1", "recover", tag).status == 0
    assert cluster.act("node1", "quickCheck", tag).status == 0


def test_the_true_owner_takes_back_what_a_backup_died_over(cluster: Cluster) -> None:
    """With keepalived a booting backup runs the master script for under a second, and what it did stays (#2231)."""
    cluster.with_resource()
    cluster.sandbox.fault("delay", server="node2", operation="ReplaceRoute", skip=3, seconds=20)
    running = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: cluster.holders().count("node2") == 3)
    running.send_signal(signal.SIGTERM)
    finished(running)
    cluster.sandbox.clear()
    assert cluster.act("node1", "quickCheck").status == 1
    assert cluster.act("node1", "recover").status == 0
    assert cluster.holders() == ["node1"] * 6
