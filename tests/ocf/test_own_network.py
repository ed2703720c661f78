"""What something else does to the address on the server itself: put right by monitor, and said before it happens."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from .resource import ERR_GENERIC, NOT_RUNNING, SUCCESS, VIP, VirtualIp

HERE = ["node2"] * 3
TABLE = "167837706"
OWN_RULE = f"10050 {VIP}/32 {TABLE} 226"


@pytest.fixture
def running(vip: VirtualIp) -> VirtualIp:
    """The virtual IP, started on node2."""
    vip.started("node2")
    return vip


def bin_of(vip: VirtualIp, server: str) -> Path:
    return vip.cluster.sandbox.folder / server / "bin"


def managed(vip: VirtualIp, server: str, device: str = "eth1", *, drop_in: str = "") -> None:
    """systemd-networkd manages the device."""
    root = vip.cluster.path(server, "EC2KIT_SYSTEM_ROOT")
    index = (vip.cluster.path(server, "EC2KIT_NET_DIR") / device / "ifindex").read_text().strip()
    file = f"/etc/systemd/network/10-{device}.network"
    texts = {
        f"run/systemd/netif/links/{index}": f"ADMIN_STATE=configured\nNETWORK_FILE={file}\n",
        file[1:]: f"[Match]\nName={device}\n[Network]\nDHCP=ipv4\n",
        **({f"{file[1:]}.d/vip.conf": drop_in} if drop_in else {}),
    }
    for place, text in texts.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)


def asleep(vip: VirtualIp, server: str) -> None:
    """The last check that saw the address in service is two intervals old."""
    path = vip.cluster.path(server, "EC2KIT_RUN_DIR") / "vip.memory.json"
    seen = time.clock_gettime(time.CLOCK_BOOTTIME) - 20
    path.write_text(json.dumps({**json.loads(path.read_text()), "in_service_at": seen}))


def rules(vip: VirtualIp, server: str) -> list[str]:
    path = bin_of(vip, server) / "rules"
    return path.read_text().splitlines() if path.exists() else []


def elsewhere(vip: VirtualIp) -> None:
    for table in vip.cluster.tables:
        vip.cluster.point(table, vip.cluster.eni("node1"))


# -- the address -------------------------------------------------------------------------------------------------


def test_monitor_puts_an_address_back_that_something_took_off_and_names_the_manager(running: VirtualIp) -> None:
    """No stop, no start and no failover for what the server itself can put right; AWS is not written to."""
    managed(running, "node2")
    running.take_off("node2")
    before = running.cluster.writes("node2")
    done = running.monitor("node2")
    assert (done.status, running.is_on("node2")) == (SUCCESS, True)
    assert "WARN: eth1: 10.1.0.10 was taken off by something else (systemd-networkd manages eth1)" in done.stderr
    assert ":620370:" in running.cluster.log("node2")
    assert running.cluster.writes("node2") == before
    assert running.monitor("node2").stderr == ""


def test_monitor_puts_an_address_back_while_aws_is_silent(running: VirtualIp) -> None:
    """What took the address off may have taken the way to AWS, too; a moment ago AWS said here."""
    running.take_off("node2")
    running.cluster.sandbox.fault("refuse", server="node2")
    assert running.monitor("node2", EC2_SNAPSHOT_MAX_AGE="0").status == SUCCESS
    assert running.is_on("node2")


def test_monitor_after_a_missed_check_puts_an_address_back_only_where_aws_says_here(running: VirtualIp) -> None:
    """A server that was paused may have been replaced meanwhile, so it asks first."""
    for is_here in (True, False):
        running.take_off("node2")
        asleep(running, "node2")
        if not is_here:
            elsewhere(running)
        done = running.monitor("node2", EC2_SNAPSHOT_MAX_AGE="0")
        assert (done.status, running.is_on("node2")) == ((SUCCESS, True) if is_here else (NOT_RUNNING, False))
    assert "ocf-exit-reason:eth1: 10.1.0.10 is no longer there" in done.stderr
    assert "points at" in done.stderr


def test_monitor_of_an_address_that_is_elsewhere_in_aws_fails_also_after_it_put_the_address_back(
    running: VirtualIp,
) -> None:
    """The cluster stops the resource here then, and stop takes the address off."""
    running.take_off("node2")
    elsewhere(running)
    assert running.monitor("node2", EC2_SNAPSHOT_MAX_AGE="0").status == ERR_GENERIC
    assert running.stop("node2").status == SUCCESS
    assert not running.is_on("node2")


def test_monitor_that_may_not_put_back_says_what_is_missing(running: VirtualIp) -> None:
    """Under the tunable the cluster decides, and knows why."""
    running.take_off("node2")
    done = running.monitor("node2", EC2_NO_LOCAL_REPAIR="1")
    assert (done.status, running.is_on("node2")) == (NOT_RUNNING, False)
    assert "ocf-exit-reason:eth1: 10.1.0.10 is no longer there" in done.stderr
    assert ":620371:" in running.cluster.log("node2")


@pytest.mark.parametrize("operation", ["probe", "stand_by"])
def test_probe_and_check_of_a_standby_put_nothing_back(running: VirtualIp, operation: str) -> None:
    """They only look."""
    running.take_off("node2")
    assert getattr(running, operation)("node2").status == NOT_RUNNING
    assert not running.is_on("node2")


def test_monitor_after_a_stop_puts_nothing_back(running: VirtualIp) -> None:
    """Whoever stopped the resource took the address off."""
    assert running.stop("node2").status == SUCCESS
    assert running.monitor("node2").status == NOT_RUNNING
    assert not running.is_on("node2")


# -- start -------------------------------------------------------------------------------------------------------


def taking_off(vip: VirtualIp, server: str, *, times: int) -> None:
    """Something takes the address off as soon as it is put on, so many times."""
    ip = bin_of(vip, server) / "ip"
    own = ip.rename(ip.with_name("ip.own"))
    ip.write_text(
        f"""#!/bin/sh
"{own}" "$@" || exit
case "$*" in
"addr add "*)
    echo >>"{own}.added"
    [ "$(wc -l <"{own}.added")" -gt {times} ] || "{own}" addr del {VIP}/32 dev eth1
    ;;
esac
"""
    )
    ip.chmod(0o755)


def test_start_whose_address_is_taken_off_at_once_puts_it_on_again(vip: VirtualIp) -> None:
    """It ends when the server itself has the address, not when AWS says so."""
    taking_off(vip, "node2", times=1)
    assert vip.start("node2").status == SUCCESS
    assert vip.is_on("node2")
    assert ":620370:" in vip.cluster.log("node2")


@pytest.mark.parametrize(("trouble", "reason"), [("manager", "took it off"), ("link", "the link is down")])
def test_start_of_an_address_that_accepts_no_packets_fails(vip: VirtualIp, trouble: str, reason: str) -> None:
    """Another server may do better; nothing is left on the device."""
    if trouble == "manager":
        taking_off(vip, "node2", times=1000)
    else:
        (vip.cluster.path("node2", "EC2KIT_NET_DIR") / "eth1" / "operstate").write_text("down\n")
    done = vip.start("node2")
    assert done.status == ERR_GENERIC
    assert f"no packet to {VIP} is accepted after it was put on: " in done.stderr
    assert reason in done.stderr
    assert not vip.is_on("node2")


# -- the way of replies --------------------------------------------------------------------------------------------


def test_start_puts_a_rule_on_where_replies_would_leave_by_another_device_and_stop_takes_it_off(
    vip: VirtualIp,
) -> None:
    """The return path belongs to the address; a probe puts nothing back, a monitor does and says so."""
    (bin_of(vip, "node2") / "main").write_text("eth0\n")
    assert vip.start("node2").status == SUCCESS
    assert rules(vip, "node2") == [OWN_RULE]
    assert "replies from 10.1.0.10 would leave by eth0" in vip.cluster.log("node2")
    (bin_of(vip, "node2") / "rules").unlink()
    assert vip.probe("node2").status == SUCCESS
    assert vip.monitor("node2", EC2_NO_LOCAL_REPAIR="1").status == SUCCESS
    assert rules(vip, "node2") == []
    done = vip.monitor("node2")
    assert (done.status, rules(vip, "node2")) == (SUCCESS, [OWN_RULE])
    assert "WARN: replies from 10.1.0.10 left by eth0" in done.stderr
    assert vip.stop("node2").status == SUCCESS
    assert rules(vip, "node2") == []


def test_monitor_leaves_a_rule_alone_that_its_manager_is_just_putting_on_anew(running: VirtualIp) -> None:
    """networkd takes its own rules away for a moment when it is reloaded; nothing was lost, and nothing is said."""
    ip, main = bin_of(running, "node2") / "ip", bin_of(running, "node2") / "main"
    main.write_text("eth0\n")
    own = ip.rename(ip.with_name("ip.own"))
    ip.write_text(f"""#!/bin/sh
"{own}" "$@"
status=$?
case "$*" in *"route get"*) rm -f "{main}" ;; esac
exit $status
""")
    ip.chmod(0o755)
    assert running.monitor("node2").stderr == ""
    assert (rules(running, "node2"), main.exists()) == ([], False)


def test_start_puts_no_rule_on_where_replies_leave_by_the_device_already(running: VirtualIp) -> None:
    """A server with one ENI, or with source routing of its own, is left as it is."""
    assert rules(running, "node2") == []


def test_monitor_that_cannot_put_a_rule_on_is_no_failure(running: VirtualIp) -> None:
    """Trouble with a rule is no verdict about the address."""
    (bin_of(running, "node2") / "main").write_text("eth0\n")
    ip = bin_of(running, "node2") / "ip"
    text = ip.read_text()
    ip.write_text(text.replace("#!/bin/sh", '#!/bin/sh\ncase "$*" in *rule*) echo stuck >&2; exit 2 ;; esac', 1))
    assert running.monitor("node2").status == SUCCESS
    assert "stuck" in running.cluster.log("node2")
    assert running.stop("node2").status == SUCCESS


# -- the device of the address ---------------------------------------------------------------------------------------


def test_address_device_gets_the_address_and_the_interface_the_routes(vip: VirtualIp) -> None:
    """On lo no manager looks for it."""
    vip.given(address_device="lo")
    assert vip.start("node2").status == SUCCESS
    assert (vip.is_on("node2", "lo"), vip.is_on("node2", "eth1")) == (True, False)
    assert vip.cluster.holders() == HERE
    assert vip.monitor("node2").status == SUCCESS
    vip.take_off("node2", "lo")
    assert vip.monitor("node2").status == SUCCESS
    assert vip.is_on("node2", "lo")
    assert vip.stop("node2").status == SUCCESS
    assert not vip.is_on("node2", "lo")


# -- before it happens -----------------------------------------------------------------------------------------------


def test_stand_by_names_the_manager_and_the_command_that_protects(running: VirtualIp) -> None:
    """The standby says what would be lost after the failover, until the manager's own file keeps it."""
    managed(running, "node1")
    told = running.stand_by("node1").stderr
    assert "address keeper: systemd-networkd manages eth1" in told
    assert "ec2kit network protect --address 10.1.0.10 --device eth1" in told
    managed(running, "node1", drop_in="[Network]\nKeepConfiguration=static\n")
    assert "address keeper" not in running.stand_by("node1").stderr


def test_stand_by_with_the_address_on_lo_needs_no_protection(running: VirtualIp) -> None:
    """The manager of the ENI's device does not look at lo."""
    managed(running, "node1")
    assert "address keeper" not in running.given(address_device="lo").stand_by("node1").stderr


def test_monitor_of_a_standby_that_has_the_address_says_so(running: VirtualIp) -> None:
    """The obvious remedy, the address in the configuration of all servers, is a fault that is named."""
    running.put_on("node1")
    done = running.stand_by("node1")
    assert done.status == ERR_GENERIC
    assert "WARN: eth1: 10.1.0.10 is on this server, which has not started it" in done.stderr


def test_stand_by_whose_replies_would_leave_elsewhere_relies_on_start_if_start_puts_the_rule_on(
    running: VirtualIp,
) -> None:
    """What the agent does itself is no finding; what another resource has to do is one."""
    (bin_of(running, "node1") / "main").write_text("eth0\n")
    assert "reply path" not in running.stand_by("node1").stderr
    assert "reply path" in running.given(manage_address="false").stand_by("node1").stderr
