"""The Elastic IP scenario, by the real action scripts."""

from __future__ import annotations

import pytest

from .cluster import EIP_TAG, HURRY, Cluster


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
    cluster.with_resource(EIP_TAG).act("node2", "restore", EIP_TAG)
    assert cluster.act("node2", "quickCheck", EIP_TAG).status == 0
    assert cluster.act("node1", "quickCheck", EIP_TAG).status == 1


def test_remove_that_comes_late_does_not_take_the_address_from_the_new_owner(cluster: Cluster) -> None:
    """remove ends this server's association and no other."""
    cluster.with_resource(EIP_TAG).act("node2", "restore", EIP_TAG)
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


@pytest.mark.parametrize("effect", ["refuse", "silent", "deny", "throttle"])
def test_remove_where_aws_does_not_do_it_succeeds_and_says_error(cluster: Cluster, effect: str) -> None:
    """A failed remove would halt the server for nothing: the peer's restore takes the address anyway."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault(effect, server="node1")
    done = cluster.act("node1", "remove", EIP_TAG, **HURRY)
    assert done.status == 0
    assert "ERROR" in done.stderr
    assert "may still be associated here" in done.stderr


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
    cluster.with_resource(EIP_TAG).act("node2", "restore", EIP_TAG)
    done = cluster.act("node1", "recover", EIP_TAG)
    assert done.status == 1
    assert "taken over by node2" in done.stderr
    assert cluster.address_holder() == "node2"


def _another_address_on(cluster: Cluster, server: str) -> str:
    other = str(cluster.aws.allocate_address(Domain="vpc")["AllocationId"])
    cluster.aws.associate_address(AllocationId=other, NetworkInterfaceId=cluster.eni(server))
    return other


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


def test_remove_whose_answer_is_lost_knows_that_it_is_done(cluster: Cluster) -> None:
    """The retry is told that there is no such association any more: that is what was wanted."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("lose", server="node1", operation="DisassociateAddress", count=1)
    done = cluster.act("node1", "remove", EIP_TAG)
    assert done.status == 0
    assert "ERROR" not in done.stderr
    assert cluster.address_holder() is None


def test_quick_check_without_the_folder_of_devices_is_0(cluster: Cluster) -> None:
    """Where /sys is not mounted, nobody knows whether a link is down."""
    cluster.with_resource(EIP_TAG)
    done = cluster.act("node1", "quickCheck", EIP_TAG, EC2KIT_NET_DIR="/nonexistent")
    assert done.status == 0
    assert "there is no such folder" in done.stderr
