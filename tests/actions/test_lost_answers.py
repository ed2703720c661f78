"""Writes whose answers are lost, each one: what EC2 shows decides, and what it does not show is written again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ec2kit.sandbox.client import started

from .cluster import EIP_TAG, VIP_TAG, Cluster, finished, until

OPERATION = {VIP_TAG: "ReplaceRoute", EIP_TAG: "AssociateAddress"}

MANY = 20
"""Writes of one object that are enough for reads that are 5 s late: the pauses between them grow to 5 s."""

BOTH = pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])


@dataclass(frozen=True)
class Journal:
    """What a server asked EC2 for, from now on."""

    cluster: Cluster
    server: str = "node2"
    since: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", len(self.cluster.sandbox.calls()))

    def sent(self, operation: str) -> list[int]:
        """How often each object's change was asked for, whether it was carried out or not."""
        names = ("RouteTableId", "AllocationId", "AssociationId")
        calls = self.cluster.sandbox.calls()[self.since :]
        changes = [each for each in calls if (each["server"], each["operation"]) == (self.server, operation)]
        parameters = [each["parameters"] for each in changes]
        return [*Counter(next(each[name] for name in names if name in each) for each in parameters).values()]


def found_carried_out(stderr: str, operation: str) -> int:
    """How many changes the action says to be there, although it had no answer."""
    return len(re.findall(rf"it is as wanted, although the answer to {operation} was lost", stderr))


def holders(cluster: Cluster, tag: str) -> set[str | None]:
    return set(cluster.holders() if tag == VIP_TAG else [cluster.address_holder()])


# -- restore -----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("effect", ["lose", "garble"])
def test_restore_whose_every_answer_is_lost_succeeds_with_one_write_each(
    cluster: Cluster, effect: str, tag: str
) -> None:
    """What the look after a write shows is done, whatever becomes of the answers, and is not written again."""
    journal = Journal(cluster.with_resource(tag))
    cluster.sandbox.fault(effect, server="node2", operation=OPERATION[tag])
    done = cluster.act("node2", "restore", tag)
    assert done.status == 0, done.stderr
    assert holders(cluster, tag) == {"node2"}
    assert set(journal.sent(OPERATION[tag])) == {1}
    assert found_carried_out(done.stderr, OPERATION[tag]) == (6 if tag == VIP_TAG else 1)


@BOTH
def test_restore_whose_every_answer_is_lost_while_reads_are_late_succeeds(cluster: Cluster, tag: str) -> None:
    """A look that does not show the change yet is no failure, and no reason to write without end."""
    journal = Journal(cluster.with_resource(tag))
    cluster.sandbox.fault("lose", server="node2", operation=OPERATION[tag])
    cluster.sandbox.fault("late", server="node2", seconds=5)
    done = cluster.act("node2", "restore", tag, EC2_VERIFY_TIMEOUT="1")
    assert done.status == 0, done.stderr
    assert holders(cluster, tag) == {"node2"}
    assert max(journal.sent(OPERATION[tag])) <= MANY


@BOTH
def test_restore_without_retries_whose_answer_is_lost_while_reads_are_late_waits(cluster: Cluster, tag: str) -> None:
    """EC2_MAX_RETRY=0 is one write; EC2_VERIFY_TIMEOUT is for it as for one that was answered."""
    journal = Journal(cluster.with_resource(tag))
    cluster.sandbox.fault("lose", server="node2", operation=OPERATION[tag])
    cluster.sandbox.fault("late", server="node2", seconds=5)
    done = cluster.act("node2", "restore", tag, EC2_VERIFY_TIMEOUT="20", EC2_MAX_RETRY="0")
    assert done.status == 0, done.stderr
    assert set(journal.sent(OPERATION[tag])) == {1}


@BOTH
@pytest.mark.parametrize(
    ("effect", "reason"), [("reset", "Connection reset"), ("silent", "none within"), ("error", "InternalError")]
)
def test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown(
    cluster: Cluster, effect: str, reason: str, tag: str
) -> None:
    """Answers that never come, of writes that are never carried out: at the end it is said what is not known."""
    cluster.with_resource(tag)
    cluster.sandbox.fault(effect, server="node2", operation=OPERATION[tag])
    settings = {"EC2_RESTORE_TIMEOUT": "4", "AWSCLI_CONNECT_TIMEOUT": "1", "AWSCLI_READ_TIMEOUT": "1"}
    done = cluster.act("node2", "restore", tag, **settings)
    assert done.status == 1
    assert done.seconds <= 5
    (end,) = re.findall("END failed .*", done.stderr)
    assert f"whether EC2 carried out {OPERATION[tag]} is not known" in end
    assert reason in done.stderr
    assert ("rtb-" if tag == VIP_TAG else str(cluster.sandbox.description["allocation_id"])) in end
    assert holders(cluster, tag) == {"node1"}
    uncertain = re.findall(f"the outcome of {OPERATION[tag]} is not certain", done.stderr)
    assert len(uncertain) >= 2 * (6 if tag == VIP_TAG else 1)


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


@BOTH
def test_restore_whose_answer_is_lost_and_whose_address_is_taken_writes_once_more(cluster: Cluster, tag: str) -> None:
    """A third target after a lost answer is another hand, as after an answer."""
    journal = Journal(cluster.with_resource(tag))
    cluster.sandbox.fault("lose", server="node2", operation=OPERATION[tag])
    cluster.sandbox.fault("steal", server="node2", operation=OPERATION[tag], count=1)
    done = cluster.act("node2", "restore", tag)
    assert done.status == 0, done.stderr
    assert holders(cluster, tag) == {"node2"}
    assert max(journal.sent(OPERATION[tag])) == 2


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
    assert done.seconds <= 20


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
    journal = Journal(cluster.with_resource(VIP_TAG))
    settings = {"EC2_RESTORE_TIMEOUT": "4", "EC2_WRITE_BURST": "1", "EC2_WRITE_RATE": "0.5"}
    done = cluster.act("node2", "restore", **settings)
    assert done.status == 1
    assert 0 < len(journal.sent("ReplaceRoute")) < 6
    assert "is not known" not in done.stderr


# -- 50 tables ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fifty_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("fifty"), nodes=2, tables=50) as sandbox:
        yield Cluster(sandbox, {"EC2_VERIFY_TIMEOUT": "20"})


@pytest.mark.parametrize("late", [0, 5])
def test_restore_of_50_tables_whose_every_answer_is_lost_succeeds(fifty_tables: Cluster, late: int) -> None:
    """All tables are moved, each with one write; with some more where the reads are late."""
    cluster = fifty_tables
    cluster.clean()
    journal = Journal(cluster.with_resource())
    cluster.sandbox.fault("lose", operation="ReplaceRoute")
    if late:
        cluster.sandbox.fault("late", seconds=late)
    done = cluster.act("node2", "restore")
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
    done = cluster.act("node1", "remove", EIP_TAG, EC2_VERIFY_TIMEOUT="20")
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
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("silent", server="node1", operation="DisassociateAddress")
    done = cluster.act("node1", "remove", EIP_TAG, EC2_REMOVE_TIMEOUT="3", AWSCLI_READ_TIMEOUT="60")
    assert done.status == 0
    assert "whether EC2 carried out DisassociateAddress is not known" in done.stderr


# -- recover -----------------------------------------------------------------------------------------------


def drifted(cluster: Cluster, tag: str) -> None:
    """The address points at somebody who is no server of the resource."""
    cluster.with_resource(tag)
    foreign = str(cluster.sandbox.description["third_party_network_interface_id"])
    if tag == EIP_TAG:
        cluster.aws.associate_address(
            AllocationId=cluster.sandbox.description["allocation_id"], NetworkInterfaceId=foreign
        )
    else:
        cluster.point(cluster.tables[0], foreign)


@BOTH
@pytest.mark.parametrize("late", [0, 5])
def test_recover_whose_every_answer_is_lost_succeeds(cluster: Cluster, tag: str, late: int) -> None:
    """Recover, too, goes by what it sees, and says so."""
    drifted(cluster, tag)
    journal = Journal(cluster, "node1")
    cluster.sandbox.fault("lose", server="node1", operation=OPERATION[tag])
    if late:
        cluster.sandbox.fault("late", server="node1", seconds=late)
    done = cluster.act("node1", "recover", tag)
    assert done.status == 0, done.stderr
    assert holders(cluster, tag) == {"node1"}
    assert sum(journal.sent(OPERATION[tag])) <= (MANY if late else 1)
    assert found_carried_out(done.stderr, OPERATION[tag]) == 1


@BOTH
def test_recover_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown(
    cluster: Cluster, tag: str
) -> None:
    """The same for recover."""
    drifted(cluster, tag)
    cluster.sandbox.fault("reset", server="node1", operation=OPERATION[tag])
    done = cluster.act("node1", "recover", tag, EC2_RECOVER_TIMEOUT="4")
    assert done.status == 1
    assert done.seconds <= 5
    (end,) = re.findall("END failed .*", done.stderr)
    assert f"whether EC2 carried out {OPERATION[tag]} is not known" in end


# -- create ------------------------------------------------------------------------------------------------


def test_create_that_fails_puts_back_what_it_moved_although_the_answers_are_lost(cluster: Cluster) -> None:
    """The undoing looks, too, before it writes again."""
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute", skip=5, count=1)
    cluster.sandbox.fault("lose", server="node2", operation="ReplaceRoute", skip=6)
    done = cluster.create("node2")
    assert done.status == 1
    assert cluster.holders() == ["node1"] * 6, done.stderr
    assert "put back" in done.stderr
