"""An address has its place on this server: a device, its ENI and its private address; IMDS is asked once a boot."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import InterfaceUnknown, StateUnusable
from ec2kit.host.device import Device, device_with
from ec2kit.host.instance import Interface, identity, interface, interfaces, primary_device
from ec2kit.resource import Server
from ec2kit.settings import Settings
from ec2kit.state.note import PLACE, Note


class Place(NamedTuple):
    """Describe this server as a resource needs it that is defined without its servers."""

    device: str
    network_interface_id: str
    private_ip_address: str
    vpc_id: str
    instance_id: str
    region: str
    availability_zone: str
    mac_address: str = ""
    vpc_cidr_blocks: tuple[str, ...] = ()

    def server(self, name: str) -> Server:
        """Return the only server that such a resource knows."""
        return Server(
            name=name,
            priority=1,
            device=self.device,
            network_interface_id=self.network_interface_id,
            private_ip_address=self.private_ip_address,
            instance_id=self.instance_id,
            availability_zone=self.availability_zone,
            mac_address=self.mac_address,
        )


def place(tag: str, *, device: str, private_ip_address: str, settings: Settings, deadline: Deadline) -> Place:
    """
    Find the place of a resource's address on this server.

    The answers of IMDS in this boot count as long as the device has the same MAC address, is called otherwise, or is
    gone.

    Args:
        device: "": the device that has the private address.
        private_ip_address: "": the device's primary one. Without both: that of the instance's primary ENI.

    Raises:
        InterfaceUnknown: There is no such device, or it is no ENI of this instance, or lacks the address.
        ImdsSilent: IMDS does not say.
    """
    note = Note(settings.run_dir, tag, PLACE)
    asked = {"metadata_url": settings.metadata_url, "asked": [device, private_ip_address]}
    with suppress(KeyError, TypeError, StateUnusable):
        kept = note.read()
        answers = kept is not None and all(kept.get(name) == value for name, value in asked.items())
        if kept and answers and (still := _still(_place(kept["place"]), settings)):
            return still
    found = _ask(device, private_ip_address, settings, deadline)
    with suppress(StateUnusable):  # the next action asks again
        note.write({**asked, "place": found._asdict()})
    return found


def _place(noted: dict[str, Any]) -> Place:
    """Return a place from its note; raises KeyError or TypeError if an earlier version wrote that."""
    return Place(**{**noted, "vpc_cidr_blocks": tuple(noted["vpc_cidr_blocks"])})


def _still(kept: Place, settings: Settings) -> Place | None:
    """Return a place with the present name of its device, None if another ENI has that name now."""
    mac_address = Device(kept.device, settings).mac
    if mac_address == kept.mac_address:
        return kept
    if mac_address is not None:
        return None
    renamed = device_with(kept.mac_address, settings)
    return kept if renamed is None else kept._replace(device=renamed.name)


def _ask(device: str, private_ip_address: str, settings: Settings, deadline: Deadline) -> Place:
    eni = _find(device, private_ip_address, settings, deadline)
    here = identity(settings, deadline)
    return Place(
        device=eni.device,
        network_interface_id=eni.network_interface_id,
        private_ip_address=private_ip_address or eni.private_ip_addresses[0],
        vpc_id=eni.vpc_id,
        instance_id=here.instance_id,
        region=here.region,
        availability_zone=here.availability_zone,
        mac_address=eni.mac_address,
        vpc_cidr_blocks=eni.vpc_cidr_blocks,
    )


def _find(device: str, private_ip_address: str, settings: Settings, deadline: Deadline) -> Interface:
    if not private_ip_address:
        return interface(device or primary_device(settings, deadline), settings, deadline)
    candidates = [interface(device, settings, deadline)] if device else interfaces(settings, deadline)
    for each in candidates:
        if private_ip_address in each.private_ip_addresses:
            return each
    where = device or "this instance"
    raise InterfaceUnknown(device=f"with {private_ip_address}", reason=f"{where} does not have that private address")
