"""What EC2 is asked and asked to change, and what is understood of its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ec2kit.ec2.answers import Route
from ec2kit.ec2.operations import Ec2
from ec2kit.errors import (
    AwsGarbled,
    AwsRefused,
    AwsServerError,
    AwsUnknown,
    AwsUnreachable,
    DryRunUnknown,
    Ec2KitError,
    PermissionMissing,
)

from ..builders import CIDR, ENI_A, ENI_B
from ..scripted_server import Behaviour, a_table, answers, fails, hangs_up, says, scripted, tables
from .asking import ONE_TABLE, an_ec2, look, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")


# -- what is asked ---------------------------------------------------------------------------------------


def test_route_tables_are_asked_for_by_vpc_and_block() -> None:
    """EC2 is asked for the VPC's tables that hold exactly this route."""
    with scripted(ONE_TABLE) as server:
        assert look(an_ec2(server.url)) == ("rtb-1",)
    (question,) = server.asked
    assert question["Action"] == "DescribeRouteTables"
    assert (question["Filter.1.Name"], question["Filter.1.Value.1"]) == ("vpc-id", "vpc-1")
    assert (question["Filter.2.Name"], question["Filter.2.Value.1"]) == ("route.destination-cidr-block", CIDR)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            lambda ec2: ec2.replace_route(
                route_table_id="rtb-1", destination_cidr_block=CIDR, network_interface_id=ENI_A
            ),
            {
                "Action": "ReplaceRoute",
                "RouteTableId": "rtb-1",
                "DestinationCidrBlock": CIDR,
                "NetworkInterfaceId": ENI_A,
            },
            id="replace-route",
        ),
        pytest.param(
            lambda ec2: ec2.associate_address(
                allocation_id="eipalloc-1",
                network_interface_id=ENI_A,
                private_ip_address="10.0.1.11",
                allow_reassociation=False,
            ),
            {
                "Action": "AssociateAddress",
                "AllocationId": "eipalloc-1",
                "NetworkInterfaceId": ENI_A,
                "PrivateIpAddress": "10.0.1.11",
                "AllowReassociation": "false",
            },
            id="associate-address",
        ),
        pytest.param(
            lambda ec2: ec2.disassociate_address(association_id="eipassoc-1"),
            {"Action": "DisassociateAddress", "AssociationId": "eipassoc-1"},
            id="disassociate-address",
        ),
        pytest.param(
            lambda ec2: ec2.switch_off_source_dest_check(network_interface_id=ENI_A, retries=1),
            {
                "Action": "ModifyNetworkInterfaceAttribute",
                "NetworkInterfaceId": ENI_A,
                "SourceDestCheck.Value": "false",
            },
            id="switch-off-source-dest-check",
        ),
    ],
)
def test_write_parameters_are_those_and_no_others(call: Callable[[Ec2], Any], expected: dict[str, str]) -> None:
    """A write says what it changes and nothing else, and its receipt has request id and attempts."""
    with scripted(says(expected["Action"], request_id="req-7")) as server:
        receipt = call(an_ec2(server.url))
    (question,) = server.asked
    assert {name: text for name, text in question.items() if name not in ("method", "path", "Version")} == expected
    assert (receipt.request_id, receipt.attempts) == ("req-7", 1)


# -- what is understood ----------------------------------------------------------------------------------


def test_route_tables_only_the_route_asked_for_is_kept() -> None:
    """Other routes of a table, and tables that a filter let through, are left out."""
    both = a_table("rtb-1", ("10.1.0.20/32", ENI_B), (CIDR, ENI_A))
    near_miss = a_table("rtb-2", ("10.1.0.0/24", ENI_A))
    with scripted(tables(both, near_miss)) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    (table,) = seen.tables
    assert table.routes == (Route(CIDR, ENI_A),)


def test_route_tables_blackhole_and_other_targets_are_told_apart() -> None:
    """A blackhole is not active; a gateway is a target, too; IPv6 routes and prefix lists do not disturb."""
    gateway = (
        "<item><routeTableId>rtb-2</routeTableId><routeSet>"
        "<item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><gatewayId>igw-1</gatewayId>"
        "<state>active</state></item><item><destinationPrefixListId>pl-1</destinationPrefixListId>"
        "<gatewayId>vpce-1</gatewayId><state>active</state></item>"
        f"<item><destinationCidrBlock>{CIDR}</destinationCidrBlock><gatewayId>igw-1</gatewayId>"
        "<state>active</state></item></routeSet></item>"
    )
    with scripted(tables(a_table("rtb-1", (CIDR, ENI_A), state="blackhole"), gateway)) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert [table.routes[0] for table in seen.tables] == [
        Route(CIDR, ENI_A, "blackhole"),
        Route(CIDR, "igw-1"),
    ]


def test_route_tables_none_is_an_answer() -> None:
    """EC2 may say that no table has the route; that is an empty list and not trouble."""
    with scripted(tables()) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert (seen.tables, seen.unknown) == ((), None)


def test_addresses_associated_and_free_are_told_apart() -> None:
    """All addresses of the account, with what they are associated with."""
    free = "<item><publicIp>203.0.113.1</publicIp><allocationId>eipalloc-1</allocationId></item>"
    held = (
        "<item><publicIp>203.0.113.2</publicIp><allocationId>eipalloc-2</allocationId>"
        "<associationId>eipassoc-2</associationId><networkInterfaceId>eni-a</networkInterfaceId>"
        "<privateIpAddress>10.0.1.11</privateIpAddress></item>"
    )
    with scripted(says("DescribeAddresses", f"<addressesSet>{free}{held}</addressesSet>")) as server:
        first, second = an_ec2(server.url).addresses()
    assert (first.association_id, first.network_interface_id) == (None, None)
    assert (second.association_id, second.network_interface_id) == ("eipassoc-2", "eni-a")


@pytest.mark.parametrize(
    "inner", ["<networkInterfaceSet/>", "", "<networkInterfaceSet><item/></networkInterfaceSet>"]
)
def test_network_interface_not_in_the_answer_raises_garbled(inner: str) -> None:
    """An answer without the ENI that was asked for is not an answer."""
    with scripted(says("DescribeNetworkInterfaces", inner)) as server, pytest.raises(AwsGarbled):
        an_ec2(server.url, look_retries=0).network_interface(ENI_A)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param(fails("DryRunOperation", 412), True, id="yes"),
        pytest.param(fails("UnauthorizedOperation", 403), False, id="no"),
    ],
)
def test_is_allowed_dry_run_gives_yes_or_no(behaviour: Behaviour, expected: bool) -> None:
    """DryRunOperation is yes, UnauthorizedOperation is no, and nothing is changed."""
    with scripted(behaviour) as server:
        assert an_ec2(server.url).is_allowed("ReplaceRoute", RouteTableId="rtb-1") is expected
    assert server.asked[0]["DryRun"] == "true"


def test_is_allowed_where_dry_run_is_ignored_raises_and_asks_no_more() -> None:
    """A 200 is no permission: the endpoint may have carried it out, so it is asked nothing more in this way."""
    with scripted(says("DescribeRouteTables"), says("ReplaceRoute")) as server:
        ec2 = an_ec2(server.url)
        for operation in ("DescribeRouteTables", "ReplaceRoute"):
            with pytest.raises(DryRunUnknown, match="does not know DryRun"):
                ec2.is_allowed(operation)
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["InvalidRouteTableID.NotFound", "AuthFailure", "RequestLimitExceeded"])
def test_is_allowed_any_other_answer_raises(code: str) -> None:
    """Any other answer is "could not look", neither yes nor no."""
    with scripted(fails(code)) as server, pytest.raises((AwsRefused, AwsUnknown)):
        an_ec2(server.url, look_retries=0).is_allowed("ReplaceRoute", RouteTableId="rtb-1")


# -- unusable answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers(""), id="empty"),
        pytest.param(answers("<html><body>Please log in</body></html>"), id="html"),
        pytest.param(answers("<!DOCTYPE html><p>not <b>xml"), id="no-xml"),
        pytest.param(answers("<DescribeRouteTablesResponse><requestId>r</requestId><routeTab"), id="cut"),
        pytest.param(answers('{"RouteTables": []}'), id="json"),
        pytest.param(says("DescribeRouteTables", ""), id="without-the-list"),
        pytest.param(
            answers("<DescribeRouteTablesResponse><routeTableSet/></DescribeRouteTablesResponse>"),
            id="without-request-id",
        ),
        pytest.param(says("DescribeRouteTables", "<routeTableSet><item/></routeTableSet>"), id="without-table-id"),
        pytest.param(says("DescribeAddresses", "<addressesSet/>"), id="of-another-operation"),
        pytest.param(
            says(
                "DescribeRouteTables",
                "<routeTableSet><item><routeTableId>rtb-1</routeTableId><routeSet><item>"
                f"<destinationCidrBlock>{CIDR}</destinationCidrBlock></item></routeSet></item></routeTableSet>",
            ),
            id="without-state",
        ),
    ],
)
def test_look_garbled_answer_is_never_an_empty_list(behaviour: Behaviour) -> None:
    """What is not EC2's answer is garbled, not "there are none"."""
    with scripted(behaviour) as server:
        seen = an_ec2(server.url, look_retries=1).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert isinstance(seen.unknown, AwsGarbled)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers("<html>Forbidden by proxy</html>", 403), id="html-403"),
        pytest.param(answers("", 404), id="empty-404"),
        pytest.param(answers("proxy authentication required", 407), id="text-407"),
    ],
)
def test_look_error_page_of_something_between_is_no_answer_of_ec2(behaviour: Behaviour) -> None:
    """A proxy's no is not EC2's no."""
    with scripted(behaviour) as server:
        seen = an_ec2(server.url, look_retries=0).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert isinstance(seen.unknown, AwsUnknown)


def test_addresses_garbled_answer_is_never_none() -> None:
    """The same holds for Elastic IPs."""
    with scripted(says("DescribeAddresses", "")) as server, pytest.raises(AwsGarbled):
        an_ec2(server.url, look_retries=0).addresses()


# -- pages -----------------------------------------------------------------------------------------------


def test_route_tables_pages_are_all_followed() -> None:
    """Every page is read, an empty one with a token included."""
    pages = (
        tables(a_table("rtb-1", (CIDR, ENI_A)), token="two"),
        tables(token="three"),
        tables(a_table("rtb-2", (CIDR, ENI_B))),
    )
    with scripted(*pages) as server:
        assert look(an_ec2(server.url)) == ("rtb-1", "rtb-2")
    assert [question.get("NextToken") for question in server.asked] == [None, "two", "three"]


def test_route_tables_token_repeated_ends_and_keeps_the_evidence() -> None:
    """A token that comes again ends the reading; what was seen counts, and that something may be missing is said."""
    pages = (
        tables(a_table("rtb-1", (CIDR, ENI_B)), token="same"),
        tables(a_table("rtb-2", (CIDR, ENI_A)), token="same"),
    )
    with scripted(*pages) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert "rtb-1" in [table.route_table_id for table in seen.tables]
    assert isinstance(seen.unknown, AwsGarbled)
    assert len(server.asked) == 2


def test_route_tables_pages_without_end_are_given_up_and_keep_the_evidence() -> None:
    """A listing that always has another page, however new its token, is unknown after some; what was seen counts."""

    def endless(handler: Any) -> None:
        number = len(handler.server.asked)
        tables(*([a_table("rtb-1", (CIDR, ENI_B))] if number == 1 else []), token=f"t{number}")(handler)

    with scripted(endless) as server:
        seen = an_ec2(server.url, seconds=60).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert [table.route_table_id for table in seen.tables] == ["rtb-1"]
    assert isinstance(seen.unknown, AwsGarbled)
    assert "its pages have no end: 200 were read" in str(seen.unknown)
    assert len(server.asked) == 200


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(fails("InternalError", 500), AwsServerError, id="server-error"),
        pytest.param(fails("UnauthorizedOperation", 403), PermissionMissing, id="permission"),
        pytest.param(fails("InvalidNextToken"), AwsRefused, id="refused"),
        pytest.param(answers("<html/>"), AwsGarbled, id="garbled"),
        pytest.param(hangs_up, AwsUnreachable, id="lost"),
    ],
)
def test_route_tables_later_page_fails_keeps_the_evidence(behaviour: Behaviour, kind: type[Ec2KitError]) -> None:
    """What earlier pages said still counts when a later one cannot be had."""
    with scripted(tables(a_table("rtb-1", (CIDR, ENI_B)), token="two"), behaviour) as server:
        seen = an_ec2(server.url, look_retries=0).route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert [table.route_table_id for table in seen.tables] == ["rtb-1"]
    assert isinstance(seen.unknown, kind)


# -- a real EC2, as far as moto is one -------------------------------------------------------------------


def test_ec2_of_moto_understands_all_calls(moto_url: str) -> None:
    """A route is moved and an address associated and taken off again, as seen by the same eyes."""
    import boto3

    client = boto3.client("ec2", region_name="ap-northeast-1", endpoint_url=moto_url)
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    one, two = (client.create_network_interface(SubnetId=subnet)["NetworkInterface"] for _ in range(2))
    table = client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    client.create_route(RouteTableId=table, DestinationCidrBlock=CIDR, NetworkInterfaceId=one["NetworkInterfaceId"])
    allocation = client.allocate_address(Domain="vpc")["AllocationId"]
    ec2 = an_ec2(moto_url, seconds=60)
    target = two["NetworkInterfaceId"]
    ec2.replace_route(route_table_id=table, destination_cidr_block=CIDR, network_interface_id=target)
    (seen,) = ec2.route_tables(vpc_id=vpc, destinations=[CIDR]).tables
    assert seen.routes[0].target == target
    ec2.associate_address(
        allocation_id=allocation,
        network_interface_id=target,
        private_ip_address=two["PrivateIpAddress"],
        allow_reassociation=True,
    )
    held = _held(ec2, allocation)
    assert held.network_interface_id == target
    ec2.disassociate_address(association_id=held.association_id)
    assert _held(ec2, allocation).association_id is None
    ec2.switch_off_source_dest_check(network_interface_id=target, retries=1)
    assert not ec2.network_interface(target).source_dest_check


def _held(ec2: Ec2, allocation_id: str) -> Any:
    return next(each for each in ec2.addresses() if each.allocation_id == allocation_id)


def test_ec2_of_moto_refusal_has_the_code(moto_url: str) -> None:
    """What EC2 does not know is refused at once."""
    with pytest.raises(AwsRefused) as caught:
        write(an_ec2(moto_url, seconds=60, read_timeout=60.0))
    assert caught.value.code == "InvalidRouteTableID.NotFound"
