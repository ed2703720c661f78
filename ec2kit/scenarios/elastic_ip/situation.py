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
from ec2kit.resource import Resource
from ec2kit.scenarios.elastic_ip import Own
from ec2kit.scenarios.situation.lines import NONE, Fields, Line, field, keyed, listed, meant, shown

_LINKS = ("up", "down", "cannot be read")
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
        link: "up", "down", or "cannot be read"; the reason of that is always that there is no /sys/class/net.
        unknown: Why EC2 showed nothing.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("allocation_id", "link", "unknown")

    addresses_shown: tuple[Address, ...]
    link: str
    unknown: str | None = None

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
        return cls(tuple(_read_address(name, line) for name, line in found.items()), link.text, unknown)

    def lines(self) -> list[str]:
        entries = listed("EC2 shows", [_write_address(each) for each in self.addresses_shown])
        return entries + (field("unknown", self.unknown) if self.unknown else []) + field("link", self.link)

    def prepare(self, root: Path, device: str) -> Mapping[str, object]:
        devices = root / "sys/class/net"
        if self.link != "cannot be read":
            (devices / device).mkdir(parents=True)
            (devices / device / "operstate").write_text(f"{self.link}\n")
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
