"""The effective route of a subnet is found here: which of its table's routes decides where packets go."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ec2kit.ec2.answers import SubnetTable


def table_of(tables: Sequence[SubnetTable], subnet: str) -> SubnetTable | None:
    """
    Return the table that decides for a subnet.

    Source: VPC user guide, "Route table concepts": the main table is that of subnets without another one.
    """
    main = next((each for each in tables if each.is_main), None)
    return next((each for each in tables if subnet in each.subnet_ids), main)


def destination_for(
    table: SubnetTable,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    lists: Mapping[str, Sequence[str]],
) -> str:
    """
    Return the destination of the route that decides for an address; "" if there is none.

    Args:
        lists: Prefix list → its blocks; a list that is not named here is not looked into.

    Source: VPC user guide, "How route priority works": the longest prefix; of the same, a prefix list comes last.
    """
    candidates: list[tuple[int, bool, str]] = []
    for destination in {each.destination for each in table.routes}:
        is_list = destination.startswith("pl-")
        for block in lists.get(destination, ()) if is_list else (destination,):
            network = ipaddress.ip_network(block, strict=False)
            if address in network:
                candidates.append((network.prefixlen, not is_list, destination))
    return max(candidates)[2] if candidates else ""
