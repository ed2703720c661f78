"""The Elastic IP scenario, by the real action scripts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .cluster import EIP_TAG, Cluster, Done


def test_create_and_extend_and_restore_move_the_address_and_no_other(cluster: Cluster) -> None:
    """The Elastic IP follows restore; the foreign one stays where it is."""
    foreign = {"AllocationIds": [cluster.sandbox.description["foreign_allocation_id"]]}
    before = cluster.aws.describe_addresses(**foreign)["Addresses"]
    assert cluster.create(tag=EIP_TAG).status == 0
    assert cluster.address_holder() == "node1"
    assert cluster.run("node2", "extend", "node1", EIP_TAG).status == 0
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    assert cluster.address_holder() == "node2"
    assert cluster.aws.describe_addresses(**foreign)["Addresses"] == before


def test_restore_makes_one_associate_and_never_a_disassociate(cluster: Cluster) -> None:
    """The address is never without an owner in between."""
    cluster.with_resource(EIP_TAG)
    before = len(cluster.writes("node2"))
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    (write,) = cluster.writes("node2")[before:]
    assert write["operation"] == "AssociateAddress"
    assert write["parameters"]["PrivateIpAddress"]  # type: ignore[index]
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    assert len(cluster.writes("node2")) == before + 1


def test_quick_check_after_a_move_is_0_here_and_1_there(cluster: Cluster) -> None:
    """Each server knows whether it has the address."""
    cluster.with_resource(EIP_TAG, on="node2")
    assert cluster.act("node2", "quickCheck", EIP_TAG).status == 0
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1


def test_remove_that_comes_late_does_not_take_the_address_from_the_new_owner(cluster: Cluster) -> None:
    """remove ends this server's association and no other."""
    cluster.with_resource(EIP_TAG, on="node2")
    before = cluster.writes("node1")
    assert cluster.act("node1", "remove", EIP_TAG).status == 0
    assert cluster.address_holder() == "node2"
    assert cluster.writes("node1") == before


def test_remove_takes_the_address_off_this_server(cluster: Cluster) -> None:
    """A planned switchover leaves nothing behind."""
    cluster.with_resource(EIP_TAG)
    assert cluster.act("node1", "remove", EIP_TAG).status == 0
    assert cluster.address_holder() is None


def test_remove_with_keep_leaves_the_address(cluster: Cluster) -> None:
    """EC2_EIP_KEEP_ON_REMOVE=1: a planned switchover has no gap."""
    cluster.with_resource(EIP_TAG)
    assert cluster.act("node1", "remove", EIP_TAG, EC2_EIP_KEEP_ON_REMOVE="1").status == 0
    assert cluster.address_holder() == "node1"


def test_quick_check_with_the_link_down_is_1_and_restore_brings_it_up(cluster: Cluster) -> None:
    """An address on a dead link serves nobody."""
    cluster.with_resource(EIP_TAG)
    link = cluster.path("node1", "EC2KIT_NET_DIR") / "eth1"
    (link / "operstate").write_text("down\n")
    (link / "carrier").write_text("0\n")
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1
    assert cluster.act("node1", "quickCheck", EIP_TAG, EC2_NOLINKCHECK="1").status == 0
    assert cluster.act("node1", "restore", EIP_TAG).status == 0
    assert (link / "operstate").read_text().strip() == "up"
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 0


def test_a_device_that_is_called_otherwise_is_still_that_of_the_eni(cluster: Cluster, tmp_path: Path) -> None:
    """After a boot the kernel may name devices anew; the ENI is known by its MAC address, beside a bridge with it."""
    cluster.with_resource(EIP_TAG)
    net = tmp_path / "net"
    shutil.copytree(cluster.path("node1", "EC2KIT_NET_DIR"), net)
    shutil.copytree(net / "eth1", net / "br-ex")
    (net / "br-ex" / "bridge").mkdir()
    (net / "br-ex" / "operstate").write_text("down\n")
    (net / "eth1").rename(net / "ens6")
    there = {"EC2KIT_NET_DIR": str(net)}
    assert "IN_SERVICE" in cluster.act("node1", "quickCheck", EIP_TAG, **there).stderr
    assert cluster.act("node1", "restore", EIP_TAG, **there).status == 0
    (net / "ens6" / "operstate").write_text("down\n")
    done = cluster.act("node1", "quickCheck", EIP_TAG, **there)
    assert (done.status, "the link of ens6 is down" in done.stderr) == (1, True)


def test_an_eni_without_a_device_is_named_by_quick_check_and_restore(cluster: Cluster, tmp_path: Path) -> None:
    """Where the server shows its devices and none is the ENI's, packets cannot arrive."""
    cluster.with_resource(EIP_TAG)
    net = tmp_path / "net"
    shutil.copytree(cluster.path("node1", "EC2KIT_NET_DIR"), net)
    shutil.rmtree(net / "eth1")
    for action in ("quickCheck", "restore"):
        done = cluster.act("node1", action, EIP_TAG, EC2KIT_NET_DIR=str(net))
        assert (done.status, "no device of this server has the MAC address" in done.stderr) == (1, True)


def test_recover_of_a_free_address_is_conditional(cluster: Cluster) -> None:
    """An address without an owner is taken only if it still has none: EC2's own compare-and-set."""
    cluster.with_resource(EIP_TAG)
    (address,) = cluster.aws.describe_addresses(AllocationIds=[cluster.sandbox.description["allocation_id"]])[
        "Addresses"
    ]
    cluster.aws.disassociate_address(AssociationId=address["AssociationId"])
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1
    assert cluster.act("node1", "recover", EIP_TAG).status == 0
    assert cluster.address_holder() == "node1"
    assert cluster.writes("node1")[-1]["parameters"]["AllowReassociation"] == "false"  # type: ignore[index]


def test_recover_does_not_take_the_address_from_the_new_owner(cluster: Cluster) -> None:
    """The first server, back again, does not steal."""
    cluster.with_resource(EIP_TAG, on="node2")
    done = cluster.act("node1", "recover", EIP_TAG)
    assert done.status == 1
    assert "taken over by node2" in done.stderr
    assert cluster.address_holder() == "node2"


def _another_address_on(cluster: Cluster, server: str) -> str:
    other = str(cluster.aws.allocate_address(Domain="vpc")["AllocationId"])
    cluster.aws.associate_address(AllocationId=other, NetworkInterfaceId=cluster.eni(server))
    return other


def _create_another(cluster: Cluster, server: str, device: str, **settings: str) -> Done:
    public_ip = cluster.aws.allocate_address(Domain="vpc")["PublicIp"]
    words = ["--type", "elastic-ip", "--elastic-ip", public_ip, "--interface", device]
    return cluster.run(server, "create", "-t", "another", *words, **settings)


def test_create_that_would_displace_the_address_of_another_resource_is_refused(cluster: Cluster) -> None:
    """One private address carries one Elastic IP; a second resource needs another interface."""
    cluster.with_resource(EIP_TAG)
    done = _create_another(cluster, "node1", "eth1")
    assert done.status == 1
    assert f" of {EIP_TAG}, " in done.stderr
    assert "would lose its place there" in done.stderr
    assert cluster.address_holder() == "node1"
    assert _create_another(cluster, "node1", "eth0").status == 0
    assert cluster.address_holder() == "node1"


def test_create_that_would_displace_an_address_that_only_another_server_knows_is_refused(cluster: Cluster) -> None:
    """The other servers are asked for what they protect, too."""
    cluster.with_resource(EIP_TAG)
    state = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources"
    (state / f"{EIP_TAG}.json").unlink()
    cluster.run("node1", "create", "-t", "r", "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1")
    assert cluster.run("node2", "extend", "node1", "r").status == 0
    done = _create_another(cluster, "node1", "eth1")
    assert done.status == 1
    assert f"of {EIP_TAG} on node2 is on" in done.stderr


def test_create_beside_a_standby_of_another_resource_is_refused(cluster: Cluster) -> None:
    """Two resources that may come to one private address would displace each other there, again and again."""
    cluster.with_resource(EIP_TAG, on="node2")
    done = _create_another(cluster, "node1", "eth1")
    assert done.status == 1, done.stderr
    assert re.search(f"the place of an Elastic IP on 10[0-9.]* of eni-.* is protected by {EIP_TAG}", done.stderr)
    assert cluster.address_holder() == "node2"


def test_create_beside_a_server_of_an_earlier_version_says_what_it_could_not_look_at(
    cluster: Cluster, tmp_path: Path
) -> None:
    """That one tells addresses only, which say nothing of places; it is no reason to refuse."""
    cluster.with_resource(EIP_TAG)
    remote = tmp_path / "remote"
    remote.write_text(f'#!/bin/sh\n{cluster.environment("node1")["EC2_REMOTE_COMMAND"]} "$@" | sed s/holdings/x/\n')
    remote.chmod(0o755)
    done = _create_another(cluster, "node1", "eth0", EC2_REMOTE_COMMAND=str(remote))
    assert done.status == 0, done.stderr
    assert "tag and address elsewhere: could not look" in done.stderr
    assert "does not tell what it protects" in done.stderr


def test_extend_to_the_place_of_another_resource_is_refused(cluster: Cluster) -> None:
    """What has a place of its own on one server may have none on the next."""
    cluster.with_resource(EIP_TAG)
    assert _create_another(cluster, "node1", "eth0").status == 0
    done = cluster.run("node2", "extend", "node1", "another", "--interface", "eth1")
    assert (done.status, f"is protected by {EIP_TAG}" in done.stderr) == (1, True), done.stderr
    assert cluster.run("node2", "extend", "node1", "another", "--interface", "eth0").status == 0


def test_restore_says_which_address_it_displaces(cluster: Cluster) -> None:
    """EC2 displaces another Elastic IP on the same private address; the log says which."""
    cluster.with_resource(EIP_TAG)
    other = _another_address_on(cluster, "node2")
    done = cluster.act("node2", "restore", EIP_TAG)
    cluster.aws.release_address(AllocationId=other)
    assert done.status == 0
    assert f"({other}) held" in done.stderr


def test_recover_by_a_wrong_private_address_puts_it_right(cluster: Cluster) -> None:
    """The right ENI with another private address is not in service."""
    cluster.with_resource(EIP_TAG)
    eni, allocation = cluster.eni("node1"), cluster.sandbox.description["allocation_id"]
    address = "10.0.11.200"
    cluster.aws.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[address])
    cluster.aws.associate_address(AllocationId=allocation, NetworkInterfaceId=eni, PrivateIpAddress=address)
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1
    assert cluster.act("node1", "recover", EIP_TAG).status == 0
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 0
    cluster.aws.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[address])


def test_restore_of_a_released_address_fails_and_names_it(cluster: Cluster) -> None:
    """What does not exist is said plainly."""
    cluster.with_resource(EIP_TAG)
    path = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{EIP_TAG}.json"
    path.write_text(
        path.read_text().replace(cluster.sandbox.description["allocation_id"], "eipalloc-00000000000000001")
    )
    done = cluster.act("node1", "restore", EIP_TAG)
    assert done.status == 1
    assert "eipalloc-00000000000000001) does not exist" in done.stderr


def test_remove_on_another_instance_takes_nothing_off(cluster: Cluster) -> None:
    """A server that was cloned from an image does not take the address off the one that it was cloned from."""
    cluster.with_resource(EIP_TAG)
    path = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{EIP_TAG}.json"
    instance = cluster.sandbox.description["nodes"]["node1"]["instance_id"]
    path.write_text(path.read_text().replace(instance, "i-0123456789abcdef0"))
    done = cluster.act("node1", "remove", EIP_TAG)
    assert done.status == 0
    assert "this is instance" in done.stderr
    assert cluster.address_holder() == "node1"


def test_quick_check_without_the_folder_of_devices_is_0(cluster: Cluster) -> None:
    """Where /sys is not mounted, nobody knows whether a link is down."""
    cluster.with_resource(EIP_TAG)
    done = cluster.act("node1", "quickCheck", EIP_TAG, EC2KIT_NET_DIR="/nonexistent")
    assert done.status == 0
    assert "there is no such folder" in done.stderr
