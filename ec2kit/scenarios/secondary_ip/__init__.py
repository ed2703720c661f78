"""The scenario secondary-ip: a private address of the servers' subnet is assigned to the active server's ENI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.ec2.answers import Holder, Receipt
from ec2kit.errors import Ec2KitError, Unknown
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.messages.statement import Reason, Reasons
from ec2kit.resource import Resource, Server, is_ipv4, stored_text
from ec2kit.status import Change, Plan, Status, Verdict, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Protocol

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Sharing
    from ec2kit.holding import Holdings
    from ec2kit.messages.statement import Statement
    from ec2kit.scenarios.parameter import Agent
    from ec2kit.scenarios.scenario import Making, Permission
    from ec2kit.scenarios.situation.shown import Shown
    from ec2kit.settings import Settings

    class Source(Protocol):
        """The source of an observation: EC2 and IMDS, or their answers that the checks share."""

        def holders(self, *, vpc_id: str, addresses: Sequence[str]) -> tuple[Holder, ...]: ...

        def shown_by_metadata(self, mac_address: str) -> Collection[str]: ...


ON_THE_DEVICE = True

_TRIES = 2
"""Maximum times that the address is assigned; if another writer takes it after the last one, it stays contested."""


class Own(NamedTuple):
    """The part of a definition that only this kind has: nothing."""


def own(stored: Mapping[str, Any]) -> Own:
    """Read `Own` from the stored form of a definition; raises ValueError if the address is none of a subnet."""
    canonical(stored_text(stored, "address"))
    return Own()


def canonical(text: str) -> str:
    """
    Return a private address in its usual form, "10.0.11.50" or "2600:1f18:0:11::50".

    Raises:
        ValueError: The text is no address, or none that a network interface may share.
    """
    if is_ipv4(text):
        return text
    import ipaddress

    address = ipaddress.ip_address(text)
    scoped = address.version == 6 and (address.scope_id or address.ipv4_mapped or address.is_link_local)
    if scoped or address.is_multicast or address.is_loopback or address.is_unspecified:
        raise ValueError(f"{text[:60]!a} is no address of a subnet")
    return str(address)


def subject(resource: Resource) -> str:
    """Return the private address."""
    return resource.address


def holdings(resource: Resource) -> Holdings:
    """Return the private address; another VPC may have the same one."""
    from ec2kit.holding import Holding

    return (Holding(f"private address {resource.address} of {resource.vpc_id}"),)


def roles(resource: Resource) -> tuple[str, ...]:
    """Return nothing: the address belongs to the account of the servers."""
    return ()


class Observed(NamedTuple):
    """
    The answers of EC2 and of this server's IMDS.

    Attributes:
        holder: The ENI that has the address; None: no ENI of the VPC has it.
        metadata: IMDS shows the address on this server's ENI, or does not, or does not answer. Only asked for if the
            ENI has the address.
        unknown: Always None: EC2's answer is there, or the look raises.
    """

    resource: Resource
    server: Server
    holder: Holder | None
    metadata: bool | Ec2KitError = True
    unknown: Ec2KitError | None = None

    @property
    def address(self) -> str:
        """Return the address, which is also the object that changes."""
        return self.resource.address

    @property
    def is_assigned_here(self) -> bool:
        """Tell whether EC2 shows the address on this server's ENI."""
        return self.holder is not None and self.holder.network_interface_id == self.server.network_interface_id

    @property
    def place(self) -> str | None:
        """Return the ENI that has the address."""
        return self.holder.network_interface_id if self.holder else None

    @property
    def shown_place(self) -> str:
        """Return the ENI for a person, "eni-1 of node1"."""
        return self.resource.with_names(self.place or "no network interface")


def observe(source: Source, resource: Resource, server: Server, settings: Settings) -> Observed:
    """
    Look which ENI has the address, and, if it is this server's, whether IMDS shows it as well.

    While EC2 moves an address it may show both ENIs; then IMDS decides.

    Raises:
        Ec2KitError: EC2 gave no usable answer.

    Source: EC2 API, AssignPrivateIpAddresses: remapping is asynchronous, and complete when the metadata show it.
    """
    found = source.holders(vpc_id=resource.vpc_id, addresses=(resource.address,))
    here = [each for each in found if each.network_interface_id == server.network_interface_id]
    seen = Observed(resource, server, next(iter([*here, *found]), None))
    if not here:
        return seen
    try:
        return seen._replace(metadata=resource.address in source.shown_by_metadata(server.mac_address))
    except Unknown as error:
        return seen._replace(metadata=error)


def shared(sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Source:
    """Return the addresses as the checks of this server share them; one answer holds those of all resources."""
    from ec2kit.scenarios.secondary_ip.sharing import SharedHolders

    return SharedHolders(
        sharing,
        lambda: [
            each.address for each in others() if (each.scenario, each.vpc_id) == (resource.scenario, resource.vpc_id)
        ],
    )


def judge(observed: Observed) -> Verdict:
    """Tell whether the address is on this server's ENI; IMDS alone never says that it is not."""
    if not observed.is_assigned_here:
        fields = {"address": observed.address, "place": observed.shown_place}
        return Verdict(Status.OUT_OF_SERVICE, (Reason.of(catalogue.PRIVATE_ADDRESS_ELSEWHERE, **fields),))
    if observed.metadata is True:
        return Verdict(Status.IN_SERVICE)
    return Verdict(Status.UNKNOWN, (_not_effective(observed),))


def verdicts(observed: Observed) -> Mapping[str, Verdict]:
    """Return the verdict on the private address."""
    return {observed.address: judge(observed)}


def _not_effective(observed: Observed) -> Statement:
    if isinstance(observed.metadata, Ec2KitError):
        return observed.metadata
    fields = {"address": observed.address, "network_interface_id": observed.server.network_interface_id}
    return Reason.of(catalogue.PRIVATE_ADDRESS_NOT_EFFECTIVE, **fields)


# -- deciding ----------------------------------------------------------------------------------------------------


def plan(
    observed: Observed, wanted: Wanted, made: Mapping[str, tuple[Change, ...]], *, conditional: bool = False
) -> Plan:
    """
    Return the remaining changes; remove has none, because an address without an ENI may be given away.

    An IPv4 address moves by one call. An IPv6 address is taken from its ENI first, and assigned when EC2 shows that
    it is free.

    Args:
        made: Object → the changes that EC2 has accepted, or that may have been carried out.
        conditional: True: an address that no ENI has is taken only if still none has it.
    """
    address, holder = observed.address, observed.holder
    if wanted is Wanted.NOT_HERE:
        return Plan()
    if observed.is_assigned_here:
        return Plan() if observed.metadata is True else Plan(pending={address: _not_effective(observed)})
    if holder is not None and (reason := _untouchable(observed, holder)):
        return Plan(impossible={address: reason})
    before = made.get(address, ())
    is_exhausted = sum(each.new is not None for each in before) >= _TRIES
    contested = Reason.of(catalogue.PRIVATE_ADDRESS_CONTESTED, place=observed.shown_place)
    if any(observed.place == change.old for change in before):
        late = Reason.of(catalogue.PRIVATE_ADDRESS_STILL_ELSEWHERE, place=observed.shown_place)
        return Plan(pending={address: contested if is_exhausted else late})
    if is_exhausted:
        return Plan(impossible={address: contested})
    if holder is not None and not is_ipv4(address):
        return Plan((_unassign(address, holder.network_interface_id),))
    to = observed.server.network_interface_id
    return Plan((_assign(address, observed.place, to, allow_reassignment=not (conditional and holder is None)),))


def foreseen(observed: Observed, change: Change) -> Observed:
    """Return the ENI that has the address after a change; IMDS shows it as well by then."""
    holder = Holder(observed.address, change.new) if change.new is not None else None
    return observed._replace(holder=holder, metadata=True)


def ahead(resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
    """Return nothing: only a look shows whether a service of AWS has got the address meanwhile."""
    return ()


def _untouchable(observed: Observed, holder: Holder) -> Reason | None:
    """Return the reason for which no call can take the address from its ENI."""
    fields = {"address": observed.address, "place": observed.shown_place}
    if holder.is_primary:
        return Reason.of(catalogue.PRIVATE_ADDRESS_PRIMARY, **fields)
    if holder.service:
        return Reason.of(catalogue.PRIVATE_ADDRESS_MANAGED, **fields, service=holder.service)
    return None


def _assign(address: str, old: str | None, new: str, *, allow_reassignment: bool) -> Change:
    if not is_ipv4(address):
        arguments: dict[str, str | bool] = {"network_interface_id": new, "ipv6_address": address}
        return Change("AssignIpv6Addresses", address, old=old, new=new, arguments=arguments)
    arguments = {
        "network_interface_id": new,
        "private_ip_address": address,
        "allow_reassignment": allow_reassignment,
    }
    return Change("AssignPrivateIpAddresses", address, old=old, new=new, arguments=arguments)


def _unassign(address: str, old: str) -> Change:
    name, operation = (
        ("private_ip_address", "UnassignPrivateIpAddresses")
        if is_ipv4(address)
        else ("ipv6_address", "UnassignIpv6Addresses")
    )
    return Change(operation, address, old=old, new=None, arguments={"network_interface_id": old, name: address})


def origin(observed: Observed) -> dict[str, str]:
    """Return for `undo` address → the ENI that has it, or ""."""
    return {observed.address: observed.place or ""}


def undo(observed: Observed, before: Mapping[str, str]) -> Plan:
    """Return the changes that give the address back to the ENI that had it before, or take it off this server."""
    address, here = observed.address, observed.server.network_interface_id
    was = before.get(address)
    if was is None or was == here:
        return Plan()
    is_between = observed.holder is None and was and not is_ipv4(address)
    if is_between:
        return Plan((_assign(address, None, was, allow_reassignment=False),))
    if not observed.is_assigned_here:
        return Plan()
    if was and is_ipv4(address):
        return Plan((_assign(address, here, was, allow_reassignment=True),))
    return Plan((_unassign(address, here),))


# -- changing ----------------------------------------------------------------------------------------------------


def apply(change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
    """Make one change; raises what the method of Ec2 raises."""
    calls: dict[str, Callable[..., Receipt]] = {
        "AssignPrivateIpAddresses": ec2.assign_private_ip_address,
        "UnassignPrivateIpAddresses": ec2.unassign_private_ip_address,
        "AssignIpv6Addresses": ec2.assign_ipv6_address,
        "UnassignIpv6Addresses": ec2.unassign_ipv6_address,
    }
    return calls[change.operation](**change.arguments)


def permissions(observed: Observed | None) -> tuple[Permission, ...]:
    """
    Return the permissions to look and to move the address; only a real change tells whether it may be moved.

    Source: EC2 API: these four operations have no DryRun.
    """
    from ec2kit.scenarios.scenario import Permission

    of_ipv4 = ("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")
    of_ipv6 = ("AssignIpv6Addresses", "UnassignIpv6Addresses")
    if observed is None:
        names: tuple[str, ...] = (*of_ipv4, *of_ipv6)
    else:
        names = of_ipv4 if is_ipv4(observed.address) else of_ipv6
    return (Permission("DescribeNetworkInterfaces", {}), *(Permission(each, None) for each in names))


def patience(settings: Settings) -> float:
    """Return EC2_VERIFY_TIMEOUT."""
    return settings.verify_timeout


def companion(ec2: Ec2, server: Server) -> None:
    """Return None: the address is the ENI's own, so EC2 drops none of its packets."""


def left_by_remove(settings: Settings) -> bool:
    """Return True: EC2 may give an address that no ENI has to another one."""
    return True


# -- telling -----------------------------------------------------------------------------------------------------


def owners(observed: Observed) -> Mapping[str, str | None]:
    """Return address → the ENI that has it."""
    return {observed.address: observed.place}


def claimants(observed: Observed, target: str) -> tuple[str, ...]:
    """Return the owner of an object, which the object itself tells."""
    owner = owners(observed).get(target)
    return (owner,) if owner else ()


def objects(observed: Observed) -> tuple[str, ...]:
    """Return the object that moves: the address itself."""
    return (observed.address,)


def remembered(observed: Observed, before: Collection[str] = ()) -> tuple[str, ...]:
    """Return nothing: an address is not deleted."""
    return ()


def news(observed: Observed, before: Collection[str]) -> tuple[Notice, ...]:
    """Return nothing, because nothing is remembered."""
    return ()


def message(change: Change) -> Notice:
    """Return the message of a change."""
    if change.new is None:
        return catalogue.PRIVATE_ADDRESS_UNASSIGNED, {}
    return catalogue.PRIVATE_ADDRESS_ASSIGNED, {}


def notices(observed: Observed) -> tuple[Notice, ...]:
    """Return nothing: nothing else loses its place."""
    return ()


def left_alone(observed: Observed) -> Reasons:
    """Return nothing: the address is one object."""
    return Reasons()


# -- the parts that are not always loaded ------------------------------------------------------------------------


def making() -> Making:
    """Return the module by which resources of private addresses are made, checked, tried and shown."""
    from ec2kit.scenarios.secondary_ip import create

    return create


def agent() -> Agent:
    """Return the OCF agent of private addresses."""
    from ec2kit.scenarios.secondary_ip.parameters import AGENT

    return AGENT


def recorded() -> type[Shown]:
    """Return the class that writes and reads what is shown of private addresses."""
    from ec2kit.scenarios.secondary_ip.situation import SecondaryIpShown

    return SecondaryIpShown
