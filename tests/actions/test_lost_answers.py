"""Writes whose answers are lost, each one: what EC2 shows decides, and what it does not show is written again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ec2kit.ec2.answers import DESTINATIONS

from ..patience import Stalls
from .cluster import (
    DNS_TAG,
    EIP_TAG,
    NAT_TAG,
    PATIENCE,
    ROUTES,
    SEVERAL_TAG,
    SIP6_TAG,
    SIP_TAG,
    VIP_TAG,
    Cluster,
    Done,
    finished,
    given_time,
    silence,
    standby,
    until,
)
from .cluster import KINDS as IN_EC2
from .test_roles import with_role

KINDS = (*IN_EC2, DNS_TAG)

Tags = tuple[str, ...]

each_group = pytest.mark.parametrize("tags", [pytest.param(KINDS, id="kinds"), pytest.param(ROUTES, id="routes")])
"""All resources of a group are restored at once, because all wait for the same."""

OPERATIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((VIP_TAG, *ROUTES), ("ReplaceRoute",)),
    EIP_TAG: ("AssociateAddress",),
    SIP_TAG: ("AssignPrivateIpAddresses",),
    SIP6_TAG: ("UnassignIpv6Addresses", "AssignIpv6Addresses"),
    DNS_TAG: ("ChangeResourceRecordSets",),
}
"""The writes that move the address of each kind, one after the other."""

MANY = 20
"""Writes of one object that are enough for reads that are 5 s late: the pauses between them grow to 5 s."""

OBJECTS = {**dict.fromkeys(KINDS, 1), VIP_TAG: 6, **dict.fromkeys(ROUTES, 2), NAT_TAG: 4, SEVERAL_TAG: 4}
"""What has to be written for each resource."""


@dataclass(frozen=True)
class Journal:
    """
    What a server asked EC2 for, from now on.

    Attributes:
        server: None: all servers, and nobody else.
    """

    cluster: Cluster
    server: str | None = "node2"
    since: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", len(self.cluster.sandbox.calls()))

    def sent(self, operation: str, tag: str = "") -> list[int]:
        """
        How often each object's change was asked for, whether it was carried out or not.

        Args:
            tag: Of the resource for which it was asked; "": of any.
        """
        names = ("RouteTableId", "AllocationId", "AssociationId", "NetworkInterfaceId", "Id")
        calls = self.cluster.sandbox.calls()[self.since :]
        changes = [each for each in calls if each["operation"] == operation and self._is_mine(each["server"])]
        asked = [each for each in changes if not tag or tag in each["user_agent"].split()]
        parameters = [each["parameters"] for each in asked]
        objects = [next(each[name] for name in names if name in each) for each in parameters]
        blocks = [[each[name] for name in DESTINATIONS.values() if name in each] for each in parameters]
        return [*Counter(f"{one} {block}" for one, block in zip(objects, blocks, strict=True)).values()]

    def _is_mine(self, server: object) -> bool:
        return server is not None and self.server in (None, server)


def found_carried_out(stderr: str, operation: str) -> int:
    """How many changes the action says to be there, although it had no answer."""
    return len(re.findall(rf"it is as wanted, although the answer to {operation} was lost", stderr))


def uncertain(stderr: str, operation: str) -> int:
    """How often the action says that it does not know whether a change was carried out."""
    return len(re.findall(rf"the outcome of {operation} is not certain", stderr))


def with_all(cluster: Cluster, tags: Tags) -> Cluster:
    for tag in tags:
        cluster.with_resource(tag)
    return cluster


def fault_of_writes(cluster: Cluster, tags: Tags, effect: str, server: str = "") -> None:
    """
    Let something befall all writes that move an address.

    Args:
        server: "": the standby of each resource.
    """
    places = [
        (server or standby(tag), operation, "route53" if tag == DNS_TAG else "ec2")
        for tag in tags
        for operation in OPERATIONS[tag]
    ]
    for where, operation, service in dict.fromkeys(places):
        cluster.sandbox.fault(effect, server=where, operation=operation, service=service)


def at_once(cluster: Cluster, tags: Tags, action: str, *, server: str = "", **settings: str) -> dict[str, Done]:
    """Run an action on all resources at the same time; `server` as above."""
    running = {tag: cluster.start(server or standby(tag), action, "-t", tag, **settings) for tag in tags}
    return {tag: finished(each) for tag, each in running.items()}


def ended_in_time(cluster: Cluster, tags: Tags, action: str, seconds: float, *, server: str = "") -> dict[str, Done]:
    """Run an action on all resources that ends by its deadline; each request may take a part of that time."""
    stalls = Stalls()
    settings = {**silence(seconds / 10), f"EC2_{action.upper()}_TIMEOUT": f"{seconds:.1f}"}
    ended = at_once(cluster, tags, action, server=server, **settings)
    late = [each.seconds > seconds + 1 + stalls.seconds for each in ended.values() if "END" in each.stderr]
    assert not any(late), ended
    return ended


def holders(cluster: Cluster, tags: Tags) -> dict[str, str | None]:
    """The server that has the address of each resource."""
    return {tag: cluster.holder(tag) for tag in tags}


def moved(tags: Tags) -> dict[str, str]:
    return {tag: standby(tag) for tag in tags}


def stayed(tags: Tags) -> dict[str, str]:
    return dict.fromkeys(tags, "node1")


def named(cluster: Cluster, tag: str) -> str:
    """What a failure names as the object that it is about."""
    told = cluster.sandbox.description
    places = {EIP_TAG: "allocation_id", SIP_TAG: "secondary_ip", SIP6_TAG: "secondary_ipv6", DNS_TAG: "record"}
    return "rtb-" if tag == VIP_TAG or tag in ROUTES else str(told[places[tag]])


# -- restore -----------------------------------------------------------------------------------------------


@each_group
@pytest.mark.parametrize("effect", ["lose", "garble"])
def test_restore_whose_every_answer_is_lost_succeeds_with_one_write_each(
    cluster: Cluster, effect: str, tags: Tags
) -> None:
    """What the look after a write shows is done, whatever becomes of the answers, and is not written again."""
    journal = Journal(with_all(cluster, tags), None)
    fault_of_writes(cluster, tags, effect)
    for tag, done in at_once(cluster, tags, "restore").items():
        assert done.status == 0, done.stderr
        for operation in OPERATIONS[tag]:
            assert journal.sent(operation, tag) == [1] * OBJECTS[tag]
            assert uncertain(done.stderr, operation) == OBJECTS[tag]
        last = OPERATIONS[tag][-1]  # what the one before it did is seen by this one being possible
        assert found_carried_out(done.stderr, last) == OBJECTS[tag]
    assert holders(cluster, tags) == moved(tags)


@each_group
def test_restore_whose_every_answer_is_lost_while_reads_are_late_succeeds(cluster: Cluster, tags: Tags) -> None:
    """A look that does not show the change yet is no failure, and no reason to write without end."""
    journal = Journal(with_all(cluster, tags), None)
    fault_of_writes(cluster, tags, "lose")
    cluster.sandbox.fault("late", seconds=5)
    for tag, done in at_once(cluster, tags, "restore", EC2_VERIFY_TIMEOUT="1").items():
        assert done.status == 0, done.stderr
        assert all(max(journal.sent(each, tag)) <= MANY for each in OPERATIONS[tag])
    assert holders(cluster, tags) == moved(tags)


@each_group
def test_restore_without_retries_whose_answer_is_lost_while_reads_are_late_waits(
    cluster: Cluster, tags: Tags
) -> None:
    """EC2_MAX_RETRY=0 is one write; EC2_VERIFY_TIMEOUT is for it as for one that was answered."""
    journal = Journal(with_all(cluster, tags), None)
    fault_of_writes(cluster, tags, "lose")
    cluster.sandbox.fault("late", seconds=5)
    for tag, done in at_once(cluster, tags, "restore", EC2_VERIFY_TIMEOUT="60", EC2_MAX_RETRY="0").items():
        assert done.status == 0, done.stderr
        assert all(journal.sent(each, tag) == [1] * OBJECTS[tag] for each in OPERATIONS[tag])


@each_group
@pytest.mark.parametrize(
    ("effect", "reason"), [("reset", "Connection reset"), ("silent", "none within"), ("error", "Internal")]
)
def test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown(
    cluster: Cluster, effect: str, reason: str, tags: Tags
) -> None:
    """Answers that never come, of writes that are never carried out: at the end it is said what is not known."""

    def restored(seconds: float) -> dict[str, Done]:
        cluster.clean()
        with_all(cluster, tags)
        fault_of_writes(cluster, tags, effect)
        return ended_in_time(cluster, tags, "restore", seconds)

    def have_written_twice(done: dict[str, Done]) -> bool:
        return all(
            uncertain(done[tag].stderr, OPERATIONS[tag][0]) >= 2 * OBJECTS[tag] and "END" in done[tag].stderr
            for tag in tags
        )

    for tag, done in given_time(restored, have_written_twice, seconds=5).items():
        assert done.status == 1
        (end,) = re.findall("END failed .*", done.stderr)
        assert f"whether EC2 carried out {OPERATIONS[tag][0]} is not known" in end
        assert reason in done.stderr
        assert named(cluster, tag) in end
        assert uncertain(done.stderr, OPERATIONS[tag][0]) >= 2 * OBJECTS[tag]
    assert holders(cluster, tags) == stayed(tags)


def test_restore_whose_writes_vanish_makes_as_many_retries_as_it_may(cluster: Cluster) -> None:
    """EC2_MAX_RETRY=2 is three writes of each object, with a look after each."""
    journal = Journal(cluster.with_resource())
    cluster.sandbox.fault("reset", server="node2", operation="ReplaceRoute")
    done = cluster.act("node2", "restore", EC2_MAX_RETRY="2", EC2_VERIFY_TIMEOUT="1")
    assert done.status == 1
    assert set(journal.sent("ReplaceRoute")) == {3}
    assert "whether EC2 carried out ReplaceRoute is not known" in done.stderr


def test_restore_whose_lost_write_is_throttled_then_makes_as_many_retries_as_it_may(cluster: Cluster) -> None:
    """Retries are counted together, whatever each was for."""
    journal = Journal(cluster.with_resource(EIP_TAG))
    cluster.sandbox.fault("throttle", server="node2", operation="AssociateAddress", skip=1, count=1)
    cluster.sandbox.fault("reset", server="node2", operation="AssociateAddress")
    cluster.act("node2", "restore", EIP_TAG, EC2_MAX_RETRY="3", EC2_VERIFY_TIMEOUT="1")
    assert set(journal.sent("AssociateAddress")) == {4}


def test_restore_whose_first_writes_vanish_tells_the_true_number_of_attempts(cluster: Cluster) -> None:
    """The line of a change counts what was tried before the looks in between."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("reset", server="node2", operation="AssociateAddress", count=2)
    done = cluster.act("node2", "restore", EIP_TAG)
    assert done.status == 0, done.stderr
    assert "attempt 3, request" in done.stderr
    assert found_carried_out(done.stderr, "AssociateAddress") == 0


def test_restore_whose_answer_is_lost_and_whose_address_is_taken_writes_once_more(cluster: Cluster) -> None:
    """A third target after a lost answer is another hand, as after an answer."""
    journal = Journal(with_all(cluster, KINDS), None)
    fault_of_writes(cluster, KINDS, "lose")
    stolen = [tag for tag in KINDS if tag not in (SIP6_TAG, DNS_TAG)]  # which one call of EC2 takes
    for server, operation in dict.fromkeys((standby(tag), OPERATIONS[tag][0]) for tag in stolen):
        cluster.sandbox.fault("steal", server=server, operation=operation, count=1)
    for tag, done in at_once(cluster, KINDS, "restore").items():
        assert done.status == 0, done.stderr
        assert max(journal.sent(OPERATIONS[tag][0])) == (2 if tag in stolen else 1)
    assert holders(cluster, KINDS) == moved(KINDS)


def test_restore_whose_writes_vanish_is_overtaken_by_remove(cluster: Cluster) -> None:
    """A newer wish ends it between two writes."""
    journal = Journal(cluster.with_resource())
    cluster.sandbox.fault("reset", server="node2", operation="ReplaceRoute")
    restoring = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: journal.sent("ReplaceRoute"))
    assert cluster.act("node2", "remove").status == 0
    done = finished(restoring)
    assert done.status == 1
    assert "overtaken" in done.stderr
    assert done.seconds < float(PATIENCE["EC2_RESTORE_TIMEOUT"]) / 2


@pytest.mark.parametrize(("effect", "carried_out"), [("lose", 1), ("reset", 0)])
def test_restore_that_clears_neighbours_whose_answer_is_lost_ends_when_they_are_gone(
    cluster: Cluster, effect: str, carried_out: int
) -> None:
    """With EC2_EIP_EXCLUSIVE=1 a neighbour stays on the ENI neither for a lost answer nor for a lost request."""
    cluster.with_resource(EIP_TAG)
    eni, aws = cluster.eni("node2"), cluster.aws
    aws.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    (seen,) = aws.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    private = next(each["PrivateIpAddress"] for each in seen["PrivateIpAddresses"] if not each["Primary"])
    neighbour = aws.allocate_address(Domain="vpc")["AllocationId"]
    aws.associate_address(AllocationId=neighbour, NetworkInterfaceId=eni, PrivateIpAddress=private)
    cluster.sandbox.fault(effect, server="node2", operation="DisassociateAddress", count=1)
    done = cluster.act("node2", "restore", EIP_TAG, EC2_EIP_EXCLUSIVE="1")
    assert done.status == 0, done.stderr
    (left,) = aws.describe_addresses(AllocationIds=[neighbour])["Addresses"]
    assert "AssociationId" not in left
    assert "the outcome of DisassociateAddress is not certain" in done.stderr
    assert found_carried_out(done.stderr, "DisassociateAddress") == carried_out


def test_restore_too_slow_for_all_names_what_was_not_sent_apart(cluster: Cluster) -> None:
    """Of a write that waited for its turn until the deadline it is known what became of it: nothing."""

    def restored(seconds: float) -> tuple[Done, list[int]]:
        cluster.clean()
        journal = Journal(cluster.with_resource(VIP_TAG))
        settings = {"EC2_RESTORE_TIMEOUT": f"{seconds:.1f}", "EC2_WRITE_BURST": "2", "EC2_WRITE_RATE": "0.001"}
        return cluster.act("node2", "restore", **settings), journal.sent("ReplaceRoute")

    def are_answered(came: tuple[Done, list[int]]) -> bool:
        return len(came[1]) == 2 and "is not known" not in came[0].stderr

    done, sent = given_time(restored, are_answered, seconds=4)
    assert done.status == 1
    assert len(sent) == 2
    assert "is not known" not in done.stderr


# -- 50 tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "with_routes"),
    [
        pytest.param(0, Cluster.with_resource, id="0"),
        pytest.param(5, Cluster.with_resource, id="5"),
        pytest.param(0, with_role, id="role"),
    ],
)
def test_restore_of_50_tables_whose_every_answer_is_lost_succeeds(
    fifty_tables: Cluster, late: int, with_routes: Callable[[Cluster], Cluster]
) -> None:
    """All tables are moved, each with one write; with some more where the reads are late. Keys are asked for anew."""
    cluster = fifty_tables
    journal = Journal(with_routes(cluster))
    cluster.sandbox.fault("lose", operation="ReplaceRoute")
    cluster.sandbox.fault("lose", service="sts", count=1)
    if late:
        cluster.sandbox.fault("late", seconds=late)
    done = cluster.act("node2", "restore", EC2_VERIFY_TIMEOUT="60")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 50
    written = journal.sent("ReplaceRoute")
    assert len(written) == 50
    assert max(written) <= (MANY if late else 1)
    assert found_carried_out(done.stderr, "ReplaceRoute") == 50


# -- remove ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0, 5])
def test_remove_whose_every_answer_is_lost_knows_that_it_is_done(cluster: Cluster, late: int) -> None:
    """The look shows that the address is free; remove has its own small number of retries."""
    journal = Journal(cluster.with_resource(EIP_TAG), "node1")
    cluster.sandbox.fault("lose", server="node1", operation="DisassociateAddress")
    if late:
        cluster.sandbox.fault("late", server="node1", seconds=late)
    done = cluster.act("node1", "remove", EIP_TAG, EC2_VERIFY_TIMEOUT="60")
    assert done.status == 0
    assert "ERROR" not in done.stderr
    assert cluster.address_holder() is None
    assert sum(journal.sent("DisassociateAddress")) <= (3 if late else 1)
    assert found_carried_out(done.stderr, "DisassociateAddress") == 1


def test_remove_whose_writes_vanish_gives_up_after_two_retries(cluster: Cluster) -> None:
    """A remove keeps no failover waiting: it says what is not known, and succeeds."""
    journal = Journal(cluster.with_resource(EIP_TAG), "node1")
    cluster.sandbox.fault("reset", server="node1", operation="DisassociateAddress")
    done = cluster.act("node1", "remove", EIP_TAG, EC2_VERIFY_TIMEOUT="1")
    assert done.status == 0
    assert sum(journal.sent("DisassociateAddress")) == 3
    assert re.search("may still be associated here: .*whether EC2 carried out DisassociateAddress", done.stderr)


def test_remove_whose_write_is_under_way_at_the_deadline_says_that_its_outcome_is_unknown(cluster: Cluster) -> None:
    """It has left, so that it was not carried out cannot be said."""
    unknown = "whether EC2 carried out DisassociateAddress is not known"

    def removed(seconds: float) -> Done:
        cluster.clean()
        cluster.with_resource(EIP_TAG)
        cluster.sandbox.fault("silent", server="node1", operation="DisassociateAddress")
        settings = {"EC2_REMOVE_TIMEOUT": f"{seconds:.1f}", "AWSCLI_READ_TIMEOUT": f"{2 * seconds:.0f}"}
        return cluster.act("node1", "remove", EIP_TAG, **settings)

    done = given_time(removed, lambda done: unknown in done.stderr)
    assert done.status == 0
    assert unknown in done.stderr


# -- recover -----------------------------------------------------------------------------------------------


def drifted(cluster: Cluster, tags: Tags) -> Cluster:
    """All addresses are at somebody who is no server of the resources; of the routes one is."""
    with_all(cluster, tags)
    foreign = str(cluster.sandbox.description["third_party_network_interface_id"])
    for tag in tags:
        if tag == VIP_TAG:
            cluster.point(cluster.tables[0], foreign)
        elif tag in ROUTES:
            cluster.move(tag, foreign, at_most=1)
        else:
            cluster.move(tag, foreign)
    return cluster


@each_group
@pytest.mark.parametrize("late", [0, 5])
def test_recover_whose_every_answer_is_lost_succeeds(cluster: Cluster, late: int, tags: Tags) -> None:
    """Recover, too, goes by what it sees, and says so."""
    journal = Journal(drifted(cluster, tags), "node1")
    fault_of_writes(cluster, tags, "lose", "node1")
    if late:
        cluster.sandbox.fault("late", server="node1", seconds=late)
    for tag, done in at_once(cluster, tags, "recover", server="node1").items():
        assert done.status == 0, done.stderr
        assert all(sum(journal.sent(each, tag)) <= (MANY if late else 1) for each in OPERATIONS[tag])
        assert found_carried_out(done.stderr, OPERATIONS[tag][-1]) == 1
    assert holders(cluster, tags) == stayed(tags)


@each_group
def test_recover_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown(
    cluster: Cluster, tags: Tags
) -> None:
    """The same for recover."""

    def recovered(seconds: float) -> dict[str, Done]:
        cluster.clean()
        drifted(cluster, tags)
        fault_of_writes(cluster, tags, "reset", "node1")
        return ended_in_time(cluster, tags, "recover", seconds, server="node1")

    def have_written(done: dict[str, Done]) -> bool:
        return all(uncertain(done[tag].stderr, OPERATIONS[tag][0]) > 0 and "END" in done[tag].stderr for tag in tags)

    for tag, done in given_time(recovered, have_written, seconds=4).items():
        assert done.status == 1
        (end,) = re.findall("END failed .*", done.stderr)
        assert f"whether EC2 carried out {OPERATIONS[tag][0]} is not known" in end


# -- create ------------------------------------------------------------------------------------------------


def test_create_that_fails_puts_back_what_it_moved_although_the_answers_are_lost(cluster: Cluster) -> None:
    """The undoing looks, too, before it writes again."""
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute", skip=5, count=1)
    cluster.sandbox.fault("lose", server="node2", operation="ReplaceRoute", skip=6)
    done = cluster.create("node2")
    assert done.status == 1
    assert cluster.holders() == ["node1"] * 6, done.stderr
    assert "put back" in done.stderr
