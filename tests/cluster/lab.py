"""
The lab: two nodes with the real corosync and pacemaker, the sandbox as AWS, and a data plane that follows it.

One `Lab` is one cluster. Whatever happens to this process, a reaper in a process of its own takes the namespaces, all
that runs in them and the lab's folder away when this process is gone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ec2kit.sandbox.client import Sandbox, started

from ..actions.cluster import undisturbed
from ..debian.root import Root
from ..patience import HANGS
from . import cib
from .client import pinging, talking
from .data_plane import DataPlane, owners
from .hypervisor import Hypervisor
from .kit import installed, lent
from .needed import AWS_CLI
from .network import CLIENT, LEGS, METADATA, Network, networkd
from .node import Node, until
from .weather import FINE, Weather

HERE = Path(__file__).parent
NODES = ("node1", "node2")
FENCE_AWS = Path("/usr/sbin/fence_aws")

_NUMBERS = itertools.count()
"""Of the labs of this process, which may be there at the same time."""

_REAPER = """
cat >/dev/null
for name in router client node1 node2; do
    ip netns pids "$1$name" 2>/dev/null | xargs -r kill -9 2>/dev/null
done
for name in router client node1 node2; do
    ip netns del "$1$name" 2>/dev/null
done
rm -rf "$2"
"""


_WAY = f"""#!/bin/sh
# way SERVER COMMANDLINE: run it on another node, over its network.
case $1 in {" ".join(f"{name}) at={address} ;;" for name, address in LEGS.items())} esac
printf '%s\\n' "$2" | socat -t 60 - "TCP:$at:22,connect-timeout=5"
"""


class Lab:
    """A cluster that is being built; `built` builds and takes it down."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        prefix: str,
        *,
        others: Sequence[Path] = (),
        weather: Weather = FINE,
        root: Root | None = None,
    ) -> None:
        self.folder = folder
        self._root = root
        self._weather = weather
        self._others = others
        self.sandbox = sandbox
        self.description = sandbox.description
        self.vip = str(self.description["vip"])
        macs = {name: self._eth0(name)["mac"] for name in NODES}
        self.network = Network(prefix, macs)
        self._wires = lay_wires(self.network, sandbox)
        self._write_files()
        self.nodes = {name: Node(name, self.network, folder, root) for name in NODES}
        self.hypervisor = Hypervisor(folder / "fence", self.nodes)
        self._data_plane = DataPlane(sandbox, self.network, self.hypervisor, effective=weather.effective)
        self.client = pinging(self.network.namespace(CLIENT), self.vip, folder)
        self.tcp_client = talking(self.network.namespace(CLIENT), self.vip, folder)

    def begin(self) -> None:
        """Boot the nodes."""
        self.hypervisor.start()
        self._data_plane.start()
        for node in self.nodes.values():
            node.switch_on()

    def close(self) -> None:
        self.client.stop()
        self.tcp_client.stop()
        for thread in (self.hypervisor, self._data_plane):
            thread.over.set()
            if thread.is_alive():
                thread.join()
        for node in self.nodes.values():
            node.switch_off()
        self._wires.communicate()
        self.aws.close()

    # -- building --

    def _eth0(self, name: str) -> dict[str, str]:
        interface: dict[str, str] = self.description["nodes"][name]["interfaces"]["eth0"]
        return interface

    def _write_files(self) -> None:
        for name in ("conf", "sbin", "ocf/ec2kit", "fence", "on", "cut", *(f"log/{each}" for each in NODES)):
            (self.folder / name).mkdir(parents=True)
        for name in NODES:
            (self.folder / "conf" / f"{name}.env").write_text(self._environment(name))
            if self._weather.networkd:
                (self.folder / "conf" / f"{name}.network").write_text(networkd(name))
        _put(self.folder / "way", _WAY)
        _put(self.folder / "sbin" / "fence_lab", (HERE / "fence_lab").read_text().replace("@LAB@", str(self.folder)))
        for agent in installed(self.folder / "kit", self._root).iterdir():
            _put(self.folder / "ocf" / "ec2kit" / agent.name, _noting(agent))
        for agent in self._others:
            self._put_other(agent)
        if self._root is None and FENCE_AWS.exists():
            self._put_fence_aws()
        self._put_aws_cli()
        (self.folder / "conf" / "corosync.conf").write_text(
            cib.corosync({"node1": "10.0.1.11", "node2": "10.0.2.12"})
        )
        (self.folder / "conf" / "cib.xml").write_text(cib.cib(self.description))

    def _put_other(self, agent: Path) -> None:
        """An installed agent that notes its calls; what notes them covers it, so it is called by a copy."""
        copy = self.folder / "others" / agent.name
        copy.parent.mkdir(exist_ok=True)
        (self.folder / "ocf" / agent.parent.name).mkdir(exist_ok=True)
        shutil.copy(agent, copy)
        _put(self.folder / "ocf" / agent.parent.name / agent.name, _noting(copy))

    def _put_aws_cli(self) -> None:
        """What resource-agents' own agents need: the AWS CLI in its usual place, and the profile of the guides."""
        usual = f"region = {self.description['region']}\noutput = text\n"
        (self.folder / "conf" / "aws-config").write_text(f"[default]\n{usual}[profile cluster]\n{usual}")
        if self._root is None and AWS_CLI.exists():
            (self.folder / "bin").mkdir()
            _put(self.folder / "bin" / "aws", f'#!/bin/sh\nexec {shlex.quote(str(AWS_CLI))} "$@"\n')

    def _put_fence_aws(self) -> None:
        """Debian's fence_aws, with an SDK that can be told where EC2 is: Debian's own is too old for that."""
        shutil.copy(FENCE_AWS, self.folder / "fence_aws")
        command = f'PYTHONPATH={shlex.quote(lent())} exec {shlex.quote(str(self.folder / "fence_aws"))} "$@"'
        _put(self.folder / "sbin" / "fence_aws", f"#!/bin/sh\n{command}\n")

    def _environment(self, name: str) -> str:
        """The sandbox's environment of a server, on a machine that has a network of its own."""
        path = self.description["nodes"][name]["environment"]
        command = ["env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", '. "$1" && exec env -0', "sh", path]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        variables = dict(line.split("=", 1) for line in listed.split("\0") if line)
        variables |= {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "EC2KIT_RUN_DIR": "/run/ec2kit",
            "EC2KIT_NET_DIR": "/sys/class/net",
            "EC2KIT_SYSTEM_ROOT": "/",
            "EC2KIT_LOG_FILE": "/var/log/pacemaker/ec2kit.log",
            "EC2_REMOTE_COMMAND": str(self.folder / "way"),
            "AWS_CONFIG_FILE": str(self.folder / "conf" / "aws-config"),
        }
        return "".join(f"{each}={shlex.quote(value)}\n" for each, value in variables.items() if each != "PWD")

    # -- AWS --

    @cached_property
    def aws(self) -> Any:
        """EC2 at the endpoint that nobody disturbs: the truth, and an outside hand."""
        return undisturbed(self.description["endpoint_url"])

    def route_holder(self, address: str = "") -> str | None:
        """The node that the first table's route to the address points at."""
        table = self.description["route_table_ids"][0]
        (found,) = self.aws.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        block = f"{address or self.vip}/32"
        return self.node_of(next(each for each in found["Routes"] if each["DestinationCidrBlock"] == block))

    def address_holder(self) -> str | None:
        """The node that the Elastic IP is associated with."""
        ids = [self.description["allocation_id"]]
        return self.node_of(self.aws.describe_addresses(AllocationIds=ids)["Addresses"][0])

    def node_of(self, held: dict[str, str]) -> str | None:
        return owners(self.description).get(held.get("NetworkInterfaceId", ""))

    def point(self, name: str) -> None:
        """An outside hand points every route at a node."""
        for table in self.description["route_table_ids"]:
            self.aws.replace_route(
                RouteTableId=table,
                DestinationCidrBlock=f"{self.vip}/32",
                NetworkInterfaceId=self._eth0(name)["network_interface_id"],
            )

    @contextlib.contextmanager
    def tunables(self, **values: str) -> Iterator[None]:
        """Let both nodes find tunables in their file, within the block."""
        files = [self.sandbox.folder / name / "default" for name in NODES]
        for each in files:
            each.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
        try:
            yield
        finally:
            for each in files:
                each.write_text("")

    # -- the cluster --

    def configure(self, *, fencing: str, front: str | None = None) -> None:
        """Put another fencing in the place of the one there is, and another group if one is given; both idle."""
        node = self.any_node()
        for name, xml in (("front", front), ("fencing", fencing)):
            if xml is not None:
                tag = "group" if name == "front" else "primitive"
                node.run("cibadmin", "--delete", f"--xml-text=<{tag} id='{name}'/>")
                self.idle()
                node.run("cibadmin", "--create", "--scope=resources", f"--xml-text={xml}")
        self.idle()

    def place(self, *, with_dc: bool) -> None:
        """Where the group starts when it is new: on the node of the DC, or on the other one."""
        constraint = f"--xml-text={cib.placed(with_dc=with_dc)}"
        self.any_node().run("cibadmin", "--modify", "--allow-create", "--scope=constraints", constraint)

    def any_node(self) -> Node:
        return next(node for node in self.nodes.values() if node.is_on)

    def status(self, by: Node | None = None) -> ElementTree.Element:
        """What crm_mon says, as XML; an empty element while pacemaker is not there yet."""
        text = (by or self.any_node()).run("crm_mon", "-1", "--output-as=xml", check=False)
        with contextlib.suppress(ElementTree.ParseError):
            return ElementTree.fromstring(text)
        return ElementTree.Element("none")

    def online(self, by: Node | None = None) -> list[str]:
        nodes = self.status(by).iterfind("nodes/node")
        return [
            str(each.get("name")) for each in nodes if each.get("online") == "true" and each.get("pending") != "true"
        ]

    def where(self, resource: str, by: Node | None = None) -> list[str]:
        """The nodes on which a resource runs, as pacemaker believes; one that is just starting does not yet."""
        resources = self.status(by).iter("resource")
        found = [each for each in resources if each.get("id") == resource and each.get("role") == "Started"]
        return [str(node.get("name")) for each in found for node in each.iterfind("node")]

    def failures(self) -> list[str]:
        """The failed operations that crm_mon shows."""
        return [str(each.attrib) for each in self.status().iterfind("failures/failure")]

    def idle(self, *, within: int = 150) -> None:
        """Wait until the cluster has nothing to do."""
        self.any_node().run("crm_resource", "--wait", f"--timeout={within}")

    def settle(self) -> None:
        """Bring everything back: no faults, both nodes, no failures, the group running, the client answered."""
        self.sandbox.clear()
        self._weather.fall_on(self.sandbox)
        self.hypervisor.lies = False
        for name, node in self.nodes.items():
            self.mend(name)
            node.switch_on()
        until(self._is_whole, what="both nodes online")
        node = self.any_node()
        for name in NODES:
            node.run("crm_standby", "-N", name, "-D", check=False)
        for group in ("front", "many"):
            node.run("crm_resource", "--clear", "-r", group, check=False)
        node.run("cibadmin", "--delete", "--xml-text=<group id='many'/>", check=False)
        node.run("crm_resource", "--cleanup", check=False)
        self.idle()
        until(lambda: len(self.where("eip")) == 1 and self.is_answered(), what="group running")

    def _is_whole(self) -> bool:
        return all(self.online(node) == [*NODES] for node in self.nodes.values())

    def active(self) -> tuple[Node, Node]:
        """(the node that has the group, the other one)"""
        (name,) = self.where("vip")
        other = next(each for each in NODES if each != name)
        return self.nodes[name], self.nodes[other]

    def cut(self, name: str) -> None:
        """A node without a network: neither its peer nor EC2 nor the fencing is in reach; IMDS is."""
        (self.folder / "cut" / name).touch()
        self.network.cut(name)
        self.sandbox.fault("silent", server=name)

    def mend(self, name: str) -> None:
        (self.folder / "cut" / name).unlink(missing_ok=True)
        self.network.mend(name)

    def moved_to(self, node: Node, *, within: float = HANGS) -> None:
        """Wait until a node has all: by pacemaker, by AWS, on the interface, and for the client."""
        until(lambda: self._has_all(node), within=within, what=f"the group runs on {node.name}")

    def _has_all(self, node: Node) -> bool:
        holders = (self.route_holder(), self.address_holder())
        there = holders == (node.name, node.name) and node.has(self.vip) and self.is_answered()
        return there and self.where("eip", node) == self.where("vip", node) == [node.name]

    def is_answered(self) -> bool:
        """Whether both clients are answered at this moment."""
        return self.client.is_answered() and self.tcp_client.is_answered()

    def called(self, node: Node, resource: str, operation: str, since: float) -> list[float]:
        """When pacemaker called an operation of an agent."""
        path = node.log / "calls"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [float(moment) for moment, *what in lines if what == [resource, operation] and float(moment) > since]

    def assertions(self) -> list[str]:
        """What Pacemaker's own log calls a failed assertion: it goes on, and an operator is alarmed."""
        logs = [node.log / "pacemaker.log" for node in self.nodes.values()]
        return [
            line
            for log in logs
            if log.exists()
            for line in log.read_text(errors="replace").splitlines()
            if "assertion" in line.lower()
        ]

    def story(self) -> str:
        """What the cluster says of itself, and the last lines of the kit's logs."""
        told = (
            [self.any_node().run("crm_mon", "-1rf", check=False)] if any(n.is_on for n in self.nodes.values()) else []
        )
        for name, node in self.nodes.items():
            told += [f"-- {name}, {'on' if node.is_on else 'off'}", *node.ec2kit_log().splitlines()[-25:]]
            pacemaker = (node.log / "pacemaker.log").read_text(errors="replace").splitlines()
            told += [line for line in pacemaker if re.search(r"\t(notice|warning|error|crit): ", line)][-40:]
        return "\n".join(told)


def lay_wires(network: Network, sandbox: Sandbox) -> subprocess.Popen[bytes]:
    """Let each node reach its EC2 and its metadata service, until the process's standard input is closed."""
    wires = []
    for name in NODES:
        described, namespace = sandbox.description["nodes"][name], network.namespace(name)
        urls = ("endpoint_url", "sts_url", "route53_url", "metadata_url")
        *others, imds = (urllib.parse.urlsplit(described[url]).port for url in urls)
        wires += [f"{namespace},127.0.0.1:{port},{port}" for port in dict.fromkeys((*others, imds))]
        wires.append(f"{namespace},{METADATA}:80,{imds}")
    command = [sys.executable, str(HERE / "wires.py"), *wires]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def _noting(agent: Path) -> str:
    """An agent that notes when it is called."""
    note = 'echo "$(date +%s.%N) $OCF_RESOURCE_INSTANCE $1" >>/var/log/pacemaker/calls'
    return f'#!/bin/sh\n[ "$1" = meta-data ] || {note}\nexec {shlex.quote(str(agent))} "$@"\n'


def _put(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@contextlib.contextmanager
def built(
    *, tables: int = 2, others: Sequence[Path] = (), weather: Weather = FINE, root: Root | None = None
) -> Iterator[Lab]:
    """
    A running cluster, for as long as the block runs and this process lives.

    For EC2 both nodes are in one subnet, which a secondary address needs; in the lab each has a leg of its own.

    Args:
        others: Installed agents that shall note their calls as ours do.
        root: What the nodes boot from; None: this machine's own root.
    """
    prefix, folder = f"ek{os.getpid()}-{next(_NUMBERS)}-", Path(tempfile.mkdtemp(prefix="ec2kit-lab-"))
    folder.chmod(0o755)
    with (
        reaped(prefix, folder),
        started(folder / "sandbox", nodes=2, tables=tables, zones=1, tls=weather.tls) as sandbox,
        contextlib.closing(Lab(folder, sandbox, prefix, others=others, weather=weather, root=root)) as lab,
    ):
        lab.begin()
        yield lab


@contextlib.contextmanager
def reaped(prefix: str, folder: Path) -> Iterator[None]:
    """Nothing of the lab is left after the block, or after this process."""
    command = ["sh", "-c", _REAPER, "sh", prefix, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as reaper:
        try:
            yield
        finally:
            assert reaper.stdin is not None
            reaper.stdin.close()
            reaper.wait()
