"""The OCF agent of routes has the parameters of `ocf:heartbeat:aws-vpc-move-ip`, and some more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ec2kit.errors import ArgumentInvalid
from ec2kit.scenarios.parameter import PROFILE, REGION, REPAIR, Agent, Parameter, device, like, switch
from ec2kit.scenarios.route_table.look import Own, is_tag_of_aws, must_be_roles, must_fit, usual_form


def tables(name: str, text: str) -> tuple[str, ...]:
    """Read ids of route tables, separated by commas or blanks; raises ArgumentInvalid."""
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for each in found:
        like("rtb-[0-9a-f]+", "the id of a route table, rtb-…")(name, each)
    return found


def addresses(name: str, text: str) -> str:
    """Read addresses and other destinations, separated by commas or blanks; raises ArgumentInvalid."""
    given = text.replace(",", " ").split()
    for each in given:
        if not usual_form(each):
            reason = f"{each[:60]!a} is neither an IPv4 nor an IPv6 address, nor a block or a prefix list"
            raise ArgumentInvalid(name=name, reason=reason)
    return ",".join(dict.fromkeys(map(usual_form, given)))


def table_tag(name: str, text: str) -> str:
    """Read a tag, KEY=VALUE, or an empty text; raises ArgumentInvalid."""
    if text and not is_tag_of_aws(text):
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is not KEY=VALUE")
    return text


def role_arn(name: str, text: str) -> str:
    """Read the ARN of a role, and roles of single tables, or an empty text; raises ArgumentInvalid."""
    if not text:
        return ""
    from ec2kit.scenarios.route_table.role import read, text_of

    try:
        return text_of(read(text.strip()))
    except ValueError as error:
        raise ArgumentInvalid(name=name, reason=str(error)) from error


def external_id(name: str, text: str) -> str:
    """Read an external id, or an empty text; raises ArgumentInvalid."""
    if not text:
        return ""
    from ec2kit.role import is_external_id

    if not is_external_id(text):
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is not an external id of IAM")
    return text


def _must_fit(meant: Mapping[str, Any]) -> None:
    if meant["external_id"] and not meant["role_arn"]:
        raise ArgumentInvalid(name=_EXTERNAL_ID, reason="it belongs to a role; give routing_table_role, too")
    own = Own(meant["route_table_ids"], meant["route_table_tag"], meant["role_arn"], meant["external_id"])
    try:
        must_fit(meant["address"], own)
    except ValueError as error:
        raise ArgumentInvalid(name="ip", reason=str(error)) from error
    try:
        must_be_roles(own)
    except ValueError as error:
        raise ArgumentInvalid(name=_ROLE, reason=str(error)) from error


_ROLE, _EXTERNAL_ID = "routing_table_role", "routing_table_external_id"

_ONCE = "ip-and-tables"
"""Two resources may move one address in different tables, as in those of two accounts."""

AGENT = Agent(
    "moves a virtual IP by the route tables of an AWS VPC",
    "Points the host route of a virtual IP, in every route table of the VPC that has one, at the network interface "
    "of the server where the resource runs, and puts the address on that interface. The address lies outside the "
    "VPC's CIDR blocks, so it moves across Availability Zones. An EC2 API that does not answer is never a failure "
    "of monitor.",
    (
        Parameter(
            "ip",
            "virtual IP address",
            "The virtual IP address, outside all CIDR blocks of the VPC. Its host route must exist. Several "
            "addresses, separated by blanks or commas, move together. With routing_table or routing_table_tag it may "
            "be any destination of a route: 0.0.0.0/0, ::/0, a block of addresses, a prefix list, pl-1234abcd.",
            addresses,
            "address",
            required=True,
            unique_group=_ONCE,
            formerly="address",
            needed_to_stop=True,
        ),
        Parameter("address", "old name of ip", "Old name of ip.", addresses, needed_to_stop=True),
        Parameter(
            "routing_table",
            "route tables to move it in",
            "Ids of route tables, separated by commas: rtb-11111111,rtb-22222222. The agent reads and changes only "
            "these. Default: all tables of the VPC that have a route to the address.",
            tables,
            "route_table_ids",
            unique_group=_ONCE,
        ),
        Parameter(
            "routing_table_tag",
            "tag of the route tables to move it in",
            "A tag, KEY=VALUE. The agent reads and changes only the tables that have the tag at the time, and those "
            "of routing_table. A table that gains or loses the tag joins or leaves without a change of the resource.",
            table_tag,
            "route_table_tag",
            unique_group=_ONCE,
        ),
        Parameter(
            "interface",
            "network interface",
            "Network interface whose ENI gets the traffic. It gets the address, too, unless address_device is given.",
            device,
            "device",
            default="eth0",
            needed_to_stop=True,
        ),
        Parameter(
            "address_device",
            "network interface that gets the address",
            "Network interface that gets the address, if it is not the one whose ENI gets the traffic. Give lo where "
            "systemd-networkd, netplan or NetworkManager manages the interface: they take addresses of others off, "
            "and never look at lo.",
            device,
            "address_device",
            needed_to_stop=True,
        ),
        Parameter(
            "iflabel",
            "label of the address",
            "Label of the address on the interface, as ifconfig shows it. Interface, colon and label together have "
            "at most 15 characters.",
            like("[A-Za-z0-9_.-]+", "a label of letters and digits"),
            "label",
        ),
        Parameter(
            "manage_address",
            "put the address on the interface",
            "If true, the agent puts the address on the interface and takes it off. If false, another resource "
            "(ocf:heartbeat:IPaddr2) must do so; place it before this one in a group.",
            switch,
            "manages_address",
            kind="boolean",
            default="true",
            needed_to_stop=True,
        ),
        REPAIR,
        REGION,
        PROFILE,
        Parameter(
            "lookup_type",
            "how the target of a route is looked up",
            "InstanceId or NetworkInterfaceId. ec2kit always compares network interfaces, so both mean the same.",
            like("InstanceId|NetworkInterfaceId", "InstanceId or NetworkInterfaceId"),
            reloadable=True,
        ),
        Parameter(
            _ROLE,
            "role under which the route tables are changed",
            "ARN of a role, under which the agent reads and changes the route tables, where they belong to another "
            "account, as those of a shared VPC do. A table of routing_table that needs another role has it as "
            "rtb-11111111=ARN, behind a comma or a blank. The server's own credentials have to permit sts:AssumeRole "
            "on each. Network interfaces are read by the server's own credentials.",
            role_arn,
            "role_arn",
        ),
        Parameter(
            _EXTERNAL_ID,
            "external id of that role",
            "The external id that the trust policy of routing_table_role asks for; it is the same for all roles.",
            external_id,
            "external_id",
        ),
    ),
    _must_fit,
)
