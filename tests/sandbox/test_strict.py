"""Where moto differs from EC2, the sandbox does as EC2 does."""

from __future__ import annotations

import http.client
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..patience import HANGS
from .conftest import a_client, eni, refused, the_address, the_route

VIP = "10.1.0.10/32"

NO_ENI = "eni-00000000000000000"


def tables_with(ec2, *values, name="route.destination-cidr-block", **params):
    return [
        table["RouteTableId"]
        for table in ec2.describe_route_tables(Filters=[{"Name": name, "Values": list(values)}], **params)[
            "RouteTables"
        ]
    ]


def replace(ec2, vpc, node="node2", *, table=None, cidr=VIP, **params):
    params = params or {"NetworkInterfaceId": eni(vpc, node)}
    table = table or vpc["route_table_ids"][0]
    return ec2.replace_route(RouteTableId=table, DestinationCidrBlock=cidr, **params)


def associate(ec2, vpc, node="node1", device="eth0", **params):
    params.setdefault("AllocationId", vpc["allocation_id"])
    return ec2.associate_address(NetworkInterfaceId=eni(vpc, node, device), **params)["AssociationId"]


def shown_on(ec2, vpc, node, device="eth0"):
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni(vpc, node, device)])
    return found["NetworkInterfaces"][0].get("Association", {}).get("PublicIp")


def test_routes_name_instance_and_interface(ec2, vpc):
    """A route to an interface names the interface's instance and its owner too."""
    route = the_route(ec2, vpc["route_table_ids"][0])
    assert route == {
        "DestinationCidrBlock": VIP,
        "InstanceId": vpc["nodes"]["node1"]["instance_id"],
        "InstanceOwnerId": "123456789012",
        "NetworkInterfaceId": eni(vpc),
        "Origin": "CreateRoute",
        "State": "active",
    }


def test_route_of_a_stopped_instance_is_a_blackhole(ec2, vpc):
    """A route is a blackhole while its target's instance is stopped, and active again afterwards."""
    instance, table = [vpc["nodes"]["node1"]["instance_id"]], vpc["route_table_ids"][0]
    ec2.stop_instances(InstanceIds=instance)
    assert the_route(ec2, table)["State"] == "blackhole"
    assert len(tables_with(ec2, "blackhole", name="route.state")) == 7
    ec2.start_instances(InstanceIds=instance)
    assert the_route(ec2, table)["State"] == "active"


def test_route_of_a_terminated_instance_is_a_blackhole_without_instance(ec2, vpc):
    """Interfaces of a terminated instance stay, detached, and routes to them lead nowhere."""
    ec2.terminate_instances(InstanceIds=[vpc["nodes"]["node1"]["instance_id"]])
    route = the_route(ec2, vpc["route_table_ids"][0])
    assert (route["State"], route["NetworkInterfaceId"], "InstanceId" in route) == ("blackhole", eni(vpc), False)


def test_filter_by_destination_is_exact(ec2, vpc):
    """10.1.0.1/32 is not 10.1.0.10/32, and a VPC's filter keeps other VPCs out."""
    assert tables_with(ec2, "10.1.0.20/32") == vpc["route_table_ids"][:1]
    assert sorted(tables_with(ec2, VIP)) == sorted([*vpc["route_table_ids"], vpc["other_route_table_id"]])
    assert tables_with(ec2, "10.1.0.2/32") == []


@pytest.mark.parametrize(("values", "count"), [(["10.1.0.2?/32"], 1), (["10.1.0.2*"], 1), (["x", "10.1.0.20/32"], 1)])
def test_filter_values_are_wildcards_and_alternatives(ec2, values, count):
    """Any value of a filter may match; `*` and `?` stand for anything and for one sign."""
    assert len(tables_with(ec2, *values)) == count


def test_unknown_filter_is_refused(ec2):
    """EC2 does not guess what an unknown filter means."""
    code, message = refused(ec2.describe_route_tables, Filters=[{"Name": "nonsense", "Values": ["1"]}])
    assert (code, message) == ("InvalidParameterValue", "The filter 'nonsense' is invalid")


def test_describe_route_tables_pages(ec2, vpc):
    """MaxResults cuts the answer into pages that together are the whole."""
    filters = [{"Name": "vpc-id", "Values": [vpc["vpc_id"]]}]
    pages = list(
        ec2.get_paginator("describe_route_tables").paginate(Filters=filters, PaginationConfig={"PageSize": 5})
    )
    assert [len(page["RouteTables"]) for page in pages] == [5, 5]


def test_page_size_pages_unasked(sandbox, ec2, vpc):
    """EC2 may page although nobody asked for it."""
    sandbox.page_size(5)
    first = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc["vpc_id"]]}])
    assert (len(first["RouteTables"]), bool(first["NextToken"])) == (5, True)


@pytest.mark.parametrize("size", [1, 4, 101])
def test_page_size_out_of_range_is_refused(ec2, size):
    """MaxResults is from 5 to 100."""
    assert refused(ec2.describe_route_tables, MaxResults=size)[0] == "InvalidParameterValue"


def test_foreign_token_is_refused(ec2):
    """A token that EC2 never gave is no token."""
    assert refused(ec2.describe_route_tables, NextToken="abc")[0] == "InvalidNextToken"


def test_replace_route_moves_one_route_only(ec2, vpc):
    """The route in that table moves; near misses and other tables stay."""
    first, second = vpc["route_table_ids"][:2]
    replace(ec2, vpc)
    assert the_route(ec2, first)["NetworkInterfaceId"] == eni(vpc, "node2")
    assert the_route(ec2, first, "10.1.0.100/32")["NetworkInterfaceId"] == eni(vpc)
    assert the_route(ec2, second)["NetworkInterfaceId"] == eni(vpc)


def test_replace_route_without_route_is_refused(ec2, vpc):
    """A route that is not there is not made."""
    code, message = refused(lambda: replace(ec2, vpc, cidr="10.9.9.9/32"))
    assert code == "InvalidParameterValue"
    assert message.startswith("There is no route defined for '10.9.9.9/32' in the route table")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({"table": "rtb-00000000000000000"}, "InvalidRouteTableID.NotFound", id="table"),
        pytest.param({"NetworkInterfaceId": NO_ENI}, "InvalidNetworkInterfaceID.NotFound", id="interface"),
        pytest.param({"table": "rtb-xyz"}, "InvalidRouteTableId.Malformed", id="malformed table"),
        pytest.param(
            {"NetworkInterfaceId": "eni-0"}, "InvalidNetworkInterfaceId.Malformed", id="malformed interface"
        ),
        pytest.param({"GatewayId": "igw-1", "NetworkInterfaceId": NO_ENI}, "InvalidParameterCombination", id="two"),
    ],
)
def test_replace_route_with_what_does_not_exist_changes_nothing(ec2, vpc, params, code):
    """A refused replacement leaves the route as it was."""
    assert refused(lambda: replace(ec2, vpc, **params))[0] == code
    assert the_route(ec2, vpc["route_table_ids"][0])["NetworkInterfaceId"] == eni(vpc)


def test_replace_route_to_another_vpc_is_refused(ec2, vpc):
    """An interface of another VPC is no target."""
    stranger = the_route(ec2, vpc["other_route_table_id"])["NetworkInterfaceId"]
    assert refused(lambda: replace(ec2, vpc, NetworkInterfaceId=stranger))[0] == "InvalidParameterValue"


def test_replace_route_by_instance_with_two_interfaces_is_refused(ec2, vpc):
    """An instance stands for its interface only if it has one."""
    instance = vpc["nodes"]["node2"]["instance_id"]
    assert refused(lambda: replace(ec2, vpc, InstanceId=instance))[0] == "InvalidInstanceID"


def test_parallel_writes_all_arrive(ec2, vpc):
    """Writes at the same time all take effect."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda table: replace(ec2, vpc, table=table), vpc["route_table_ids"]))
    targets = {the_route(ec2, table)["NetworkInterfaceId"] for table in vpc["route_table_ids"]}
    assert targets == {eni(vpc, "node2")}


def test_dry_run_never_writes(ec2, vpc):
    """DryRun says that it would, and does not."""
    assert (
        refused(
            lambda: ec2.replace_route(
                RouteTableId=vpc["route_table_ids"][0],
                DestinationCidrBlock=VIP,
                NetworkInterfaceId=eni(vpc, "node2"),
                DryRun=True,
            )
        )[0]
        == "DryRunOperation"
    )
    assert the_route(ec2, vpc["route_table_ids"][0])["NetworkInterfaceId"] == eni(vpc)


@pytest.mark.parametrize(
    "call", ["describe_route_tables", "describe_addresses", "describe_subnets", "describe_instances"]
)
def test_dry_run_of_a_look_is_answered_412(ec2, call):
    """DryRun is heeded by operations that only look, too."""
    assert refused(getattr(ec2, call), DryRun=True)[0] == "DryRunOperation"


def test_required_parameter_is_missed(ec2):
    """A request without a required parameter is refused by name."""
    code, message = refused(ec2.replace_route, DestinationCidrBlock=VIP)
    assert (code, message) == ("MissingParameter", "The request must contain the parameter routeTableId")


def test_association_is_taken_over_by_default(ec2, vpc):
    """A second association moves the address under a new id and leaves no ghost."""
    first, second = associate(ec2, vpc), associate(ec2, vpc, "node2")
    assert first != second
    assert (shown_on(ec2, vpc, "node1"), shown_on(ec2, vpc, "node2")) == (None, vpc["elastic_ip"])
    instance = ec2.describe_instances(InstanceIds=[vpc["nodes"]["node1"]["instance_id"]])
    assert "PublicIpAddress" not in instance["Reservations"][0]["Instances"][0]


def test_association_to_the_same_place_keeps_its_id(ec2, vpc):
    """Nothing changes where the address already is, even if it may not be taken from elsewhere."""
    assert associate(ec2, vpc) == associate(ec2, vpc) == associate(ec2, vpc, AllowReassociation=False)


def test_association_is_not_taken_over_where_the_request_says_no(ec2, vpc):
    """AllowReassociation=false is EC2's conditional write."""
    associate(ec2, vpc)
    code, _ = refused(lambda: associate(ec2, vpc, "node2", AllowReassociation=False))
    assert code == "Resource.AlreadyAssociated"
    assert the_address(ec2, vpc)["NetworkInterfaceId"] == eni(vpc, "node1", "eth0")


def test_second_address_displaces_the_first(ec2, vpc):
    """One private address has one Elastic IP; the first one stays allocated."""
    associate(ec2, vpc)
    associate(ec2, vpc, AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])
    assert "AssociationId" not in the_address(ec2, vpc)


def test_private_address_is_heeded(ec2, vpc):
    """An Elastic IP goes to the private address that was named, and stands beside one on the primary."""
    ec2.assign_private_ip_addresses(NetworkInterfaceId=eni(vpc, device="eth0"), PrivateIpAddresses=["10.0.1.77"])
    other = ec2.allocate_address(Domain="vpc")
    associate(ec2, vpc, AllocationId=other["AllocationId"])
    associate(ec2, vpc, PrivateIpAddress="10.0.1.77")
    assert the_address(ec2, vpc)["PrivateIpAddress"] == "10.0.1.77"
    assert shown_on(ec2, vpc, "node1") == other["PublicIp"]


def test_unknown_private_address_is_refused(ec2, vpc):
    """A private address that the interface does not have is no place."""
    assert refused(lambda: associate(ec2, vpc, PrivateIpAddress="10.0.1.99"))[0] == "InvalidParameterValue"


def test_address_shows_where_it_is(ec2, vpc):
    """DescribeAddresses names interface, instance, private address and border group."""
    association_id, address = associate(ec2, vpc), the_address(ec2, vpc)
    assert address["AssociationId"] == association_id
    assert address["InstanceId"] == vpc["nodes"]["node1"]["instance_id"]
    assert address["PrivateIpAddress"] == vpc["nodes"]["node1"]["interfaces"]["eth0"]["private_ip_address"]
    assert address["NetworkBorderGroup"] == "us-east-1"


def test_elastic_ips_are_documentation_addresses(ec2):
    """Elastic IPs look public and lead nowhere."""
    assert ec2.allocate_address(Domain="vpc")["PublicIp"].startswith("203.0.113.")


def test_disassociate_leaves_nothing(ec2, vpc):
    """After DisassociateAddress neither address nor interface show an association."""
    ec2.disassociate_address(AssociationId=associate(ec2, vpc))
    assert "AssociationId" not in the_address(ec2, vpc)
    assert shown_on(ec2, vpc, "node1") is None


def test_old_association_id_is_refused_in_words(ec2, vpc):
    """An association id from before the last move is unknown."""
    old = associate(ec2, vpc)
    associate(ec2, vpc, "node2")
    expected = ("InvalidAssociationID.NotFound", f"The association ID '{old}' does not exist")
    assert refused(ec2.disassociate_address, AssociationId=old) == expected


@pytest.mark.parametrize(
    ("filter_name", "value"),
    [("public-ip", "elastic_ip"), ("allocation-id", "allocation_id")],
)
def test_addresses_are_filtered(ec2, vpc, filter_name, value):
    """DescribeAddresses filters exactly."""
    found = ec2.describe_addresses(Filters=[{"Name": filter_name, "Values": [vpc[value]]}])["Addresses"]
    assert [address["PublicIp"] for address in found] == [vpc["elastic_ip"]]
    assert ec2.describe_addresses(Filters=[{"Name": filter_name, "Values": [vpc[value][:-1]]}])["Addresses"] == []


def test_source_dest_check_is_off_and_can_be_switched(ec2, vpc):
    """Servers start with the check off; ModifyNetworkInterfaceAttribute switches it."""
    here = {"NetworkInterfaceId": eni(vpc)}
    assert (
        ec2.describe_network_interface_attribute(**here, Attribute="sourceDestCheck")["SourceDestCheck"]["Value"]
        is False
    )
    ec2.modify_network_interface_attribute(**here, SourceDestCheck={"Value": True})
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni(vpc)])["NetworkInterfaces"]
    assert found[0]["SourceDestCheck"] is True


def test_interfaces_stay_through_stop_and_start(ec2, vpc):
    """A stopped instance keeps its interfaces and its Elastic IP."""
    instance = [vpc["nodes"]["node1"]["instance_id"]]
    associate(ec2, vpc)
    ec2.stop_instances(InstanceIds=instance)
    ec2.start_instances(InstanceIds=instance)
    filters = [{"Name": "attachment.instance-id", "Values": instance}]
    assert len(ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]) == 2
    assert shown_on(ec2, vpc, "node1") == vpc["elastic_ip"]


def test_servers_are_in_different_zones(ec2, vpc):
    """The subnets of two servers lie in different Availability Zones."""
    ids = [vpc["nodes"][name]["interfaces"]["eth1"]["subnet_id"] for name in ("node1", "node2")]
    zones = {subnet["AvailabilityZone"] for subnet in ec2.describe_subnets(SubnetIds=ids)["Subnets"]}
    assert len(zones) == 2


def test_every_request_has_an_id_of_its_own(sandbox, ec2):
    """The request id of an answer is fresh and stands in the journal."""
    first, second = (ec2.describe_addresses()["ResponseMetadata"]["RequestId"] for _ in range(2))
    assert first != second
    assert [call["request_id"] for call in sandbox.calls()[-2:]] == [first, second]


def test_unsigned_request_is_refused(vpc):
    """Without credentials EC2 misses the key, and answers 400."""
    place = urllib.parse.urlsplit(vpc["nodes"]["node1"]["endpoint_url"])
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=HANGS)
    connection.request("GET", "/?Action=DescribeRouteTables&Version=2016-11-15")
    answer = connection.getresponse()
    assert (answer.status, b"parameter AWSAccessKeyId" in answer.read()) == (400, True)
    connection.close()


def test_signature_for_another_region_is_refused(vpc):
    """An endpoint is one region's."""
    elsewhere = a_client(vpc["endpoint_url"], region="eu-west-1")
    assert refused(elsewhere.describe_addresses)[0] == "AuthFailure"


def test_unknown_operation_is_refused(vpc, undisturbed):
    """What moto does not know is refused, not an error of the server."""
    assert refused(undisturbed.describe_trunk_interface_associations)[0] == "InvalidAction"


def test_the_interface_of_a_nat_gateway_belongs_to_the_service(ec2, vpc):
    """Its Elastic IP is on an interface without an instance, which a service made and manages."""
    subnet = vpc["nodes"]["node1"]["interfaces"]["eth0"]["subnet_id"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=vpc["allocation_id"])
    address = the_address(ec2, vpc)
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[address["NetworkInterfaceId"]])
    (interface,) = found["NetworkInterfaces"]
    assert (interface["InterfaceType"], interface["RequesterManaged"]) == ("nat_gateway", True)
    assert "InstanceId" not in address


# -- routes of every kind --------------------------------------------------------------------------------------


def prefix_list(ec2, *blocks, most=10):
    entries = [{"Cidr": each} for each in blocks]
    made = ec2.create_managed_prefix_list(
        PrefixListName="list", MaxEntries=most, AddressFamily="IPv4", Entries=entries
    )
    return made["PrefixList"]["PrefixListId"]


def shown(ec2, table, key, value):
    (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return next((each for each in found["Routes"] if each.get(key) == value), None)


def test_create_route_to_each_kind_of_destination_and_replace_and_delete_it(ec2, vpc):
    """A route to IPv6, and one to a prefix list, live as one to a block of IPv4 does."""
    table = vpc["route_table_ids"][0]
    kinds = {
        "DestinationCidrBlock": "192.168.0.0/16",
        "DestinationIpv6CidrBlock": "::/0",
        "DestinationPrefixListId": prefix_list(ec2, "10.2.0.0/24"),
    }
    for key, value in kinds.items():
        block = {"RouteTableId": table, key: value}
        assert ec2.create_route(**block, NetworkInterfaceId=eni(vpc))["Return"] is True
        assert shown(ec2, table, key, value)["NetworkInterfaceId"] == eni(vpc)
        ec2.replace_route(**block, NetworkInterfaceId=eni(vpc, "node2"))
        assert shown(ec2, table, key, value)["NetworkInterfaceId"] == eni(vpc, "node2")
        assert tables_with(ec2, value, name=f"route.{NAMES[key]}") == [table]
        ec2.delete_route(**block)
        assert shown(ec2, table, key, value) is None
        assert refused(ec2.delete_route, **block)[0] == "InvalidRoute.NotFound"


NAMES = {
    "DestinationCidrBlock": "destination-cidr-block",
    "DestinationIpv6CidrBlock": "destination-ipv6-cidr-block",
    "DestinationPrefixListId": "destination-prefix-list-id",
}


@pytest.mark.parametrize(
    ("code", "different"),
    [
        ("RouteAlreadyExists", {"DestinationCidrBlock": VIP}),
        ("InvalidRouteTableID.NotFound", {"RouteTableId": "rtb-00000000000000000"}),
        ("InvalidNetworkInterfaceID.NotFound", {"NetworkInterfaceId": NO_ENI}),
        ("InvalidParameterCombination", {"GatewayId": "igw-1"}),
        ("InvalidParameterCombination", {"DestinationIpv6CidrBlock": "::/0"}),
        ("InvalidPrefixListID.NotFound", {"DestinationCidrBlock": None, "DestinationPrefixListId": "pl-0a1b2c3d"}),
        ("MissingParameter", {"DestinationCidrBlock": None}),
    ],
)
def test_create_route_that_is_wrong_changes_nothing(ec2, vpc, code, different):
    """Each error is the documented one, and a route that is there stays as it is."""
    table = vpc["route_table_ids"][0]
    right = {"RouteTableId": table, "DestinationCidrBlock": "192.168.0.0/16", "NetworkInterfaceId": eni(vpc, "node2")}
    before = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    given = {name: value for name, value in {**right, **different}.items() if value}
    assert refused(ec2.create_route, **given)[0] == code
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"] == before


def test_create_route_beyond_the_quota_is_refused(ec2, vpc):
    """A prefix list counts with the most entries that it may have, not with those that it has."""
    block = {"RouteTableId": vpc["route_table_ids"][0], "NetworkInterfaceId": eni(vpc)}
    large = prefix_list(ec2, "10.2.0.0/24", most=500)
    assert refused(ec2.create_route, **block, DestinationPrefixListId=large)[0] == "RouteLimitExceeded"


def test_entries_of_a_prefix_list_come_in_pages(ec2, vpc):
    """A page has as many as are asked for; an unknown list is an error."""
    blocks = [f"10.2.0.{number}/32" for number in range(7)]
    wanted = prefix_list(ec2, *blocks)
    first = ec2.get_managed_prefix_list_entries(PrefixListId=wanted, MaxResults=5)
    rest = ec2.get_managed_prefix_list_entries(PrefixListId=wanted, NextToken=first["NextToken"])
    assert [each["Cidr"] for each in (*first["Entries"], *rest["Entries"])] == blocks
    unknown = refused(ec2.get_managed_prefix_list_entries, PrefixListId="pl-0a1b2c3d")
    assert unknown[0] == "InvalidPrefixListID.NotFound"


def test_local_route_is_not_deleted(ec2, vpc):
    """The route of the VPC itself stays."""
    local = {"RouteTableId": vpc["route_table_ids"][0], "DestinationCidrBlock": vpc["vpc_cidr_block"]}
    assert refused(ec2.delete_route, **local)[0] == "InvalidParameterValue"
