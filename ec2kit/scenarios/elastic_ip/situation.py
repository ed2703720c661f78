"""A situation says what EC2 shows of the Elastic IPs, and this server of its link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ec2kit.ec2.answers import Address
from ec2kit.errors import Unknown
from ec2kit.messages.catalogue import SHARED_UNKNOWN
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.elastic_ip import Observed, Own
from ec2kit.scenarios.situation.lines import NONE, Fields, Line, field, keyed, listed, meant, shown

_LINKS = ("up", "down", "cannot be read", "no device")
_FREE = re.compile(r"(\S+) free")
_ASSOCIATED = re.compile(r"(\S+) on (\S+) \((\S+)\) by (\S+?)(?:, managed for (\S+))?")


@dataclass(frozen=True)
class ElasticIpShown:
    """
    EC2 shows all Elastic IPs of the account in the region, in its order; this server shows the link of its device.

        EC2 shows:
          eipalloc-1: 203.0.113.10 on eni-b (10.0.2.12) by eipassoc-1
          eipalloc-2: 203.0.113.20 free
          eipalloc-3: 203.0.113.30 on eni-n (10.0.2.90) by eipassoc-3, managed for nlb
        link: up

    Attributes:
        link: "up", "down", "no device", or "cannot be read".
        unknown: Why EC2 showed nothing.
        link_error: Why the link cannot be read; None: there is no /sys/class/net.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("allocation_id", "link", "link error", "unknown")
    TUNABLES: ClassVar[tuple[str, ...]] = ("EC2_EIP_EXCLUSIVE", "EC2_NOLINKCHECK")

    addresses_shown: tuple[Address, ...]
    link: str
    unknown: str | None = None
    link_error: str | None = None

    @classmethod
    def of(cls, observed: Observed) -> ElasticIpShown:
        ours = (observed.address._replace(service_managed=observed.service),) if observed.address else ()
        addresses = tuple(each._replace(instance_id=None) for each in (*ours, *observed.neighbours))
        if observed.unknown is not None:
            return cls(addresses, "cannot be read", link_error=str(observed.unknown))
        if not observed.has_device:
            return cls(addresses, "no device")
        return cls(addresses, "up" if observed.link_is_up else "down")

    @classmethod
    def silent(cls, reason: str) -> ElasticIpShown:
        return cls((), "up", reason)

    @classmethod
    def essential(cls, own: Own) -> Own:
        return own

    @classmethod
    def read_own(cls, fields: Fields) -> Own:
        return Own(fields.value("allocation_id").text)

    @classmethod
    def own_lines(cls, resource: Resource) -> list[str]:
        return field("allocation_id", resource.own.allocation_id)

    @classmethod
    def read(cls, fields: Fields) -> ElasticIpShown:
        found = keyed(fields.entries("EC2 shows"))
        unknown, link = fields.optional_value("unknown"), fields.value("link")
        if link.text not in _LINKS:
            raise link.wrong(f"{link.text!r} is none of: {', '.join(_LINKS)}")
        for line in found.values() if unknown else ():
            raise line.wrong("where EC2's answer is unknown it shows no Elastic IP, since that answer has no pages")
        addresses = tuple(_read_address(name, line) for name, line in found.items())
        return cls(addresses, link.text, unknown, fields.optional_value("link error"))

    def lines(self) -> list[str]:
        entries = listed("EC2 shows", [_write_address(each) for each in self.addresses_shown])
        return [
            *entries,
            *(field("unknown", self.unknown) if self.unknown else []),
            *field("link", self.link),
            *(field("link error", self.link_error) if self.link_error else []),
        ]

    def completed(self, observed: Observed) -> Observed:
        if self.link_error is None:
            return observed
        return observed._replace(unknown=Unknown(SHARED_UNKNOWN, reason=self.link_error))

    def prepare(self, root: Path, server: Server) -> Mapping[str, object]:
        devices = root / "sys/class/net"
        if self.link == "no device":
            devices.mkdir(parents=True)
        elif self.link != "cannot be read":
            (devices / server.device).mkdir(parents=True)
            (devices / server.device / "operstate").write_text(f"{self.link}\n")
            (devices / server.device / "address").write_text(f"{server.mac_address}\n")
        return {"net_dir": str(devices)}

    def network_interface(self, network_interface_id: str, *, retries: int) -> None:
        """Show no ENI; what is known of a service stands beside the address."""

    def addresses(self) -> tuple[Address, ...]:
        """Answer as `Ec2.addresses`."""
        if self.unknown:
            raise Unknown(SHARED_UNKNOWN, reason=self.unknown)
        return self.addresses_shown


def _read_address(allocation_id: str, line: Line) -> Address:
    if found := _FREE.fullmatch(line.text):
        return Address(meant(found[1]) or "", allocation_id)
    if found := _ASSOCIATED.fullmatch(line.text):
        public_ip, network_interface_id, private_ip_address, association_id = map(meant, found.groups()[:4])
        place = (association_id, network_interface_id, private_ip_address)
        return Address(public_ip or "", allocation_id, *place, service_managed=found[5])
    raise line.wrong(f"{line.text!r} is neither 'IP free' nor 'IP on ENI (PRIVATE IP) by ASSOCIATION'")


def _write_address(address: Address) -> str:
    public_ip, allocation_id, *association = map(shown, address[:5])
    if association == [NONE, NONE, NONE]:
        return f"{allocation_id}: {public_ip} free"
    association_id, network_interface_id, private_ip_address = association
    managed = f", managed for {address.service_managed}" if address.service_managed else ""
    place = f"{network_interface_id} ({private_ip_address}) by {association_id}"
    return f"{allocation_id}: {public_ip} on {place}{managed}"
