"""Where resources are kept; above this door nobody knows whether that is LifeKeeper's database or files."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from ec2kit.errors import StateUnusable
from ec2kit.resource import Resource
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from ec2kit.lifekeeper import LifeKeeper


class Registry(Protocol):
    """The definitions of resources, and whether they are in service on this server."""

    server: str
    """This server's name, as the definitions spell it."""

    place: str
    """Where it is, for a person."""

    def load(self, tag: str) -> Resource:
        """
        Raises:
            TagUnknown: The registry is intact and has no such resource.
            RegistryEmpty: It is missing or has no resource at all, which is trouble and not an answer.
            RegistryBroken: What is kept cannot be read.
        """

    def latest(self, tag: str) -> Resource:
        """
        The definition with what the framework owns of it, as that has it by now: switchback and priorities.

        Raises:
            Ec2KitError: What `load` raises, or the framework does not tell.
        """

    def resources(self) -> list[Resource]:
        """
        All of them, by tag; none where nothing was ever created.

        Raises:
            RegistryBroken: One of them cannot be read.
        """

    def has(self, tag: str) -> bool:
        """
        Whether the tag is taken, by whatever resource.

        Raises:
            Unknown: That cannot be said.
        """

    def store(self, resource: Resource, changed: Collection[str] = ()) -> None:
        """
        Keep a definition, if its revision is newer than the one that is there.

        Args:
            changed: What the framework has to be told of that which it owns; the rest of that stays as it has it.

        Raises:
            RevisionChanged: The one that is there is as new or newer.
            StateUnusable: It cannot be written.
        """

    def rename(self, tag: str, resource: Resource) -> None:
        """
        Keep the resource under the definition's tag, with its state; may be repeated after it was cut off.

        Raises:
            NotFree: Another resource has the new tag.
            Unknown: It cannot be written.
        """

    def remove(self, tag: str) -> None:
        """Forget a resource and its state; one that is not there is no error."""

    def in_service(self, tag: str) -> bool:
        """Whether it was brought in service here, in this boot, and not taken out since."""

    def state(self, tag: str) -> str:
        """ISP, OSU or OSF; ISP only if this boot wrote it."""

    def mark_in_service(self, tag: str) -> StateUnusable | None:
        """Gives why it is only written in EC2KIT_RUN_DIR, if it is; raises StateUnusable if it cannot be written."""

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
        """The same."""

    def forget_state(self, tag: str) -> None:
        """Forget what was marked, and nothing else; raises StateUnusable."""


def open_registry(settings: Settings, lifekeeper: LifeKeeper | None = None) -> Registry:
    """LifeKeeper's database where LifeKeeper is the framework, else files."""
    if lifekeeper is None:
        from ec2kit.registry.local import LocalRegistry

        return LocalRegistry(settings.state_dir, server=settings.server, spare=settings.run_dir)
    from ec2kit.registry.lifekeeper import LifeKeeperRegistry
    from ec2kit.registry.states import States

    states = States(os.path.join(settings.state_dir, "states"), spare=settings.run_dir)
    return LifeKeeperRegistry(lifekeeper, states, server=settings.server)
