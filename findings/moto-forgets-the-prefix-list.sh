#!/usr/bin/env bash
# moto accepts a route to a managed prefix list, and lists it without its destination: whoever looks finds a route to
# nowhere, and ReplaceRoute with the same prefix list says that there is no such route.
#
# Seen with moto 5.2.5 and boto3 1.44.8: CreateRoute with DestinationPrefixListId and a network interface answers 200;
# DescribeRouteTables lists a route with target, origin and state and with no destination at all; ReplaceRoute ends with
# InvalidParameterValue. On EC2 the route has DestinationPrefixListId, and is replaced.
#
# ec2kit: a route without a destination that it knows is never taken for the one that is wanted; the table counts as one
# that lacks the route. The sandbox keeps the prefix list.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ec2]==5.2.5' boto3==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import boto3
import moto
from botocore.exceptions import ClientError


def tried():
    ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    listed = ec2.create_managed_prefix_list(
        PrefixListName="addresses", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "10.9.0.1/32"}]
    )["PrefixList"]["PrefixListId"]
    route = {"RouteTableId": table, "DestinationPrefixListId": listed, "NetworkInterfaceId": eni}
    yield f"CreateRoute: {ec2.create_route(**route)['ResponseMetadata']['HTTPStatusCode']}"
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    made = next(each for each in routes if each.get("NetworkInterfaceId") == eni)
    yield f"listed with {', '.join(sorted(made))}"
    try:
        ec2.replace_route(**route)
        yield "ReplaceRoute: 200"
    except ClientError as error:
        yield f"ReplaceRoute: {error.response['Error']['Code']}"


print("moto", moto.__version__)
with moto.mock_aws():
    print("; ".join(tried()))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = \
    "CreateRoute: 200; listed with NetworkInterfaceId, Origin, State; ReplaceRoute: InvalidParameterValue" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"
