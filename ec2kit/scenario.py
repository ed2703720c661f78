"""The scenarios by name, and the names that each of their modules has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ec2kit.messages import Message, Notice
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, Resource, Server
from ec2kit.status import Change, Plan, Verdict, Wanted

if TYPE_CHECKING:
    from ec2kit.answers import Address, Receipt, RouteTables
    from ec2kit.aws import Ec2
    from ec2kit.deadline import Deadline
    from ec2kit.errors import Ec2KitError
    from ec2kit.settings import Settings

Made = Mapping[str, tuple[Change, ...]]
"""Target → the changes to it that were made, or that may have been carried out."""


Permission = tuple[str, dict[str, object]]
"""An operation that the scenario needs, with the exact arguments to ask for it by DryRun."""


class Observed(Protocol):
    """What was seen; immutable, and all that `judge` and `plan` need."""

    @property
    def unknown(self) -> Ec2KitError | None:
        """Why a part of it is missing."""


class Source(Protocol):
    """Where an observation comes from: EC2, or what it said a moment ago."""

    def route_tables(self, *, vpc_id: str, destination_cidr_block: str) -> RouteTables: ...

    def addresses(self) -> tuple[Address, ...]: ...


class Scenario(Protocol):
    """A module that knows one kind of address: it looks and changes thinly, and decides purely."""

    def observe(self, source: Source, resource: Resource, server: Server, settings: Settings) -> Observed: ...

    def judge(self, observed: Any) -> Verdict: ...

    def plan(self, observed: Any, wanted: Wanted, made: Made, *, conditional: bool = False) -> Plan: ...

    def apply(self, change: Change, ec2: Ec2, settings: Settings, deadline: Deadline) -> Receipt: ...

    def message(self, change: Change) -> Message: ...

    def owners(self, observed: Any) -> Mapping[str, str | None]: ...

    def objects(self, observed: Any) -> tuple[str, ...]: ...

    def notices(self, observed: Any) -> tuple[Notice, ...]: ...

    def permissions(self, observed: Any) -> tuple[Permission, ...]: ...

    def origin(self, observed: Any) -> dict[str, str]: ...

    def undo(self, observed: Any, before: Mapping[str, str]) -> Plan: ...


def scenario_of(resource: Resource) -> Scenario:
    """The module for a resource; only that one is imported."""
    if resource.scenario == ROUTE_TABLE:
        from ec2kit import route_table

        return route_table
    assert resource.scenario == ELASTIC_IP
    from ec2kit import elastic_ip

    return elastic_ip
