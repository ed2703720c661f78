"""A planned move as Pacemaker makes it with allow-migrate: migrate_to, migrate_from, and stop; real scripts."""

from __future__ import annotations

import pytest

from .resource import ERR_GENERIC, LONG, NOT_RUNNING, SUCCESS, ElasticIp, OcfResource, VirtualIp


def hand_over(resource: OcfResource, source: str) -> None:
    done = resource.run(source, "migrate_to", {"timeout": LONG})
    assert done.status == SUCCESS, done.stderr


def take_over(resource: OcfResource, target: str) -> None:
    done = resource.run(target, "migrate_from", {"timeout": LONG})
    assert done.status == SUCCESS, done.stderr


def test_virtual_ip_is_on_both_servers_until_the_old_one_is_stopped(vip: VirtualIp) -> None:
    """Whatever EC2 delivers, and to whichever of the two, finds the address; the old server writes nothing."""
    vip.started("node2")
    before = vip.cluster.writes("node2")
    hand_over(vip, "node2")
    assert vip.is_on("node2")
    assert vip.cluster.holders() == ["node2"] * 3
    take_over(vip, "node1")
    assert vip.is_on("node1")
    assert vip.is_on("node2")
    assert vip.cluster.holders() == ["node1"] * 3
    assert vip.stop("node2").status == SUCCESS
    assert not vip.is_on("node2")
    assert vip.probe("node2").status == NOT_RUNNING
    assert vip.monitor("node1").status == SUCCESS
    assert vip.cluster.writes("node2") == before
    assert vip.calls("node2") == []


def test_elastic_ip_moves_without_being_without_an_owner(eip: ElasticIp) -> None:
    """No DisassociateAddress: the new server's one call takes it from the old one."""
    eip.started("node1")
    hand_over(eip, "node1")
    take_over(eip, "node2")
    held = eip.holder()
    assert eip.stop("node1").status == SUCCESS
    assert eip.holder() == held
    assert "DisassociateAddress" not in eip.calls("node1")
    assert (eip.probe("node1").status, eip.monitor("node2").status) == (NOT_RUNNING, SUCCESS)


def test_server_that_has_handed_over_takes_nothing_back(vip: VirtualIp) -> None:
    """A monitor that was under way may not repair what the other server has by now."""
    vip.started("node2")
    vip.given(repair_in_monitor="true")
    hand_over(vip, "node2")
    take_over(vip, "node1")
    assert vip.monitor("node2").status == ERR_GENERIC
    assert vip.cluster.holders() == ["node1"] * 3


def test_move_that_fails_on_the_new_server_can_be_begun_anew_on_the_old_one(vip: VirtualIp) -> None:
    """Pacemaker stops it on both and starts it somewhere; no server keeps an address that it should not have."""
    vip.started("node2")
    hand_over(vip, "node2")
    denied = vip.cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    assert vip.run("node1", "migrate_from", {"timeout": LONG}).status == ERR_GENERIC
    assert not vip.is_on("node1")
    vip.cluster.sandbox.clear(denied)
    assert (vip.stop("node1").status, vip.stop("node2").status) == (SUCCESS, SUCCESS)
    assert not vip.is_on("node2")
    assert vip.start("node2").status == SUCCESS
    assert vip.monitor("node2").status == SUCCESS


@pytest.mark.parametrize("kind", ["vip", "eip"])
def test_what_does_not_run_here_is_not_handed_over(kind: str, request: pytest.FixtureRequest) -> None:
    """Pacemaker then starts it as it would without a migration."""
    resource: OcfResource = request.getfixturevalue(kind)
    done = resource.run("node2", "migrate_to", {"timeout": LONG})
    assert done.status == NOT_RUNNING
    assert "ocf-exit-reason:it does not run here" in done.stderr
