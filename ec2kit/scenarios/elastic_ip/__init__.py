"""The scenario elastic-ip: the address is associated with the active server's ENI, and the link is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.ec2.answers import Address, Receipt
from ec2kit.errors import AwsRefused, Ec2KitError, Unknown
from ec2kit.host.device import Device, present_device
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.messages.statement import Reason, Reasons
from ec2kit.resource import Resource, Server, stored_ipv4, stored_text
from ec2kit.status import UNSEEN, Change, Plan, Status, Verdict, Wanted, combine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Protocol

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Sharing
    from ec2kit.holding import Holding, Holdings
    from ec2kit.scenarios.parameter import Agent
    from ec2kit.scenarios.scenario import Making, Permission
    from ec2kit.scenarios.situation.shown import Shown
    from ec2kit.settings import Settings

    class Source(Protocol):
        """The source of an observation: EC2, or an answer of EC2 that the checks share."""

        def addresses(self) -> tuple[Address, ...]: ...

        def network_interface(self, network_interface_id: str, *, retries: int) -> NetworkInterface | None: ...


_NO_ALLOCATION, _NO_ASSOCIATION = "eipalloc-00000000000000000", "eipassoc-00000000000000000"
_NO_ENI, _NO_ADDRESS = "eni-00000000000000000", "192.0.2.1"

ON_THE_DEVICE = False

_TRIES = 2
"""Maximum writes of one association; if another writer changes it after the last one, it stays contested."""


class Own(NamedTuple):
    """The part of a definition that only an Elastic IP has: the id of its allocation, "eipalloc-…"."""

    allocation_id: str


def own(stored: Mapping[str, Any]) -> Own:
    """Read `Own` from the stored form of a definition; raises ValueError, also if the address is not IPv4."""
    stored_ipv4(stored)
    return Own(stored_text(stored, "allocation_id"))


class Observed(NamedTuple):
    """
    The answers of EC2 and of this server.

    Attributes:
        server: This server, with the present name of its device.
        address: None: the Elastic IP does not exist in this account and region, or has another allocation id.
        neighbours: Other Elastic IPs on this server's ENI.
        link_is_up: True also if the link is not checked (EC2_NOLINKCHECK).
        clears_neighbours: EC2_EIP_EXCLUSIVE.
        unknown: The error that hides the link.
        has_device: False: no device of this server is the ENI's.
        service: The service of AWS that the address belongs to, "nat_gateway"; None: the address may be taken.
    """

    resource: Resource
    server: Server
    address: Address | None
    neighbours: tuple[Address, ...] = ()
    link_is_up: bool = True
    clears_neighbours: bool = False
    unknown: Ec2KitError | None = None
    has_device: bool = True
    service: str | None = None


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at the address and at the link.

    Raises:
        Ec2KitError: EC2 gave no usable answer.
    """
    everything = source.addresses()
    ours = next((each for each in everything if _is_ours(each, resource)), None)
    on_the_eni = tuple(
        each for each in everything if each is not ours and each.network_interface_id == server.network_interface_id
    )
    service = _service(source, resource, ours) if ours is not None else None
    seen = Observed(resource, server, ours, on_the_eni, clears_neighbours=settings.eip_exclusive, service=service)
    if settings.nolinkcheck:
        return seen
    try:
        device = present_device(server, settings)
        if device is None:
            return seen._replace(link_is_up=False, has_device=False)
        return seen._replace(server=server._replace(device=device.name), link_is_up=device.link_is_up)
    except Ec2KitError as error:
        return seen._replace(unknown=error)


def _service(source: Source, resource: Resource, address: Address) -> str | None:
    """
    Return the service of AWS that an address belongs to, as far as EC2 tells.

    Only an ENI that is no server's and no instance's is looked at; if that look fails, EC2 itself has to refuse.

    Source: EC2 API, Address, ServiceManaged; NetworkInterface, InterfaceType, RequesterManaged.
    """
    place = address.network_interface_id
    if address.service_managed or not place or address.instance_id or resource.find_holder(place):
        return address.service_managed
    try:
        eni = source.network_interface(place, retries=0)
    except (Unknown, AwsRefused):
        return None
    return eni.service if eni is not None else None


def subject(resource: Resource) -> str:
    """Return the Elastic IP."""
    return resource.address


def holdings(resource: Resource) -> Holdings:
    """
    Return the Elastic IP and its place on each server: a private address carries one Elastic IP.

    Source: EC2 API, AssociateAddress.
    """
    from ec2kit.holding import Holding

    places = ((each.private_ip_address, each.network_interface_id) for each in resource.servers)
    what = "the place of an Elastic IP on"
    return (itself(resource.address), *(Holding(f"{what} {address} of {eni}") for address, eni in places))


def itself(public_ip: str) -> Holding:
    """Return an Elastic IP as a definition has it."""
    from ec2kit.holding import Holding

    return Holding(f"Elastic IP {public_ip}")


def roles(resource: Resource) -> tuple[str, ...]:
    """Return nothing: the address belongs to the account of the servers."""
    return ()


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Source:
    """Return the Elastic IPs as the checks of this server share them; one answer holds those of all resources."""
    from ec2kit.scenarios.elastic_ip.sharing import SharedAddresses

    return SharedAddresses(
        sharing, resource, lambda: [each for each in others() if each.scenario == resource.scenario]
    )


def _is_ours(address: Address, resource: Resource) -> bool:
    """Tell whether both allocation id and address are the resource's; if only one is, neither may be moved."""
    return (address.allocation_id, address.public_ip) == (resource.own.allocation_id, resource.address)


def judge(observed: Observed) -> Verdict:
    """Tell whether the address is associated with this server's ENI and private address, and the link is up."""
    verdicts = [_judge_association(observed)]
    if observed.unknown is not None:
        verdicts.append(Verdict(Status.UNKNOWN, (observed.unknown,)))
    elif not observed.link_is_up:
        verdicts.append(Verdict(Status.OUT_OF_SERVICE, (_link_down(observed),)))
    return combine(verdicts)


def _link_down(observed: Observed) -> Reason:
    server = observed.server
    if observed.has_device:
        return Reason.of(catalogue.LINK_DOWN, device=server.device)
    fields = {"network_interface_id": server.network_interface_id, "mac_address": server.mac_address}
    return Reason.of(catalogue.DEVICE_MISSING, **fields)


def _judge_association(observed: Observed) -> Verdict:
    if observed.address is None:
        return Verdict(Status.OUT_OF_SERVICE, (_missing(observed),))
    if _is_right(observed, observed.address):
        return Verdict(Status.IN_SERVICE)
    if observed.service:
        return Verdict(Status.OUT_OF_SERVICE, (_managed(observed),))
    place = _show(observed, observed.address)
    elsewhere = Reason.of(catalogue.ADDRESS_ELSEWHERE, public_ip=observed.resource.address, place=place)
    return Verdict(Status.OUT_OF_SERVICE, (elsewhere,))


def _is_right(observed: Observed, address: Address) -> bool:
    server = observed.server
    return (
        address.network_interface_id == server.network_interface_id
        and address.private_ip_address == server.private_ip_address
    )


def _place(address: Address) -> str:
    if address.network_interface_id is None:
        return "something that is no ENI" if address.association_id else "nothing"
    return f"{address.network_interface_id} ({address.private_ip_address})"


def _show(observed: Observed, address: Address) -> str:
    return observed.resource.with_names(_place(address))


def _missing(observed: Observed) -> Reason:
    resource = observed.resource
    fields = {"public_ip": resource.address, "allocation_id": resource.own.allocation_id}
    return Reason.of(catalogue.ADDRESS_MISSING, **fields)


def _managed(observed: Observed) -> Reason:
    fields = {"public_ip": observed.resource.address, "service": observed.service}
    return Reason.of(catalogue.ADDRESS_MANAGED, **fields)


def verdicts(observed: Observed) -> Mapping[str, Verdict]:
    """Return the verdict on the Elastic IP."""
    return {observed.resource.address: judge(observed)}


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    Return the remaining changes; the address is never without an owner in between.

    Args:
        made: Object → the changes that EC2 has accepted, or that may have been carried out.
        conditional: True: an address without an owner is taken only if it still has no owner.
    """
    address = observed.address
    if wanted is Wanted.NOT_HERE:
        return _plan_release(observed, made)
    if address is None:
        return Plan(impossible={observed.resource.own.allocation_id: _missing(observed)})
    changes: list[Change] = []
    impossible: dict[str, Reason] = {}
    before = made.get(address.allocation_id, ())
    neighbours = [each for each in cleared(observed) if each.association_id]
    pending = {
        each.allocation_id: Reason.of(catalogue.STILL_ASSOCIATED, place=_show(observed, each))
        for each in neighbours
        if each.allocation_id in made
    }
    if _is_right(observed, address):
        others = [each for each in neighbours if each.allocation_id not in made]
        changes += [_disassociate(each, displaces=itself(each.public_ip)) for each in others]
    elif observed.service:
        impossible[address.allocation_id] = _managed(observed)
    elif any(_place(address) == change.old for change in before):
        late = Reason.of(catalogue.STILL_ASSOCIATED, place=_show(observed, address))
        pending[address.allocation_id] = late if len(before) < _TRIES else _contested(observed, address)
    elif len(before) < _TRIES:
        server, free = observed.server, address.association_id is None
        changes.append(
            _associate(
                address,
                server.network_interface_id,
                server.private_ip_address,
                allow_reassociation=not (conditional and free),
            )
        )
    else:
        impossible[address.allocation_id] = _contested(observed, address)
    if not observed.link_is_up:
        device = observed.server.device
        if not observed.has_device:
            impossible[device] = _link_down(observed)
        elif device in made:
            pending[device] = Reason.of(catalogue.LINK_STILL_DOWN)
        else:
            changes.append(Change("SetLinkUp", device, old="down", new="up"))
    return Plan(tuple(changes), pending, impossible)


def foreseen(observed: Observed, change: Change) -> Observed:
    """Return the addresses and the link after a change; the private address carries one Elastic IP."""
    if change.operation == "SetLinkUp":
        return observed._replace(link_is_up=True)
    address = observed.address
    if address is None or change.target != address.allocation_id:
        left = tuple(each for each in observed.neighbours if each.allocation_id != change.target)
        return observed._replace(neighbours=left)
    if change.new is None:
        return observed._replace(address=Address(address.public_ip, address.allocation_id))
    place = str(change.arguments["network_interface_id"]), str(change.arguments["private_ip_address"])
    moved = Address(address.public_ip, address.allocation_id, address.association_id or "new", *place)
    left = tuple(each for each in observed.neighbours if each.private_ip_address != moved.private_ip_address)
    return observed._replace(address=moved, neighbours=left)


def ahead(resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
    """Return the association of the allocation, if it is remembered."""
    allocation_id = resource.own.allocation_id
    if allocation_id not in remembered:
        return ()
    address = Address(resource.address, allocation_id)
    change = _associate(address, server.network_interface_id, server.private_ip_address, allow_reassociation=True)
    return (change._replace(old=UNSEEN),)


def cleared(observed: Observed) -> tuple[Address, ...]:
    """Return the other Elastic IPs that restore takes off the ENI; never one that AWS manages for a service."""
    return tuple(each for each in observed.neighbours if observed.clears_neighbours and not each.service_managed)


def _contested(observed: Observed, address: Address) -> Reason:
    """Return the reason after the last write: another writer had made that write necessary."""
    return Reason.of(catalogue.ADDRESS_CONTESTED, place=_show(observed, address))


def _associate(
    address: Address, network_interface_id: str, private_ip_address: str, *, allow_reassociation: bool
) -> Change:
    return Change(
        "AssociateAddress",
        address.allocation_id,
        old=_place(address),
        new=f"{network_interface_id} ({private_ip_address})",
        arguments={
            "allocation_id": address.allocation_id,
            "network_interface_id": network_interface_id,
            "private_ip_address": private_ip_address,
            "allow_reassociation": allow_reassociation,
            "public_ip": address.public_ip,
        },
    )


def _disassociate(address: Address, displaces: Holding | None = None) -> Change:
    return Change(
        "DisassociateAddress",
        address.allocation_id,
        old=_place(address),
        new=None,
        arguments={"association_id": address.association_id or "", "public_ip": address.public_ip},
        displaces=displaces,
    )


def _plan_release(observed: Observed, made: Mapping[str, tuple[Change, ...]]) -> Plan:
    address = observed.address
    if address is None or observed.service or address.network_interface_id != observed.server.network_interface_id:
        return Plan()
    if before := made.get(address.allocation_id):
        if before[-1].arguments.get("association_id") != address.association_id:
            return Plan()  # another writer has associated the address again
        late = Reason.of(catalogue.STILL_ASSOCIATED, place=_show(observed, address))
        return Plan(pending={address.allocation_id: late})
    return Plan((_disassociate(address),))


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what the method of Ec2, or `Device.set_up`, raises."""
    arguments = change.arguments
    if change.operation == "SetLinkUp":
        Device(change.target, settings).set_up(deadline)
        return Receipt("none", 1, 0.0)
    if change.operation == "DisassociateAddress":
        return ec2.disassociate_address(association_id=str(arguments["association_id"]))
    return ec2.associate_address(
        allocation_id=str(arguments["allocation_id"]),
        network_interface_id=str(arguments["network_interface_id"]),
        private_ip_address=str(arguments["private_ip_address"]),
        allow_reassociation=bool(arguments["allow_reassociation"]),
    )


def patience(settings: Settings) -> float:
    """Return EC2_VERIFY_TIMEOUT."""
    return settings.verify_timeout


def companion(ec2: Ec2, server: Server) -> None:
    """Return None: an Elastic IP needs nothing beside itself."""


_MESSAGES = {
    "SetLinkUp": catalogue.LINK_SET_UP,
    "AssociateAddress": catalogue.ADDRESS_ASSOCIATED,
    "DisassociateAddress": catalogue.ADDRESS_DISASSOCIATED,
}


def left_by_remove(settings: Settings) -> bool:
    """Tell whether remove leaves the address where it is: only with EC2_EIP_KEEP_ON_REMOVE."""
    return settings.eip_keep_on_remove


def message(change: Change) -> Notice:
    """Return the message of a change."""
    return _MESSAGES[change.operation], {}


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Return allocation id → the ENI that has the address."""
    address = observed.address
    return {} if address is None else {address.allocation_id: address.network_interface_id}


def claimants(observed: Observed, target: str) -> tuple[str, ...]:
    """Return the owner of an object, which the object itself tells."""
    owner = owners(observed).get(target)
    return (owner,) if owner else ()


def objects(observed: Observed) -> tuple[str, ...]:
    """Return the object that holds the address: its allocation."""
    return () if observed.address is None else (observed.address.allocation_id,)


def remembered(observed: Observed, before: Collection[str] = ()) -> tuple[str, ...]:
    """Return the allocation, unless AWS manages it for a service, since a restore may begin with it."""
    return tuple(sorted({*before, *(() if observed.service else objects(observed))}))


def news(observed: Observed, before: Collection[str]) -> tuple[Notice, ...]:
    """Return nothing: a released allocation is missed by its id."""
    return ()


def notices(observed: Observed) -> tuple[Notice, ...]:
    """
    Return a notice for each Elastic IP that EC2 takes off the private address when the resource's comes there.

    Source: EC2 API, AssociateAddress.
    """
    wanted = observed.server.private_ip_address
    displaced = (each for each in observed.neighbours if each.private_ip_address == wanted)
    return tuple((catalogue.ADDRESS_DISPLACED, each._asdict()) for each in displaced)


def left_alone(observed: Observed) -> Reasons:
    """Return nothing: an Elastic IP is one object."""
    return Reasons()


def permissions(observed: Observed | None) -> tuple[Permission, ...]:
    """
    Return the permissions to look, associate and disassociate, with the arguments of the real calls.

    If a network interface has the address, the proof associates the address with it again, which changes nothing.
    If none has it, there is no association to lose, and the look alone is the proof.
    """
    from ec2kit.scenarios.scenario import Permission

    address = observed.address if observed else None
    association = {
        "AllocationId": observed.resource.own.allocation_id if observed else _NO_ALLOCATION,
        "AllowReassociation": True,
        "NetworkInterfaceId": observed.server.network_interface_id if observed else _NO_ENI,
        "PrivateIpAddress": observed.server.private_ip_address if observed else _NO_ADDRESS,
    }
    proof = None
    if address is not None and address.network_interface_id is not None:
        holder = {
            "NetworkInterfaceId": address.network_interface_id,
            "PrivateIpAddress": address.private_ip_address,
        }
        proof = Permission("AssociateAddress", {**association, **holder})
    association_id = (address.association_id if address and proof else None) or _NO_ASSOCIATION
    return (
        Permission("DescribeAddresses", {}),
        Permission("AssociateAddress", association, proof=proof),
        Permission("DisassociateAddress", {"AssociationId": association_id}, proof=proof),
    )


def origin(observed: Observed) -> dict[str, str]:
    """Return for `undo` allocation id → "eni-1 10.0.1.11", which the address is associated with, or ""."""
    address = observed.address
    if address is None:
        return {}
    return {address.allocation_id: f"{address.network_interface_id or ''} {address.private_ip_address or ''}".strip()}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """Return the changes that give the address back to the ENI that had it before, or that disassociate it."""
    address = observed.address
    was = before.get(address.allocation_id) if address else None
    if address is None or observed.service or was is None or not _is_right(observed, address):
        return Plan()
    network_interface_id, _, private_ip_address = was.partition(" ")
    if network_interface_id == address.network_interface_id and private_ip_address == address.private_ip_address:
        return Plan()
    if not network_interface_id:
        return Plan((_disassociate(address),))
    return Plan((_associate(address, network_interface_id, private_ip_address, allow_reassociation=True),))


def making() -> Making:
    """Return the module by which resources of Elastic IPs are made, checked, tried and shown."""
    from ec2kit.scenarios.elastic_ip import create

    return create


def agent() -> Agent:
    """Return the OCF agent of Elastic IPs."""
    from ec2kit.scenarios.elastic_ip.parameters import AGENT

    return AGENT


def recorded() -> type[Shown]:
    """Return the class that writes and reads what is shown of Elastic IPs."""
    from ec2kit.scenarios.elastic_ip.situation import ElasticIpShown

    return ElasticIpShown
