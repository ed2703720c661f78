"""
EC2's filters select by all filters (and) and by any value of each filter (or); `*` and `?` are wildcards.

Source: EC2 user guide, "List and filter using the CLI and API"; the names are those of each operation's API page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ec2kit.sandbox.call import Refused

Item = Any
Values = Callable[[Item], Iterable[Any]]


def filtered(items: Iterable[Item], filters: Iterable[Mapping[str, Any]], known: Mapping[str, Values]) -> list[Item]:
    """
    Return the items that pass the filters.

    Args:
        filters: The form that EC2 takes, `[{"Name": "vpc-id", "Values": ["vpc-1"]}]`.

    Raises:
        Refused: The operation does not know a filter.
    """
    passed = list(items)
    for one in filters:
        values, wanted = _values(one.get("Name"), known), [_pattern(text) for text in one.get("Values") or []]
        passed = [item for item in passed if _any(values(item), wanted)]
    return passed


def _values(name: str | None, known: Mapping[str, Values]) -> Values:
    if name and name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda item: [tag["Value"] for tag in item["Tags"] if tag["Key"] == key]
    if name is None or name not in known:
        raise Refused("InvalidParameterValue", f"The filter '{name or 'null'}' is invalid")
    return known[name]


def _any(values: Iterable[Any], wanted: list[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(_text(value)) for value in values for pattern in wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a wildcard pattern; a backslash makes the character after it literal."""
    signs = re.findall(r"\\.|.", str(text), re.DOTALL)
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign[-1])) for sign in signs), re.DOTALL)


def _own(key: str) -> Values:
    return lambda item: [item[key]] if key in item else []


def _each(members: str, key: str) -> Values:
    return lambda item: [member[key] for member in item[members] if key in member]


def _tag_keys(item: Item) -> list[str]:
    return [tag["Key"] for tag in item["Tags"]]


ROUTE_TABLE: dict[str, Values] = {
    "association.gateway-id": _each("Associations", "GatewayId"),
    "association.main": _each("Associations", "Main"),
    "association.route-table-association-id": _each("Associations", "RouteTableAssociationId"),
    "association.route-table-id": _each("Associations", "RouteTableId"),
    "association.subnet-id": _each("Associations", "SubnetId"),
    "owner-id": _own("OwnerId"),
    "route-table-id": _own("RouteTableId"),
    "route.destination-cidr-block": _each("Routes", "DestinationCidrBlock"),
    "route.destination-ipv6-cidr-block": _each("Routes", "DestinationIpv6CidrBlock"),
    "route.destination-prefix-list-id": _each("Routes", "DestinationPrefixListId"),
    "route.egress-only-internet-gateway-id": _each("Routes", "EgressOnlyInternetGatewayId"),
    "route.gateway-id": _each("Routes", "GatewayId"),
    "route.instance-id": _each("Routes", "InstanceId"),
    "route.nat-gateway-id": _each("Routes", "NatGatewayId"),
    "route.origin": _each("Routes", "Origin"),
    "route.state": _each("Routes", "State"),
    "route.transit-gateway-id": _each("Routes", "TransitGatewayId"),
    "route.vpc-peering-connection-id": _each("Routes", "VpcPeeringConnectionId"),
    "tag-key": _tag_keys,
    "vpc-id": _own("VpcId"),
}

ADDRESS: dict[str, Values] = {
    "allocation-id": _own("AllocationId"),
    "association-id": _own("AssociationId"),
    "domain": _own("Domain"),
    "instance-id": _own("InstanceId"),
    "network-border-group": _own("NetworkBorderGroup"),
    "network-interface-id": _own("NetworkInterfaceId"),
    "network-interface-owner-id": _own("NetworkInterfaceOwnerId"),
    "private-ip-address": _own("PrivateIpAddress"),
    "public-ip": _own("PublicIp"),
    "tag-key": _tag_keys,
}


def _inner(outer: str, key: str) -> Values:
    return lambda item: [item[outer][key]] if key in (item.get(outer) or {}) else []


NETWORK_INTERFACE: dict[str, Values] = {
    "addresses.association.public-ip": lambda item: [
        each["Association"]["PublicIp"] for each in item["PrivateIpAddresses"] if "Association" in each
    ],
    "addresses.primary": _each("PrivateIpAddresses", "Primary"),
    "addresses.private-ip-address": _each("PrivateIpAddresses", "PrivateIpAddress"),
    "association.allocation-id": _inner("Association", "AllocationId"),
    "association.association-id": _inner("Association", "AssociationId"),
    "association.public-ip": _inner("Association", "PublicIp"),
    "attachment.attachment-id": _inner("Attachment", "AttachmentId"),
    "attachment.device-index": _inner("Attachment", "DeviceIndex"),
    "attachment.instance-id": _inner("Attachment", "InstanceId"),
    "attachment.status": _inner("Attachment", "Status"),
    "availability-zone": _own("AvailabilityZone"),
    "description": _own("Description"),
    "group-id": _each("Groups", "GroupId"),
    "ipv6-addresses.ipv6-address": _each("Ipv6Addresses", "Ipv6Address"),
    "interface-type": _own("InterfaceType"),
    "mac-address": _own("MacAddress"),
    "network-interface-id": _own("NetworkInterfaceId"),
    "owner-id": _own("OwnerId"),
    "private-ip-address": _own("PrivateIpAddress"),
    "requester-managed": _own("RequesterManaged"),
    "source-dest-check": _own("SourceDestCheck"),
    "status": _own("Status"),
    "subnet-id": _own("SubnetId"),
    "tag-key": _tag_keys,
    "vpc-id": _own("VpcId"),
}
