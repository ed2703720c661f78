"""Builders: what tests need, in the words of the kit."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Clock, Deadline
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError
from ec2kit.messages.catalogue import Level, Message
from ec2kit.messages.log import Log
from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource, Server
from ec2kit.scenarios import dns_record, elastic_ip, route_table, secondary_ip
from ec2kit.settings import Settings
from ec2kit.state.boot import boot_id
from ec2kit.state.file import StateFile

from .pretended_ec2 import PretendedEc2

ROUTE_TABLE, ELASTIC_IP, SECONDARY_IP, DNS_RECORD = "route-table", "elastic-ip", "secondary-ip", "dns-record"
SECONDARY_IPV6 = "secondary-ip of IPv6"
"""A kind for tests: the same scenario, and an address that moves in two steps."""
DEFAULT_ROUTE = "route-table of a NAT pair"
"""A kind for tests: the default route of two tables that are listed, and of no other."""
TAGGED = "route-table by a tag"
"""A kind for tests: a virtual IP in the tables that have a tag at the time."""
PREFIX_LIST = "route-table of a prefix list"
"""A kind for tests: a prefix list in two tables that are listed."""
SEVERAL = "route-table of several addresses"
"""A kind for tests: two virtual IPs in two tables, which are four routes."""
TWO_ACCOUNTS = "route-table of two accounts"
"""A kind for tests: a virtual IP in two tables, one of which is looked at and changed under a role."""

VIP = "10.1.0.10"
CIDR = f"{VIP}/32"
PUBLIC_IP = "203.0.113.10"
ALLOCATION = "eipalloc-1"
RECORD = "db.example.com"
RECORD_SET = f"A {RECORD}"
PRIVATE_IP, PRIVATE_IPV6 = "10.0.1.50", "2001:db8::50"
ENI_A, ENI_B, ENI_C = "eni-a", "eni-b", "eni-c"
IP_A, IP_B, IP_C = "10.0.1.11", "10.0.2.12", "10.0.3.13"
FOREIGN = "eni-foreign"
TABLES = ("rtb-1", "rtb-2")
TABLE_ROLE = "arn:aws:iam::111122223333:role/vip"

OBJECTS: dict[str, tuple[str, ...]] = {
    ROUTE_TABLE: TABLES,
    ELASTIC_IP: (ALLOCATION,),
    SECONDARY_IP: (PRIVATE_IP,),
    SECONDARY_IPV6: (PRIVATE_IPV6,),
    DNS_RECORD: (RECORD_SET,),
    DEFAULT_ROUTE: TABLES,
    TAGGED: TABLES,
    PREFIX_LIST: TABLES,
    SEVERAL: tuple(f"{table} {address}/32" for table in TABLES for address in (VIP, "10.1.0.20")),
    TWO_ACCOUNTS: TABLES,
}
"""Each kind of address → the objects that point at a server."""


# -- errors ------------------------------------------------------------------------------------------------


@contextmanager
def raises(
    kind: type[Ec2KitError], *messages: Message, match: str | None = None
) -> Iterator[pytest.ExceptionInfo[Ec2KitError]]:
    """Expect an error that no caller tells from others of its class: by its message, or one of several."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert caught.value.message in messages, caught.value


# -- time --------------------------------------------------------------------------------------------------


class FakeClock:
    """Time that passes only by sleeping, or when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class ImpatientClock:
    """Real time, in which sleeping costs nothing: it only moves the hands."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        self.skipped += seconds


class LeapingClock(ImpatientClock):
    """Real time, which leaps by an hour when a test says so: a wait is over then, however long it may be."""

    def leap(self) -> None:
        self.skipped += 3600


# -- log ---------------------------------------------------------------------------------------------------


class Lines(list[str]):
    """The lines that were logged."""

    def __call__(self, level: Level, line: str) -> None:
        self.append(line)

    def of(self, message: Message) -> list[str]:
        """The texts of the lines of one message."""
        return [line.split(":", 5)[5] for line in self if line.split(":", 5)[4] == str(message.code)]


def a_log(action: str = "restore", tag: str = "ec2-vip1") -> tuple[Log, Lines]:
    lines = Lines()
    return Log(action=action, tag=tag, sinks=(lines,)), lines


# -- resources ---------------------------------------------------------------------------------------------


def a_server(name: str = "server-a", priority: int = 1, **different: Any) -> Server:
    letter = name[-1]
    usual = {
        "device": "eth1",
        "network_interface_id": f"eni-{letter}",
        "private_ip_address": {"a": IP_A, "b": IP_B, "c": IP_C}.get(letter, "10.0.9.9"),
        "instance_id": f"i-{letter}",
        "availability_zone": "ap-northeast-1a",
    }
    return Server(name, priority, **{**usual, **different})


def a_resource(
    scenario: str = ROUTE_TABLE, tag: str = "ec2-vip1", *, route_table_ids: tuple[str, ...] = (), **different: Any
) -> Resource:
    name, address, own = {
        ROUTE_TABLE: (scenario, VIP, route_table.Own(route_table_ids)),
        DEFAULT_ROUTE: (ROUTE_TABLE, "0.0.0.0/0", route_table.Own(TABLES)),
        TAGGED: (ROUTE_TABLE, VIP, route_table.Own((), "vip=a")),
        PREFIX_LIST: (ROUTE_TABLE, "pl-1a", route_table.Own(TABLES)),
        SEVERAL: (ROUTE_TABLE, f"{VIP},10.1.0.20", route_table.Own()),
        TWO_ACCOUNTS: (ROUTE_TABLE, VIP, route_table.Own(TABLES, "", f"rtb-2={TABLE_ROLE}")),
        SECONDARY_IP: (scenario, PRIVATE_IP, secondary_ip.Own()),
        SECONDARY_IPV6: (SECONDARY_IP, PRIVATE_IPV6, secondary_ip.Own()),
        DNS_RECORD: (scenario, RECORD, dns_record.Own("Z1", "A", "10", ("private",))),
    }.get(scenario, (scenario, PUBLIC_IP, elastic_ip.Own(ALLOCATION)))
    usual: dict[str, Any] = {
        "region": "ap-northeast-1",
        "vpc_id": "vpc-1",
        "address": address,
        "own": own,
        "switchback": "intelligent",
        "servers": (a_server("server-a", 1), a_server("server-b", 10), a_server("server-c", 20)),
    }
    return Resource(tag=tag, scenario=name, **{**usual, **different})


# -- an action at its desk ---------------------------------------------------------------------------------


class PretendedAction(Action):
    """An action whose EC2 is pretended."""

    pretended: PretendedEc2

    def _replace(self, **different: Any) -> PretendedAction:
        return super()._replace(**different).with_ec2(self.pretended)

    def with_ec2(self, pretended: PretendedEc2) -> PretendedAction:
        self.pretended = pretended
        return self

    def ec2(
        self, *, guard: Callable[[], None] = lambda: None, permit: Callable[[], None] | None = None, **_: Any
    ) -> Any:
        return self.pretended.asked_by(permit or guard)


@dataclass
class Desk:
    """One server, where actions on one resource are begun again and again."""

    resource: Resource
    settings: Settings
    folder: Path
    ec2: PretendedEc2 = field(default_factory=PretendedEc2)
    clock: Clock = field(default_factory=FakeClock)
    lines: Lines = field(default_factory=Lines)
    seconds: float = 300.0

    @property
    def registry(self) -> LocalRegistry:
        return LocalRegistry(self.settings.state_dir, server=self.settings.server, spare=self.settings.run_dir)

    def action(self, name: str = "restore") -> PretendedAction:
        return PretendedAction(
            name=name,
            tag=self.resource.tag,
            settings=self.settings,
            log=Log(action=name, tag=self.resource.tag, sinks=(self.lines,)),
            deadline=Deadline(self.seconds, self.clock),
            registry=self.registry,
        ).with_ec2(self.ec2)

    def link(self, state: str, device: str = "eth1") -> None:
        a_device(Path(self.settings.net_dir), device, operstate=state)

    def peer_answers(self, script: str) -> None:
        """Make /bin/sh lines the way to ask another server; $1 is its name, $2 the command line."""
        path = self.folder / "ask-peer"
        path.write_text(script + "\n")
        self.set(remote_command=f"/bin/sh {shlex.quote(str(path))}")

    def set(self, **different: Any) -> None:
        self.settings = self.settings._replace(**different)


def a_desk(folder: Path, resource: Resource, *, instance_id: str = "i-a") -> Desk:
    settings = Settings(
        server="server-a",
        state_dir=str(folder / "state"),
        run_dir=str(folder / "run"),
        net_dir=str(folder / "net"),
        metadata_url="http://127.0.0.1:9",
        remote_command="/bin/false",
        connect_timeout=0.5,
    )
    desk = Desk(resource, settings, folder)
    known_as(settings, instance_id)
    desk.registry.store(resource)
    desk.link("up")
    return desk


def known_as(settings: Settings, instance_id: str) -> None:
    """Let this server know which instance it is, as if IMDS had said so earlier in this boot."""
    content = {
        "boot": boot_id(),
        "metadata_url": settings.metadata_url,
        "instance_id": instance_id,
        "region": "ap-northeast-1",
        "availability_zone": "ap-northeast-1a",
    }
    StateFile(f"{settings.run_dir}/identity.json").write(content)


def a_device(net: Path, name: str, **files: str) -> None:
    """A network device below a pretended /sys/class/net."""
    (net / name).mkdir(parents=True, exist_ok=True)
    for file, text in {"address": "06:00:00:00:00:01", "operstate": "up", "flags": "0x1003", **files}.items():
        (net / name / file).write_text(text + "\n")


# -- other processes ---------------------------------------------------------------------------------------


@contextmanager
def another_process(code: str) -> Iterator[subprocess.Popen[str]]:
    """A Python of its own that has printed one line; it is killed in the end."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the other process did not come up"
        yield process
    finally:
        process.kill()
        process.communicate()


def holding(path: str) -> str:
    """The program that takes a lock and keeps it."""
    return (
        "import time; from ec2kit.state.lock import Lock\n"
        f"lock = Lock({path!r}); assert lock.take(); print('held', flush=True); time.sleep(600)"
    )
