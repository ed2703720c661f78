"""The OCF agent of private addresses has the parameters of `ocf:heartbeat:awsvip`, and some more."""

from __future__ import annotations

from ec2kit.scenarios.parameter import PROFILE, REGION, REPAIR, Agent, Parameter, device, like, switch
from ec2kit.scenarios.secondary_ip.create import checked


def _address(name: str, text: str) -> str:
    return checked(name, text) if text else ""


AGENT = Agent(
    "moves a secondary private address between AWS instances",
    "Assigns a private address of the subnet, of IPv4 or IPv6, to the network interface of the server where the "
    "resource runs. All servers are in one subnet. stop leaves the address where it is, because EC2 may give an "
    "address that no network interface has to another one. An EC2 API that does not answer is never a failure of "
    "monitor.",
    (
        Parameter(
            "secondary_private_ip",
            "private address",
            "The private address, of IPv4 or IPv6, in the subnet of all servers. It must be primary on no network "
            "interface.",
            _address,
            "address",
            required=True,
            unique_group="secondary_private_ip",
            needed_to_stop=True,
        ),
        Parameter(
            "interface",
            "network interface",
            "Network interface whose ENI gets the address; required with manage_address. Default: the primary "
            "interface of the instance.",
            device,
            "device",
            needed_to_stop=True,
        ),
        Parameter(
            "address_device",
            "network interface that gets the address",
            "Network interface that gets the address with manage_address, if it is not the one whose ENI has it. "
            "Give lo where systemd-networkd, netplan or NetworkManager manages the interface: they take addresses of "
            "others off, and never look at lo.",
            device,
            "address_device",
            needed_to_stop=True,
        ),
        Parameter(
            "iflabel",
            "label of the address",
            "Label of the address on the interface, as ifconfig shows it. Interface, colon and label together have "
            "at most 15 characters. Needs manage_address and interface.",
            like("[A-Za-z0-9_.-]+", "a label of letters and digits"),
            "label",
        ),
        Parameter(
            "manage_address",
            "put the address on the interface",
            "If true, the agent puts the address on the interface and takes it off. If false, another resource "
            "(ocf:heartbeat:IPaddr2) must do so, as with ocf:heartbeat:awsvip; place it after this one in a group.",
            switch,
            "manages_address",
            kind="boolean",
            default="false",
            needed_to_stop=True,
        ),
        REPAIR,
        REGION,
        PROFILE,
    ),
)
