#!/usr/bin/env bash
# In moto an Elastic IP that is associated with a secondary private address is on the primary one: AssociateAddress does not
# heed PrivateIpAddress, not even one that the network interface does not have.
#
# Seen with moto 5.2.5 and boto3 1.44.8. EC2 API, AssociateAddress: "PrivateIpAddress: The primary or secondary private IP
# address to associate with the Elastic IP address"; an address that the interface does not have is refused. On moto a
# failover between two private addresses of one interface changes nothing, and a program that compares the private address,
# as EC2 shows it, never sees the association that it has made.
#
# ec2kit: the sandbox heeds the address, and refuses one that the interface does not have.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ec2]==5.2.5' boto3==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import boto3
import moto


def tried():
    ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.1.10")["NetworkInterface"]
    interface = {"NetworkInterfaceId": made["NetworkInterfaceId"]}
    ec2.assign_private_ip_addresses(**interface, PrivateIpAddresses=["10.0.1.50"])
    address = {"AllocationId": ec2.allocate_address(Domain="vpc")["AllocationId"]}
    for asked in ("10.0.1.50", "10.0.1.99"):
        ec2.associate_address(**address, **interface, PrivateIpAddress=asked, AllowReassociation=True)
        (shown,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
        yield f"asked for {asked}: on {shown['PrivateIpAddress']}"


print("moto", moto.__version__)
with moto.mock_aws():
    print("; ".join(tried()))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = "asked for 10.0.1.50: on 10.0.1.10; asked for 10.0.1.99: on 10.0.1.10" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"
