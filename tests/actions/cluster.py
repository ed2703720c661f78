"""A cluster on the sandbox as the tests of the action scripts see it: servers, actions as processes, AWS's truth."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.client import BaseClient

from ec2kit.ec2.answers import DESTINATIONS, kind_of
from ec2kit.state.file import StateFile

from ..leaks import must_not_leak
from ..one_sandbox import OneSandbox
from ..patience import HANGS

ACTIONS = Path(__file__).parents[2] / "actions"

VIP_TAG = "ec2-vip1"
EIP_TAG = "ec2-eip1"
SIP_TAG = "ec2-sip1"
SIP6_TAG = "ec2-sip6"
DNS_TAG = "ec2-dns1"

KINDS = (VIP_TAG, EIP_TAG, SIP_TAG, SIP6_TAG)
"""One resource of each kind of address in EC2; the secondary addresses are of IPv4 and of IPv6."""

NAT_TAG, LIST_TAG, SEVERAL_TAG, TAGGED_TAG, ROLES_TAG = "ec2-nat1", "ec2-list1", "ec2-vips1", "ec2-tag1", "ec2-roles1"

ROUTES = (NAT_TAG, LIST_TAG, SEVERAL_TAG, TAGGED_TAG, ROLES_TAG)
"""Resources of routes in chosen tables: default routes, a prefix list, several addresses, by a tag, under roles."""

TABLE_ROLE = "arn:aws:iam::210987654321:role/vip"
"""The role of one of the tables of ROLES_TAG."""

SECONDARY = {SIP_TAG: "secondary_ip", SIP6_TAG: "secondary_ipv6"}
"""Resources of secondary addresses → the names of the addresses in sandbox.json."""


def standby(tag: str) -> str:
    """Return the second server of a resource: a secondary address needs one in node1's subnet."""
    return "node3" if tag in SECONDARY else "node2"


PATIENCE = {
    "EC2_QUICKCHECK_TIMEOUT": "100",
    "EC2_RESTORE_TIMEOUT": "240",
    "EC2_RECOVER_TIMEOUT": "120",
    "EC2_REMOVE_TIMEOUT": "120",
    "EC2_VERIFY_TIMEOUT": "3",
    "EC2_CONFIRM_INTERVAL": "0.2",
    "AWSCLI_CONNECT_TIMEOUT": "10",
    "AWSCLI_READ_TIMEOUT": "30",
    "AWS_METADATA_SERVICE_TIMEOUT": "10",
}
"""Deadlines that a busy machine keeps, where the test is not about them."""


SILENCE = {"AWSCLI_CONNECT_TIMEOUT": "1", "AWSCLI_READ_TIMEOUT": "1", "AWS_METADATA_SERVICE_TIMEOUT": "1"}
"""Times of one request, where nothing answers anyway."""


def crowded(seconds: float) -> float:
    """Return so many seconds, and more where processes wait for a processor: one needs longer to begin."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2, _slowness() / 2)


def _slowness(work: float = 0.01) -> float:
    """Return how many times as long a little work takes as on a processor of its own."""
    began, spent = time.monotonic(), time.thread_time()
    while time.thread_time() - spent < work:
        pass
    return (time.monotonic() - began) / work


Result = TypeVar("Result")


def given_time(deed: Callable[[float], Result], came: Callable[[Result], bool], *, seconds: float = 3) -> Result:
    """
    Return what comes of a deed that has to come to a point before its deadline; a slow one gets more time.

    Args:
        deed: Takes the seconds of its deadline, and begins anew each time.
        came: Tells whether the deed came to that point.
    """
    for times in (1, 4, 16, 64):
        result = deed(crowded(seconds) * times)
        if came(result):
            break
    return result


def in_a_hurry(seconds: float = 3) -> dict[str, str]:
    """Return deadlines of a test's length, and a part of it for each request, where nothing answers anyway."""
    names = ("EC2_QUICKCHECK_TIMEOUT", "EC2_RESTORE_TIMEOUT", "EC2_RECOVER_TIMEOUT", "EC2_REMOVE_TIMEOUT")
    deadline = crowded(seconds)
    return {**dict.fromkeys(names, f"{deadline:.1f}"), **silence(deadline / 3)}


def silence(seconds: float) -> dict[str, str]:
    """Return times of one request, where nothing answers anyway; a slow machine needs some to come so far."""
    return dict.fromkeys(SILENCE, f"{min(300.0, max(1.0, seconds)):.0f}")


_ALMOST_NO_DESCRIPTORS = """
import os, resource, sys
limit, free = 40, int(sys.argv[1])
for number in range(3, limit):
    os.dup2(0, number, inheritable=True)
os.closerange(limit - free, limit)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Done:
    """How an action ended; what it said is looked through for secrets, whoever asks."""

    status: int
    stderr: str
    stdout: str

    def __post_init__(self) -> None:
        must_not_leak(self.stderr + self.stdout)

    @property
    def seconds(self) -> float:
        """How long the action says that it took; the start of Python is not in it."""
        return float(re.findall(r"after ([0-9.]+) s", self.stderr)[-1])


@dataclass
class Cluster:
    """
    The servers of one sandbox; each test gets it as it was at the start, without resources.

    Attributes:
        size: How many route tables hold the virtual IP.
    """

    sandbox: OneSandbox
    tunables: dict[str, str] = field(default_factory=dict)
    size: int = 6

    @property
    def _environments(self) -> dict[str, dict[str, str]]:
        return self.sandbox.environments

    # -- running actions --

    def environment(self, server: str, **settings: str) -> dict[str, str]:
        return {**self._environments[server], **PATIENCE, **self.tunables, **settings}

    def start(self, server: str, action: str, *words: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ACTIONS / action), *words],
            env=self.environment(server, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, server: str, action: str, *words: str, within: float = HANGS, **settings: str) -> Done:
        return finished(self.start(server, action, *words, **settings), within=within)

    def act(self, server: str, action: str, tag: str = VIP_TAG, **settings: str) -> Done:
        return self.run(server, action, "-t", tag, "-i", "x", **settings)

    def modules_loaded_by(self, server: str, action: str, tag: str = VIP_TAG, **settings: str) -> set[str]:
        """All of Python that an action that succeeds loads."""
        program = (
            "import sys; from ec2kit.frameworks import edge\n"
            "from ec2kit.frameworks.lifekeeper import scripts as actions\n"
            "edge.leave = lambda status: print(status, *sys.modules)\n"
            "actions.main(sys.argv[1:])"
        )
        command = [sys.executable, "-I", "-c", program, action, "-t", tag]
        given = self.environment(server, **settings)
        environment = {name: value for name, value in given.items() if not name.startswith("COVERAGE_")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=HANGS)
        status, *modules = done.stdout.split()
        assert status == "0"
        return set(modules)

    def create(self, server: str = "node1", tag: str = VIP_TAG, **settings: str) -> Done:
        kind = ["--type", "route-table", "--vip", "10.1.0.10"]
        if tag == EIP_TAG:
            kind = ["--type", "elastic-ip", "--elastic-ip", self.sandbox.description["elastic_ip"]]
        if tag in SECONDARY:
            kind = ["--type", "secondary-ip", "--private-ip", self.sandbox.description[SECONDARY[tag]]]
        if tag in ROUTES:
            kind = ["--type", "route-table", *self.make_routes(tag)]
        if tag == DNS_TAG:
            place = ["--hosted-zone", self.sandbox.description["hosted_zone_id"]]
            kind = ["--type", "dns-record", *place, "--record", self.sandbox.description["record"]]
        words = ["-t", tag, "-s", "intelligent", "--region", "us-east-1", *kind, "--interface", "eth1"]
        return self.run(server, "create", *words, **settings)

    def with_resource(self, tag: str = VIP_TAG, servers: int = 2, on: str = "node1") -> Cluster:
        """
        A resource created on node1 and extended to the others.

        It is made by the real actions once and kept; each test gets its files, and EC2 as the actions left it.

        Args:
            on: The server that restored it last.
        """
        tables = f"-{self.size}" if tag == VIP_TAG or tag in ROUTES else ""
        if tag in ROUTES:
            self.make_routes(tag)
        self.lay_out(f"{tag}-{servers}-{on}{tables}", lambda: self._make_resource(tag, servers, on))
        if tag == EIP_TAG:
            self.associate(on)
        elif tag in SECONDARY:
            self.assign(tag, self.eni(on))
        elif tag == DNS_TAG or tag in ROUTES:
            self._rename_prefix_list(tag)
            self.move(tag, self.eni(on))
        elif on != "node1":
            for table in self.tables:
                self.point(table, self.eni(on))
        return self

    # -- routes in chosen tables --

    def places(self, tag: str) -> list[tuple[str, str]]:
        """Table and destination of each route of a resource of ROUTES."""
        tables = self.tables[2:4] if tag in (NAT_TAG, LIST_TAG) else self.tables[:2]
        destinations = {
            NAT_TAG: ("0.0.0.0/0", "::/0"),
            LIST_TAG: (self._prefix_list(),),
            SEVERAL_TAG: ("10.1.0.30/32", "2001:db8:9::1/128"),
            TAGGED_TAG: ("10.1.0.40/32",),
            ROLES_TAG: ("10.1.0.50/32",),
        }[tag]
        return [(table, each) for table in tables for each in destinations]

    def make_routes(self, tag: str) -> list[str]:
        """Make the routes of a resource, if they are not there, and return what create is told of it."""
        places, there = self.places(tag), self.routes()
        for table, destination in places:
            if (table, destination) not in there:
                self.aws.create_route(**_named(table, destination), NetworkInterfaceId=self.eni("node1"))
        tables = list(dict.fromkeys(table for table, _ in places))
        destinations = dict.fromkeys(destination for _, destination in places)
        option = "--destination" if tag in (NAT_TAG, LIST_TAG) else "--vip"
        words = [word for each in destinations for word in (option, re.sub("/(32|128)$", "", each))]
        if tag == TAGGED_TAG:
            self.aws.create_tags(Resources=tables, Tags=[{"Key": "vip", "Value": "a"}])
            return [*words, "--route-table-tag", "vip=a"]
        role = ["--role-arn", f"{tables[0]}={TABLE_ROLE}"] if tag == ROLES_TAG else []
        return [*words, "--route-table", ",".join(tables), *role]

    def _prefix_list(self) -> str:
        """Return the prefix list of this test; it is made if it was not yet."""
        found = self.aws.describe_managed_prefix_lists(Filters=[{"Name": "owner-id", "Values": ["123456789012"]}])
        for each in found["PrefixLists"]:
            if each["PrefixListName"] == "vips-of-tests":
                return str(each["PrefixListId"])
        made = self.aws.create_managed_prefix_list(
            PrefixListName="vips-of-tests", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "10.2.0.1/32"}]
        )
        return str(made["PrefixList"]["PrefixListId"])

    def _rename_prefix_list(self, tag: str) -> None:
        """Let the definitions that were kept mean the prefix list of this test."""
        for name in self._environments if tag == LIST_TAG else ():
            file = StateFile(str(self.path(name, "EC2KIT_STATE_DIR") / "resources" / f"{tag}.json"))
            if definition := file.read():
                file.write({**definition, "address": self._prefix_list()}, durable=False)

    def lay_out(self, name: str, make: Callable[[], None]) -> None:
        """Put what something once left beside the files that are there; it is made if it was not yet."""
        kept = self.sandbox.layouts.get(name, lambda kept: self._keep(kept, make))
        for server, place in self._places():
            shutil.copytree(kept / server / place.name, place, dirs_exist_ok=True)

    def _keep(self, kept: Path, make: Callable[[], None]) -> None:
        """Make something where nothing is yet, and keep what it left; the files that a test has are put aside."""
        aside = Path(tempfile.mkdtemp(dir=self.sandbox.folder.parent))
        self._move(None, aside)
        make()
        self._move(aside, kept)

    def _move(self, source: Path | None, to: Path) -> None:
        """Move the servers' state, locks and logs away, and others, or none, into their place."""
        for name, environment in self._environments.items():
            (to / name).mkdir(parents=True)
            for each in ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR", "EC2KIT_LOG_FILE"):
                place = Path(environment[each])
                if place.exists():
                    shutil.move(place, to / name / place.name)
                if source and (source / name / place.name).exists():
                    shutil.move(source / name / place.name, place)
                elif each != "EC2KIT_LOG_FILE":
                    place.mkdir()

    def _places(self) -> list[tuple[str, Path]]:
        names = ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR")
        return [
            (server, Path(environment[name])) for server, environment in self._environments.items() for name in names
        ]

    def _make_resource(self, tag: str, servers: int, on: str) -> None:
        if servers == 1:
            done = self.create(tag=tag)
        elif on != "node1":
            done = self.with_resource(tag, servers).act(on, "restore", tag)
        else:
            words = ["node1", tag, "--priority", str(servers * 10)]
            there = standby(tag) if servers == 2 else f"node{servers}"
            done = self.with_resource(tag, servers - 1).run(there, "extend", *words)
        assert done.status == 0, done.stderr

    def act_at_once(self, server: str, action: str, *tags: str, **settings: str) -> list[Done]:
        """The same action on several resources at the same time, where each would wait as long."""
        running = [self.start(server, action, "-t", tag, **settings) for tag in tags]
        return [finished(each) for each in running]

    def copied(self, tag: str, addresses: Iterable[str]) -> None:
        """Give node1 more resources like one that it has, each with another address."""
        folder = self.path("node1", "EC2KIT_STATE_DIR") / "resources"
        definition = StateFile(str(folder / f"{tag}.json")).read() or {}
        for number, address in enumerate(addresses):
            copy = {**definition, "tag": f"{tag}-{number}", "address": address}
            StateFile(str(folder / f"{tag}-{number}.json")).write(copy, durable=False)

    # -- what AWS says, at the endpoint that nobody disturbs --

    @property
    def aws(self) -> BaseClient:
        return undisturbed(self.sandbox.description["endpoint_url"])

    def routes(self) -> dict[tuple[str, str], str | None]:
        """Every route of the account: (table, destination) → ENI or other target."""
        pages = self.aws.get_paginator("describe_route_tables").paginate()
        tables = [table for page in pages for table in page["RouteTables"]]
        return {
            (table["RouteTableId"], _destination(route)): route.get("NetworkInterfaceId") or route.get("GatewayId")
            for table in tables
            for route in table["Routes"]
        }

    def holders(self, cidr: str = "10.1.0.10/32") -> list[str]:
        """The servers that the VPC's routes to the address point at, one for each table."""
        ours = set(self.sandbox.description["route_table_ids"])
        return [
            self.server_of(eni) for (table, block), eni in self.routes().items() if block == cidr and table in ours
        ]

    def others(self) -> dict[tuple[str, str], str | None]:
        """All routes but ours, which must never change."""
        ours = set(self.sandbox.description["route_table_ids"])
        return {
            (table, block): eni
            for (table, block), eni in self.routes().items()
            if not (block == "10.1.0.10/32" and table in ours)
        }

    def address_holder(self) -> str | None:
        """The server that the Elastic IP is associated with."""
        ids = [self.sandbox.description["allocation_id"]]
        (address,) = self.aws.describe_addresses(AllocationIds=ids)["Addresses"]
        eni = address.get("NetworkInterfaceId")
        return self.server_of(eni) if eni else None

    def associate(self, server: str, device: str = "eth1") -> None:
        """An outside hand moves the Elastic IP."""
        allocation, eni = self.sandbox.description["allocation_id"], self.eni(server, device)
        self.aws.associate_address(AllocationId=allocation, NetworkInterfaceId=eni)

    def assign(self, tag: str, eni: str | None) -> None:
        """An outside hand assigns a secondary address to an ENI, or takes it off its ENI."""
        address = self.sandbox.description[SECONDARY[tag]]
        is_ipv6 = ":" in address
        named, operation = (
            ("Ipv6Addresses", "ipv6_addresses") if is_ipv6 else ("PrivateIpAddresses", "private_ip_addresses")
        )
        more = {} if is_ipv6 else {"AllowReassignment": True}
        holder = self._eni_with(address)
        if holder and holder != eni and (is_ipv6 or not eni):
            getattr(self.aws, f"unassign_{operation}")(NetworkInterfaceId=holder, **{named: [address]})
        if eni and eni != holder:
            getattr(self.aws, f"assign_{operation}")(NetworkInterfaceId=eni, **{named: [address]}, **more)

    def _eni_with(self, address: str) -> str | None:
        for each in self.aws.describe_network_interfaces()["NetworkInterfaces"]:
            has = [one["PrivateIpAddress"] for one in each["PrivateIpAddresses"]]
            if address in (*has, *(one["Ipv6Address"] for one in each["Ipv6Addresses"])):
                return str(each["NetworkInterfaceId"])
        return None

    def holder(self, tag: str) -> str | None:
        """The one server that has the address of a resource, else the ENI; None: none has it."""
        if tag == VIP_TAG:
            (held,) = {*self.holders()}
            return held
        if tag == EIP_TAG:
            return self.address_holder()
        if tag in ROUTES:
            routes = self.routes()
            (held,) = {self.server_of(routes.get(place)) for place in self.places(tag)}
            return held
        if tag == DNS_TAG:
            return next((self._server_at(each) for each in self.record()), None)
        eni = self._eni_with(self.sandbox.description[SECONDARY[tag]])
        return self.server_of(eni) if eni else None

    @property
    def route53(self) -> BaseClient:
        return undisturbed(self.sandbox.description["endpoint_url"], "route53")

    def record(self) -> list[str]:
        """The values of the record set; none: there is no such record set."""
        zone, name = (self.sandbox.description[each] for each in ("hosted_zone_id", "record"))
        listed = self.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [value["Value"] for each in listed if each["Name"] == f"{name}." for value in each["ResourceRecords"]]

    def point_record(self, *values: str, ttl: int = 10) -> None:
        """An outside hand changes the record set."""
        zone, name = (self.sandbox.description[each] for each in ("hosted_zone_id", "record"))
        record = {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": each} for each in values]}
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        self.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def _server_at(self, address: str) -> str:
        for name, node in self.sandbox.description["nodes"].items():
            if node["interfaces"]["eth1"]["private_ip_address"] == address:
                return str(name)
        return address

    def move(self, tag: str, eni: str, *, at_most: int | None = None) -> None:
        """An outside hand moves the address of a resource; of routes in chosen tables so many, if not all."""
        if tag == VIP_TAG:
            for table in self.tables:
                self.point(table, eni)
        elif tag == EIP_TAG:
            self.aws.associate_address(AllocationId=self.sandbox.description["allocation_id"], NetworkInterfaceId=eni)
        elif tag in ROUTES:
            for table, destination in self.places(tag)[:at_most]:
                self.aws.replace_route(**_named(table, destination), NetworkInterfaceId=eni)
        elif tag == DNS_TAG:
            (found,) = self.aws.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
            self.point_record(found["PrivateIpAddress"])
        else:
            self.assign(tag, eni)

    def server_of(self, eni: str | None) -> str:
        """The server whose eth1 the ENI is, else the ENI."""
        for name, node in self.sandbox.description["nodes"].items():
            if node["interfaces"]["eth1"]["network_interface_id"] == eni:
                return str(name)
        return str(eni)

    def eni(self, server: str, device: str = "eth1") -> str:
        return str(self.sandbox.description["nodes"][server]["interfaces"][device]["network_interface_id"])

    def point(self, table: str, eni: str, cidr: str = "10.1.0.10/32") -> None:
        """An outside hand changes one route."""
        self.aws.replace_route(RouteTableId=table, DestinationCidrBlock=cidr, NetworkInterfaceId=eni)

    @property
    def tables(self) -> list[str]:
        return list(self.sandbox.description["route_table_ids"])

    def writes(self, server: str) -> list[dict[str, object]]:
        """The updating requests of a server that EC2 carried out."""
        kinds = (
            "ReplaceRoute",
            "AssociateAddress",
            "DisassociateAddress",
            "AssignPrivateIpAddresses",
            "UnassignPrivateIpAddresses",
            "AssignIpv6Addresses",
            "UnassignIpv6Addresses",
            "ModifyNetworkInterfaceAttribute",
            "ChangeResourceRecordSets",
        )
        return [
            call
            for call in self.sandbox.calls()
            if call["server"] == server and call["operation"] in kinds and call["carried_out"] and not call["dry_run"]
        ]

    def met(self, rule: int) -> bool:
        """Whether a call that a fault concerns has come; one that `silent` keeps waits until the fault goes."""
        return any(each["id"] == rule and each["hits"] for each in self.sandbox.faults())

    def asked(self, server: str, operation: str) -> int:
        """How often a server has had an answer, or none, to an operation."""
        return [(each["server"], each["operation"]) for each in self.sandbox.calls()].count((server, operation))

    # -- this machine --

    def path(self, server: str, name: str) -> Path:
        return Path(self.environment(server)[name])

    def log(self, server: str) -> str:
        path = self.path(server, "EC2KIT_LOG_FILE")
        return path.read_text() if path.exists() else ""

    def clean(self) -> None:
        """Forget everything: EC2 as at the start, no resources, no logs."""
        self.sandbox.reset(tables=self.size)

    def cut_off(self, server: str) -> None:
        """No other server can ask this one any more."""
        (self.sandbox.folder / server / "unreachable").touch()


def _named(table: str, destination: str) -> dict[str, str]:
    """Return a route by the parameters of an operation on it."""
    return {"RouteTableId": table, DESTINATIONS[kind_of(destination)]: destination}


def _destination(route: dict[str, str]) -> str:
    kinds = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next(route[each] for each in kinds if each in route)


@cache
def undisturbed(url: str, service: str = "ec2") -> BaseClient:
    """A client at the endpoint that nobody disturbs: the truth, and an outside hand."""
    name: Any = service
    return boto3.client(  # type: ignore[no-any-return]
        name, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def finished(process: subprocess.Popen[str], *, within: float = HANGS) -> Done:
    """Wait for an action; one that does not end is killed and fails the test."""
    try:
        stdout, stderr = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, stderr, stdout)


def with_descriptors(free: int, *words: str) -> list[str]:
    """The command line of a program that finds all file descriptors in use but some."""
    return [sys.executable, "-c", _ALMOST_NO_DESCRIPTORS, str(free), *words]


def until(condition: object, *, within: float = HANGS) -> None:
    """Wait until a condition of another process holds."""
    ends = time.monotonic() + within
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)


def stop(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGSTOP)


def go_on(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGCONT)
