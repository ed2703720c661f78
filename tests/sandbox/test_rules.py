"""Rules disturb one server's calls, one operation, so often, so long, by chance; the undisturbed endpoint never."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from ec2kit.sandbox.client import NoSandbox

from .conftest import eni, move, refused, target

TABLES = "DescribeRouteTables"


def test_rule_that_lasts_goes_by_itself(sandbox, ec2):
    """`lasts` ends a rule without anybody's doing."""
    sandbox.fault("silent", server="node1", lasts=0.2)
    assert ec2.describe_addresses()["Addresses"]
    assert sandbox.faults() == []


def test_rule_for_all_servers_leaves_the_undisturbed_endpoint(sandbox, ec2, undisturbed):
    """No rule reaches the undisturbed endpoint."""
    sandbox.fault("throttle")
    assert refused(ec2.describe_addresses)[0] == "RequestLimitExceeded"
    assert undisturbed.describe_addresses()["Addresses"]


def answered(ec2, times):
    """Which of so many calls were answered."""
    outcomes = []
    for _ in range(times):
        try:
            outcomes.append(bool(ec2.describe_addresses()))
        except ClientError:
            outcomes.append(False)
    return outcomes


def test_rule_with_a_count_and_a_skip_meets_those_calls_only(sandbox, ec2):
    """The first calls are left alone, so many are disturbed, the rest are left alone again."""
    sandbox.fault("throttle", skip=2, count=3)
    assert answered(ec2, 7) == [True, True, False, False, False, True, True]


def test_rule_with_a_probability_makes_the_same_choices_with_the_same_seed(sandbox, ec2):
    """Chance is seeded, so a run can be repeated; another seed is another run."""
    runs = []
    for seed in (1, 1, 2):
        rule = sandbox.fault("throttle", probability=0.5, seed=seed)
        runs.append(answered(ec2, 16))
        sandbox.clear(rule)
    assert runs[0] == runs[1] != runs[2]
    assert 2 <= sum(runs[0]) <= 14


def test_call_that_an_effect_cannot_meet_does_not_count(sandbox, ec2, vpc):
    """A write does not use up a rule about what is shown, and is not told to have met it."""
    sandbox.fault("stale", count=1)
    move(ec2, vpc)
    assert sandbox.calls()[-1]["effects"] == []
    assert target(ec2, vpc) == eni(vpc)
    assert target(ec2, vpc) == eni(vpc, "node2")


def test_call_meets_only_the_rules_that_it_gets_to(sandbox, ec2):
    """Rules wrap each other, the first one outermost; what it does not let in does not count as met."""
    sandbox.fault("delay", seconds=0)
    sandbox.fault("throttle")
    sandbox.fault("garble")
    assert answered(ec2, 1) == [False]
    assert sandbox.calls()[-1]["effects"] == ["delay", "throttle"]
    assert [rule["hits"] for rule in sandbox.faults()] == [1, 1, 0]


def test_rules_are_listed_with_hits(sandbox, ec2):
    """A rule tells how often it was hit and how many hits are left."""
    sandbox.fault("delay", operation="Describe*", count=2, seconds=0.01)
    ec2.describe_addresses()
    (rule,) = sandbox.faults()
    assert (rule["effect"], rule["hits"], rule["left"], rule["seconds"]) == ("delay", 1, 1, 0.01)


@pytest.mark.parametrize(
    ("effect", "arguments", "words"),
    [
        ("explode", {}, "no effect 'explode'"),
        ("throttle", {"server": "node9"}, "no server 'node9'"),
        ("throttle", {"service": "imds"}, "throttle is for ec2"),
        ("throttle", {"service": "s3"}, "throttle is for ec2 and sts and route53, not for 's3'"),
        ("throttle", {"operation": 7}, "operation is a text, not 7"),
        ("refuse", {"operation": TABLES}, "whole endpoint: no operation"),
        ("refuse", {"count": 1, "probability": 0.5}, "for all calls: no count and no probability"),
        ("delay", {"secnods": 1}, "delay knows no 'secnods'; it knows seconds"),
        ("throttle", {"seconds": 1}, "throttle knows no 'seconds'; it knows none"),
        ("delay", {"seconds": "long"}, "seconds is a number, not 'long'"),
        ("delay", {"seconds": -1}, "seconds is from 0 to 86400, not -1"),
        ("delay", {"seconds": True}, "not True"),
        ("delay", {"seconds": "nan"}, "not 'nan'"),
        ("error", {"status": 99}, "status is from 100 to 599"),
        ("delay", {"count": 0}, "count is from 1"),
        ("delay", {"probability": 1.5}, "probability is from 0 to 1"),
    ],
)
def test_rule_that_cannot_be_is_refused_in_words(sandbox, effect, arguments, words):
    """A mistake in a rule is told, and no rule is set."""
    with pytest.raises(NoSandbox, match=words):
        sandbox.fault(effect, **arguments)
    assert sandbox.faults() == []


def test_reset_puts_everything_back(sandbox, ec2, vpc):
    """After a reset routes, addresses, tags and interfaces are as at the start, and no call was made yet."""
    before = [ec2.describe_route_tables()["RouteTables"], ec2.describe_addresses()["Addresses"]]
    move(ec2, vpc)
    ec2.allocate_address(Domain="vpc")
    ec2.create_tags(Resources=vpc["route_table_ids"], Tags=[{"Key": "Name", "Value": "other"}])
    ec2.associate_address(AllocationId=vpc["allocation_id"], NetworkInterfaceId=eni(vpc, device="eth0"))
    ec2.delete_route(RouteTableId=vpc["route_table_ids"][1], DestinationCidrBlock="10.1.0.10/32")
    ec2.terminate_instances(InstanceIds=[vpc["nodes"]["node2"]["instance_id"]])
    sandbox.reset(tables=7)
    assert sandbox.calls() == []
    assert [ec2.describe_route_tables()["RouteTables"], ec2.describe_addresses()["Addresses"]] == before


@pytest.mark.parametrize(
    "rule", [{"effect": "silent"}, {"effect": "delay", "seconds": 60}], ids=lambda rule: rule["effect"]
)
def test_call_from_before_a_reset_changes_nothing_and_is_not_listed(sandbox, ec2, vpc, rule):
    """A reset lets go of the calls that a rule holds; they belong to the time before it."""
    sandbox.fault(**rule, server="node1", operation="ReplaceRoute")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(refused, lambda: move(ec2, vpc))
        while not sandbox.faults()[0]["hits"]:
            assert not held.done()
        sandbox.reset(tables=7)
        assert held.result()[0] == "Unavailable"
    assert sandbox.calls() == []
    assert target(ec2, vpc) == eni(vpc)


def test_reset_to_fewer_tables_leaves_the_first_ones(sandbox, ec2):
    """One sandbox serves those who want few tables and those who want many; the next reset brings all back."""
    sandbox.reset()
    made = list(sandbox.description["route_table_ids"])
    sandbox.reset(tables=2)
    left = {table["RouteTableId"] for table in ec2.describe_route_tables()["RouteTables"]}
    assert sandbox.description["route_table_ids"] == made[:2]
    assert left & set(made) == set(made[:2])
    assert sandbox.control("GET", "")["route_table_ids"] == made[:2]
    sandbox.reset()
    assert sandbox.description["route_table_ids"] == made
    assert len(ec2.describe_route_tables()["RouteTables"]) == len(left) + len(made) - 2


@pytest.mark.parametrize("tables", [0, 1000, "many"])
def test_reset_to_what_cannot_be_is_refused_in_words(sandbox, tables):
    """More than were made cannot be left."""
    with pytest.raises(NoSandbox, match=r"route tables are possible|invalid literal"):
        sandbox.reset(tables=tables)


def test_calls_are_kept_without_secrets(sandbox, ec2, vpc):
    """The journal tells who did what to what, and nothing of the signature."""
    move(ec2, vpc)
    call = sandbox.calls()[-1]
    assert (call["server"], call["operation"], call["status"], call["code"]) == ("node1", "ReplaceRoute", 200, None)
    assert call["parameters"] == {
        "RouteTableId": vpc["route_table_ids"][0],
        "DestinationCidrBlock": "10.1.0.10/32",
        "NetworkInterfaceId": eni(vpc, "node2"),
    }
    assert "anybody" not in (sandbox.folder / "calls.jsonl").read_text()
