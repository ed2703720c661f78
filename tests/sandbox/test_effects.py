"""Each effect, as an unmodified SDK meets it."""

from __future__ import annotations

import random
import threading
import time
from email.utils import parsedate_to_datetime

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ec2kit.sandbox import buckets
from ec2kit.sandbox.call import Call

from .conftest import BRIEF, eni, move, refused, target, the_address, the_route

TABLES = "DescribeRouteTables"


def test_refuse_shuts_one_endpoint_until_cleared(sandbox, ec2, undisturbed):
    """Connections are refused on one server's endpoint, which comes back on the same port."""
    rule = sandbox.fault("refuse", server="node1")
    with pytest.raises(BotoCoreError, match="Could not connect"):
        ec2.describe_addresses()
    assert undisturbed.describe_addresses()["Addresses"]
    sandbox.clear(rule)
    assert ec2.describe_addresses()["Addresses"]


def test_silent_ends_in_the_clients_time_out(sandbox, ec2, reach, vpc, undisturbed):
    """A silent endpoint accepts and says nothing; what the client gave up is not carried out."""
    sandbox.fault("silent", server="node1", operation="ReplaceRoute")
    with pytest.raises(BotoCoreError, match="Read timeout"):
        move(reach(ec2.meta.endpoint_url, config=BRIEF), vpc)
    assert target(undisturbed, vpc) == eni(vpc)


def test_silent_answers_when_the_rule_goes(sandbox, ec2):
    """A client that still waits gets its answer."""
    rule = sandbox.fault("silent", server="node1")
    threading.Timer(0.2, sandbox.clear, args=(rule,)).start()
    assert ec2.describe_addresses()["Addresses"]


def test_drip_keeps_the_read_timeout_quiet(sandbox, ec2):
    """The body comes byte by byte, faster than the read timeout, slower than anybody wants."""
    rule = sandbox.fault("drip", server="node1", seconds=0.05)
    began = time.monotonic()
    threading.Timer(0.4, sandbox.clear, args=(rule,)).start()
    assert ec2.describe_addresses()["Addresses"]
    assert time.monotonic() - began > 0.35


def test_delay_is_that_long(sandbox, ec2):
    """A delayed call is answered rightly, later; nobody else waits."""
    sandbox.fault("delay", server="node1", operation="DescribeAddresses", seconds=0.3)
    began = time.monotonic()
    ec2.describe_addresses()
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("effect", "arguments", "status", "code"),
    [
        ("throttle", {}, 503, "RequestLimitExceeded"),
        ("deny", {}, 403, "UnauthorizedOperation"),
        ("expired", {}, 400, "RequestExpired"),
        ("error", {}, 500, "InternalError"),
        ("error", {"status": 503}, 503, "Unavailable"),
        ("gateway", {}, 504, "504"),
        ("error", {"status": 400, "code": "Blocked"}, 400, "Blocked"),
    ],
)
def test_errors_are_answered_once(sandbox, ec2, vpc, effect, arguments, status, code):
    """An error has EC2's status and code, counts down, and the call is not carried out."""
    sandbox.fault(effect, server="node1", operation="ReplaceRoute", count=1, **arguments)
    with pytest.raises(ClientError) as caught:
        move(ec2, vpc)
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert target(ec2, vpc) == eni(vpc)
    move(ec2, vpc)
    assert target(ec2, vpc) == eni(vpc, "node2")


def test_permission_goes_before_dry_run(sandbox, ec2):
    """Who may not, learns so from DryRun."""
    sandbox.fault("deny", operation=TABLES)
    assert refused(ec2.describe_route_tables, DryRun=True)[0] == "UnauthorizedOperation"


def test_lost_answer_was_carried_out(sandbox, ec2, vpc):
    """The route moves although no answer comes."""
    sandbox.fault("lose", server="node1", operation="ReplaceRoute")
    with pytest.raises(BotoCoreError):
        move(ec2, vpc)
    assert target(ec2, vpc) == eni(vpc, "node2")
    assert [call["carried_out"] for call in sandbox.calls() if call["effects"] == ["lose"]][-1:] == [True]


def test_reset_was_not_carried_out(sandbox, ec2, vpc):
    """The connection breaks and nothing has happened."""
    sandbox.fault("reset", server="node1", operation="ReplaceRoute")
    with pytest.raises(BotoCoreError):
        move(ec2, vpc)
    assert target(ec2, vpc) == eni(vpc)


def test_garbled_answer_is_no_xml(sandbox, ec2):
    """A body that is cut in the middle does not pass for an answer."""
    sandbox.fault("garble", server="node1", operation=TABLES)
    with pytest.raises(ResponseParserError, match="parse"):
        ec2.describe_route_tables()


def test_stale_shows_what_was(sandbox, ec2, vpc, undisturbed):
    """Reads lag behind a write until the rule goes; other endpoints see the present."""
    rule = sandbox.fault("stale", server="node1")
    move(ec2, vpc)
    assert (target(ec2, vpc), target(undisturbed, vpc)) == (eni(vpc), eni(vpc, "node2"))
    sandbox.clear(rule)
    assert target(ec2, vpc) == eni(vpc, "node2")


# What a network and a service do ----------------------------------------------------------------------------


def test_delay_with_a_spread_is_longer_by_chance(sandbox, ec2):
    """The spread is drawn from the seed, so a run can be repeated."""
    sandbox.fault("delay", server="node1", seconds=0.1, spread=0.4, seed=7)
    began = time.monotonic()
    ec2.describe_addresses()
    assert time.monotonic() - began >= 0.1 + random.Random(7).uniform(0, 0.4)


def test_cut_ends_in_the_middle_of_the_body(sandbox, ec2, vpc):
    """The head promises more than comes; what was asked for is done."""
    sandbox.fault("cut", server="node1")
    with pytest.raises((BotoCoreError, ResponseParserError)):
        move(ec2, vpc)
    sandbox.clear()
    assert target(ec2, vpc) == eni(vpc, "node2")


def test_empty_answer_is_no_xml(sandbox, ec2, vpc):
    """Nothing is no document; what was asked for is done."""
    sandbox.fault("empty", server="node1")
    with pytest.raises(ResponseParserError, match="no element found"):
        move(ec2, vpc)
    sandbox.clear()
    assert target(ec2, vpc) == eni(vpc, "node2")


def test_hollow_answer_has_all_that_an_answer_needs_but_the_answer(sandbox, ec2, vpc):
    """The SDK takes a document with a request id and nothing else for an answer."""
    sandbox.fault("hollow", server="node1")
    answer = ec2.describe_route_tables()
    assert answer["ResponseMetadata"]["RequestId"] == sandbox.calls()[-1]["request_id"]
    assert set(answer) == {"ResponseMetadata"}
    move(ec2, vpc)
    sandbox.clear()
    assert target(ec2, vpc) == eni(vpc, "node2")


@pytest.mark.parametrize("seconds", [1200, -1200])
def test_skew_beyond_15_minutes_is_refused(sandbox, ec2, seconds):
    """A signature from another time is not accepted, be it too old or from the future."""
    sandbox.fault("skew", server="node1", seconds=seconds)
    assert refused(ec2.describe_addresses)[0] == "RequestExpired"


def test_skew_of_some_minutes_is_told_by_the_date_only(sandbox, ec2):
    """EC2 lives with a clock that is a little wrong."""
    sandbox.fault("skew", server="node1", seconds=600)
    began = time.time()
    date = ec2.describe_addresses()["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert began + 590 < parsedate_to_datetime(date).timestamp() < time.time() + 610


# Throttling -------------------------------------------------------------------------------------------------


def throttled_at(call, *, most=200, **params):
    """How many calls pass before the bucket is empty."""
    for number in range(most):
        try:
            call(**params)
        except ClientError as error:
            if error.response["Error"]["Code"] == "RequestLimitExceeded":
                return number
    return most


def test_bucket_is_an_operations_own_and_all_servers_share_it(sandbox, ec2, vpc, other_server):
    """One server's calls leave the other none; other operations have theirs."""
    sandbox.fault("bucket", burst=3, rate=0)
    assert throttled_at(ec2.describe_addresses) == 3
    assert throttled_at(other_server.describe_addresses) == 0
    assert throttled_at(other_server.describe_network_interfaces) == 3
    assert [call["effects"] for call in sandbox.calls()[-5:]] == [["bucket"], [], [], [], ["bucket"]]


def test_bucket_fills_again(sandbox, ec2):
    """Tokens flow in, one by one; an empty bucket at the start is no outage."""
    began = time.monotonic()
    sandbox.fault("bucket", burst=2, rate=5, tokens=0)
    passed, seconds = throttled_at(ec2.describe_addresses), time.monotonic() - began
    assert passed <= seconds * 5
    time.sleep(0.4)
    assert throttled_at(ec2.describe_addresses) >= 2


def test_bucket_that_does_not_fill_stays_empty(sandbox, ec2):
    """No token, no answer."""
    sandbox.fault("bucket", rate=0, tokens=0)
    assert throttled_at(ec2.describe_addresses) == 0


def test_bucket_has_the_published_bursts(sandbox, ec2, vpc):
    """50 for writes, 100 for look-ups with filters or pages, 50 for other ones."""
    filters = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
    sandbox.fault("bucket", rate=0)
    assert throttled_at(move, ec2=ec2, vpc=vpc, DryRun=True) == 50
    assert throttled_at(ec2.describe_network_interfaces, Filters=filters) == 100
    assert throttled_at(ec2.describe_network_interfaces) == 50


@pytest.mark.parametrize(
    ("operation", "parameters", "size"),
    [
        ("ReplaceRoute", {}, (50, 5)),
        ("AssociateAddress", {}, (50, 5)),
        ("ModifyNetworkInterfaceAttribute", {}, (100, 5)),
        ("DescribeRouteTables", {"Filter.1.Name": "vpc-id"}, (100, 20)),
        ("DescribeRouteTables", {"MaxResults": "5"}, (100, 20)),
        ("DescribeAddresses", {}, (50, 10)),
    ],
)
def test_bucket_sizes_are_the_published_ones(operation, parameters, size):
    """Burst and refill rate of each kind of call."""
    assert buckets.size(Call("ec2", "node1", operation, parameters, None)) == size


# What is shown ----------------------------------------------------------------------------------------------


def test_late_reads_see_a_write_after_that_time(sandbox, ec2, vpc, undisturbed):
    """The old state is shown for so long, to whom the rule is about; then the new one."""
    rule = sandbox.fault("late", server="node1", seconds=600)
    move(ec2, vpc)
    assert (target(ec2, vpc), target(undisturbed, vpc)) == (eni(vpc), eni(vpc, "node2"))
    sandbox.clear(rule)
    sandbox.fault("late", server="node1", seconds=0.2)
    time.sleep(0.2)
    assert target(ec2, vpc) == eni(vpc, "node2")


def test_late_reads_pass_through_every_state(sandbox, ec2, vpc):
    """What was between two writes is shown, too, in its time."""
    for pause in (0.2, 0.8, 3.2, 12.8):
        sandbox.reset()
        rule = sandbox.fault("late", seconds=600)
        move(ec2, vpc)
        between = time.monotonic()
        time.sleep(pause)
        move(ec2, vpc, node="node1")
        sandbox.clear(rule)
        told = time.monotonic()
        sandbox.fault("late", seconds=told - between)
        shown = target(ec2, vpc)
        if time.monotonic() - told < pause:  # it was asked before the second write had to be shown
            break
    assert shown == eni(vpc, "node2")


def test_late_reads_are_late_for_addresses_and_interfaces_too(sandbox, ec2, vpc):
    """Everything that is shown is of one moment."""
    sandbox.fault("late", seconds=60)
    ec2.associate_address(AllocationId=vpc["allocation_id"], NetworkInterfaceId=eni(vpc))
    assert "AssociationId" not in the_address(ec2, vpc)
    (interface,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni(vpc)])["NetworkInterfaces"]
    assert "Association" not in interface


def test_late_by_chance_goes_back_in_time_repeatably(sandbox, ec2, vpc):
    """Replicas that lag, asked at random: the seed says which."""
    runs = []
    for _ in range(2):
        sandbox.reset()
        sandbox.fault("late", seconds=60, probability=0.5, seed=3)
        move(ec2, vpc)
        runs.append([target(ec2, vpc) for _ in range(8)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {eni(vpc), eni(vpc, "node2")}


def test_back_shows_the_present_and_the_past_in_turn(sandbox, ec2, vpc):
    """A read may show less than the one before it."""
    sandbox.fault("back", server="node1", seconds=60)
    move(ec2, vpc)
    here, there = eni(vpc, "node2"), eni(vpc)
    assert [target(ec2, vpc) for _ in range(4)] == [here, there, here, there]
    assert [call["effects"] for call in sandbox.calls()[-4:]] == [[], ["back"], [], ["back"]]


def test_blackhole_is_the_callers_or_anothers(sandbox, ec2, vpc, other_server):
    """Routes to a server's interfaces are blackholes, filters see that; others' are not."""
    rule = sandbox.fault("blackhole")
    assert the_route(ec2, vpc["route_table_ids"][0])["State"] == "blackhole"
    assert the_route(other_server, vpc["route_table_ids"][0])["State"] == "active"
    sandbox.clear(rule)
    sandbox.fault("blackhole", server="node2", of="node1")
    found = other_server.describe_route_tables(Filters=[{"Name": "route.state", "Values": ["blackhole"]}])
    assert len(found["RouteTables"]) == 7
    assert the_route(ec2, vpc["route_table_ids"][0])["State"] == "active"


def test_gone_interface_has_nothing_and_takes_nothing(sandbox, ec2, vpc, undisturbed):
    """Its routes are blackholes, its address is free, it is not listed, and no write to it is accepted."""
    ec2.associate_address(AllocationId=vpc["allocation_id"], NetworkInterfaceId=eni(vpc))
    sandbox.fault("gone", server="node1")
    assert the_route(ec2, vpc["route_table_ids"][0])["State"] == "blackhole"
    assert "AssociationId" not in the_address(ec2, vpc)
    assert eni(vpc) not in [
        each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces()["NetworkInterfaces"]
    ]
    code = "InvalidNetworkInterfaceID.NotFound"
    assert refused(ec2.describe_network_interfaces, NetworkInterfaceIds=[eni(vpc)])[0] == code
    assert refused(move, ec2=ec2, vpc=vpc, node="node1")[0] == code
    move(ec2, vpc)
    assert sandbox.calls()[-1]["effects"] == []
    assert the_address(undisturbed, vpc)["NetworkInterfaceId"] == eni(vpc)


def test_pages_that_nobody_asked_for_are_the_whole(sandbox, ec2, vpc):
    """A paginator puts together what EC2 cuts up."""
    sandbox.fault("pages", size=4)
    pages = list(ec2.get_paginator("describe_network_interfaces").paginate())
    assert [len(page["NetworkInterfaces"]) for page in pages] == [4, 4, 1]


def test_empty_page_has_a_token_and_the_next_one_has_all(sandbox, ec2, vpc):
    """An empty page is not the end."""
    sandbox.fault("empty-page", count=1)
    first = ec2.describe_route_tables()
    second = ec2.describe_route_tables(NextToken=first["NextToken"])
    assert (first["RouteTables"], "NextToken" in second) == ([], False)
    assert second["RouteTables"] == ec2.describe_route_tables()["RouteTables"]


def test_empty_pages_without_end_have_a_new_token_each(sandbox, ec2):
    """Who only looks whether a token comes twice goes on for ever."""
    sandbox.fault("empty-page")
    tokens = [ec2.describe_route_tables()["NextToken"]]
    for _ in range(3):
        page = ec2.describe_route_tables(NextToken=tokens[-1])
        assert page["RouteTables"] == []
        tokens.append(page["NextToken"])
    assert len(set(tokens)) == 4


# What others do ---------------------------------------------------------------------------------------------


def test_stolen_route_was_moved_and_moved_away(sandbox, ec2, vpc):
    """The write succeeds, and somebody who is no server has the route; the journal has both calls."""
    sandbox.fault("steal", server="node1", count=1)
    move(ec2, vpc)
    assert target(ec2, vpc) == vpc["third_party_network_interface_id"]
    theft, ours = [call for call in sandbox.calls() if call["operation"] == "ReplaceRoute"][-2:]
    assert (theft["server"], theft["user_agent"], theft["effects"]) == (None, "somebody else", [])
    assert (ours["server"], ours["effects"], ours["carried_out"]) == ("node1", ["steal"], True)


def test_stolen_address_is_where_the_thief_wants_it(sandbox, ec2, vpc):
    """Another server may be the thief; re-association that we forbid does not bind it."""
    sandbox.fault("steal", server="node1", by="node2")
    private = vpc["nodes"]["node1"]["interfaces"]["eth1"]["private_ip_address"]
    ec2.associate_address(
        AllocationId=vpc["allocation_id"],
        NetworkInterfaceId=eni(vpc),
        PrivateIpAddress=private,
        AllowReassociation=False,
    )
    assert the_address(ec2, vpc)["NetworkInterfaceId"] == eni(vpc, "node2")


def test_nothing_is_stolen_after_a_write_that_was_not_made(sandbox, ec2, vpc):
    """DryRun is no write, and a refused one neither."""
    sandbox.fault("steal", server="node1", count=1)
    assert refused(move, ec2=ec2, vpc=vpc, DryRun=True)[0] == "DryRunOperation"
    assert refused(
        ec2.replace_route,
        RouteTableId=vpc["route_table_ids"][0],
        DestinationCidrBlock="10.9.9.9/32",
        NetworkInterfaceId=eni(vpc),
    )
    assert target(ec2, vpc) == eni(vpc)


@pytest.mark.parametrize(
    ("effect", "origin", "target"),
    [
        ("propagated", "EnableVgwRoutePropagation", ("GatewayId", "vgw-0ec2000000000k170")),
        ("advertised", "Advertisement", ("NetworkInterfaceId", None)),
    ],
)
def test_routes_of_another_mechanism_are_shown_first_and_cannot_be_replaced(
    sandbox, ec2, vpc, undisturbed, effect, origin, target
):
    """Tables with the static route show both, the other tables of the VPC the new one only; no other VPC has it."""
    filters = [{"Name": "route.destination-cidr-block", "Values": ["10.1.0.10/32"]}]
    before = undisturbed.describe_route_tables(Filters=filters)["RouteTables"]
    sandbox.fault(effect, server="node1", state="filtered")
    shown = {
        each["RouteTableId"]: each["Routes"] for each in ec2.describe_route_tables(Filters=filters)["RouteTables"]
    }
    name, value = target
    first = shown[vpc["route_table_ids"][0]][0]
    assert (first["Origin"], first["State"]) == (origin, "filtered")
    assert first[name] == (value or vpc["third_party_network_interface_id"])
    alone = sorted(set(shown) - {each["RouteTableId"] for each in before})
    assert alone
    place = {"RouteTableId": alone[0], "DestinationCidrBlock": "10.1.0.10/32", "NetworkInterfaceId": eni(vpc)}
    assert refused(ec2.replace_route, **place)[0] == "InvalidParameterValue"
    assert [route["Origin"] for route in shown[vpc["other_route_table_id"]]].count(origin) == 0


def test_managed_names_the_service_of_one_address_or_of_all(sandbox, ec2, vpc):
    """EC2 says of an Elastic IP for which service AWS manages it."""
    rule = sandbox.fault("managed", address=vpc["elastic_ip"], manager="rnat")
    found = {each["PublicIp"]: each.get("ServiceManaged") for each in ec2.describe_addresses()["Addresses"]}
    assert found == {vpc["elastic_ip"]: "rnat", vpc["foreign_elastic_ip"]: None}
    sandbox.clear(rule)
    sandbox.fault("managed")
    assert {each["ServiceManaged"] for each in ec2.describe_addresses()["Addresses"]} == {"nlb"}
