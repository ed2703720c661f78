"""Where on this server an address goes: a device, its ENI and its private address; asked once a boot."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass

from ec2kit.deadline import Deadline
from ec2kit.errors import InterfaceUnknown, StateUnusable
from ec2kit.nic import Nic
from ec2kit.node import Interface, identity, interface, interfaces, primary_device
from ec2kit.resource import Server
from ec2kit.settings import Settings
from ec2kit.state import Damaged, StateFile, boot_id


@dataclass(frozen=True)
class Place:
    """This server, as a resource that is defined without it needs to know it."""

    device: str
    network_interface_id: str
    private_ip_address: str
    vpc_id: str
    instance_id: str
    region: str
    availability_zone: str

    def server(self, name: str) -> Server:
        """The only server that such a resource knows."""
        return Server(
            name=name,
            priority=1,
            device=self.device,
            network_interface_id=self.network_interface_id,
            private_ip_address=self.private_ip_address,
            instance_id=self.instance_id,
            availability_zone=self.availability_zone,
        )


def place(tag: str, *, device: str, private_ip_address: str, settings: Settings, deadline: Deadline) -> Place:
    """
    Find the place of a resource's address on this server.

    What IMDS said once in this boot counts as long as the device has the same MAC address, or is gone.

    Args:
        device: "": the one that has the private address.
        private_ip_address: "": the device's primary one. Without both: that of the instance's primary ENI.

    Raises:
        InterfaceUnknown: There is no such device, or it is no ENI of this instance, or lacks the address.
        ImdsSilent: IMDS does not say.
    """
    file = StateFile(os.path.join(settings.run_dir, f"{tag}.place.json"))
    asked = {"boot": boot_id(), "metadata_url": settings.metadata_url, "asked": [device, private_ip_address]}
    with suppress(Damaged, KeyError, TypeError, StateUnusable):
        kept = file.read()
        if kept and all(kept.get(name) == value for name, value in asked.items()):
            found = Place(**kept["place"])
            if Nic(found.device, settings).mac in (kept["mac"], None):
                return found
    found = _ask(device, private_ip_address, settings, deadline)
    with suppress(StateUnusable):  # it is asked again the next time
        file.write({**asked, "place": asdict(found), "mac": Nic(found.device, settings).mac})
    return found


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
