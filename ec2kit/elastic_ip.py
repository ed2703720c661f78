"""Elastic IP scenario: the address is associated with the active server's ENI, and the link is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ec2kit import messages
from ec2kit.answers import Address, Receipt
from ec2kit.errors import Ec2KitError
from ec2kit.messages import Message, Notice
from ec2kit.nic import Nic
from ec2kit.resource import Resource, Server
from ec2kit.status import Change, Plan, Status, Verdict, Wanted, combine

if TYPE_CHECKING:
    from ec2kit.aws import Ec2
    from ec2kit.deadline import Deadline
    from ec2kit.scenario import Permission, Source
    from ec2kit.settings import Settings

_NO_ASSOCIATION = "eipassoc-00000000000000000"

_TRIES = 2
"""Writes of one association: if somebody else takes it after ours, once more, then it is contested."""


class Observed(NamedTuple):
    """
    What EC2 and this server say.

    Attributes:
        address: None: the Elastic IP does not exist in this account and region, or its allocation is another one's.
        neighbours: Other Elastic IPs on this server's ENI.
        link_is_up: True also where nobody wants to know.
        clears_neighbours: EC2_EIP_EXCLUSIVE.
    """

    resource: Resource
    server: Server
    address: Address | None
    neighbours: tuple[Address, ...] = ()
    link_is_up: bool = True
    clears_neighbours: bool = False
    unknown: Ec2KitError | None = None


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look at the address and at the link.

    Raises:
        Ec2KitError: EC2 told nothing.
    """
    everything = source.addresses()
    ours = next((each for each in everything if _is_ours(each, resource)), None)
    on_the_eni = tuple(
        each for each in everything if each is not ours and each.network_interface_id == server.network_interface_id
    )
    link_is_up, unknown = True, None
    if not settings.nolinkcheck:
        try:
            link_is_up = Nic(server.device, settings).link_is_up
        except Ec2KitError as error:
            unknown = error
    return Observed(resource, server, ours, on_the_eni, link_is_up, settings.eip_exclusive, unknown)


def _is_ours(address: Address, resource: Resource) -> bool:
    """Both must agree: whoever gave an allocation and the address of another one shall not have either moved."""
    return address.allocation_id == resource.allocation_id and address.public_ip == resource.address


def judge(observed: Observed) -> Verdict:
    """Tell whether the address is associated with this server's ENI and private address, and the link is up."""
    verdicts = [_judge_association(observed)]
    if observed.unknown is not None:
        verdicts.append(Verdict(Status.UNKNOWN, (str(observed.unknown),)))
    elif not observed.link_is_up:
        verdicts.append(Verdict(Status.OUT_OF_SERVICE, (f"the link of {observed.server.device} is down",)))
    return combine(verdicts)


def _judge_association(observed: Observed) -> Verdict:
    if observed.address is None:
        return Verdict(Status.OUT_OF_SERVICE, (_missing(observed),))
    if _is_right(observed, observed.address):
        return Verdict(Status.IN_SERVICE)
    return Verdict(
        Status.OUT_OF_SERVICE,
        (f"{observed.resource.address} is associated with {_show(observed, observed.address)}",),
    )


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


def _missing(observed: Observed) -> str:
    resource = observed.resource
    return messages.ADDRESS_MISSING.render(public_ip=resource.address, allocation_id=resource.allocation_id)


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    The calls still to make; the address is never without an owner in between.

    Args:
        made: Object → the changes that EC2 has accepted, or that may have been carried out.
        conditional: An address without an owner is taken only if it still has none.
    """
    address = observed.address
    if wanted is Wanted.NOT_HERE:
        return _plan_release(observed, made)
    if address is None:
        return Plan(impossible={observed.resource.allocation_id: _missing(observed)})
    changes: list[Change] = []
    impossible: dict[str, str] = {}
    before = made.get(address.allocation_id, ())
    neighbours = [each for each in observed.neighbours if observed.clears_neighbours and each.association_id]
    pending = {
        each.allocation_id: f"still associated with {_show(observed, each)}"
        for each in neighbours
        if each.allocation_id in made
    }
    if _is_right(observed, address):
        changes += [_disassociate(each) for each in neighbours if each.allocation_id not in made]
    elif any(_place(address) == change.old for change in before):
        late = f"still associated with {_show(observed, address)}"
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
        if device in made:
            pending[device] = "the link is still down"
        else:
            changes.append(Change("SetLinkUp", device, old="down", new="up"))
    return Plan(tuple(changes), pending, impossible)


def _contested(observed: Observed, address: Address) -> str:
    """Said after the last write only: what made it necessary was another hand."""
    return f"contested: somebody else associates it with {_show(observed, address)}"


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


def _disassociate(address: Address) -> Change:
    return Change(
        "DisassociateAddress",
        address.allocation_id,
        old=_place(address),
        new=None,
        arguments={"association_id": address.association_id or "", "public_ip": address.public_ip},
    )


def _plan_release(observed: Observed, made: Mapping[str, tuple[Change, ...]]) -> Plan:
    address = observed.address
    if address is None or address.network_interface_id != observed.server.network_interface_id:
        return Plan()
    if before := made.get(address.allocation_id):
        if before[-1].arguments.get("association_id") != address.association_id:
            return Plan()  # somebody has associated it anew
        return Plan(pending={address.allocation_id: f"still associated with {_show(observed, address)}"})
    return Plan((_disassociate(address),))


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what the method of Ec2, or `Nic.set_up`, raises."""
    arguments = change.arguments
    if change.operation == "SetLinkUp":
        Nic(change.target, settings).set_up(deadline)
        return Receipt("none", 1, 0.0)
    if change.operation == "DisassociateAddress":
        return ec2.disassociate_address(association_id=str(arguments["association_id"]))
    return ec2.associate_address(
        allocation_id=str(arguments["allocation_id"]),
        network_interface_id=str(arguments["network_interface_id"]),
        private_ip_address=str(arguments["private_ip_address"]),
        allow_reassociation=bool(arguments["allow_reassociation"]),
    )


_MESSAGES = {
    "SetLinkUp": messages.LINK_SET_UP,
    "AssociateAddress": messages.ADDRESS_ASSOCIATED,
    "DisassociateAddress": messages.ADDRESS_DISASSOCIATED,
}


def message(change: Change) -> Message:
    """The catalogue's entry for the change."""
    return _MESSAGES[change.operation]


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Allocation id → the ENI that has the address."""
    address = observed.address
    return {} if address is None else {address.allocation_id: address.network_interface_id}


def objects(observed: Observed) -> tuple[str, ...]:
    """The things that hold the address: its allocation."""
    return () if observed.address is None else (observed.address.allocation_id,)


def notices(observed: Observed) -> tuple[Notice, ...]:
    """
    The Elastic IPs that EC2 takes off the private address when ours is associated with it.

    Source: EC2 API, AssociateAddress.
    """
    wanted = observed.server.private_ip_address
    displaced = (each for each in observed.neighbours if each.private_ip_address == wanted)
    return tuple((messages.ADDRESS_DISPLACED, each._asdict()) for each in displaced)


def permissions(observed: Observed) -> tuple[Permission, ...]:
    """What looking, associating and disassociating need, with the arguments that they would have."""
    server, address = observed.server, observed.address
    association_id = (address.association_id if address else None) or _NO_ASSOCIATION
    place = {"NetworkInterfaceId": server.network_interface_id, "PrivateIpAddress": server.private_ip_address}
    return (
        ("DescribeAddresses", {}),
        ("AssociateAddress", {"AllocationId": observed.resource.allocation_id, "AllowReassociation": True, **place}),
        ("DisassociateAddress", {"AssociationId": association_id}),
    )


def origin(observed: Observed) -> dict[str, str]:
    """Allocation id → "eni-1 10.0.1.11" that it is associated with, or ""; what `undo` needs to put it back."""
    address = observed.address
    if address is None:
        return {}
    return {address.allocation_id: f"{address.network_interface_id or ''} {address.private_ip_address or ''}".strip()}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """The address, if it is here and was not before, given back to the ENI that had it, or to nobody."""
    address = observed.address
    was = before.get(address.allocation_id) if address else None
    if address is None or was is None or not _is_right(observed, address):
        return Plan()
    network_interface_id, _, private_ip_address = was.partition(" ")
    if network_interface_id == address.network_interface_id and private_ip_address == address.private_ip_address:
        return Plan()
    if not network_interface_id:
        return Plan((_disassociate(address),))
    return Plan((_associate(address, network_interface_id, private_ip_address, allow_reassociation=True),))
