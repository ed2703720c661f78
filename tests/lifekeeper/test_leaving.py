"""`ec2kit notices` under LifeKeeper's stand-in: an event lets a resource fail over before AWS interrupts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..actions.cluster import VIP_TAG
from .kit import Kit
from .world import IP_TAG


@pytest.fixture
def pair(kit: Kit) -> Kit:
    """The resource with its IP resource on node1, node2 as its standby, and events that count."""
    kit.with_route_table()
    kit.recovery("event")
    return kit


def look(kit: Kit, server: str = "node1", **settings: str) -> dict[str, Any]:
    """One look there, and the end of what it began."""
    if settings:
        kit.settings(server, **settings)
    done = kit.ec2kit(server, "notices", "--json")
    assert done.status == 0, done.stderr
    kit.wait_idle()
    told = json.loads(done.stdout)
    assert told["framework"] == "lifekeeper"
    return dict(told)


def test_hierarchy_fails_over_before_a_scheduled_event(pair: Kit) -> None:
    """By one event, without a recovery here; and a resource that a person brings back stays."""
    rule = pair.sandbox.fault("maintenance", service="imds", server="node1", seconds=60)
    told = look(pair)
    assert (told["step"], told["told"]) == ("leaves", f"event maintenance sent for {VIP_TAG}")
    for tag in (VIP_TAG, IP_TAG):
        assert pair.states(tag)[1] == "ISP"
        assert pair.states(tag)[0] != "ISP"
    assert pair.holders() == ["node2"] * len(pair.tables)
    assert "BEGIN recover" not in pair.log("node1")
    assert look(pair)["step"] == "stays away"
    pair.needed(pair.perform("node1", IP_TAG, "restore"))
    assert look(pair)["complaint"] == f"{VIP_TAG} is still in service here; did its failover fail?"
    assert pair.states(VIP_TAG)[0] == "ISP"
    pair.sandbox.clear(rule)
    assert look(pair)["step"] == "waits before it comes back"
    assert look(pair, EC2_NOTICE_CALM="0")["step"] == "comes back"
    pair.sandbox.fault("maintenance", service="imds", server="node1", seconds=120)
    assert look(pair)["step"] == "leaves"
    assert pair.states(VIP_TAG)[:2] == ["OSU", "ISP"]


def test_hierarchy_stays_if_the_other_server_could_not_take_over(pair: Kit) -> None:
    """node2 has no permission; an interruption does not wait for that."""
    pair.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    pair.sandbox.fault("maintenance", service="imds", server="node1", seconds=60)
    told = look(pair)
    assert told["step"] == "stays"
    assert "permission ec2:ReplaceRoute" in told["reason"]
    assert pair.states(VIP_TAG)[0] == "ISP"
    assert len(pair.codes("node1", 620474)) == 1
    pair.sandbox.fault("interruption", service="imds", server="node1")
    assert look(pair)["step"] == "leaves"
    assert pair.states(VIP_TAG)[0] != "ISP"


def test_silent_metadata_service_moves_nothing(pair: Kit) -> None:
    """Nobody knows whether anything is announced."""
    pair.sandbox.fault("refuse", service="imds", server="node1")
    assert look(pair)["step"] == "not known, nothing is changed"
    assert pair.states(VIP_TAG)[:2] == ["ISP", "OSU"]
