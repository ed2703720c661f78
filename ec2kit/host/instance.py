"""This instance is described by its metadata service: id, region, VPC, and the ENI of a device."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, ImdsSilent, InterfaceUnknown, StateUnusable
from ec2kit.host.device import Device, device_with, devices, own_devices
from ec2kit.host.imds import Metadata
from ec2kit.settings import Settings
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Damaged, StateFile

_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


class Identity(NamedTuple):
    """Identify this instance; the identity does not change while the instance runs."""

    instance_id: str
    region: str
    availability_zone: str


class Interface(NamedTuple):
    """
    Describe the ENI behind a device.

    Attributes:
        private_ip_addresses: The primary one first.
        vpc_cidr_blocks: All IPv4 blocks of its VPC.
        mac_address: "06:…", in lower case.
        subnet_cidr_blocks: All blocks of its subnet, those of IPv6 too.
    """

    device: str
    network_interface_id: str
    private_ip_addresses: tuple[str, ...]
    vpc_id: str
    vpc_cidr_blocks: tuple[str, ...]
    mac_address: str = ""
    subnet_cidr_blocks: tuple[str, ...] = ()


def identity(settings: Settings, deadline: Deadline) -> Identity:
    """
    Return the identity of this instance; it is asked for once a boot and kept in EC2KIT_RUN_DIR.

    Raises:
        ImdsSilent: The identity was not known yet, and IMDS does not give it.
    """
    file = StateFile(os.path.join(settings.run_dir, "identity.json"))
    key = {"boot": boot_id(), "metadata_url": settings.metadata_url}
    with suppress(Damaged, KeyError, StateUnusable):
        kept = file.read()
        if kept and all(kept.get(name) == value for name, value in key.items()):
            known = [str(kept[name]) for name in Identity._fields]
            if all(map(_is_identifier, known)):
                return Identity(*known)
    found = _ask_identity(Metadata(settings, deadline))
    if not settings.only_looks:
        with suppress(StateUnusable):  # the next action asks again
            file.write({**key, **found._asdict()})
    return found


def _ask_identity(metadata: Metadata) -> Identity:
    zone = metadata.need("meta-data/placement/availability-zone", _is_identifier)
    place = "meta-data/placement/region"
    region = metadata.get(place) or zone.rstrip("abcdefghijklmnopqrstuvwxyz")
    instance_id = metadata.need("meta-data/instance-id", _is_identifier)
    return Identity(instance_id, metadata.checked(place, region, _is_identifier), zone)


def account(settings: Settings, deadline: Deadline) -> str:
    """
    Return the account of this instance, "111122223333".

    Raises:
        ImdsSilent: IMDS does not say.

    Source: EC2 user guide, "Instance identity documents".
    """
    import json

    path = "dynamic/instance-identity/document"
    metadata = Metadata(settings, deadline)
    document = metadata.need(path)
    try:
        found = str(json.loads(document)["accountId"])
    except (ValueError, KeyError, TypeError) as error:
        raise ImdsSilent(endpoint=settings.metadata_url, reason=f"/latest/{path} has no accountId") from error
    return metadata.checked(path, found, _is_account)


def _is_account(text: str) -> bool:
    return re.fullmatch("[0-9]{12}", text) is not None


def interface(device: str, settings: Settings, deadline: Deadline) -> Interface:
    """
    Return the ENI behind a device, found by its MAC address.

    Raises:
        InterfaceUnknown: There is no such device, it is no ENI of this instance, or the ENI has no IPv4 address.
        ImdsSilent: IMDS does not say.
    """
    mac = Device(device, settings).mac if device and "/" not in device and device not in (".", "..") else None
    if not mac:
        raise InterfaceUnknown(device=ascii(device), reason=f"the devices here are: {', '.join(devices(settings))}")
    metadata = Metadata(settings, deadline)
    base = f"meta-data/network/interfaces/macs/{mac}"
    network_interface_id = metadata.get(f"{base}/interface-id")
    if not network_interface_id:
        raise InterfaceUnknown(device=ascii(device), reason=f"IMDS knows no interface with its MAC address {mac}")
    network_interface_id = metadata.checked(f"{base}/interface-id", network_interface_id, _is_identifier)
    addresses = metadata.get(f"{base}/local-ipv4s")
    if addresses is None:
        reason = f"IMDS knows no IPv4 address of its ENI {network_interface_id}"
        raise InterfaceUnknown(device=ascii(device), reason=reason)
    return Interface(
        device=device,
        network_interface_id=network_interface_id,
        private_ip_addresses=tuple(metadata.checked(f"{base}/local-ipv4s", addresses, _are_addresses).split()),
        vpc_id=metadata.need(f"{base}/vpc-id", _is_identifier),
        vpc_cidr_blocks=tuple(metadata.need(f"{base}/vpc-ipv4-cidr-blocks", _are_blocks).split()),
        mac_address=mac,
        subnet_cidr_blocks=_subnet_blocks(metadata, base),
    )


def _subnet_blocks(metadata: Metadata, base: str) -> tuple[str, ...]:
    blocks: list[str] = []
    for name, form in (("subnet-ipv4-cidr-block", _are_blocks), ("subnet-ipv6-cidr-blocks", _are_ipv6_blocks)):
        path = f"{base}/{name}"
        if told := metadata.get(path):
            blocks += metadata.checked(path, told, form).split()
    return tuple(blocks)


def addresses_of(mac_address: str, settings: Settings, deadline: Deadline) -> frozenset[str]:
    """
    Return the private addresses that IMDS shows of the ENI with this MAC address, of IPv4 and of IPv6.

    Raises:
        ImdsSilent: IMDS does not say.
    """
    metadata = Metadata(settings, deadline)
    found: list[str] = []
    for name, form in (("local-ipv4s", _are_addresses), ("ipv6s", _are_ipv6_addresses)):
        path = f"meta-data/network/interfaces/macs/{mac_address}/{name}"
        if told := metadata.get(path):
            found += metadata.checked(path, told, form).split()
    return frozenset(str(ip_address(each)) for each in found)


def addresses_listed(mac_address: str, kind: str, settings: Settings, deadline: Deadline) -> tuple[str, ...]:
    """
    Return the addresses of one kind that IMDS lists of the ENI with this MAC address; () if it lists none.

    Args:
        kind: "public-ipv4s" or "ipv6s".

    Raises:
        ImdsSilent: IMDS does not say.
    """
    path, form = f"meta-data/network/interfaces/macs/{mac_address}/{kind}", _LISTED[kind]
    metadata = Metadata(settings, deadline)
    told = metadata.get(path)
    return tuple(str(ip_address(each)) for each in metadata.checked(path, told, form).split()) if told else ()


def device_of(network_interface_id: str, settings: Settings, deadline: Deadline) -> str:
    """
    Return the device behind an ENI.

    Raises:
        InterfaceUnknown: None of this server's devices is that ENI.
        ImdsSilent: IMDS does not say.
    """
    for each in interfaces(settings, deadline):
        if each.network_interface_id == network_interface_id:
            return each.device
    raise InterfaceUnknown(device=network_interface_id, reason="none of this server's devices is that ENI")


def interfaces(settings: Settings, deadline: Deadline) -> Iterator[Interface]:
    """
    Yield the ENIs behind this server's devices; a device that is no ENI, has no IPv4 address, or cannot be read, is
    left out.

    Raises:
        ImdsSilent: IMDS does not say.
    """
    for device in own_devices(settings):
        try:
            yield interface(device.name, settings, deadline)
        except Ec2KitError as error:
            if isinstance(error, ImdsSilent):
                raise


def primary_device(settings: Settings, deadline: Deadline) -> str:
    """
    Return the device of the instance's primary ENI.

    Raises:
        InterfaceUnknown: No device has its MAC address.
        ImdsSilent: IMDS does not say.
    """
    mac = Metadata(settings, deadline).need("meta-data/mac")
    device = device_with(mac.lower(), settings)
    if device is None:
        raise InterfaceUnknown(device="with the primary ENI", reason=f"no device has its MAC address {mac}")
    return device.name


# -- the forms of items -----------------------------------------------------------------------------------------


def _is_identifier(text: str) -> bool:
    """Tell whether the text could be an id, a zone or a region: "i-0a1b2c3d", "us-east-1-bos-1a"."""
    return _IDENTIFIER.fullmatch(text) is not None


def _are_addresses(text: str) -> bool:
    """Tell whether the text is a list of IPv4 addresses, at least one."""
    return _all_are(text, IPv4Address)


def _are_blocks(text: str) -> bool:
    """Tell whether the text is a list of IPv4 blocks, at least one."""
    return _all_are(text, IPv4Network)


def _are_ipv6_addresses(text: str) -> bool:
    """Tell whether the text is a list of IPv6 addresses, at least one."""
    return _all_are(text, IPv6Address)


def _are_ipv6_blocks(text: str) -> bool:
    """Tell whether the text is a list of IPv6 blocks, at least one."""
    return _all_are(text, IPv6Network)


def _all_are(text: str, kind: type[IPv4Address | IPv4Network | IPv6Address | IPv6Network]) -> bool:
    try:
        return len([kind(each) for each in text.split()]) > 0
    except ValueError:
        return False


_LISTED = {"public-ipv4s": _are_addresses, "ipv6s": _are_ipv6_addresses}
"""Kind of addresses → their form."""
