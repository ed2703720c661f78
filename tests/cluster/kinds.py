"""One resource of each kind of address for the lab's cluster, and how an outside hand sees and moves each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3

from . import cib
from .lab import Lab
from .node import SECONDARY_IP

OWNER = "210987654321"
"""The account that owns the route tables."""

ROLE = f"arn:aws:iam::{OWNER}:role/network/vip-mover"


@dataclass(frozen=True)
class Kind:
    """
    One resource.

    Attributes:
        holder: Tells the node that has the address, by EC2 or Route 53.
        give: An outside hand moves the address to a node.
    """

    name: str
    agent: str
    parameters: Mapping[str, str]
    holder: Callable[[], str | None]
    give: Callable[[str], object]

    @property
    def primitive(self) -> str:
        parameters = {**self.parameters, "repair_in_monitor": "true"}
        return cib.primitive(self.name, self.agent, parameters)


def kinds(lab: Lab) -> list[Kind]:
    """
    A virtual IP by the recipe for route tables of another account, a default route, a secondary address, a record set
    and an Elastic IP; the first and the last have the names that the lab looks for.
    """
    told, nat, names = lab.description, _nat(lab), Names(lab)
    tables = ",".join(told["route_table_ids"])
    vip = {"ip": lab.vip, "interface": "eth0", "routing_table": tables, "routing_table_role": ROLE}
    default = {"ip": "0.0.0.0/0", "interface": "eth0", "routing_table": nat, "routing_table_role": ROLE}
    private = {"secondary_private_ip": SECONDARY_IP, "interface": "eth0", "manage_address": "true"}
    record = {"hostedzoneid": told["hosted_zone_id"], "fullname": told["record"]}
    elastic = {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"]}
    return [
        Kind("vip", "aws-vpc-move-ip", vip, lab.route_holder, lab.point),
        Kind("nat", "route-table", default, partial(_default_route, lab, nat), partial(_point, lab, nat)),
        Kind("sip", "secondary-ip", private, partial(has_secondary, lab), partial(_assign, lab)),
        Kind("dns", "dns-record", record, names.holder, names.give),
        Kind("eip", "elastic-ip", elastic, lab.address_holder, partial(_associate, lab)),
    ]


def _eth0(lab: Lab, name: str) -> dict[str, str]:
    interface: dict[str, str] = lab.description["nodes"][name]["interfaces"]["eth0"]
    return interface


def _eni(lab: Lab, name: str) -> str:
    return _eth0(lab, name)["network_interface_id"]


def _nat(lab: Lab) -> str:
    """A route table of private subnets, whose default route points at the first node."""
    table = lab.aws.create_route_table(VpcId=lab.description["vpc_id"])["RouteTable"]["RouteTableId"]
    lab.aws.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=_eni(lab, "node1"))
    return str(table)


def _default_route(lab: Lab, table: str) -> str | None:
    (found,) = lab.aws.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return lab.node_of(next(each for each in found["Routes"] if each["DestinationCidrBlock"] == "0.0.0.0/0"))


def _point(lab: Lab, table: str, name: str) -> None:
    lab.aws.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=_eni(lab, name))


def has_secondary(lab: Lab) -> str | None:
    for each in lab.aws.describe_network_interfaces()["NetworkInterfaces"]:
        if SECONDARY_IP in [one["PrivateIpAddress"] for one in each["PrivateIpAddresses"]]:
            return lab.node_of(each)
    return None


def _assign(lab: Lab, name: str) -> None:
    lab.aws.assign_private_ip_addresses(
        NetworkInterfaceId=_eni(lab, name), PrivateIpAddresses=[SECONDARY_IP], AllowReassignment=True
    )


def _associate(lab: Lab, name: str) -> None:
    lab.aws.associate_address(
        AllocationId=lab.description["allocation_id"], NetworkInterfaceId=_eni(lab, name), AllowReassociation=True
    )


class Names:
    """Route 53 at the endpoint that nobody disturbs."""

    def __init__(self, lab: Lab) -> None:
        told = lab.description
        self._zone, self._name = told["hosted_zone_id"], told["record"]
        self._addresses = {name: _eth0(lab, name)["private_ip_address"] for name in told["nodes"]}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        url, region = told["endpoint_url"], told["region"]
        self._route53: Any = boto3.client("route53", endpoint_url=url, region_name=region, **keys)

    def holder(self) -> str | None:
        listed = self._route53.list_resource_record_sets(HostedZoneId=self._zone)["ResourceRecordSets"]
        values = [
            one["Value"] for each in listed if each["Name"] == f"{self._name}." for one in each["ResourceRecords"]
        ]
        return next((name for name, address in self._addresses.items() if values == [address]), None)

    def give(self, name: str) -> None:
        record = {"Name": self._name, "Type": "A", "TTL": 10, "ResourceRecords": [{"Value": self._addresses[name]}]}
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        self._route53.change_resource_record_sets(HostedZoneId=self._zone, ChangeBatch={"Changes": changes})
