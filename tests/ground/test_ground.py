"""The real network programs of Debian do what they do, and the address stays or is back at the next monitor."""

from __future__ import annotations

import re
import time

import pytest

from .managers import MANAGERS, Manager
from .report import WAYS, Report
from .server import TABLE, VIP, Server, until

NAMED = ("--address", VIP, "--device", "eth1")
REPAIRS = (":620370:", ":620373:")
HAND = "by-hand"
"""The tag of a resource that no framework manages."""

SAID = re.compile(r"\b(?:WARN|ERROR):ec2kit:\w+:[\w-]+:(\d{6}):")
"""The code of a line that warns."""

MOST_LOST = 3
"""Packets that may be lost although nothing has to be put right, while a manager replaces a rule or a route."""


CASES = [(each, way) for each in MANAGERS for way in WAYS if each.reload is not None or way != "protected"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("manager", "way"), CASES, ids=lambda each: getattr(each, "name", each))
def test_address_stays_or_is_back_at_the_next_monitor_without_a_failed_operation(
    manager: Manager, way: str, server: Server, report: Report
) -> None:
    """Unprotected it is put back; protected, or on lo with its rule protected, no client notices anything."""
    manager.begin(server)
    if way == "lo":
        server.parameters["address_device"] = "lo"
        if manager.route is not None:
            manager.route(server)
    if way != "device" and manager.reload is not None:
        server.ec2kit("network", "protect", *NAMED)
        manager.reload(server)
    server.start()
    for event, happens in manager.events.items():
        before, known = _repairs(server), len(server.log())
        since = time.monotonic()
        happens(server)
        server.watch_checks(2)
        until(server.is_answered, within=30, what=f"the address answers after {event}", story=server.story)
        time.sleep(0.3)
        lost, seconds = server.lost(since)
        repaired = _repairs(server) > before
        said = " ".join(sorted(set(SAID.findall(server.log()[known:]))))
        own = server.lost_by_the_device(since)
        row = f"{manager.name}: {event}"
        report.note(row, way, lost=lost, own=own, seconds=seconds, repaired=repaired, said=said)
        assert way != "device" or repaired is (event not in manager.harmless), server.story()
        if way != "device" and event not in manager.without_a_way:
            assert not repaired, server.story()
            assert lost <= own + MOST_LOST, server.story()
    assert set(server.statuses) == {0}, server.story()


def _repairs(server: Server) -> int:
    log = server.log()
    return sum(log.count(each) for each in REPAIRS)


def test_protection_that_is_loaded_keeps_the_address_that_is_on(server: Server) -> None:
    """The reload that lets a drop-in count keeps what the drop-in keeps; unprotect leaves nothing behind."""
    networkd = MANAGERS[0]
    networkd.begin(server)
    server.start()
    assert "systemd-networkd: its restart" in server.ec2kit("network", "show", *NAMED)
    since = time.monotonic()
    server.ec2kit("network", "protect", *NAMED)
    assert networkd.reload is not None
    networkd.reload(server)
    server.watch_checks(2)
    assert server.lost(since)[0] <= server.lost_by_the_device(since) + MOST_LOST, (
        server.story()
    )  # the rules take turns
    assert "keeps the address" in server.ec2kit("network", "show", *NAMED)
    server.ec2kit("network", "unprotect", *NAMED)
    assert server.sh("find /etc/systemd/network -name '*ec2kit*'") == ""


@pytest.mark.parametrize("address_device", ["", "lo"], ids=["device", "lo"])
def test_replies_leave_by_the_right_eni_with_the_rule_and_not_without(server: Server, address_device: str) -> None:
    """The VPC drops what comes from the wrong ENI: without the rule no client is answered, with it each one."""
    for device in ("eth0", "eth1"):
        server.sh(
            f"ip addr add {server.interfaces[device]['private_ip_address']}/24 dev {device}; ip link set {device} up"
        )
    server.sh("ip route add default via 10.0.1.1")
    server.parameters |= {"address_device": address_device} if address_device else {}
    server.start()
    for strict in ("0", "1", "2"):
        server.sh(f"sysctl -qw net.ipv4.conf.eth1.rp_filter={strict}")
        time.sleep(0.2)
        since = time.monotonic()
        server.watch_checks(1)
        assert server.lost(since)[0] == 0, f"rp_filter {strict}{server.story()}"
    server.stop_checks()
    server.sh(f"ip rule del from {VIP} lookup {TABLE}")
    time.sleep(0.2)
    count = len(server.answers())
    time.sleep(1)
    assert len(server.answers()) == count
    assert server.agent("monitor", interval=10_000).returncode == 0
    until(server.is_answered, within=10, what="the address answers again", story=server.story)
    assert server.agent("stop").returncode == 0
    assert VIP not in server.sh("ip rule; ip -4 addr") + server.sh(f"ip route show table {TABLE}", check=False)


def test_check_by_hand_leaves_the_address_to_its_owner_and_puts_the_way_of_replies_right(server: Server) -> None:
    """Where ec2kit does not put the address on, it names the manager that took it off; the rule is put on at once."""
    networkd = MANAGERS[0]
    networkd.begin(server)
    server.ec2kit("create", "-t", HAND, "--type", "route-table", "--vip", VIP, "--interface", "eth1")

    def is_said(code: str) -> bool:
        server.ec2kit("quickCheck", HAND)
        return code in server.log()

    def checked_until(code: str) -> None:
        until(lambda: is_said(code), within=30, what=f"a check says {code}", story=server.story)

    server.sh(f"ip addr add {VIP}/32 dev eth1")
    checked_until(":620372:")
    assert f"from {VIP} lookup {TABLE}" in server.sh("ip rule")
    networkd.events["reconfigure"](server)
    checked_until(":620485:")
    assert f"{VIP} is no longer on eth1, which systemd-networkd manages" in server.log()
    assert VIP not in server.sh("ip -4 addr")
    server.sh(f"ip addr add {VIP}/32 dev eth1")
    checked_until(":620373:")
    server.ec2kit("remove", HAND)
    assert VIP not in server.sh("ip rule") + server.sh(f"ip route show table {TABLE}", check=False)
