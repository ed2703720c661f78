"""
An Elastic IP in a VPC is associated with one private address of a network interface, not with an instance.

Source: EC2 API, AssociateAddress, DisassociateAddress, DescribeAddresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.utils import random_eip_association_id

from ec2kit.sandbox.call import Refused

DOCUMENTATION_NETWORKS = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
"""The networks that Elastic IPs are drawn from: they look public and lead nowhere. Source: RFC 5737."""


class ElasticIp(ElasticAddress):  # type: ignore[misc]  # moto is untyped
    """An Elastic IP that knows which private address of its interface it is associated with."""

    private_ip_address: str | None = None
    """The address in use; it takes the place of moto's property, which knows the primary address only."""


def allocate(backend: Any, tags: Mapping[str, str] | None = None) -> ElasticIp:
    """
    Allocate an Elastic IP that is free.

    Raises:
        Refused: No address is left.
    """
    taken = {address.public_ip for address in backend.addresses}
    public_ip = next((each for each in _documentation_addresses() if each not in taken), None)
    if public_ip is None:
        raise Refused("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    address = ElasticIp(backend, domain="vpc", address=public_ip, tags=dict(tags or {}))
    backend.addresses.append(address)
    return address


def _documentation_addresses() -> Iterator[str]:
    for network in DOCUMENTATION_NETWORKS:
        yield from (str(host) for host in ipaddress.ip_network(network).hosts())


def associate(
    backend: Any, address: Any, *, interface: Any, private_ip_address: str, allow_reassociation: bool
) -> str:
    """
    Associate an Elastic IP, unless it is there already: then nothing changes, the association id included.

    Another Elastic IP on that private address loses it; the interface that had this one shows it no longer.

    Raises:
        Refused: The Elastic IP is associated elsewhere and may not be taken from there.
    """
    if address.eni is interface and address.private_ip_address == private_ip_address:
        return str(address.association_id)
    if address.eni is not None and not allow_reassociation:
        text = f"resource {address.allocation_id} is already associated with associate-id {address.association_id}"
        raise Refused("Resource.AlreadyAssociated", text)
    for other in backend.addresses:
        if other.eni is interface and other.private_ip_address == private_ip_address:
            _clear(other)
    address.eni, address.private_ip_address = interface, private_ip_address
    address.association_id = random_eip_association_id()
    show(backend)
    return str(address.association_id)


def disassociate(backend: Any, address: Any) -> None:
    """Disassociate an Elastic IP; it stays allocated."""
    _clear(address)
    show(backend)


def _clear(address: Any) -> None:
    address.eni = address.instance = address.association_id = address.private_ip_address = None


def show(backend: Any) -> None:
    """
    Make interfaces and instances show the Elastic IPs that they have, and no others.

    moto leaves the address on the interface that it was taken from, and knows only one address on each interface.
    """
    on = {(address.eni.id, address.private_ip_address): address for address in backend.addresses if address.eni}
    for interface in backend.enis.values():
        for each in interface.private_ip_addresses:
            _show_on(each, on.get((interface.id, each["PrivateIpAddress"])), owner=interface.owner_id)
        primary = on.get((interface.id, interface.private_ip_address))
        interface.public_ip = primary.public_ip if primary else None
    for address in backend.addresses:
        address.instance = address.eni.instance if address.eni else None


def _show_on(private_ip_address: dict[str, Any], address: Any, *, owner: str) -> None:
    private_ip_address.pop("Association", None)
    if address is not None:
        private_ip_address["Association"] = {
            "AllocationId": address.allocation_id,
            "AssociationId": address.association_id,
            "IpOwnerId": owner,
            "PublicDnsName": f"ec2-{address.public_ip.replace('.', '-')}.compute-1.amazonaws.com",
            "PublicIp": address.public_ip,
        }


def released_with(backend: Any, interface: Any) -> None:
    """Disassociate the Elastic IPs of an interface that is deleted."""
    for address in backend.addresses:
        if address.eni is interface:
            _clear(address)
    show(backend)
