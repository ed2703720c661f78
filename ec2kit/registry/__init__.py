"""Defines resources: the protocol of a registry, and this server's files; a framework's registry is in its room."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ec2kit.errors import RegistryBroken, StateUnusable
from ec2kit.resource import Resource


class Registry(Protocol):
    """The definitions of resources, and whether they are in service on this server."""

    server: str
    """This server's name, as the definitions spell it."""

    place: str
    """The registry's place, for a person."""

    def load(self, tag: str) -> Resource:
        """
        Return a definition.

        Raises:
            TagUnknown: The registry is intact and has no such resource.
            RegistryEmpty: The registry is missing or has no resource at all, which is trouble and not an answer.
            RegistryBroken: The registry or the definition cannot be read.
        """

    def latest(self, tag: str) -> Resource:
        """
        Return a definition with the framework's present values for what the framework owns: switchback, priorities.

        Raises:
            Ec2KitError: An error of `load`, or the framework gives no usable answer.
        """

    def resources(self) -> list[Resource]:
        """
        Return all definitions, ordered by tag; none if no resource was ever created.

        Raises:
            RegistryBroken: A definition cannot be read.
        """

    def survey(self) -> list[Resource | RegistryBroken]:
        """
        Return the same as `resources`, with the error in the place of each definition that cannot be read.

        Raises:
            RegistryBroken: The registry itself cannot be read.
        """

    def has(self, tag: str) -> bool:
        """
        Tell whether the tag is taken, by a resource of any kind.

        Raises:
            Unknown: The registry gives no usable answer.
        """

    def store(self, resource: Resource, changed: Collection[str] = (), *, replaces: int = 0) -> None:
        """
        Store a definition in place of the one that the caller has seen.

        Args:
            changed: Fields that the framework owns and has to change; all other fields that it owns stay.
            replaces: The revision of the definition that is replaced; 0: there is none yet.

        Raises:
            BadRequest: The present definition has another revision, or is gone.
            StateUnusable: The definition cannot be written.
        """

    def rename(self, tag: str, resource: Resource) -> None:
        """
        Rename a resource to the definition's tag, with its state; a rename that was cut off may be repeated.

        Raises:
            BadRequest: Another resource has the new tag.
            Unknown: The definition cannot be written.
        """

    def remove(self, tag: str) -> None:
        """Forget a resource and its state; a missing resource is no error."""

    def in_service(self, tag: str) -> bool:
        """Tell whether the resource was brought in service here in this boot, and not taken out since."""

    def state(self, tag: str) -> str:
        """Return ISP, OSU or OSF; ISP only if it was written in this boot."""

    def mark_in_service(self, tag: str) -> StateUnusable | None:
        """
        Mark the resource as in service here.

        Returns:
            The error because of which the state is written only in EC2KIT_RUN_DIR; None if there was none.

        Raises:
            StateUnusable: The state cannot be written at all.
        """

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
        """Mark the resource as out of service here; returns and raises the same as `mark_in_service`."""

    def forget_state(self, tag: str) -> None:
        """Forget only the state of a resource; raises StateUnusable."""
