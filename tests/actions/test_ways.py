"""More than one way to EC2: restore, the checks, and the standby, by real scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..ocf.resource import NOT_RUNNING, VirtualIp
from .cluster import Cluster, Done, given_time

DEAD_PROXY = "http://127.0.0.1:9"


def three_ways(cluster: Cluster, server: str = "node2") -> dict[str, str]:
    """Break the first way (a black hole) and the second (a proxy that is dead); the third is good."""
    cluster.sandbox.fault("drop", service="interface", server=server)
    return {
        "EC2_ENDPOINTS": f"{url(cluster, 'interface')}, {url(cluster, 'dual_stack')} via {DEAD_PROXY}, "
        f"{url(cluster, 'fips')}"
    }


def url(cluster: Cluster, door: str, server: str = "node2") -> str:
    return str(cluster.sandbox.description["nodes"][server][f"{door}_url"])


def asked(cluster: Cluster) -> set[str]:
    return {each["service"] for each in cluster.sandbox.connections()}


def test_restore_with_two_dead_ways_succeeds_at_once_and_begins_with_the_good_one_next_time(
    cluster: Cluster,
) -> None:
    """The first run pays one connection time-out, and says of each dead way why; the second run pays nothing."""
    cluster.with_resource()
    settings = three_ways(cluster)
    first = cluster.act("node2", "restore", AWSCLI_CONNECT_TIMEOUT="1", **settings)
    assert first.status == 0, first.stderr
    assert set(cluster.holders()) == {"node2"}
    assert f"by {url(cluster, 'interface')} leads nowhere: no connection to" in first.stderr
    assert f"via {DEAD_PROXY} leads nowhere: no way through the proxy {DEAD_PROXY}" in first.stderr
    assert f"EC2 answers by {url(cluster, 'fips')}" in first.stderr
    assert asked(cluster) == {"fips"}
    cluster.act("node1", "restore")
    cluster.act("node2", "remove", **settings)
    second = cluster.act("node2", "restore", **settings)
    assert set(cluster.holders()) == {"node2"}
    assert "leads nowhere" not in second.stderr


def test_restore_within_a_deadline_that_is_shorter_than_the_dead_ways_take(cluster: Cluster) -> None:
    """The connection time-outs of the ways together are longer than the action may take."""
    cluster.with_resource()
    cluster.sandbox.fault("drop", service="interface", server="node2")
    cluster.sandbox.fault("drop", service="fips", server="node2")
    listed = ", ".join(url(cluster, each) for each in ("interface", "fips", "dual_stack"))

    def restored(seconds: float) -> Done:
        times = {
            "EC2_RESTORE_TIMEOUT": f"{seconds:.1f}",
            "AWSCLI_CONNECT_TIMEOUT": f"{min(300.0, seconds / 1.2):.1f}",
        }
        return cluster.act("node2", "restore", EC2_ENDPOINTS=listed, **times)

    done = given_time(restored, lambda done: done.status == 0, seconds=12)
    assert done.status == 0, done.stderr
    assert set(cluster.holders()) == {"node2"}


def test_write_whose_answer_is_lost_on_one_way_is_looked_for_by_another(cluster: Cluster) -> None:
    """It was carried out, so that no way carries it out again."""
    cluster.with_resource()
    cluster.sandbox.fault("lose", operation="ReplaceRoute", server="node2", count=1)
    settings = {"EC2_ENDPOINTS": f"{url(cluster, 'interface')}, {url(cluster, 'fips')}"}
    done = cluster.act("node2", "restore", **settings)
    assert done.status == 0, done.stderr
    assert len(cluster.writes("node2")) == cluster.size
    assert asked(cluster) == {"interface", "fips"}


def test_wrong_entry_is_warned_of_and_the_rest_is_used(cluster: Cluster) -> None:
    """A typing error does not stop a failover."""
    cluster.with_resource()
    done = cluster.act("node2", "restore", EC2_ENDPOINTS=f"reginal, {url(cluster, 'fips')}")
    assert done.status == 0, done.stderr
    assert "the entry reginal of EC2_ENDPOINTS is not used" in done.stderr


# -- the standby -----------------------------------------------------------------------------------------------------


@pytest.fixture
def running(cluster: Cluster) -> VirtualIp:
    """10.1.0.10 runs on node1; node2 stands by."""
    resource = VirtualIp(cluster)
    resource.started("node1")
    return resource


def test_standby_tries_each_way_and_names_those_that_are_dead(running: VirtualIp) -> None:
    """A way that would only be missed in a failover is found before, and is no failure."""
    settings = three_ways(running.cluster)
    done = running.stand_by("node2", AWSCLI_CONNECT_TIMEOUT="1", **settings)
    assert done.status == NOT_RUNNING
    for dead in (url(running.cluster, "interface"), f"via {DEAD_PROXY}"):
        assert any("ways to ec2" in line and dead in line for line in done.stderr.splitlines())
    assert "ec2 endpoint" not in done.stderr


def test_standby_with_good_ways_only_says_nothing(running: VirtualIp) -> None:
    """Nothing to report is not reported."""
    listed = ", ".join(url(running.cluster, each) for each in ("interface", "fips"))
    done = running.stand_by("node2", EC2_ENDPOINTS=listed)
    assert done.status == NOT_RUNNING
    assert "WARN" not in done.stderr


def through_node1(cluster: Cluster, *, gateway: bool) -> None:
    """
    Let packets to 127.0.0.1, where EC2 is, go to the active server first.

    That is an address of the ENI that has the routes, or the gateway to 127.0.0.1 is node1.
    """
    eni = cluster.eni("node1")
    (interface,) = cluster.aws.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    if not gateway:
        addresses = [
            {"Primary": True, "PrivateIpAddress": interface["PrivateIpAddress"].rpartition(".")[0] + ".200"},
            {"Primary": False, "PrivateIpAddress": "127.0.0.1"},
        ]
        made = cluster.aws.create_network_interface(SubnetId=interface["SubnetId"], PrivateIpAddresses=addresses)
        another = made["NetworkInterface"]["NetworkInterfaceId"]
        instance = interface["Attachment"]["InstanceId"]
        cluster.aws.attach_network_interface(NetworkInterfaceId=another, InstanceId=instance, DeviceIndex=2)
        for table in cluster.tables:
            cluster.point(table, another)
        return
    ip = Path(cluster.sandbox.folder) / "node2" / "bin" / "ip"
    own = ip.rename(ip.with_name("ip.own"))
    ip.write_text(
        f'#!/bin/sh\n[ "$1 $2 $3" = "route get 127.0.0.1" ] || exec {own} "$@"\n'
        f"echo 127.0.0.1 via {interface['PrivateIpAddress']} dev eth0 src 10.0.2.12 uid 0\n"
    )
    ip.chmod(0o755)


@pytest.mark.parametrize("gateway", [False, True], ids=["address-of-node1", "node1-is-the-gateway"])
def test_standby_whose_only_way_leads_through_the_active_server_is_warned(running: VirtualIp, gateway: bool) -> None:
    """With the active server, the way to move the address would be gone."""
    through_node1(running.cluster, gateway=gateway)
    done = running.stand_by("node2")
    assert done.status == NOT_RUNNING
    assert "leads through the active server, and none other works" in done.stderr


def test_standby_with_a_way_around_the_active_server_is_not_warned(running: VirtualIp) -> None:
    """One way of its own is enough."""
    through_node1(running.cluster, gateway=False)
    around = url(running.cluster, "fips").replace("127.0.0.1", "0.0.0.0")  # which leads to this machine as well
    done = running.stand_by("node2", EC2_ENDPOINTS=f"{url(running.cluster, 'interface')}, {around}")
    assert done.status == NOT_RUNNING
    assert "leads through" not in done.stderr
