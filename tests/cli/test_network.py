"""`ec2kit network`, as a process: the drop-in for the manager of a device is shown, written, and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.cluster import Cluster
from tests.one_sandbox import OneSandbox

from .test_cli import ec2kit, envelope

VIP = "10.1.0.10"
NAMED = ("--address", VIP, "--device", "eth1")
FILE = "etc/systemd/network/10-eth1.network"
DROP_IN = f"{FILE}.d/zz-ec2kit-{VIP}.conf"


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=2)
    cluster.clean()
    return cluster


def root(cluster: Cluster) -> Path:
    return cluster.path("node1", "EC2KIT_SYSTEM_ROOT")


def managed(cluster: Cluster) -> None:
    """systemd-networkd manages eth1."""
    index = (cluster.path("node1", "EC2KIT_NET_DIR") / "eth1" / "ifindex").read_text().strip()
    for place, text in {
        f"run/systemd/netif/links/{index}": f"ADMIN_STATE=configured\nNETWORK_FILE=/{FILE}\n",
        FILE: "[Match]\nName=eth1\n[Network]\nDHCP=ipv4\n",
    }.items():
        (root(cluster) / place).parent.mkdir(parents=True, exist_ok=True)
        (root(cluster) / place).write_text(text)


def test_protect_shows_then_writes_once_and_unprotect_removes(cluster: Cluster) -> None:
    """A dry run changes nothing, a second run neither; all that was made is gone afterwards."""
    managed(cluster)
    drop_in = root(cluster) / DROP_IN
    done = ec2kit(cluster, "node1", "network", "protect", "--dry-run", *NAMED)
    assert (done.status, drop_in.exists()) == (0, False), done.stderr
    assert f"would write  {drop_in}" in done.stdout
    assert "    KeepConfiguration=static\n" in done.stdout
    done = ec2kit(cluster, "node1", "network", "protect", *NAMED)
    assert done.stdout.startswith(f"written  {drop_in}")
    assert drop_in.stat().st_mode & 0o777 == 0o644
    text = drop_in.read_text()
    assert "unchanged" in ec2kit(cluster, "node1", "network", "protect", *NAMED).stdout
    assert drop_in.read_text() == text
    shown = ec2kit(cluster, "node1", "network", "show", *NAMED).stdout
    assert "manager   systemd-networkd: keeps the address" in shown
    assert "would remove" in ec2kit(cluster, "node1", "network", "unprotect", "--dry-run", *NAMED).stdout
    assert drop_in.exists()
    assert "removed" in ec2kit(cluster, "node1", "network", "unprotect", *NAMED).stdout
    assert not drop_in.parent.exists()
    assert "nothing to remove" in ec2kit(cluster, "node1", "network", "unprotect", *NAMED).stdout


@pytest.mark.parametrize("kind", ["edited", "link", "folder"])
def test_what_ec2kit_has_not_written_so_is_left_alone(cluster: Cluster, kind: str) -> None:
    """Neither command overwrites or removes the work of another."""
    managed(cluster)
    drop_in = root(cluster) / DROP_IN
    if kind == "edited":
        assert ec2kit(cluster, "node1", "network", "protect", *NAMED).status == 0
        drop_in.write_text(drop_in.read_text() + "[Network]\nDHCP=no\n")
    else:
        drop_in.parent.mkdir(parents=True)
        drop_in.symlink_to(root(cluster) / FILE) if kind == "link" else drop_in.mkdir()
    for deed in ("protect", "unprotect"):
        done = ec2kit(cluster, "node1", "network", deed, "--json", *NAMED)
        assert done.status == 1
        assert envelope(done)["failed"][0]["error"]["code"] == 620379
    assert drop_in.is_symlink() or drop_in.is_dir() or "DHCP=no" in drop_in.read_text()


def test_protect_without_tags_is_about_all_virtual_ips_of_the_registry(cluster: Cluster) -> None:
    """A resource that create made names address and device itself."""
    managed(cluster)
    cluster.with_resource()
    told = envelope(ec2kit(cluster, "node1", "network", "protect", "--json"))
    assert [(each["address"], each["device"], each["outcome"]) for each in told["done"]] == [(VIP, "eth1", "written")]


def test_protect_where_no_manager_is_seen_says_so(cluster: Cluster) -> None:
    """There is nothing to protect from, or nothing that a file could do."""
    done = ec2kit(cluster, "node1", "network", "protect", *NAMED)
    assert done.status == 1
    assert "no manager is seen" in done.stderr
    assert not any(path.is_file() for path in root(cluster).rglob("*"))


@pytest.mark.parametrize(
    "words", [("--address", VIP), ("--device", "eth1"), ("--address", "x", "--device", "eth1"), ("nosuch",)]
)
def test_what_cannot_be_meant_is_refused(cluster: Cluster, words: tuple[str, ...]) -> None:
    """Address and device belong together; a tag is one of a resource."""
    done = ec2kit(cluster, "node1", "network", "protect", *words)
    assert done.status == 1
    assert done.stdout == ""
