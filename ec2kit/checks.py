"""The checks before create and extend, on this server: one function a check, all run, all reported together."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial

from ec2kit import __version__, elastic_ip, lifekeeper, messages, route_table
from ec2kit.action import Action
from ec2kit.aws import Ec2
from ec2kit.deadline import side_by_side
from ec2kit.errors import AwsRefused, ChecksFailed, Ec2KitError, PermissionMissing, Unknown
from ec2kit.log import Log
from ec2kit.messages import Message, Notice
from ec2kit.nic import Nic
from ec2kit.node import Identity, Interface
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, Resource, Server
from ec2kit.scenario import Observed, Permission, Scenario, scenario_of
from ec2kit.settings import DEFAULTS_FILE

_RETRIES = 1
_RESERVED = 300.0
"""Seconds of RESRVRECTIMEOUT that the vendor's guide recommends on EC2."""

_ANSWER_SECONDS = 5.0
"""For what another server keeps; one that is silent keeps nobody waiting for long."""

_SOMEWHERE_OUTSIDE = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): where a client on the Internet might be; only the local routing table is asked."""


class Outcome(Enum):
    """How a check ended; only FAILED stands in the way."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    UNSEEN = "could not look"
    FAILED = "failed"


_MESSAGES: dict[Outcome, Message] = {
    Outcome.OK: messages.CHECK_OK,
    Outcome.NOTE: messages.CHECK_NOTE,
    Outcome.WARN: messages.CHECK_WARN,
    Outcome.UNSEEN: messages.CHECK_UNSEEN,
    Outcome.FAILED: messages.CHECK_FAILED,
}


@dataclass(frozen=True)
class Finding:
    """
    What one check found.

    Attributes:
        check: Its name, "vip outside the vpc".
        advice: What to do; empty when all is well.
    """

    check: str
    outcome: Outcome
    found: str
    advice: str = ""

    @property
    def notice(self) -> Notice:
        """The finding as a message of the catalogue."""
        return _MESSAGES[self.outcome], {"check": self.check, "found": self.found, "advice": self.advice}


@dataclass
class Preflight:
    """
    What is about to be created or extended, and where.

    Attributes:
        resource: As it would be afterwards, this server included.
        template: As it is now on the template server; None at create.
        template_version: ec2kit's version there.
        template_lifekeeper: LifeKeeper's version there, if it is known.
    """

    action: Action
    resource: Resource
    server: Server
    identity: Identity
    interface: Interface
    template: Resource | None = None
    template_version: str = __version__
    template_lifekeeper: str | None = None

    unreachable: Ec2KitError | None = None
    """Why EC2 cannot be asked, once that is known; no other check waits for it again."""

    @property
    def ec2(self) -> Ec2:
        """EC2 in the resource's region; raises why it cannot be asked, if that is known."""
        if self.unreachable is not None:
            raise self.unreachable
        return self._ec2

    @cached_property
    def _ec2(self) -> Ec2:
        return self.action.ec2(look_retries=_RETRIES, region=self.resource.region)

    @cached_property
    def seen(self) -> Observed:
        """What the scenario sees of the address; raises what `observe` raises."""
        return self.scenario.observe(self.ec2, self.resource, self.server, self.action.settings)

    @property
    def scenario(self) -> Scenario:
        """The scenario of the resource."""
        return scenario_of(self.resource)


Check = Callable[[Preflight], Iterable[Finding]]


def readiness(preflight: Preflight) -> list[Finding]:
    """What a server that stands by can find out about its own way to take the address; logs nothing."""
    return [each for name, check in _CHECKS if check in _OF_A_STANDBY for each in _carefully(name, check, preflight)]


def run(preflight: Preflight) -> list[Finding]:
    """
    Run every check and log what each found.

    Raises:
        ChecksFailed: At least one stands in the way; it names them.
    """
    findings = [finding for name, check in _CHECKS for finding in _carefully(name, check, preflight)]
    report(findings, preflight.action.log)
    return findings


def report(findings: list[Finding], log: Log) -> None:
    """
    Log what each check found.

    Raises:
        ChecksFailed: At least one stands in the way; it names them.
    """
    for each in findings:
        message, fields = each.notice
        log.put(message, **fields)
    failed = [each.check for each in findings if each.outcome is Outcome.FAILED]
    if failed:
        raise ChecksFailed(count=len(failed), checks=", ".join(failed))


def _carefully(name: str, check: Check, preflight: Preflight) -> list[Finding]:
    """One check; that it could not look is its finding, and stops no other check."""
    try:
        return list(check(preflight))
    except PermissionMissing as error:
        return [Finding(name, Outcome.UNSEEN, str(error), "grant the permission to have it checked")]
    except (Unknown, AwsRefused) as error:
        return [Finding(name, Outcome.UNSEEN, str(error), "check it by hand")]


# -- this server and its way to EC2 --------------------------------------------------------------------------


def _metadata(it: Preflight) -> Iterator[Finding]:
    here = it.identity
    yield Finding("instance metadata", Outcome.OK, f"{here.instance_id} in {here.availability_zone}, by IMDSv2")


def _endpoint(it: Preflight) -> Iterator[Finding]:
    operation = "DescribeRouteTables" if it.resource.scenario == ROUTE_TABLE else "DescribeAddresses"
    try:
        it.ec2.is_allowed(operation)
        yield Finding("ec2 endpoint", Outcome.OK, "it answers, and accepts the credentials")
    except Ec2KitError as error:
        it.unreachable = error
        advice = "the address can only be moved from a server that reaches EC2"
        yield Finding("ec2 endpoint", Outcome.FAILED, str(error), advice)


def _permissions(it: Preflight) -> Iterator[Finding]:
    for each in it.scenario.permissions(it.seen):
        yield permission(it.ec2, each)


def permission(ec2: Ec2, wanted: Permission) -> Finding:
    """Whether the role has a permission, asked by DryRun."""
    operation, parameters = wanted
    name = f"permission ec2:{operation}"
    try:
        if ec2.is_allowed(operation, **parameters):
            return Finding(name, Outcome.OK, "granted")
        return Finding(name, Outcome.FAILED, "missing", "add it to the role, as in etc/iam-policy.json")
    except (Unknown, AwsRefused) as error:
        return Finding(name, Outcome.UNSEEN, str(error), "make sure by hand that it is granted")


def _interface(it: Preflight) -> Iterator[Finding]:
    eni = it.ec2.network_interface(it.server.network_interface_id)
    found = f"{it.server.device} is {eni.network_interface_id} of {eni.instance_id or 'no instance'}"
    if eni.instance_id == it.identity.instance_id:
        yield Finding("network interface", Outcome.OK, found)
    else:
        yield Finding("network interface", Outcome.FAILED, found, f"attach it to {it.identity.instance_id}")
    if it.resource.scenario == ROUTE_TABLE:
        yield _source_dest_check(it, on=eni.source_dest_check)


def _source_dest_check(it: Preflight, *, on: bool) -> Finding:
    name, eni = "source/destination check", it.server.network_interface_id
    if not on:
        return Finding(name, Outcome.OK, f"off on {eni}")
    change: dict[str, object] = {"NetworkInterfaceId": eni, "SourceDestCheck": {"Value": False}}
    if it.ec2.is_allowed("ModifyNetworkInterfaceAttribute", **change):
        return Finding(name, Outcome.WARN, f"on on {eni}", "restore will switch it off")
    return Finding(name, Outcome.FAILED, f"on on {eni}", "switch it off: EC2 drops packets to the virtual IP else")


def _reply_path(it: Preflight) -> Iterator[Finding]:
    vpc = ipaddress.IPv4Network(it.interface.vpc_cidr_blocks[0])
    destination = _SOMEWHERE_OUTSIDE if it.resource.scenario == ELASTIC_IP else str(vpc.network_address + 2)
    source, device = it.server.private_ip_address, it.server.device
    by = Nic(device, it.action.settings).device_for(source, destination, it.action.deadline)
    found = f"from {source} to {destination} packets leave by {by or 'no device'}"
    if by == device:
        yield Finding("reply path", Outcome.OK, found)
    else:
        advice = f"add source routing so that they leave by {device}; EC2 drops them else"
        yield Finding("reply path", Outcome.WARN, found, advice)


# -- the address ---------------------------------------------------------------------------------------------


def _vip(it: Preflight) -> Iterator[Finding]:
    if it.resource.scenario != ROUTE_TABLE:
        return
    address = ipaddress.IPv4Address(it.resource.address)
    inside = [each for each in it.interface.vpc_cidr_blocks if address in ipaddress.IPv4Network(each)]
    if inside:
        advice = "choose an address outside all blocks of the VPC; routes inside them cannot be moved"
        yield Finding("vip outside the vpc", Outcome.FAILED, f"{address} is inside {', '.join(inside)}", advice)
    else:
        found = f"{address} is outside {', '.join(it.interface.vpc_cidr_blocks)}"
        yield Finding("vip outside the vpc", Outcome.OK, found)


def _routes(it: Preflight) -> Iterator[Finding]:
    if it.resource.scenario != ROUTE_TABLE:
        return
    assert isinstance(it.seen, route_table.Observed)
    tables, lacking = it.scenario.objects(it.seen), it.seen.without_route
    if lacking:
        found = f"{', '.join(lacking)} of {it.resource.vpc_id} without a route {it.resource.cidr}"
        yield Finding("routes", Outcome.FAILED, found, "create the route there, or do not list the table")
    elif tables:
        shown = ", ".join(tables[:10]) + (" …" if len(tables) > 10 else "")
        yield Finding("routes", Outcome.OK, f"{len(tables)} tables have {it.resource.cidr}: {shown}")
    else:
        found = f"no route table of {it.resource.vpc_id} has {it.resource.cidr}"
        yield Finding("routes", Outcome.FAILED, found, "create the route in each table whose subnets use the address")


def _elastic_ip(it: Preflight) -> Iterator[Finding]:
    if it.resource.scenario != ELASTIC_IP:
        return
    assert isinstance(it.seen, elastic_ip.Observed)
    seen, name = it.seen, "elastic ip"
    where = f"{it.resource.address} ({it.resource.allocation_id})"
    if seen.address is None:
        yield Finding(name, Outcome.FAILED, f"{where} does not exist here", "allocate it, or correct the region")
        return
    yield Finding(name, Outcome.OK, f"{where} exists")
    for _, fields in elastic_ip.notices(seen):
        found = f"{fields['public_ip']} is on {it.server.private_ip_address}, too"
        yield Finding(name, Outcome.WARN, found, "EC2 displaces it when this address comes here")
    if it.action.settings.eip_exclusive and seen.neighbours:
        others = ", ".join(each.public_ip for each in seen.neighbours)
        advice = "EC2_EIP_EXCLUSIVE=1: they are taken off when this address comes here"
        yield Finding(name, Outcome.WARN, f"{others} on {it.server.network_interface_id}, too", advice)


def _free(it: Preflight) -> Iterator[Finding]:
    """On this server, and on all others that are known and can be asked."""
    name, tag, address = "address free", it.resource.tag, it.resource.address
    others = [each for each in it.action.registry.resources() if each.tag != tag]
    taken = [each.tag for each in others if each.address == address]
    silent: list[str] = []
    for server, kept in _kept_elsewhere(it):
        if isinstance(kept, Exception):
            silent.append(f"{server} ({kept})")
            continue
        taken += [f"{each} on {server}" for each, there in kept.items() if each != tag and there == address]
        if tag in kept and it.template is None:
            found = f"{server} has a resource {tag}, of {kept[tag]}"
            yield Finding("tag free", Outcome.FAILED, found, "choose another tag, or delete that one first")
    if taken:
        found = f"{address} is protected by {', '.join(dict.fromkeys(taken))}"
        yield Finding(name, Outcome.FAILED, found, "no two resources may protect the same address")
    else:
        yield Finding(name, Outcome.OK, f"no other resource protects {address}")
    if silent:
        advice = "see that no resource there has the same tag or address"
        yield Finding("tag and address elsewhere", Outcome.UNSEEN, ", ".join(silent), advice)


def _kept_elsewhere(it: Preflight) -> list[tuple[str, dict[str, str] | Exception]]:
    """Other server → tag → address of its resources, or why it does not tell."""
    names = sorted(_others(it))
    jobs = [partial(_kept_on, it.action, each) for each in names]
    return list(zip(names, side_by_side(jobs, it.action.deadline, at_most=8), strict=True))


def _kept_on(action: Action, server: str) -> dict[str, str]:
    told = action.ask(server, ["addresses"], seconds=_ANSWER_SECONDS)["addresses"]
    return {str(tag): str(address) for tag, address in told.items()}


def _others(it: Preflight) -> set[str]:
    """LifeKeeper knows its servers; without it those are known that some resource of this server has."""
    resources = [it.resource, *it.action.registry.resources()]
    systems = it.action.lifekeeper.systems() if it.action.lifekeeper is not None else []
    return {*systems, *(name for each in resources for name in each.names)} - {it.action.registry.server}


# -- the cluster -----------------------------------------------------------------------------------------------


def _agreement(it: Preflight) -> Iterator[Finding]:
    if it.template is None:
        return
    here, there = (it.identity.region, it.interface.vpc_id), (it.template.region, it.template.vpc_id)
    if it.resource.scenario == ELASTIC_IP:
        here, there = here[:1], there[:1]  # type: ignore[assignment]
    if here == there:
        yield Finding("region and vpc", Outcome.OK, f"{', '.join(here)} as on the template server")
    else:
        found = f"{', '.join(here)} here, {', '.join(there)} on the template server"
        yield Finding("region and vpc", Outcome.FAILED, found, "all servers of a resource live in one VPC")


def _zones(it: Preflight) -> Iterator[Finding]:
    others = [each for each in it.resource.servers if each.name != it.server.name]
    same = [each.name for each in others if each.availability_zone == it.identity.availability_zone]
    if same:
        found = f"{it.server.name} is in {it.identity.availability_zone}, as {', '.join(same)}"
        yield Finding("availability zones", Outcome.WARN, found, "use different zones: one zone's loss takes all")
    elif others:
        yield Finding("availability zones", Outcome.OK, f"no other server is in {it.identity.availability_zone}")


def _versions(it: Preflight) -> Iterator[Finding]:
    if it.template is None:
        return
    if it.template_version == __version__:
        yield Finding("versions", Outcome.OK, f"ec2kit {__version__} on both servers")
    else:
        found = f"ec2kit {__version__} here, {it.template_version} on the template server"
        yield Finding("versions", Outcome.WARN, found, "install the same version on all servers")


def _timeouts(it: Preflight) -> Iterator[Finding]:
    chosen = it.action.settings
    request = chosen.connect_timeout + chosen.read_timeout
    rules = (
        (request < chosen.quickcheck_timeout, "EC2_QUICKCHECK_TIMEOUT leaves no time for one request"),
        (chosen.confirm_interval + request < chosen.quickcheck_timeout, "EC2_CONFIRM_INTERVAL leaves no time"),
        (chosen.verify_timeout < chosen.restore_timeout, "EC2_VERIFY_TIMEOUT is not below EC2_RESTORE_TIMEOUT"),
        (request < chosen.restore_timeout, "EC2_RESTORE_TIMEOUT leaves no time for one request"),
        (
            not chosen.lkcheckinterval or chosen.quickcheck_timeout < chosen.lkcheckinterval,
            "EC2_QUICKCHECK_TIMEOUT is not below LKCHECKINTERVAL",
        ),
    )
    broken = [text for holds, text in rules if not holds]
    if broken:
        yield Finding("time-outs", Outcome.WARN, "; ".join(broken), "see the tunables in the README")
    else:
        yield Finding("time-outs", Outcome.OK, "they fit into one another")


# -- LifeKeeper ------------------------------------------------------------------------------------------------


def _framework(it: Preflight) -> Iterator[Finding]:
    root = it.action.settings.lkroot
    if it.action.lifekeeper is None and os.path.exists(os.path.join(root, "bin", "ins_list")):
        advice = "run `ec2kit install` first, if LifeKeeper shall move the address"
        yield Finding("framework", Outcome.WARN, f"LifeKeeper is in {root}, and does not know of ec2kit", advice)


def _ip_resource(it: Preflight) -> Iterator[Finding]:
    tag, framework = it.resource.ip_resource, it.action.lifekeeper
    if framework is None or not tag:
        return
    instance = framework.instance(tag)
    if it.template is not None:
        yield _ip_resource_extended(it, tag, is_here=instance is not None)
    elif instance is not None and instance.is_in_service:
        yield Finding("ip resource", Outcome.OK, f"{tag} is in service here, and will depend on {it.resource.tag}")
    else:
        state = instance.state if instance else "not there"
        yield Finding(
            "ip resource", Outcome.FAILED, f"{tag} is {state}", "bring the IP resource in service here first"
        )


def _ip_resource_extended(it: Preflight, tag: str, *, is_here: bool) -> Finding:
    if is_here:
        return Finding("ip resource", Outcome.OK, f"{tag} is here, and will depend on {it.resource.tag}")
    advice = f"extend it to this server, then let it depend: dep_create -p {tag} -c {it.resource.tag}"
    return Finding("ip resource", Outcome.WARN, f"{tag} is not on this server yet", advice)


def _broadcast_ping(it: Preflight) -> Iterator[Finding]:
    if it.action.lifekeeper is None or it.resource.scenario != ROUTE_TABLE:
        return
    if it.action.settings.nobcastping:
        yield Finding("broadcast ping", Outcome.OK, "off (NOBCASTPING=1)")
    else:
        advice = f"set NOBCASTPING=1 in {DEFAULTS_FILE}: nothing answers a broadcast in a VPC"
        yield Finding("broadcast ping", Outcome.FAILED, "the IP resource would use it to check itself", advice)


def _reserved(it: Preflight) -> Iterator[Finding]:
    if it.action.lifekeeper is None:
        return
    seconds = it.action.settings.resrvrectimeout
    if seconds >= _RESERVED:
        yield Finding("recovery time", Outcome.OK, f"RESRVRECTIMEOUT is {seconds:g} s")
    else:
        found = f"RESRVRECTIMEOUT is {seconds:g} s, less than {_RESERVED:g} s"
        advice = f"raise it in {DEFAULTS_FILE}: AWS may be slower than an address on a wire"
        yield Finding("recovery time", Outcome.WARN, found, advice)


def _lifekeeper_versions(it: Preflight) -> Iterator[Finding]:
    if it.action.lifekeeper is None or it.template is None:
        return
    here = lifekeeper.version(it.action.settings.path, it.action.deadline)
    name, there = "lifekeeper versions", it.template_lifekeeper
    if not here or not there:
        found = f"{here or 'unknown'} here, {there or 'unknown'} on the template server"
        yield Finding(name, Outcome.UNSEEN, found, "make sure by hand that they are the same")
    elif here == there:
        yield Finding(name, Outcome.OK, f"LifeKeeper {here} on both servers")
    else:
        found = f"LifeKeeper {here} here, {there} on the template server"
        yield Finding(name, Outcome.WARN, found, "install the same version on all servers")


def _automatic_recovery(it: Preflight) -> Iterator[Finding]:
    setting = it.ec2.automatic_recovery(it.identity.instance_id)
    if setting == "disabled":
        yield Finding("ec2 automatic recovery", Outcome.OK, "off")
    else:
        advice = "consider switching it off: the cluster recovers the service, EC2 would interfere"
        yield Finding("ec2 automatic recovery", Outcome.NOTE, f"set to {setting}", advice)


_CHECKS: tuple[tuple[str, Check], ...] = (
    ("instance metadata", _metadata),
    ("ec2 endpoint", _endpoint),
    ("permissions", _permissions),
    ("network interface", _interface),
    ("reply path", _reply_path),
    ("vip outside the vpc", _vip),
    ("routes", _routes),
    ("elastic ip", _elastic_ip),
    ("address free", _free),
    ("region and vpc", _agreement),
    ("availability zones", _zones),
    ("versions", _versions),
    ("framework", _framework),
    ("ip resource", _ip_resource),
    ("broadcast ping", _broadcast_ping),
    ("recovery time", _reserved),
    ("lifekeeper versions", _lifekeeper_versions),
    ("time-outs", _timeouts),
    ("ec2 automatic recovery", _automatic_recovery),
)

_OF_A_STANDBY = (_metadata, _endpoint, _permissions, _interface, _vip, _routes, _elastic_ip)
