"""The programs that manage the network of a server, each with the events by which it takes addresses off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .server import TABLE, VIP, Server, until

Deed = Callable[[Server], None]


@dataclass(frozen=True)
class Manager:
    """
    One program.

    Attributes:
        begin: Lets it manage both devices.
        reload: Lets it read its files again; None: `ec2kit network protect` has no file for it.
        route: Gives it the rule and the route of the address, if it has no such file.
        events: Name → what happens.
        harmless: The events that take nothing away.
        without_a_way: The events in which no packet can arrive for a while, wherever the address is.
    """

    name: str
    begin: Deed
    reload: Deed | None
    events: dict[str, Deed]
    route: Deed | None = None
    harmless: tuple[str, ...] = ()
    without_a_way: tuple[str, ...] = ()


def _configured(server: Server, *devices: str) -> None:
    """Wait until systemd-networkd has configured the devices."""

    def are() -> bool:
        told = [server.run("networkctl", "--no-pager", "status", each, check=False) for each in devices]
        return all("(configured)" in each for each in told)

    until(are, within=20, what=f"{devices} are configured", story=server.story)
    time.sleep(0.3)


# -- systemd-networkd --------------------------------------------------------------------------------------------


def _networkd(server: Server) -> None:
    for device, gateway in (("eth0", "Gateway=10.0.1.1\n"), ("eth1", "")):
        address = server.interfaces[device]["private_ip_address"]
        network = f"[Network]\nLinkLocalAddressing=no\nAddress={address}/24\n{gateway}"
        server.put(f"/etc/systemd/network/10-{device}.network", f"[Match]\nName={device}\n{network}")
    _begin_networkd(server)


def _begin_networkd(server: Server) -> None:
    server.daemon("/lib/systemd/systemd-networkd")
    _configured(server, "eth0", "eth1")


def _restart(server: Server) -> None:
    """As the unit's RestartKillSignal= says."""
    server.end("systemd-networkd", "USR2")
    _begin_networkd(server)


def _reload(server: Server) -> None:
    server.run("networkctl", "reload")
    _configured(server, "eth0", "eth1")


def _touch(server: Server) -> None:
    server.sh("touch /etc/systemd/network/10-*.network")
    _reload(server)


def _reconfigure(server: Server) -> None:
    server.run("networkctl", "reconfigure", "eth1")
    _configured(server, "eth1")


def _plug_another(server: Server) -> None:
    network = "[Network]\nLinkLocalAddressing=no\nAddress=10.0.4.11/24\n"
    server.put("/etc/systemd/network/10-eth2.network", f"[Match]\nName=eth2\n{network}")
    server.run("networkctl", "reload")
    server.plug("eth2", "10.0.4.11")
    _configured(server, "eth2")


# -- netplan -----------------------------------------------------------------------------------------------------


def _netplan(server: Server) -> None:
    own = {each: server.interfaces[each]["private_ip_address"] for each in ("eth0", "eth1")}
    route = ", routes: [{to: default, via: 10.0.1.1}]"
    devices = "".join(
        f"    {device}: {{addresses: [{own[device]}/24], link-local: [], accept-ra: false{more}}}\n"
        for device, more in (("eth0", route), ("eth1", ""))
    )
    server.put("/etc/netplan/01.yaml", f"network:\n  version: 2\n  ethernets:\n{devices}", 0o600)
    _generate(server)
    _begin_networkd(server)


def _generate(server: Server) -> None:
    """As systemd calls its generators at a daemon-reload."""
    folders = "/run/g/normal /run/g/early /run/g/late"
    server.sh(f"rm -rf /run/g; mkdir -p {folders}; sleep 1; /lib/systemd/system-generators/netplan {folders}")


def _apply(server: Server) -> None:
    server.run("netplan", "apply")
    _configured(server, "eth0", "eth1")


def _generate_and_reload(server: Server) -> None:
    _generate(server)
    _reload(server)


# -- NetworkManager ----------------------------------------------------------------------------------------------


def _network_manager(server: Server) -> None:
    server.put("/etc/NetworkManager/NetworkManager.conf", "[main]\nplugins=keyfile\n")
    for device, gateway in (("eth0", ",10.0.1.1"), ("eth1", "")):
        address = server.interfaces[device]["private_ip_address"]
        ipv4 = f"[ipv4]\nmethod=manual\naddress1={address}/24{gateway}\n[ipv6]\nmethod=disabled\n"
        profile = f"[connection]\nid={device}\ntype=ethernet\ninterface-name={device}\n{ipv4}"
        server.put(f"/etc/NetworkManager/system-connections/{device}.nmconnection", profile, 0o600)
    server.daemon("NetworkManager", "--no-daemon")
    _connected(server)


def _connected(server: Server) -> None:
    def is_it() -> bool:
        told = server.run("nmcli", "-t", "-f", "DEVICE,STATE", "device", check=False)
        return "eth0:connected" in told and "eth1:connected" in told

    until(is_it, within=30, what="NetworkManager is connected", story=server.story)
    time.sleep(0.5)


def _route_by_profile(server: Server) -> None:
    """As docs/pacemaker.md says."""
    rule, route = f"priority 10050 from {VIP} table {TABLE}", f"0.0.0.0/0 10.0.11.1 table={TABLE}"
    words = f'+ipv4.routing-rules "{rule}" +ipv4.routes "{route}"'
    server.sh(f"nmcli connection modify eth1 {words} && nmcli connection up eth1")
    _connected(server)


def _carrier_away(server: Server) -> None:
    server.carrier("eth1", "down")
    time.sleep(10)
    server.carrier("eth1", "up")
    _connected(server)


def _up(server: Server) -> None:
    server.run("nmcli", "connection", "up", "eth1")


def _reapply(server: Server) -> None:
    server.run("nmcli", "device", "reapply", "eth1")


# -- amazon-ec2-net-utils ------------------------------------------------------------------------------------------


def _net_utils(server: Server) -> None:
    server.serve_dhcp()
    for each in ("70-eth0", "70-eth1", "80-ec2"):  # IPv6 would only make it slow
        text = "[Network]\nLinkLocalAddressing=no\nDHCP=ipv4\nIPv6AcceptRA=no\n"
        server.put(f"/etc/systemd/network/{each}.network.d/aa.conf", text)
    _begin_networkd(server)
    _refresh(server, "EC2_IF_INITIAL_SETUP=true")
    until(lambda: "from 10.0.11.11 " in server.sh("ip rule"), within=20, what="its rules", story=server.story)
    _configured(server, "eth0", "eth1")


def _refresh(server: Server, variable: str = "") -> None:
    """As its timer does each minute."""
    for device in ("eth0", "eth1"):
        for deed in ("start", "cleanup"):
            server.sh(f"{variable} setup-policy-routes {device} {deed} 2>/run/net-utils.log", check=False)
    time.sleep(1)


def _assigned(server: Server) -> None:
    """EC2 gives the ENI another private address, and the metadata service tells it."""
    eni = server.interfaces["eth1"]["network_interface_id"]
    server.ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.11.77"])
    _refresh(server)
    until(lambda: "10.0.11.77" in server.sh("ip -4 addr"), within=20, what="its address", story=server.story)
    _configured(server, "eth0", "eth1")


def _silent_metadata(server: Server) -> None:
    server.sandbox.fault("refuse", service="imds")
    _refresh(server)
    server.sandbox.clear()
    _refresh(server)


# -- dhclient ----------------------------------------------------------------------------------------------------

_DHCLIENT = """\
supersede dhcp-lease-time 8; supersede dhcp-renewal-time 3; supersede dhcp-rebinding-time 6;
timeout 10; retry 2; initial-interval 1; backoff-cutoff 2;
interface "eth0" { request subnet-mask, routers; }
interface "eth1" { request subnet-mask; }
"""
"""A lease of seconds, and a client that asks again at once; AWS gives an hour."""


def _dhclient(server: Server) -> None:
    server.serve_dhcp()
    server.put("/etc/dhcp/dhclient.conf", _DHCLIENT)
    server.daemon("/sbin/dhclient", "-d", "-lf /run/dhclient.leases", "-pf /run/dhclient.own.pid", "eth0", "eth1")
    _leased(server)


def _leased(server: Server) -> None:
    own = [each["private_ip_address"] for each in server.interfaces.values()]

    def are() -> bool:
        told = server.sh("ip -4 addr")
        return all(f"inet {each}/" in told for each in own)

    until(are, within=60, what="both leases", story=server.story)


def _renew(server: Server) -> None:
    renewed = server.sh("grep -c '^lease' /run/dhclient.leases")
    until(
        lambda: int(server.sh("grep -c '^lease' /run/dhclient.leases")) >= int(renewed) + 2,
        within=60,
        what="two more renewals",
        story=server.story,
    )


def _expire(server: Server) -> None:
    own = server.interfaces["eth1"]["private_ip_address"]
    server.end_dhcp()
    until(
        lambda: f"inet {own}/" not in server.sh("ip -4 addr show dev eth1"),
        within=60,
        what="the end of the lease",
        story=server.story,
    )
    server.serve_dhcp()
    _leased(server)


MANAGERS = (
    Manager(
        "systemd-networkd",
        _networkd,
        _reload,
        {
            "restart": _restart,
            "reload, nothing changed": _reload,
            "touch, reload": _touch,
            "reconfigure": _reconfigure,
            "another ENI plugged in": _plug_another,
        },
        harmless=("reload, nothing changed",),
    ),
    Manager(
        "amazon-ec2-net-utils",
        _net_utils,
        _reload,
        {
            "refresh, nothing changed": _refresh,
            "refresh after an address was assigned to the ENI": _assigned,
            "refresh while the metadata service is silent": _silent_metadata,
        },
        harmless=("refresh, nothing changed",),
    ),
    Manager("netplan", _netplan, _reload, {"apply": _apply, "daemon-reload, reload": _generate_and_reload}),
    Manager(
        "NetworkManager",
        _network_manager,
        None,
        {"reapply": _reapply, "connection up": _up, "carrier away 10 s": _carrier_away},
        _route_by_profile,
        without_a_way=("carrier away 10 s",),
    ),
    Manager(
        "dhclient",
        _dhclient,
        None,
        {"renewal": _renew, "the lease expires, a new one comes": _expire},
        harmless=("renewal",),
        without_a_way=("the lease expires, a new one comes",),
    ),
)
