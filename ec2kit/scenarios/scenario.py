"""
The protocol of scenarios: the names that a kind of address has, in two parts.

`Scenario` is the part that every action needs; a quickCheck, which runs thousands of times a day, loads no other.
`Making` is the part that makes, checks, tries and shows a resource, and is loaded only then. Each part is a module;
one module may be both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from ec2kit.deadline import Deadline
    from ec2kit.ec2.answers import NetworkInterface, Receipt
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Sharing
    from ec2kit.errors import Ec2KitError
    from ec2kit.finding import Findings
    from ec2kit.holding import Holdings
    from ec2kit.host.instance import Interface
    from ec2kit.messages.catalogue import Notice
    from ec2kit.messages.log import Log
    from ec2kit.messages.statement import Reasons
    from ec2kit.resource import Resource, Server
    from ec2kit.role import Role
    from ec2kit.scenarios.parameter import Agent
    from ec2kit.scenarios.situation.shown import Shown
    from ec2kit.scenarios.wish import Field, Found, Given, Offered
    from ec2kit.settings import Settings
    from ec2kit.status import Change, Plan, Verdict, Wanted

Made = Mapping[str, "tuple[Change, ...]"]
"""Target → the changes to it that were made, or that may have been carried out."""


class Permission(NamedTuple):
    """
    An operation that the server's role has to permit.

    Attributes:
        parameters: The exact arguments of the question by DryRun; None: only a real change would answer it.
        proof: A question that changes nothing even where an endpoint ignores DryRun; it is asked first, and if the
            endpoint turns out to be one, `parameters` are not. None: `parameters` change nothing themselves.
        role: The role that has to permit it, if it is not that of the server.
    """

    operation: str
    parameters: Mapping[str, object] | None
    service: str = "ec2"
    proof: Permission | None = None
    role: Role | None = None

    @property
    def name(self) -> str:
        """Return the permission as IAM spells it, "ec2:ReplaceRoute"."""
        return f"{self.service}:{self.operation}"


class Grant(NamedTuple):
    """
    Operations on objects that a policy has to allow.

    Attributes:
        sid: The name of the statement, "MoveRoutes".
        actions: As IAM spells them, ("ec2:ReplaceRoute",); all of one service.
        objects: The part of an ARN behind the account, "route-table/rtb-1"; empty: the actions know no objects.
        condition: Operator → key → value or values of a policy's Condition.
        role: The role that needs it; None: the role of the servers.
        is_optional: True: only more checks and repairs need it.
    """

    sid: str
    actions: tuple[str, ...]
    objects: tuple[str, ...] = ()
    condition: Mapping[str, Mapping[str, str | tuple[str, ...]]] = MappingProxyType({})
    role: Role | None = None
    is_optional: bool = False


class Observed(Protocol):
    """An immutable observation, which has all that `judge` and `plan` need."""

    @property
    def unknown(self) -> Ec2KitError | None:
        """Return the error because of which a part of the observation is missing."""


class Companion(Protocol):
    """A setting of this server that has to be right beside the address; its failure does not fail the action."""

    def begin(self) -> None:
        """Begin to look, as soon as the next request has left; returns at once."""

    def finish(self, log: Log, deadline: Deadline, tell: Callable[[Change, Receipt | Exception], None] = ...) -> None:
        """
        Correct the setting, once the result of the action is known and marked.

        Args:
            tell: Called with the change that was tried, and what came of it.
        """

    def due(self, deadline: Deadline) -> Change:
        """
        Look at the setting, and return the change that `finish` would make; its old is its new if all is right.

        Raises:
            Ec2KitError: The setting cannot be seen; `finish` would leave it as it is.
        """


class Scenario(Protocol):
    """One kind of address: its looks and changes are thin, its decisions are pure functions."""

    # -- its definition --

    ON_THE_DEVICE: bool
    """True: the framework has to put the address on the active server's device."""

    def own(self, stored: Mapping[str, Any]) -> Any:
        """
        Read the part that only this kind has from the stored form of a definition.

        Returns:
            A named tuple of texts and tuples of texts.

        Raises:
            ValueError, KeyError, TypeError: A field is missing or wrong, or the address does not fit this kind.
        """

    def subject(self, resource: Resource) -> str:
        """Return in one word what the resource protects, which other servers tell of it; usually its address."""

    def holdings(self, resource: Resource) -> Holdings:
        """Return what the definition has of AWS for itself, on all of its servers; no other one may have it."""

    def roles(self, resource: Resource) -> tuple[str, ...]:
        """Return the ARNs of the roles under which objects are looked at and changed; none: no role is assumed."""

    # -- looking and deciding --

    def observe(self, source: Any, resource: Resource, server: Server, settings: Settings) -> Observed:
        """
        Look by a source: `Ec2`, or the result of `shared`.

        Raises:
            Ec2KitError: Nothing is known. If a part is known, the observation says why the rest is missing.
        """

    def shared(self, sharing: Sharing, resource: Resource, others: Callable[[], Sequence[Resource]]) -> Any:
        """
        Return the source that the checks of this server share, or the resources that one command shows.

        Args:
            others: Gives all known resources of this server, because one question may serve all of them.
        """

    def judge(self, observed: Any) -> Verdict:
        """Tell whether the address is in service on this server; a pure function."""

    def verdicts(self, observed: Any) -> Mapping[str, Verdict]:
        """Return address → the verdict on it alone, of which `judge` makes one; a pure function."""

    def plan(self, observed: Any, wanted: Wanted, made: Made, *, conditional: bool = False) -> Plan:
        """
        Return the remaining changes; a pure function.

        Each change may be made, repeated or left out without harm to the others.

        Args:
            conditional: True: an address without an owner is taken only if it still has no owner.
        """

    def foreseen(self, observed: Any, change: Change) -> Any:
        """Return what a look shows after a change of `plan`, if nothing else changes; a pure function."""

    def ahead(self, resource: Resource, server: Server, remembered: Collection[str]) -> tuple[Change, ...]:
        """
        Return the changes that bring remembered objects here, and that may be made beside the first look.

        Only objects that the definition covers by itself are among them, none that a look has to choose.

        Args:
            remembered: What `remembered` returned at an earlier look of this server.
        """

    def origin(self, observed: Any) -> dict[str, str]:
        """Return object → its present target, as `undo` needs it."""

    def undo(self, observed: Any, before: Mapping[str, str]) -> Plan:
        """Return the changes that give the objects that came here their targets before; a pure function."""

    # -- changing --

    def permissions(self, observed: Any | None) -> tuple[Permission, ...]:
        """
        Return the permissions to look and to change.

        Args:
            observed: None: the permissions name objects that do not exist.
        """

    def apply(self, change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt:
        """Make one change; raises what the operation raises."""

    def patience(self, settings: Settings) -> float:
        """Return the seconds for which AWS may take to show a change; the deadline of the action holds anyway."""

    def companion(self, ec2: Ec2, server: Server) -> Companion | None:
        """Return the setting that has to be right beside the address; None: there is none."""

    def left_by_remove(self, settings: Settings) -> bool:
        """Tell whether remove changes nothing in AWS, because the next server's restore takes the address anyway."""

    # -- telling --

    def owners(self, observed: Any) -> Mapping[str, str | None]:
        """Return the owners of the address: object → the ENI that it points at."""

    def claimants(self, observed: Any, target: str) -> tuple[str, ...]:
        """Return the ENIs, or other targets, of which one owns an object: one, unless the object does not tell."""

    def objects(self, observed: Any) -> tuple[str, ...]:
        """Return the objects that hold the address: tables, or an allocation."""

    def remembered(self, observed: Any, before: Collection[str] = ()) -> tuple[str, ...]:
        """
        Return the objects that a later check must miss when they are gone, and that a restore may begin with.

        Args:
            before: Objects that were remembered, and that stay so unless the definition no longer means them.
        """

    def news(self, observed: Any, before: Collection[str]) -> tuple[Notice, ...]:
        """
        Return a notice for each object that came or went.

        Args:
            before: The objects that were remembered; none: nothing is known of the time before.
        """

    def message(self, change: Change) -> Notice:
        """Return the message of a change that was made, with the fields that are not among its arguments."""

    def left_alone(self, observed: Any) -> Reasons:
        """Return the objects that another mechanism made for the address, and that no action changes."""

    def notices(self, observed: Any) -> tuple[Notice, ...]:
        """Return the notices to be logged before the first change."""

    # -- the parts that are not always loaded --

    def making(self) -> Making:
        """Return the part that makes, checks, tries and shows resources of this kind."""

    def agent(self) -> Agent:
        """Return the OCF agent of this kind."""

    def recorded(self) -> type[Shown] | None:
        """Return the class that writes into a record what a look shows, and reads it; None: this kind has none."""


class Ground(Protocol):
    """The values that the checks of a scenario may use."""

    @property
    def resource(self) -> Resource:
        """Return the resource as it would be, this server included."""

    @property
    def server(self) -> Server: ...

    @property
    def interface(self) -> Interface: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def given(self) -> Given:
        """Return what create was told; nothing for the checks of other actions."""

    @property
    def ec2(self) -> Ec2:
        """Return EC2; raises the error of an earlier check that did not reach EC2."""

    @property
    def seen(self) -> Any:
        """Return the scenario's observation of the address; raises the errors of `observe`."""


Check = Callable[[Any], "Findings"]
"""One check of a `Ground`. A check that raises could not look; the other checks go on."""


class Making(Protocol):
    """The part of a scenario by which resources of one kind are made, checked, tried and shown."""

    # -- create --

    FIELDS: tuple[Field, ...]
    """The fields that create needs beyond those of every kind, in the order of the dialogue."""

    def understood(self, given: Given, address_of: Callable[[str], str] | None) -> Given:
        """
        Return the given fields, completed.

        Args:
            address_of: Returns the address of the framework's IP resource with a tag; None: the framework has no IP
                resources.

        Raises:
            ArgumentInvalid: A field is missing, or does not belong here.
        """

    def find(self, given: Given, ec2: Ec2) -> Found:
        """
        Look up the rest of the definition.

        Raises:
            Ec2KitError: There is no such address, or EC2 gave no usable answer.
        """

    def preparations(self, given: Given, observed: Any) -> tuple[Change, ...]:
        """
        Return the changes by which create makes objects that the person has asked for; a pure function.

        Each is made before the resource comes in service, its target is ABSENT for `undo`, and no other action makes
        it.
        """

    def offers(self, ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
        """
        Return the choices of the dialogue, without those that cannot be looked up.

        Args:
            ec2: None: the region is not known.
            ip_resources: Tag → address of the IP resources that can be protected now; None: the framework has no IP
                resources.
        """

    # -- checks --

    LOOK: str
    """The EC2 operation that every look begins with, "DescribeAddresses"."""

    ONE_VPC: bool
    """True: all servers of a resource have to be in one VPC. They are always in one region."""

    DIFFERENT_ZONES: bool
    """True: two servers in one Availability Zone cause a warning."""

    CHECKS: tuple[tuple[str, Check], ...]
    """Name → check; a standby server makes these checks, too."""

    ON_DEMAND: tuple[tuple[str, Check], ...]
    """Name → check that only a person asks for, about those who use the address; no failover depends on it."""

    def displaces(self, ground: Ground) -> Holdings:
        """Return what loses its place on this server when the resource's address comes here."""

    def interface_findings(self, ground: Ground, eni: NetworkInterface) -> Findings:
        """Yield findings about the properties that this server's ENI must have."""

    def replies_to(self, interface: Interface) -> str:
        """Return an address that clients of such a resource may have, to check the way of packets to them."""

    def grants(self, resource: Resource, observed: Any) -> tuple[Grant, ...]:
        """
        Return the least that a policy has to allow for a resource; a pure function.

        Args:
            observed: What the scenario has observed of it, completely.

        Source: Service Authorization Reference: the objects and condition keys of each action.
        """

    # -- trying and showing --

    def packets_to(self, resource: Resource, holder: Server | None) -> tuple[str, ...]:
        """
        Return the addresses to which the other servers send packets to try the resource; none: no packet tells.

        Args:
            holder: The server that has the resource in service; None: that is not known.
        """

    NOT_PROVED_BY_PING: str
    """Advice on what to test after packets that were answered; "": nothing."""

    WHEN_SILENT: str
    """Where to look if AWS says that the address is on a server, and packets are not answered."""

    def shown(self, resource: Resource) -> str:
        """Return the address for a person, with its other names."""

    # -- the vendor's kit --

    IN_VENDORS_KIT: bool
    """True: LifeKeeper's own kit moves such addresses, so its old resources may need these permissions, too."""
