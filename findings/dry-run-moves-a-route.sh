#!/usr/bin/env bash
# moto heeds DryRun for an Elastic IP, but not for a route: ReplaceRoute with DryRun=True answers 200 and moves the route.
# A check of permissions that is harmless on EC2 changes the emulated account.
#
# Seen with moto 5.2.5 and boto3 1.44.8: AssociateAddress with DryRun=True ends with DryRunOperation and changes nothing,
# as on EC2; ReplaceRoute with DryRun=True is carried out.
#
# ec2kit: 200 to a DryRun means "this endpoint does not know DryRun"; the check fails with that reason, and it names the
# present target, so that carrying it out changes nothing. The sandbox heeds DryRun for all operations.
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
    first, second = (
        ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in "12"
    )
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "10.1.0.10/32"}
    ec2.create_route(**route, NetworkInterfaceId=first)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    try:
        ec2.associate_address(AllocationId=address, NetworkInterfaceId=first, DryRun=True)
        yield "AssociateAddress: 200"
    except ClientError as error:
        yield f"AssociateAddress: {error.response['Error']['Code']}"
    answer = ec2.replace_route(**route, NetworkInterfaceId=second, DryRun=True)
    yield f"ReplaceRoute: {answer['ResponseMetadata']['HTTPStatusCode']}"
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    moved = any(each.get("NetworkInterfaceId") == second for each in routes)
    yield "the route has moved" if moved else "the route is where it was"


print("moto", moto.__version__)
with moto.mock_aws():
    print("; ".join(tried()))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = "AssociateAddress: DryRunOperation; ReplaceRoute: 200; the route has moved" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"
