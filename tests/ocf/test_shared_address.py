"""Two resources move one address, each in its own route tables, as heartbeat's agents let them."""

from __future__ import annotations

import pytest

from ..actions.cluster import Cluster
from .resource import ERR_GENERIC, NOT_RUNNING, SUCCESS, VirtualIp, ended


@pytest.fixture
def both(cluster: Cluster) -> tuple[VirtualIp, VirtualIp]:
    """Both run on node1, which has the address on its device once."""
    first, second = VirtualIp(cluster, "aws-vpc-move-ip"), VirtualIp(cluster, "aws-vpc-move-ip")
    second.name = "vip-of-others"
    middle = len(cluster.tables) // 2
    first.given(routing_table=",".join(cluster.tables[:middle]))
    second.given(routing_table=",".join(cluster.tables[middle:]))
    for each in (first, second):
        done = each.start("node1")
        assert done.status == SUCCESS, done.stderr
    return first, second


def test_each_is_checked_and_stopped_for_itself_and_the_last_one_takes_the_address_off(
    both: tuple[VirtualIp, VirtualIp],
) -> None:
    """The address stays on for the other resource, and does not make a stopped one look as if it ran."""
    first, second = both
    assert [each.monitor("node1").status for each in both] == [SUCCESS, SUCCESS]
    done = second.stop("node1")
    assert (done.status, first.is_on("node1")) == (SUCCESS, True)
    assert "10.1.0.10 stays on for vip" in done.stderr
    assert second.start("node2").status == SUCCESS
    assert [each.probe("node1").status for each in both] == [SUCCESS, NOT_RUNNING]
    assert [each.probe("node2").status for each in both] == [NOT_RUNNING, SUCCESS]
    assert (first.stop("node1").status, first.is_on("node1")) == (SUCCESS, False)
    assert second.monitor("node2").status == SUCCESS


def test_both_stopped_at_once_leave_no_address_behind(both: tuple[VirtualIp, VirtualIp]) -> None:
    """Neither leaves the address for the other one that also goes."""
    stops = [each.begin("node1", "stop", {"timeout": 240_000}) for each in both]
    assert [ended(each).status for each in stops] == [SUCCESS, SUCCESS]
    assert not both[0].is_on("node1")
    assert [each.probe("node1").status for each in both] == [NOT_RUNNING, NOT_RUNNING]


def test_start_that_fails_leaves_the_address_to_the_other_one(
    cluster: Cluster, both: tuple[VirtualIp, VirtualIp]
) -> None:
    """What was on the device before is not taken off."""
    first, second = both
    assert second.stop("node1").status == SUCCESS
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    for table in cluster.tables[len(cluster.tables) // 2 :]:
        cluster.point(table, cluster.eni("node2"))
    assert second.start("node1").status == ERR_GENERIC
    assert (first.monitor("node1").status, first.is_on("node1")) == (SUCCESS, True)
    assert second.probe("node1").status == NOT_RUNNING
