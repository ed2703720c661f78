"""The soak's judge is judged: what is wrong is counted, and what is right is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..builders import ALLOCATION, CIDR, DNS_RECORD, IP_B, PRIVATE_IP, RECORD, RECORD_SET, SECONDARY_IP, a_resource
from .judge import LOST, MAX_AGE, WRONG, Done, Judge, Lie
from .tally import Tally
from .truth import Truth, Write, things, writes

TAG = "ec2-vip1"
A, B = "server-a", "server-b"
TABLES = ("rtb-1", "rtb-2")
THINGS = tuple(f"{table} {CIDR}" for table in TABLES)


def moved(to: str, at: float, *, by: str | None = None, action: str = "restore", took: float = 0.1) -> list[Write]:
    """Both routes, moved at the same time."""
    return [Write(thing, to, at, at + took, by, action if by else "", TAG if by else "") for thing in THINGS]


def a_judge(*written: Write, lies: tuple[Lie, ...] = ()) -> Judge:
    """The address was at server-a in the beginning."""
    return Judge(Truth({TAG: THINGS}, dict.fromkeys(THINGS, A), written), lies)


def checked(server: str, status: int | None, *, at: float = 100.0, says: str = "IN_SERVICE") -> Done:
    stderr = f'END successful quickCheck of "{TAG}" after 0.10 s: {says}\n'
    return Done(server, "quickCheck", TAG, at, at + 1, status, stderr)


def complaints(judge: Judge, done: Done) -> list[str]:
    judge.judge(done)
    return [kind for kind, _ in judge.complaints]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        pytest.param(checked(A, 0), [], id="yes-and-it-is"),
        pytest.param(checked(B, 0), [WRONG], id="yes-and-it-is-not"),
        pytest.param(checked(B, 1), [], id="no-and-it-is-not"),
        pytest.param(checked(A, 1), [WRONG], id="no-and-it-is"),
        pytest.param(checked(B, 0, says="UNKNOWN"), [], id="unknown"),
        pytest.param(checked(B, 0, says="busy"), [], id="busy"),
        pytest.param(checked(A, 2), [WRONG], id="no-status-of-a-verdict"),
        pytest.param(checked(A, None), [], id="killed"),
        pytest.param(replace(checked(A, 0), action="restore"), [], id="restored"),
        pytest.param(replace(checked(B, 0), action="restore"), [WRONG], id="restored-and-it-is-not"),
        pytest.param(replace(checked(B, 1), action="restore"), [], id="not-restored"),
        pytest.param(replace(checked(B, 1), action="remove"), [WRONG], id="remove-failed"),
    ],
)
def test_a_verdict_is_judged_by_the_truth(done: Done, expected: list[str]) -> None:
    """A deliberately wrong verdict is counted, a right one is not."""
    assert complaints(a_judge(), done) == expected


@pytest.mark.parametrize(
    ("moved_at", "expected"),
    [
        pytest.param(101.5, [WRONG], id="after-its-end"),
        pytest.param(100.5, [], id="while-it-ran"),
        pytest.param(99.0, [], id="before-its-beginning"),
    ],
)
def test_a_no_is_judged_by_what_was_while_it_was_said(moved_at: float, expected: list[str]) -> None:
    """What happens after its end cannot make it right."""
    assert complaints(a_judge(*moved(B, moved_at)), checked(A, 1)) == expected


def test_a_yes_may_rest_on_an_answer_of_the_age_that_may_be_shared() -> None:
    """Not on an older one."""
    assert complaints(a_judge(*moved(B, 100 - MAX_AGE / 2)), checked(A, 0)) == []
    assert complaints(a_judge(*moved(B, 100 - 2 * MAX_AGE)), checked(A, 0)) == [WRONG]


def test_a_yes_needs_all_routes_at_the_same_moment() -> None:
    """One here and then the other here is not in service."""
    first, second = THINGS
    halves = [Write(first, B, 10, 10.1), Write(first, A, 50, 50.1), Write(second, B, 40, 40.1)]
    assert complaints(a_judge(*halves), checked(A, 0)) == [WRONG]


def test_a_verdict_on_what_ec2_showed_is_judged_by_that() -> None:
    """Who was shown the past may speak of the past; who was not may not."""
    before = moved(B, 50)
    shown = Lie(A, 99, 103, reach=60)
    assert complaints(a_judge(*before, lies=(shown,)), checked(A, 0)) == []
    assert complaints(a_judge(*before, lies=(replace(shown, server=B),)), checked(A, 0)) == [WRONG]
    made_up = Lie(A, 99, 103, is_made_up=True)
    assert complaints(a_judge(lies=(made_up,)), checked(A, 1)) == []


def an_action(server: str, action: str, began: float, ended: float, status: int | None = 0) -> Done:
    return Done(server, action, TAG, began, ended, status)


def a_look(server: str, action: str, at: float) -> dict[str, Any]:
    agent = f"Boto3/1 ec2kit/1 {action} {TAG}"
    return {"operation": "DescribeRouteTables", "server": server, "user_agent": agent, "time": at}


def lost(written: list[Write], done: list[Done], *looks: dict[str, Any]) -> int:
    judge = a_judge(*written)
    judge.judge_writes(written, done, looks)
    return judge.counts[LOST]


def test_writes_of_an_action_that_lives_are_right() -> None:
    """And of an outside hand, too."""
    written = [*moved(B, 20, by=B), *moved("eni-foreign", 30)]
    assert lost(written, [an_action(B, "restore", 19, 21)]) == 0


def test_a_write_after_its_action_had_ended_is_lost() -> None:
    """Nobody expects it any more."""
    assert lost(moved(B, 23, by=B), [an_action(B, "restore", 19, 21)]) == len(THINGS)


def test_a_write_to_another_address_is_lost() -> None:
    """Each action has its own address."""
    foreign = [replace(each, thing="rtb-1 10.1.0.99/32") for each in moved(B, 20, by=B)[:1]]
    assert lost(foreign, [an_action(B, "restore", 19, 21)]) == 1


def test_a_write_after_a_remove_had_ended_is_lost_unless_a_newer_restore_sent_it() -> None:
    """What is wanted no more is not written; who had not yet looked may have wanted it after the remove."""
    overtaken, look = [an_action(B, "restore", 19, 25, 1), an_action(B, "remove", 20, 21)], a_look(B, "restore", 19.5)
    assert lost(moved(B, 24, by=B), overtaken, look) == len(THINGS)
    assert lost(moved(B, 24, by=B), overtaken, a_look(B, "restore", 23)) == 0
    assert lost(moved(B, 24, by=B), [*overtaken, an_action(B, "restore", 22, 25)], look) == 0


def test_a_recovery_that_takes_from_a_server_in_service_is_lost() -> None:
    """Unless that one came in service after the recovery had looked, or was given up before."""
    written = [*moved(B, 20, by=B), *moved(A, 40, by=A, action="recover")]
    done = [an_action(B, "restore", 19, 21), an_action(A, "recover", 38, 41)]
    assert lost(written, done, a_look(A, "recover", 39)) == len(THINGS)
    assert lost(written, done, a_look(A, "recover", 18)) == 0
    assert lost(written, [*done, an_action(B, "remove", 30, 31)], a_look(A, "recover", 39)) == 0


def test_the_journal_is_read_as_the_kit_and_outside_hands_write_it() -> None:
    """Routes, associations, private addresses and record sets, each by its own words."""
    address = a_resource("elastic-ip", tag="ec2-eip1")
    call = {"server": A, "time": 5.0, "milliseconds": 100.0, "carried_out": True, "dry_run": False}
    replaced = {"RouteTableId": "rtb-1", "DestinationCidrBlock": CIDR, "NetworkInterfaceId": "eni-b"}
    associated = {"AllocationId": ALLOCATION, "NetworkInterfaceId": "eni-b", "PrivateIpAddress": "10.0.9.9"}
    calls = [
        {**call, "operation": "ReplaceRoute", "parameters": replaced, "user_agent": f"x ec2kit/1 restore {TAG}"},
        {**call, "operation": "AssociateAddress", "parameters": associated, "server": None, "user_agent": "x"},
        {**call, "operation": "DisassociateAddress", "parameters": {}, "user_agent": "x ec2kit/1 remove ec2-eip1"},
        {**call, "operation": "ReplaceRoute", "parameters": replaced, "user_agent": "x", "carried_out": False},
    ]
    calls += [
        {**call, "operation": operation, "parameters": told, "user_agent": "x"}
        for operation, told in (
            ("AssignPrivateIpAddresses", {"PrivateIpAddress.1": PRIVATE_IP, "NetworkInterfaceId": "eni-b"}),
            ("UnassignPrivateIpAddresses", {"PrivateIpAddress.1": PRIVATE_IP, "NetworkInterfaceId": "eni-b"}),
            ("ChangeResourceRecordSets", {"Name": f"{RECORD}.", "Type": "A", "Value": IP_B}),
        )
    ]
    resources = {each.tag: each for each in (a_resource(), address)}
    resources |= {kind: a_resource(kind, tag=kind) for kind in (SECONDARY_IP, DNS_RECORD)}
    route, held, freed, given, taken, pointed = writes(calls, resources, TABLES)
    assert [(each.thing, each.owner) for each in (given, taken)] == [(PRIVATE_IP, B), (PRIVATE_IP, "nothing")]
    assert (pointed.thing, pointed.owner) == (RECORD_SET, B)
    assert route == Write(THINGS[0], B, 5.0, 5.1, A, "restore", TAG)
    assert (held.thing, held.owner, held.server) == (ALLOCATION, "eni-b (10.0.9.9)", None)
    assert (freed.thing, freed.owner, freed.action) == (ALLOCATION, "nothing (None)", "remove")
    assert things(address, TABLES) == (ALLOCATION,)
    assert things(a_resource(), TABLES) == THINGS


def test_the_tally_ends_with_the_five_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each complaint is told before them, and counted in its own."""
    tally = Tally(3, complaints=[(WRONG, "one"), (WRONG, "two"), (LOST, "three")])
    tally.faults.update({"silent": 4, "kill -9": 1})
    tally.tell()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["wrong verdict: one", "wrong verdict: two", "lost change: three"]
    assert lines[3:] == [
        "actions: 3",
        "faults met: 5 (2 kinds)",
        "wrong verdicts: 2",
        "lost changes: 1",
        "leaked: 0",
    ]
