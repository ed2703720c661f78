"""
Debian's resource agents aws-vpc-move-ip and awseip, with awscli from PyPI, are run by hand beside ec2kit's actions.

They ask 169.254.169.254 and work on a device of the machine. So the whole bench is begun anew in a network and mount
namespace of its own, which has that address on its loopback device, a forwarder to the sandbox's metadata service on
it, and an eth1 that leads nowhere with the MAC address of node1's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

from contestants import Servers
from measure import Row, Run

AGENTS = Path("/usr/lib/ocf/resource.d/heartbeat")
PLACE = Path(__file__).resolve().parents[1] / ".bench" / "rivals"
AWS = PLACE / "bin" / "aws"
METADATA = "169.254.169.254"

START, MONITOR = "aws-vpc-move-ip start (1 table)", "aws-vpc-move-ip monitor, monapi=true"
START_EIP, MONITOR_EIP, STOP_EIP = "awseip start", "awseip monitor", "awseip stop"


# -- being there ---------------------------------------------------------------------------------------------


def install() -> None:
    """Install the agents from Debian, and awscli from PyPI into .bench."""
    if not (AGENTS / "awseip").exists():
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "resource-agents"]
        subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if not AWS.exists():
        subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
        subprocess.run([PLACE / "bin" / "pip", "install", "--quiet", "awscli"], check=True)


def begin_anew_inside(arguments: list[str]) -> None:
    """Replace this process by the same one in namespaces of its own."""
    unshare = shutil.which("unshare") or "/usr/bin/unshare"
    command = [unshare, "--net", "--mount", sys.executable, *arguments, "--inside"]
    os.execv(unshare, command)  # noqa: S606  (that is the idea)


def furnish() -> None:
    """Add what a fresh network namespace lacks; nothing of it is seen outside."""
    for command in (
        ["mount", "-t", "sysfs", "sysfs", "/sys"],
        ["mount", "-t", "tmpfs", "tmpfs", "/run"],
        ["mkdir", "/run/resource-agents"],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{METADATA}/32", "dev", "lo"],
    ):
        subprocess.run(command, check=True)


# -- node1, as the agents see it -------------------------------------------------------------------------------


def make_device(servers: Servers) -> None:
    """Make node1's eth1, by its MAC address, and put the metadata service where the agents look for it."""
    node = servers.sandbox.description["nodes"]["node1"]
    mac = (servers.sandbox.folder / "node1" / "net" / "eth1" / "address").read_text().strip()
    for command in (
        ["ip", "link", "add", "eth1", "address", mac, "type", "veth", "peer", "name", "eth1-peer"],
        ["ip", "link", "set", "eth1", "up"],
        ["ip", "address", "add", f"{node['interfaces']['eth1']['private_ip_address']}/24", "dev", "eth1"],
    ):
        subprocess.run(command, check=True)
    threading.Thread(target=_forward, args=(node["metadata_url"],), daemon=True).start()


def _forward(url: str) -> None:
    place = urllib.parse.urlsplit(url)
    with socket.create_server((METADATA, 80), backlog=64) as server:
        while True:
            here, _ = server.accept()
            there = socket.create_connection((place.hostname, place.port))
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


# -- the rows --------------------------------------------------------------------------------------------------


def rows(servers: Servers) -> list[Row]:
    """Return each agent's actions, with the address where they need it."""
    description = servers.sandbox.description
    vip = _of_address(servers, description["vip"])
    eip = {
        **_common(servers),
        "OCF_RESKEY_elastic_ip": description["elastic_ip"],
        "OCF_RESKEY_allocation_id": description["allocation_id"],
        "OCF_RESKEY_private_ip_address": description["nodes"]["node1"]["interfaces"]["eth1"]["private_ip_address"],
    }

    def vip_elsewhere() -> None:
        servers.place_on("node2")
        subprocess.run(["ip", "address", "flush", "to", description["vip"]], check=True)

    return [
        Row(START, [start_of(servers, description["vip"])], prepare=vip_elsewhere),
        Row(MONITOR, [_agent("aws-vpc-move-ip", "monitor", vip)]),
        Row(START_EIP, [_agent("awseip", "start", eip)], prepare=lambda: servers.place_on("node2")),
        Row(MONITOR_EIP, [_agent("awseip", "monitor", eip)]),
        Row(STOP_EIP, [_agent("awseip", "stop", eip)]),
    ]


def start_of(servers: Servers, address: str) -> Run:
    """Return the start of aws-vpc-move-ip with one virtual IP, in the first table."""
    return _agent("aws-vpc-move-ip", "start", _of_address(servers, address))


def _agent(name: str, action: str, environment: dict[str, str]) -> Run:
    return Run((str(AGENTS / name), action), environment, "node1")


def _common(servers: Servers) -> dict[str, str]:
    config = servers.sandbox.folder / "aws-config"
    config.write_text(f"[default]\nregion = {servers.sandbox.description['region']}\n")
    return {
        **servers.environment("node1"),
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": "x",
        "OCF_RESKEY_awscli": str(AWS),
        "AWS_CONFIG_FILE": str(config),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",  # without the sandbox's stand-in for ip
    }


def _of_address(servers: Servers, address: str) -> dict[str, str]:
    return {
        **_common(servers),
        "OCF_RESKEY_ip": address,
        "OCF_RESKEY_routing_table": servers.sandbox.description["route_table_ids"][0],
        "OCF_RESKEY_interface": "eth1",
        "OCF_RESKEY_monapi": "true",
    }
