"""What EC2 said, reduced to what the kit needs; `aws` gives these, the scenarios read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ec2kit.errors import Ec2KitError


@dataclass(frozen=True)
class Route:
    """
    One route.

    Attributes:
        target: What it points at: an ENI's id if it has one, else the gateway's or other id, else None.
        active: False when EC2 calls it a blackhole.
    """

    destination_cidr_block: str
    target: str | None
    active: bool

    @property
    def text(self) -> str:
        """The target for a person: "eni-1", "eni-1 (blackhole)", "nothing"."""
        return (self.target or "nothing") + ("" if self.active else " (blackhole)")


@dataclass(frozen=True)
class RouteTable:
    """One route table with those of its routes that were asked for."""

    route_table_id: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class RouteTables:
    """
    The route tables of a VPC, as far as EC2 told.

    Attributes:
        unknown: Why later pages are missing; what earlier pages said still counts.
    """

    tables: tuple[RouteTable, ...]
    unknown: Ec2KitError | None = None


@dataclass(frozen=True)
class Address:
    """One Elastic IP; the last three are None while it is associated with nothing."""

    public_ip: str
    allocation_id: str
    association_id: str | None = None
    network_interface_id: str | None = None
    private_ip_address: str | None = None


@dataclass(frozen=True)
class NetworkInterface:
    """One ENI, as far as the checks look at it."""

    network_interface_id: str
    instance_id: str | None
    source_dest_check: bool


@dataclass(frozen=True)
class Receipt:
    """
    That EC2 carried out a request.

    Attributes:
        attempts: How often it was sent or tried to be sent; 1 is the rule.
        milliseconds: From the first attempt to the answer.
    """

    request_id: str
    attempts: int
    milliseconds: float
