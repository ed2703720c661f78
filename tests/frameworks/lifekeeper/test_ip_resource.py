"""LifeKeeper's IP resources, as far as its database shows what they are."""

from __future__ import annotations

import pytest

from ec2kit.frameworks.lifekeeper.ip_resource import address_in


@pytest.mark.parametrize(
    ("identifier", "info", "address"),
    [
        pytest.param("IP-10.1.0.10", "node1 eth1 10.1.0.10 255.255.255.0", "10.1.0.10", id="in-the-id"),
        pytest.param("10.1.0.10", "", "10.1.0.10", id="is-the-id"),
        pytest.param("ip1", "node1 eth1 255.255.255.255 10.1.0.10", "10.1.0.10", id="after-the-netmask"),
        pytest.param("ip1", "eth1\x0110.1.0.10\x01255.255.255.0", "10.1.0.10", id="separated-by-001"),
        pytest.param("ip1", "10.1.0.10/32", "10.1.0.10", id="with-prefix"),
        pytest.param("ip1", "10.1.0.999 eth1", "", id="no-address"),
        pytest.param("2001:db8::10", "node1 eth1 2001:db8::10 64", "", id="ipv6"),
        pytest.param("ip1", "255.0.0.0", "", id="netmask-only"),
    ],
)
def test_address_of_an_ip_resource_is_found(identifier: str, info: str, address: str) -> None:
    """Id before info, netmasks are no addresses, IPv6 is none that can be protected."""
    assert address_in(identifier, info) == address
