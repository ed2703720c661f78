"""The server's own network, where another program puts the address on: a loss is named, the way is put right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ec2kit.frameworks.lifekeeper.registry import to_info
from ec2kit.registry.definition import from_dict

from ..one_sandbox import OneSandbox
from .cluster import VIP_TAG, Cluster, Done
from .pretended_lifekeeper import PretendedLifeKeeper

VIP = "10.1.0.10"
OWN_RULE = f"10050 {VIP}/32 167837706 226"
GONE, NOWHERE, AGAIN = ":620485:", ":620486:", ":620487:"


class Server:
    """node1, on which an outside hand puts the address on eth1 and takes it off."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._bin = cluster.sandbox.folder / "node1" / "bin"

    def put_on(self) -> None:
        with self._addresses.open("a") as file:
            file.write(f"{VIP}/32\n")

    def take_off(self) -> None:
        self._addresses.write_text(self._addresses.read_text().replace(f"{VIP}/32\n", ""))

    @property
    def _addresses(self) -> Path:
        return self.cluster.path("node1", "EC2KIT_NET_DIR") / "eth1" / "addresses"

    @property
    def rules(self) -> list[str]:
        path = self._bin / "rules"
        return path.read_text().splitlines() if path.exists() else []

    def replies_leave_by(self, device: str) -> None:
        (self._bin / "main").write_text(f"{device}\n")

    def lose_rules(self) -> None:
        (self._bin / "rules").unlink()

    def manage(self) -> None:
        """systemd-networkd manages eth1."""
        index = (self.cluster.path("node1", "EC2KIT_NET_DIR") / "eth1" / "ifindex").read_text().strip()
        link = self.cluster.path("node1", "EC2KIT_SYSTEM_ROOT") / "run/systemd/netif/links" / index
        link.parent.mkdir(parents=True, exist_ok=True)
        link.write_text("ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-eth1.network\n")

    def check(self, *words: str, **settings: str) -> Done:
        """One check, later than the last look at the network counts."""
        note = self.cluster.path("node1", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.network.json"
        if note.exists():
            note.write_text(json.dumps({**json.loads(note.read_text()), "looked_at": 0}))
        words = words or ("quickCheck", "-t", VIP_TAG)
        done = self.cluster.run("node1", *words, **settings)
        assert done.status == 0, done.stderr
        return done


@pytest.fixture
def server(one_sandbox: OneSandbox) -> Server:
    """The resource is in service on node1."""
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return Server(cluster.with_resource())


def test_check_names_who_took_an_address_off_and_who_has_to_put_it_back_and_leaves_it_to_that(server: Server) -> None:
    """By hand and under keepalived another program owns the address; the check is no failure for that."""
    server.manage()
    server.put_on()
    assert GONE not in server.check().stderr
    server.take_off()
    before = server.cluster.writes("node1")
    gone = f"{GONE[1:-1]}: {VIP} is no longer on eth1, which systemd-networkd manages: something else took it off; "
    told = server.check().stderr
    assert gone.partition(": ")[2] in told
    assert "the program that puts it on the device has to put it back" in told
    server.check("keepalived", "check", "-t", VIP_TAG)
    assert "keepalived has to put it back" in server.cluster.log("node1")
    assert f"{VIP}/32" not in server._addresses.read_text()
    assert server.cluster.writes("node1") == before
    server.put_on()
    server.check()
    assert AGAIN in server.cluster.log("node1")


def test_check_says_of_an_address_that_is_on_no_device_only_after_a_second_look(server: Server) -> None:
    """LifeKeeper's IP resource comes after this one; what is still missing at the next check is missing."""
    server.check()
    assert NOWHERE not in server.cluster.log("node1")
    server.check(EC2_NO_LOCAL_REPAIR="1")
    assert NOWHERE not in server.cluster.log("node1")
    server.check()
    assert NOWHERE in server.cluster.log("node1")


def test_check_puts_the_way_of_replies_right_and_remove_takes_it_off(server: Server) -> None:
    """Rule and route belong to no other program; the tunable leaves them alone."""
    server.put_on()
    server.replies_leave_by("eth0")
    server.check(EC2_NO_LOCAL_REPAIR="1")
    assert server.rules == []
    assert f"replies from {VIP} would leave by eth0" in server.check().stderr
    assert server.rules == [OWN_RULE]
    server.lose_rules()
    assert f"replies from {VIP} left by eth0; they leave by eth1 again" in server.check().stderr
    assert server.rules == [OWN_RULE]
    assert server.cluster.act("node1", "remove").status == 0
    assert server.rules == []


def test_check_puts_no_way_on_while_a_remove_is_wanted(server: Server) -> None:
    """A rule that came after remove would stay."""
    server.put_on()
    server.replies_leave_by("eth0")
    assert server.cluster.act("node1", "remove").status == 0
    for table in server.cluster.tables:
        server.cluster.point(table, server.cluster.eni("node1"))
    server.check()
    assert server.rules == []


def test_check_under_lifekeeper_names_the_ip_resource(server: Server, tmp_path: Path) -> None:
    """It is the one that LifeKeeper checks and recovers."""
    cluster = server.cluster
    definition = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"
    info = to_info(from_dict(json.loads(definition.read_text()))._replace(ip_resource="ip-vip1"))
    framework = PretendedLifeKeeper(tmp_path / "LifeKeeper")
    framework.add(VIP_TAG, info, state="ISP", system="node1")
    (cluster.sandbox.folder / "node1" / "default").write_text(f"LKROOT={framework.root}\n")
    server.put_on()
    server.check()
    server.take_off()
    server.check()
    assert "LifeKeeper's resource ip-vip1 has to put it back" in cluster.log("node1")
