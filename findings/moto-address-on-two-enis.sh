#!/usr/bin/env bash
# In moto a private address is on two network interfaces at once: AssignPrivateIpAddresses takes it from nobody, whether
# AllowReassignment is given or not, and the filter addresses.private-ip-address finds neither of the two.
#
# Seen with moto 5.2.5 and boto3 1.44.8. EC2 refuses an address that another interface has (InvalidParameterValue), unless
# AllowReassignment is given, and then it moves. A failover by secondary addresses that is tried on moto always succeeds:
# each server finds the address on its own interface, also after another one has taken it, and a program that asks "who
# has it" by the filter learns that nobody has.
#
# ec2kit: the sandbox moves a reassigned address, refuses any other that is taken, and knows the filter. An address of the
# kind secondary-ip is in service here only when the metadata of the instance show it, too.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ec2]==5.2.5' boto3==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import boto3
import moto

ADDRESS = "10.0.1.100"


def tried():
    ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    enis = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in "12"]

    def holders():
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=enis)["NetworkInterfaces"]
        return sum(any(one["PrivateIpAddress"] == ADDRESS for one in each["PrivateIpAddresses"]) for each in found)

    ec2.assign_private_ip_addresses(NetworkInterfaceId=enis[0], PrivateIpAddresses=[ADDRESS])
    ec2.assign_private_ip_addresses(NetworkInterfaceId=enis[1], PrivateIpAddresses=[ADDRESS])
    yield f"not reassigned: on {holders()}"
    ec2.assign_private_ip_addresses(
        NetworkInterfaceId=enis[1], PrivateIpAddresses=[ADDRESS], AllowReassignment=True
    )
    yield f"reassigned: on {holders()}"
    filters = [{"Name": "addresses.private-ip-address", "Values": [ADDRESS]}]
    yield f"found: {len(ec2.describe_network_interfaces(Filters=filters)['NetworkInterfaces'])}"


print("moto", moto.__version__)
with moto.mock_aws():
    print("; ".join(tried()))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = "not reassigned: on 2; reassigned: on 2; found: 0" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"
