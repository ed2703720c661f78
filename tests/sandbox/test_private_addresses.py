"""Private addresses of network interfaces are assigned and taken off as strictly as the documents say."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ..actions.cluster import Cluster
from ..one_sandbox import OneSandbox

ADDRESS, IPV6 = "10.0.11.50", "2001:db8:0:11::50"


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox)
    cluster.clean()
    return cluster


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and the message by which EC2 says no."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def addresses(cluster: Cluster, eni: str) -> list[str]:
    (found,) = cluster.aws.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    private = [each["PrivateIpAddress"] for each in found["PrivateIpAddresses"]]
    return [*private, *(each["Ipv6Address"] for each in found["Ipv6Addresses"])]


def test_assign_private_ip_addresses_heeds_reassignment_subnet_and_limit(cluster: Cluster) -> None:
    """What EC2 refuses changes nothing; what it moves is on one interface, and its Elastic IP goes along."""
    aws, one, other = cluster.aws, cluster.eni("node1"), cluster.eni("node3")
    aws.assign_private_ip_addresses(NetworkInterfaceId=one, PrivateIpAddresses=[ADDRESS])
    allocation = cluster.sandbox.description["allocation_id"]
    aws.associate_address(AllocationId=allocation, NetworkInterfaceId=one, PrivateIpAddress=ADDRESS)
    assign = aws.assign_private_ip_addresses
    code, text = refused(assign, NetworkInterfaceId=other, PrivateIpAddresses=[ADDRESS])
    assert (code, "already assigned" in text) == ("InvalidParameterValue", True)
    for wrong in ("10.0.12.50", "10.0.11.3", "10.0.11.255", "nonsense"):
        assert refused(assign, NetworkInterfaceId=one, PrivateIpAddresses=[wrong])[0] == "InvalidParameterValue"
    primary = {"PrivateIpAddresses": ["10.0.11.11"], "AllowReassignment": True}
    assert refused(assign, NetworkInterfaceId=other, **primary)[0] == "InvalidParameterValue"
    many = {"PrivateIpAddresses": ["10.0.11.51", "10.0.11.52", "10.0.11.53"]}
    assert refused(assign, NetworkInterfaceId=one, **many)[0] == "PrivateIpAddressLimitExceeded"
    assign(NetworkInterfaceId=other, PrivateIpAddresses=[ADDRESS], AllowReassignment=True)
    assert (addresses(cluster, one), addresses(cluster, other)) == (["10.0.11.11"], ["10.0.11.13", ADDRESS])
    (elastic,) = aws.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert (elastic["NetworkInterfaceId"], elastic["PrivateIpAddress"]) == (other, ADDRESS)


def test_unassign_private_ip_addresses_takes_only_what_is_there(cluster: Cluster) -> None:
    """A primary address stays, and an address that is elsewhere is refused."""
    aws, one = cluster.aws, cluster.eni("node1")
    unassign = aws.unassign_private_ip_addresses
    code, text = refused(unassign, NetworkInterfaceId=one, PrivateIpAddresses=[ADDRESS])
    assert (code, "are not assigned to interface" in text) == ("InvalidParameterValue", True)
    assert refused(unassign, NetworkInterfaceId=one, PrivateIpAddresses=["10.0.11.11"])[0] == "InvalidParameterValue"
    aws.assign_private_ip_addresses(NetworkInterfaceId=one, PrivateIpAddresses=[ADDRESS])
    unassign(NetworkInterfaceId=one, PrivateIpAddresses=[ADDRESS])
    assert addresses(cluster, one) == ["10.0.11.11"]


def test_ipv6_addresses_are_never_reassigned_and_the_metadata_show_them(cluster: Cluster) -> None:
    """Off first, then on: in between no interface has the address."""
    aws, one, other = cluster.aws, cluster.eni("node1"), cluster.eni("node3")
    aws.assign_ipv6_addresses(NetworkInterfaceId=one, Ipv6Addresses=[IPV6])
    assert refused(aws.assign_ipv6_addresses, NetworkInterfaceId=other, Ipv6Addresses=[IPV6])[0] == (
        "InvalidParameterValue"
    )
    assert refused(aws.unassign_ipv6_addresses, NetworkInterfaceId=other, Ipv6Addresses=[IPV6])[0] == (
        "InvalidParameterValue"
    )
    assert _metadata(cluster, "node1", "ipv6s") == IPV6
    aws.unassign_ipv6_addresses(NetworkInterfaceId=one, Ipv6Addresses=[IPV6])
    aws.assign_ipv6_addresses(NetworkInterfaceId=other, Ipv6Addresses=["2001:DB8:0:11:0:0:0:50"])
    assert addresses(cluster, other) == ["10.0.11.13", IPV6]
    named = [{"Name": "ipv6-addresses.ipv6-address", "Values": [IPV6]}]
    (found,) = aws.describe_network_interfaces(Filters=named)["NetworkInterfaces"]
    assert found["NetworkInterfaceId"] == other


def _metadata(cluster: Cluster, server: str, name: str) -> str:
    node = cluster.sandbox.description["nodes"][server]
    base, mac = node["metadata_url"], node["interfaces"]["eth1"]["mac"]
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    asked = urllib.request.Request(f"{base}/latest/api/token", method="PUT", headers=ttl)
    with urllib.request.urlopen(asked) as answer:
        token = answer.read().decode()
    path = f"{base}/latest/meta-data/network/interfaces/macs/{mac}/{name}"
    asked = urllib.request.Request(path, headers={"X-aws-ec2-metadata-token": token})
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read().decode())
