"""
Resources by the AWS agents of resource-agents, as guides publish them, for either provider; and when each is served.

Sources: AWS's guides for SAP ASE on RHEL and for SAP HANA on SUSE (aws-vpc-move-ip, with `profile=cluster`); Red Hat,
"Deploying a High Availability cluster on AWS" (awsvip, IPaddr2, awseip in one group); the example in the meta-data of
aws-vpc-route53. Operations are those of the guide, or those of the agent's meta-data, which pcs takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from . import cib
from .kinds import Names, has_secondary
from .lab import Lab
from .node import SECONDARY_IP

OTHERS = ("heartbeat", "suse")
"""Providers of the four agents that are not ec2kit's."""


@dataclass(frozen=True)
class Guide:
    """
    One resource of a guide.

    Attributes:
        parameters: As published; the values are the lab's.
        monitor: Seconds between two monitors.
        times: The time-outs of start, stop and monitor, in seconds.
        own: Parameters that differ between the nodes, as XML.
        beside: Further resources of the guide that belong to it, in the order of a group.
        holder: Tells the node that has the address, by EC2 or Route 53.
        carried: The address that a device has to have as well; "": none.
    """

    name: str
    agent: str
    parameters: Mapping[str, str]
    monitor: int
    times: tuple[int, int, int]
    holder: Callable[[], str | None]
    own: str = ""
    beside: str = ""
    carried: str = ""

    def primitive(self, provider: str, **also: str) -> str:
        """Return the resource by one provider's agent; `also` are parameters that only this lab needs."""
        start, stop, monitor = self.times
        parameters = cib.pairs(self.name, {**self.parameters, **also})
        return f"""
   <primitive id="{self.name}" class="ocf" provider="{provider}" type="{self.agent}">
    <instance_attributes id="{self.name}-parameters">{parameters}</instance_attributes>{self.own}
    <operations>
     <op id="{self.name}-start" name="start" interval="0" timeout="{start}s"/>
     <op id="{self.name}-stop" name="stop" interval="0" timeout="{stop}s"/>
     <op id="{self.name}-monitor" name="monitor" interval="{self.monitor}s" timeout="{monitor}s"/>
    </operations>
   </primitive>{self.beside}"""


def guides(lab: Lab) -> list[Guide]:
    """
    Return the four agents' resources, in the order of one group.

    The first and the Elastic IP have the names that the lab looks for.
    """
    told = lab.description
    tables = ",".join(told["route_table_ids"])
    ip = {"ip": SECONDARY_IP, "nic": "eth0", "cidr_netmask": "32"}  # the lab's nodes have a leg of their own each
    return [
        Guide(
            "vip",
            "aws-vpc-move-ip",
            {"ip": lab.vip, "routing_table": tables, "interface": "eth0", "profile": "cluster"},
            60,
            (180, 180, 60),
            lab.route_holder,
            carried=lab.vip,
        ),
        Guide(
            "sip",
            "awsvip",
            {"secondary_private_ip": SECONDARY_IP},
            20,
            (30, 30, 30),
            partial(has_secondary, lab),
            beside=cib.primitive("sip-ip", "IPaddr2", ip, provider="heartbeat", interval=10, standby=False),
            carried=SECONDARY_IP,
        ),
        Guide(
            "eip",
            "awseip",
            {"elastic_ip": told["elastic_ip"], "allocation_id": told["allocation_id"]},
            20,
            (30, 30, 30),
            lab.address_holder,
            own=own_private_address(lab),
        ),
        Guide(
            "dns",
            "aws-vpc-route53",
            {"hostedzoneid": told["hosted_zone_id"], "fullname": f"{told['record']}.", "profile": "cluster"},
            300,
            (180, 180, 180),
            Names(lab).holder,
        ),
    ]


def own_private_address(lab: Lab) -> str:
    """Return awseip's private address, which it needs on an instance of two interfaces, and so each node its own."""
    sets = []
    for name, node in lab.description["nodes"].items():
        rule = f'<rule id="eip-{name}" score="INFINITY"><expression id="eip-{name}-x" attribute="#uname"'
        rule += f' operation="eq" value="{name}"/></rule>'
        address = {"private_ip_address": node["interfaces"]["eth0"]["private_ip_address"]}
        own = f"eip-{name}-p"
        sets.append(f'<instance_attributes id="{own}">{rule}{cib.pairs(own, address)}</instance_attributes>')
    return "".join(sets)
