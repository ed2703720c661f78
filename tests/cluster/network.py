"""
The lab's network: a client, a router and two nodes in namespaces, and nothing that leaves the machine.

    client 10.0.3.50 ── router (x.x.x.1 on each leg, VIP/32 → a node) ─┬─ node1 10.0.1.11
                                                                      └─ node2 10.0.2.12

EC2 and the metadata services are the sandbox's, on this machine's loopback. A node reaches its own ones under the
same addresses on its own loopback: sockets that were made inside its namespace hand the bytes over (`wires.py`).
"""

from __future__ import annotations

import subprocess

METADATA = "169.254.169.254"
"""Where every instance finds its metadata service; who cannot be told another place asks there."""

CLIENT = "client"
ROUTER = "router"
LEGS = {CLIENT: "10.0.3.50", "node1": "10.0.1.11", "node2": "10.0.2.12"}


def networkd(name: str) -> str:
    """What systemd-networkd is told of a machine's eth0; the address is written down, in place of DHCP's."""
    address = LEGS[name]
    own = f"Address={address}/24\nGateway={address.rpartition('.')[0]}.1\n"
    return f"[Match]\nName=eth0\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n{own}"


class Network:
    """The namespaces of one lab; `macs` are those of the nodes' eth0, as EC2 knows them."""

    def __init__(self, prefix: str, macs: dict[str, str]) -> None:
        self._prefix = prefix
        for name in (ROUTER, *LEGS):
            _ip("netns", "add", self.namespace(name))
            self.ip(name, "link", "set", "lo", "up")
        self._sysctl(ROUTER, "net.ipv4.ip_forward=1")
        for name, address in LEGS.items():
            self._leg(name, address, macs.get(name))
        for name in set(LEGS) - {CLIENT}:
            self.ip(name, "addr", "add", f"{METADATA}/32", "dev", "lo")
        for name in (ROUTER, *LEGS):
            for device in ("all", "default", *(LEGS if name == ROUTER else ("eth0",))):
                self._sysctl(name, f"net.ipv4.conf.{device}.rp_filter=0")

    def namespace(self, name: str) -> str:
        """The namespace of a machine, as `ip netns` knows it."""
        return f"{self._prefix}{name}"

    def ip(self, name: str, *words: str, check: bool = True) -> None:
        """`ip` on one of the machines."""
        _ip("-n", self.namespace(name), *words, check=check)

    def _leg(self, name: str, address: str, mac: str | None) -> None:
        gateway = address.rpartition(".")[0] + ".1"
        peer = ["name", "eth0", "netns", self.namespace(name), *(["address", mac] if mac else [])]
        self.ip(ROUTER, "link", "add", name, "type", "veth", "peer", *peer)
        self.ip(ROUTER, "addr", "add", f"{gateway}/24", "dev", name)
        self.ip(name, "addr", "add", f"{address}/24", "dev", "eth0")
        self.ip(ROUTER, "link", "set", name, "up")
        self.ip(name, "link", "set", "eth0", "up")
        self.ip(name, "route", "add", "default", "via", gateway)

    def _sysctl(self, name: str, setting: str) -> None:
        subprocess.run(["ip", "netns", "exec", self.namespace(name), "sysctl", "-qw", setting], check=True)

    def cut(self, name: str) -> None:
        """Take a machine's cable out, at the router's end."""
        self.ip(ROUTER, "link", "set", name, "down")

    def mend(self, name: str) -> None:
        self.ip(ROUTER, "link", "set", name, "up")

    def cut_path(self) -> None:
        """Nothing gets from one leg to another, and no machine sees it by its cable."""
        self._sysctl(ROUTER, "net.ipv4.ip_forward=0")

    def mend_path(self) -> None:
        self._sysctl(ROUTER, "net.ipv4.ip_forward=1")

    def route(self, cidr: str, node: str | None) -> None:
        """What EC2 does with a route: packets to the address go to a node, or nowhere."""
        if node is None:
            self.ip(ROUTER, "route", "replace", "blackhole", cidr)
        else:
            self.ip(ROUTER, "route", "replace", cidr, "via", LEGS[node], "dev", node, check=False)

    def forget_addresses(self, node: str, cidr: str) -> None:
        """What a power loss does to addresses that were put on; the namespace outlives the node."""
        self.ip(node, "addr", "flush", "dev", "eth0", "to", cidr)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=not check)
