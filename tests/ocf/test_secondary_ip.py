"""The agent of secondary addresses, under both of its names, by its operations as processes."""

from __future__ import annotations

import pytest

from ..actions.cluster import SECONDARY, SIP6_TAG, SIP_TAG, Cluster
from .resource import ERR_CONFIGURED, NOT_RUNNING, SUCCESS, OcfResource


def a_resource(cluster: Cluster, agent: str, tag: str) -> OcfResource:
    address = cluster.sandbox.description[SECONDARY[tag]]
    given = {"secondary_private_ip": address, "interface": "eth1", "api_delay": "3", "curl_retries": "4"}
    return OcfResource(cluster, agent, tag, given)


@pytest.mark.parametrize(("agent", "tag"), [("awsvip", SIP_TAG), ("secondary-ip", SIP6_TAG)])
def test_the_agent_starts_monitors_moves_and_leaves_the_address(cluster: Cluster, agent: str, tag: str) -> None:
    """start takes the address from wherever it is; stop leaves it, and its monitor says that nothing runs here."""
    resource = a_resource(cluster, agent, tag)
    assert resource.monitor("node1").status == NOT_RUNNING
    assert resource.start("node1").status == SUCCESS
    assert (resource.monitor("node1").status, cluster.holder(tag)) == (SUCCESS, "node1")
    assert resource.stop("node1").status == SUCCESS
    assert (resource.monitor("node1").status, cluster.holder(tag)) == (NOT_RUNNING, "node1")
    assert resource.start("node3").status == SUCCESS
    assert (resource.monitor("node3").status, cluster.holder(tag)) == (SUCCESS, "node3")


def test_the_agent_without_a_valid_address_is_misconfigured(cluster: Cluster) -> None:
    """What is no address of a subnet is refused by name, before anything is asked."""
    resource = a_resource(cluster, "awsvip", SIP_TAG)
    for wrong in ("", "10.0.11.50/24", "fe80::1", "vip.example.com"):
        resource.parameters["secondary_private_ip"] = wrong
        done = resource.start("node1")
        assert (done.status, "secondary_private_ip" in done.stderr) == (ERR_CONFIGURED, True)


@pytest.mark.parametrize("tag", [SIP_TAG, SIP6_TAG])
def test_the_agent_that_manages_the_address_puts_it_on_the_interface_and_takes_it_off(
    cluster: Cluster, tag: str
) -> None:
    """On request no other resource is needed; also of IPv6, whose rules and routes are left alone."""
    resource = a_resource(cluster, "secondary-ip", tag)
    resource.parameters["manage_address"] = "true"
    started = resource.start("node1")
    assert started.status == SUCCESS, started.stderr
    assert resource.monitor("node1").status == SUCCESS
    assert resource.stop("node1").status == SUCCESS
    assert resource.monitor("node1").status == NOT_RUNNING


def test_an_elastic_ip_follows_the_private_address_that_moves_before_it(cluster: Cluster) -> None:
    """awseip with the address of awsvip as private_ip_address, which has one value on all servers."""
    told = cluster.sandbox.description
    private = a_resource(cluster, "awsvip", SIP_TAG)
    given = {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"]}
    public = OcfResource(cluster, "awseip", "eip", {**given, "private_ip_address": told["secondary_ip"]})
    for server in ("node1", "node3"):
        assert public.probe(server).status == NOT_RUNNING
        for each in (private, public):
            done = each.start(server)
            assert done.status == SUCCESS, done.stderr
        assert public.monitor(server).status == SUCCESS
        (held,) = cluster.aws.describe_addresses(AllocationIds=[told["allocation_id"]])["Addresses"]
        assert (cluster.address_holder(), held["PrivateIpAddress"]) == (server, told["secondary_ip"])
        for each in (public, private):
            done = each.stop(server)
            assert done.status == SUCCESS, done.stderr
    assert cluster.address_holder() is None
