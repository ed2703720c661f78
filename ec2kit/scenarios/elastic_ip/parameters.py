"""The OCF agent of Elastic IPs has the parameters of `ocf:heartbeat:awseip`, and some more."""

from __future__ import annotations

from ec2kit.scenarios.parameter import PROFILE, REGION, REPAIR, Agent, Parameter, device, ipv4, like

AGENT = Agent(
    "moves an Elastic IP between AWS instances",
    "Associates an Elastic IP with the network interface of the server where the resource runs. One call moves the "
    "address, which is never without an owner in between. An EC2 API that does not answer is never a failure of "
    "monitor.",
    (
        Parameter(
            "elastic_ip",
            "Elastic IP address",
            "The Elastic IP address.",
            ipv4,
            "address",
            required=True,
            unique_group="elastic_ip",
            needed_to_stop=True,
        ),
        Parameter(
            "allocation_id",
            "its allocation id",
            "The allocation id of the Elastic IP, eipalloc-0123456789abcdef0. It must be the id of elastic_ip.",
            like("eipalloc-[0-9a-f]+", "an allocation id, eipalloc-…"),
            "allocation_id",
            required=True,
            unique_group="allocation_id",
            needed_to_stop=True,
        ),
        Parameter(
            "private_ip_address",
            "private address on the server",
            "Private address that the Elastic IP is associated with; it also selects the network interface. Each "
            "server has its own, so it needs a rule for each server; usually set interface instead. Default: the "
            "primary private address of the interface.",
            ipv4,
            "private_ip_address",
            unique_group="private_ip_address",
            needed_to_stop=True,
        ),
        Parameter(
            "interface",
            "network interface",
            "Network interface that the Elastic IP is associated with. Default: the interface that has "
            "private_ip_address, otherwise the primary interface of the instance.",
            device,
            "device",
            needed_to_stop=True,
        ),
        REPAIR,
        REGION,
        PROFILE,
    ),
)
