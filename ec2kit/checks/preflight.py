"""A preflight has all that the checks look at: the resource to be created or extended, and its new server."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ec2kit import __version__
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError
from ec2kit.host.instance import Identity, Interface
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.table import scenario_of
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.endpoints import Endpoint
    from ec2kit.scenarios.scenario import Making, Scenario
    from ec2kit.scenarios.wish import Given

_RETRIES = 1


@dataclass
class Preflight:
    """
    The resource that is about to be created or extended, and its new server.

    Attributes:
        resource: The resource as it would be afterwards, this server included.
        template: The resource as it is now on the template server; None at create.
        template_version: ec2kit's version on the template server.
        template_lifekeeper: LifeKeeper's version on the template server, if it is known.
        address_device: The device that will carry the address; "": that of the ENI.
        brings_its_way: True: the caller's start puts on the rule by which replies leave.
        stands_by: True: the resource is in service on no server, or on another one.
        given: What create was told.
    """

    action: Action
    resource: Resource
    server: Server
    identity: Identity
    interface: Interface
    template: Resource | None = None
    template_version: str = __version__
    template_lifekeeper: str | None = None
    address_device: str = ""
    brings_its_way: bool = False
    stands_by: bool = False
    given: Given = field(default_factory=dict)

    @classmethod
    def of(cls, action: Action, **more: bool | str) -> Preflight:
        """
        Return the preflight of a resource that this server has already.

        Args:
            more: Further attributes, by their names.

        Raises:
            Ec2KitError: The metadata service or the registry does not tell.
        """
        from ec2kit.host.instance import identity, interface

        resource, server = action.resource, action.server
        eni = interface(server.device, action.settings, action.deadline)
        here = identity(action.settings, action.deadline)
        return cls(action, resource, server, here, eni, **more)  # type: ignore[arg-type]  # each of its own type

    unreachable: Ec2KitError | None = None
    """The error of the check that did not reach EC2; no other check waits for EC2 again."""

    @property
    def ec2(self) -> Ec2:
        """Return EC2 in the resource's region; raises `unreachable` if it is set."""
        if self.unreachable is not None:
            raise self.unreachable
        return self._ec2

    @cached_property
    def _ec2(self) -> Ec2:
        return self.action.about(self.resource).ec2(look_retries=_RETRIES)

    def ec2_by(self, way: Endpoint) -> Ec2:
        """Return EC2 as it is reached by one of the ways alone."""
        alone = self.action.about(self.resource)._replace(settings=self.settings._replace(endpoints=(way,)))
        return alone.ec2(look_retries=0)

    @cached_property
    def seen(self) -> Any:
        """Return the scenario's observation of the address; raises the errors of `observe`."""
        return self.scenario.observe(self.ec2, self.resource, self.server, self.settings)

    @property
    def has_seen(self) -> bool:
        """Tell whether a check has looked at the address already, and EC2 has answered."""
        return "seen" in self.__dict__

    @property
    def settings(self) -> Settings:
        """Return the tunables of the action."""
        return self.action.settings

    @property
    def scenario(self) -> Scenario:
        """Return the scenario of the resource."""
        return scenario_of(self.resource)

    @cached_property
    def making(self) -> Making:
        """Return the part of the scenario that makes and checks resources."""
        return self.scenario.making()
