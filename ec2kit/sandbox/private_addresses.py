"""
A network interface has private addresses of its subnet: one primary, some secondary, and some of IPv6.

Source: EC2 API, AssignPrivateIpAddresses, UnassignPrivateIpAddresses, AssignIpv6Addresses, UnassignIpv6Addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from ec2kit.sandbox import addresses
from ec2kit.sandbox.call import Refused

_MOST = 4
"""Addresses of one interface, of either family. Source: EC2 user guide, "IP addresses per network interface"."""

_RESERVED = 4
"""First addresses of a subnet that EC2 gives to nobody. Source: Amazon VPC user guide, "Subnet CIDR blocks"."""

Result = dict[str, Any]


def assign(backend: Any, interface: Any, asked: Sequence[str], *, may_take: bool) -> Result:
    """
    Assign secondary addresses; a secondary one of another interface of the subnet is taken if that is allowed.

    Raises:
        Refused: Nothing was changed.
    """
    for each in asked:
        _check_place(each, [interface.subnet.cidr_block])
    others = {each: _holder(backend, interface, each) for each in asked}
    for each, other in others.items():
        if other is not None and (not may_take or other.private_ip_address == each):
            raise Refused("InvalidParameterValue", f"[{each}] is already assigned to interface {other.id}.")
    more = [each for each in asked if each not in _of(interface)]
    if len(interface.private_ip_addresses) + len(more) > _MOST:
        raise Refused("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
    for each in more:
        _take(backend, each, others[each], interface)
    addresses.show(backend)
    assigned = [{"PrivateIpAddress": each} for each in asked]
    return {"NetworkInterfaceId": interface.id, "AssignedPrivateIpAddresses": assigned}


def _of(interface: Any) -> list[str]:
    return [each["PrivateIpAddress"] for each in interface.private_ip_addresses]


def _holder(backend: Any, interface: Any, address: str) -> Any:
    """Return the other interface of the subnet that has the address, None if none has."""
    for other in backend.enis.values():
        if other is not interface and other.subnet_id == interface.subnet_id and address in _of(other):
            return other
    return None


def _take(backend: Any, address: str, other: Any, interface: Any) -> None:
    """Let an address change its interface; its Elastic IP goes with it."""
    if other is not None:
        other.private_ip_addresses = [each for each in other.private_ip_addresses if _is_not(each, address)]
        for elastic_ip in backend.addresses:
            if elastic_ip.eni is other and elastic_ip.private_ip_address == address:
                elastic_ip.eni = interface
    else:
        interface.subnet.del_subnet_ip(address)  # a reset of the sandbox leaves the subnet's own record behind
        interface.subnet.request_ip(address, instance=interface.instance)
    interface.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": address})


def _is_not(each: dict[str, Any], address: str) -> bool:
    return bool(each["PrivateIpAddress"] != address)


def unassign(backend: Any, interface: Any, asked: Sequence[str]) -> None:
    """
    Take secondary addresses off; EC2 may give them to any other interface from then on.

    Raises:
        Refused: One of them is not there or is primary; nothing was changed.
    """
    for each in asked:
        if each not in _of(interface):
            text = f"Some of the specified addresses are not assigned to interface {interface.id}"
            raise Refused("InvalidParameterValue", text)
        if each == interface.private_ip_address:
            text = f"The primary IP address {each} of interface {interface.id} cannot be unassigned."
            raise Refused("InvalidParameterValue", text)
    for each in asked:
        interface.private_ip_addresses = [one for one in interface.private_ip_addresses if _is_not(one, each)]
        interface.subnet.del_subnet_ip(each)
        for elastic_ip in backend.addresses:
            if elastic_ip.eni is interface and elastic_ip.private_ip_address == each:
                addresses.disassociate(backend, elastic_ip)


def assign_ipv6(backend: Any, interface: Any, asked: Sequence[str]) -> Result:
    """
    Assign IPv6 addresses that no interface has.

    Raises:
        Refused: Nothing was changed.
    """
    wanted = [_canonical(each) for each in asked]
    for each in wanted:
        _check_place(each, [one["ipv6CidrBlock"] for one in interface.subnet.ipv6_cidr_block_association_set])
        for other in backend.enis.values():
            if other is not interface and each in other.ipv6_addresses:
                raise Refused("InvalidParameterValue", f"[{each}] is already assigned to interface {other.id}.")
    more = [each for each in wanted if each not in interface.ipv6_addresses]
    if len(interface.ipv6_addresses) + len(more) > _MOST:
        raise Refused("PrivateIpAddressLimitExceeded", "Number of IPv6 addresses will exceed limit.")
    interface.ipv6_addresses.extend(more)
    return {"NetworkInterfaceId": interface.id, "AssignedIpv6Addresses": wanted}


def unassign_ipv6(interface: Any, asked: Sequence[str]) -> Result:
    """
    Take IPv6 addresses off.

    Raises:
        Refused: One of them is not there; nothing was changed.
    """
    wanted = [_canonical(each) for each in asked]
    if not {*wanted} <= {*interface.ipv6_addresses}:
        text = f"Some of the specified addresses are not assigned to interface {interface.id}"
        raise Refused("InvalidParameterValue", text)
    for each in wanted:
        interface.ipv6_addresses.remove(each)
    return {"NetworkInterfaceId": interface.id, "UnassignedIpv6Addresses": wanted}


def _canonical(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise Refused("InvalidParameterValue", f"invalid value for parameter address: {text}") from error


def _check_place(text: str, blocks: Sequence[str]) -> None:
    """Refuse what is no address of the subnet, or one that EC2 keeps for itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise Refused("InvalidParameterValue", f"invalid value for parameter address: {text}") from error
    block = next((each for each in map(ipaddress.ip_network, blocks) if address in each), None)
    if block is None:
        raise Refused("InvalidParameterValue", "Address does not fall within the subnet's address range")
    if int(address) - int(block.network_address) < _RESERVED or address == block.broadcast_address:
        raise Refused("InvalidParameterValue", "Address is in subnet's reserved address range")
