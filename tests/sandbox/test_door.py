"""The further endpoints of EC2, each of which can be broken alone, as an unmodified SDK meets them."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError

from .conftest import BRIEF, ONCE, THE_SDK_LEAVES_SOCKETS, move, target

DOORS = ("interface", "dual-stack", "fips")

pytestmark = THE_SDK_LEAVES_SOCKETS


@pytest.fixture
def by(sandbox, reach):
    """EC2 as node1 reaches it by one of its endpoints."""
    urls = sandbox.description["nodes"]["node1"]
    return lambda door, config=ONCE: reach(urls[f"{door.replace('-', '_')}_url"], config=config)


def test_every_door_leads_to_the_same_ec2(sandbox, ec2, vpc, by):
    """What one endpoint changes the others show; each call has its server."""
    move(by("fips"), vpc)
    assert len({target(each, vpc) for each in (ec2, *map(by, DOORS))}) == 1
    assert {call["server"] for call in sandbox.calls()} == {"node1"}
    assert {each["service"] for each in sandbox.connections()} == set(DOORS)


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        pytest.param("drop", "[Cc]onnect timeout", id="black hole"),
        pytest.param("refuse", "Could not connect", id="refused"),
        pytest.param("silent", "Read timeout", id="silent"),
        pytest.param("reset", "[Cc]onnection", id="reset"),
    ],
)
def test_one_door_is_broken_and_no_other(sandbox, by, effect, words):
    """A fault of one endpoint is one of this endpoint, and goes when it is cleared."""
    rule = sandbox.fault(effect, service="interface", server="node1")
    with pytest.raises(BotoCoreError, match=words):
        by("interface", BRIEF).describe_addresses()
    assert by("fips").describe_addresses()["Addresses"]
    sandbox.clear(rule)
    assert by("interface").describe_addresses()["Addresses"]


def test_what_disturbs_ec2_is_behind_every_door(sandbox, by):
    """EC2 itself is one."""
    sandbox.fault("silent", server="node1", operation="DescribeAddresses")
    with pytest.raises(BotoCoreError, match="Read timeout"):
        by("dual-stack", BRIEF).describe_addresses()


def test_dropped_place_comes_back_refused_or_open(sandbox, by):
    """The last of several faults of a whole endpoint holds."""
    first = sandbox.fault("drop", service="fips", server="node1")
    second = sandbox.fault("refuse", service="fips", server="node1")
    with pytest.raises(BotoCoreError, match="Could not connect"):
        by("fips").describe_addresses()
    sandbox.clear(second)
    with pytest.raises(BotoCoreError, match=r"[Cc]onnect timeout"):
        by("fips", BRIEF).describe_addresses()
    sandbox.clear(first)
    assert by("fips").describe_addresses()["Addresses"]


def test_doors_over_tls_speak_https(tls_sandbox, reach):
    """As the regional endpoint does, and under the same rules for handshakes."""
    url = tls_sandbox.description["nodes"]["node1"]["interface_url"]
    assert url.startswith("https://")
    assert reach(url, config=ONCE).describe_addresses()["Addresses"]
