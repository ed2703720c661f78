"""The manager of a device, by the files that it writes, and what a drop-in for it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import BadRequest
from ec2kit.host import manager, protection
from ec2kit.host.ip import Carried
from ec2kit.host.manager import Manager, manager_of
from ec2kit.host.reply_path import Way
from ec2kit.settings import Settings

STATE = "run/systemd/netif/links/7"
FILE = "etc/systemd/network/10-eth1.network"
CONFIGURED = f"# private\nADMIN_STATE=configured\nNETWORK_FILE=/{FILE}\n"
VIP = "10.1.0.10"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "net/eth1").mkdir(parents=True)
    (tmp_path / "net/eth1/ifindex").write_text("7\n")
    return Settings(server="a", net_dir=str(tmp_path / "net"), system_root=str(tmp_path), path=str(tmp_path / "bin"))


def put(root: Path, files: dict[str, str]) -> None:
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)


def found(settings: Settings) -> Manager | None:
    return manager_of("eth1", settings, Deadline(10))


def test_manager_of_a_device_that_nobody_manages_is_none(settings: Settings, tmp_path: Path) -> None:
    """No file, a device that networkd leaves alone, and a device that is not there."""
    assert found(settings) is None
    put(tmp_path, {STATE: "ADMIN_STATE=unmanaged\n"})
    assert found(settings) is None
    assert manager_of("eth9", settings, Deadline(10)) is None
    assert manager.name_of("eth9", settings, Deadline(10)) == "no manager that ec2kit knows"


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        pytest.param("[Network]\nDHCP=ipv4\n", False, id="nothing"),
        pytest.param("[Network]\nKeepConfiguration=static\n", True, id="static"),
        pytest.param("[Network]\nKeepConfiguration = yes\n", True, id="yes"),
        pytest.param("[Network]\nKeepConfiguration=dhcp\n", False, id="dhcp"),
        pytest.param("[Network]\n#KeepConfiguration=static\n", False, id="comment"),
        pytest.param("[DHCP]\nCriticalConnection=true\n", True, id="critical-as-netplan-writes-it"),
        pytest.param("[DHCPv4]\nCriticalConnection=yes\n[Network]\nKeepConfiguration=no\n", False, id="newer-first"),
    ],
)
def test_networkd_keeps_an_address_if_its_files_say_so(
    text: str, keeps: bool, settings: Settings, tmp_path: Path
) -> None:
    """What a drop-in says counts as if it stood in the file."""
    put(tmp_path, {STATE: CONFIGURED, FILE: text})
    assert found(settings) == Manager("systemd-networkd", f"/{FILE}", keeps)
    put(tmp_path, {FILE: "[Match]\nName=eth1\n", f"{FILE}.d/vip.conf": text})
    assert found(settings) == Manager("systemd-networkd", f"/{FILE}", keeps)


def test_drop_ins_of_one_name_count_once_the_most_important_one(settings: Settings, tmp_path: Path) -> None:
    """As systemd reads them: by name, /etc before /run before /usr."""
    name = "10-eth1.network.d"
    put(
        tmp_path,
        {
            STATE: CONFIGURED,
            f"etc/systemd/network/{name}/b.conf": "[Network]\nKeepConfiguration=static\n",
            f"run/systemd/network/{name}/b.conf": "[Network]\nKeepConfiguration=no\n",
            f"usr/lib/systemd/network/{name}/a.conf": "[Network]\nKeepConfiguration=no\n",
            f"usr/lib/systemd/network/{name}/c.txt": "[Network]\nKeepConfiguration=no\n",
        },
    )
    assert found(settings) == Manager("systemd-networkd", f"/{FILE}", keeps=True)


def test_author_of_the_files_is_named(settings: Settings, tmp_path: Path) -> None:
    """netplan and amazon-ec2-net-utils write files for networkd; what takes an address off differs."""
    put(tmp_path, {STATE: CONFIGURED, "run/systemd/network/70-eth1.network.d/ec2net_policy_4.conf": ""})
    managed = found(settings)
    assert managed is not None
    assert (managed.name, managed.is_networkd, "metadata" in managed.takes) == (manager.NET_UTILS, True, True)
    netplan = "NETWORK_FILE=/run/systemd/network/10-netplan-eth1.network\n"
    put(tmp_path, {STATE: f"ADMIN_STATE=configured\n{netplan}"})
    managed = found(settings)
    assert managed is not None
    assert managed.name == manager.NETPLAN


def test_drop_in_that_networkd_has_not_loaded_is_pending(settings: Settings, tmp_path: Path) -> None:
    """Newer versions say which files they have loaded."""
    drop_in = f"{FILE}.d/vip.conf"
    put(tmp_path, {STATE: CONFIGURED + 'NETWORK_FILE_DROPINS=""\n', drop_in: "[Network]\nKeepConfiguration=static\n"})
    managed = found(settings)
    assert managed is not None
    assert (managed.keeps, managed.pending) == (True, True)
    put(tmp_path, {STATE: CONFIGURED + f'NETWORK_FILE_DROPINS="/{drop_in}"\n'})
    managed = found(settings)
    assert managed is not None
    assert not managed.pending


def test_networkmanager_manages_what_its_folder_says_unless_nmcli_denies_it(
    settings: Settings, tmp_path: Path
) -> None:
    """nmcli is asked only where the folder in /run says managed."""
    put(tmp_path, {"run/NetworkManager/devices/7": "[device]\nmanaged=true\n"})
    assert found(settings) == Manager("NetworkManager")
    put(tmp_path, {"bin/nmcli": "#!/bin/sh\necho eth1:unmanaged\n"})
    (tmp_path / "bin/nmcli").chmod(0o755)
    assert found(settings) is None
    put(tmp_path, {"run/NetworkManager/devices/7": "[device]\nmanaged=false\n", "bin/nmcli": "#!/bin/sh\nexit 9\n"})
    assert found(settings) is None


def test_dhclient_is_found_by_its_process(settings: Settings, tmp_path: Path) -> None:
    """Its words have the device."""
    put(tmp_path, {"proc/12/cmdline": "/sbin/dhclient\0-v\0eth0\0", "proc/uptime": "1"})
    assert found(settings) is None
    put(tmp_path, {"proc/13/cmdline": "/sbin/dhclient\0-v\0eth1\0"})
    assert found(settings) == Manager("dhclient")


@pytest.mark.parametrize(
    ("all_", "own", "expected"),
    [("0", "1", 1), ("1", "0", 1), ("2", "1", 2), ("x", "", 0)],
)
def test_reverse_path_filter_is_the_larger_one(
    all_: str, own: str, expected: int, settings: Settings, tmp_path: Path
) -> None:
    """0 on the device changes nothing where `all` is 1."""
    conf = "proc/sys/net/ipv4/conf"
    put(tmp_path, {f"{conf}/all/rp_filter": f"{all_}\n", f"{conf}/eth1/rp_filter": f"{own}\n"})
    assert manager.reverse_path_filter("eth1", settings) == expected


# -- the drop-in ---------------------------------------------------------------------------------------------------

NETWORKD = Manager("systemd-networkd", f"/{FILE}")
ONE = [Carried("lo", "127.0.0.1", 8), Carried("eth1", "10.0.11.11", 24)]
WAY = Way(VIP, "eth1", "10.0.11.1")


def test_protection_has_rule_and_route_only_on_a_server_with_more_than_one_device() -> None:
    """With one ENI there is one way."""
    alone = protection.protection(VIP, "eth1", NETWORKD, WAY, ONE)
    assert alone.place == f"{FILE}.d/zz-ec2kit-10.1.0.10.conf"
    assert alone.text.splitlines()[1:] == [
        "# 10.1.0.10 is put on eth1 by the cluster, and systemd-networkd leaves it there.",
        "",
        "[Network]",
        "KeepConfiguration=static",
    ]
    both = protection.protection(VIP, "eth1", NETWORKD, WAY, [*ONE, Carried("eth0", "10.0.10.11", 24)])
    assert "[RoutingPolicyRule]\nFrom=10.1.0.10/32\nTable=167837706\nPriority=10050\n" in both.text
    assert "[Route]\nGateway=10.0.11.1\nGatewayOnLink=yes\nTable=167837706\n" in both.text


def test_protection_that_was_edited_is_not_ours() -> None:
    """The first line has a checksum of the others."""
    text = protection.protection(VIP, "eth1", NETWORKD, WAY, ONE).text
    assert protection.is_ours(text)
    assert not protection.is_ours(text + "\n[Network]\nDHCP=no\n")
    assert not protection.is_ours("")


@pytest.mark.parametrize("of", [None, Manager("NetworkManager"), Manager("dhclient")])
def test_protection_where_no_file_helps_is_refused(of: Manager | None) -> None:
    """What cannot be protected is told, with what to do instead."""
    with pytest.raises(BadRequest, match="eth1: nothing that ec2kit can write protects"):
        protection.protection(VIP, "eth1", of, WAY, ONE)
