"""The stand-in keeps what its documents say; with dummy hooks, no kit."""

from __future__ import annotations

from .world import IP_TAG, World


def test_switchover_takes_the_address_off_one_server_and_puts_it_on_the_other(world: World) -> None:
    """restore on another server removes here first."""
    world.create_ip()
    world.extend_ip(to="node2")
    world.needed(world.perform("node2", IP_TAG, "restore"))
    assert world.states(IP_TAG) == ["OSU", "ISP", ""]
    assert "10.1.0.10/32" not in world.addresses("node1")
    assert "10.1.0.10/32" in world.addresses("node2")
