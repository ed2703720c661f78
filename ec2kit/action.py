"""What one action works with: name, resource, settings, log, deadline, registry and the way to EC2."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit import __version__, messages
from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.intention import Intentions
from ec2kit.log import Log
from ec2kit.registry import Registry
from ec2kit.resource import ROUTE_TABLE, Resource, Server
from ec2kit.scenario import Scenario, scenario_of
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from ec2kit.aws import Ec2
    from ec2kit.lifekeeper import LifeKeeper
    from ec2kit.snapshot import Snapshot


def anything_goes() -> None:
    """The guard of an action that does not write, or that acts whatever is wanted meanwhile."""


class _Tools(NamedTuple):
    name: str
    tag: str
    settings: Settings
    log: Log
    deadline: Deadline
    registry: Registry
    lifekeeper: LifeKeeper | None = None
    given: Resource | None = None


class Action(_Tools):
    """
    One action on one resource of this server.

    Attributes:
        name: "restore".
        deadline: For all that the action does.
        lifekeeper: The framework, where it is LifeKeeper.
        given: A definition that the registry does not have, or not yet.
    """

    @property
    def resource(self) -> Resource:
        """Raises what `Registry.load` raises; a registry that could not tell is not asked again."""
        found = self.given or self._loaded
        if isinstance(found, Ec2KitError):
            raise found
        return found

    @cached_property
    def _loaded(self) -> Resource | Ec2KitError:
        try:
            return self.registry.load(self.tag)
        except Ec2KitError as error:
            return error

    @property
    def server(self) -> Server:
        """
        This server, as the resource knows it.

        Raises:
            ServerUnknown: The resource was not extended to it.
        """
        return self.resource.server(self.registry.server)

    @property
    def scenario(self) -> Scenario:
        return scenario_of(self.resource)

    @cached_property
    def intentions(self) -> Intentions:
        return Intentions(self.settings.run_dir, self.tag)

    def ask(self, server: str, words: list[str], *, seconds: float) -> dict[str, Any]:
        """Ask another server; raises what `remote.ask` raises."""
        from ec2kit import remote

        return remote.ask(server, words, self.settings, self.deadline.within(seconds), self.lifekeeper)

    def ec2(
        self,
        *,
        guard: Callable[[], None] = anything_goes,
        look_retries: int | None = None,
        write_retries: int | None = None,
        repeats_writes: bool = True,
        region: str = "",
    ) -> Ec2:
        """EC2 in the resource's region; boto3 is loaded with the first request."""
        from ec2kit.aws import Ec2
        from ec2kit.pace import SharedBucket
        from ec2kit.snapshot import Writes

        return Ec2(
            region=region or self.resource.region,
            settings=self.settings,
            deadline=self.deadline,
            log=self.log,
            user_agent=f"ec2kit/{__version__} {self.name} {self.tag}".rstrip(),
            guard=guard,
            look_retries=look_retries,
            write_retries=write_retries,
            repeats_writes=repeats_writes,
            shared_bucket=SharedBucket(os.path.join(self.settings.run_dir, "write-bucket.json")),
            note_write=Writes(self.settings.run_dir).note,
        )

    def snapshot(self, ec2: Callable[[], Ec2]) -> Snapshot:
        """EC2 as the checks of this server see it; `ec2` is called only if it has to be asked."""
        from ec2kit.snapshot import Snapshot

        return Snapshot(
            settings=self.settings,
            deadline=self.deadline,
            region=self.resource.region,
            ec2=ec2,
            neighbours=self._virtual_ips,
        )

    def _virtual_ips(self) -> list[str]:
        """The host routes of this server's route table resources in the same VPC, as far as they are known."""
        try:
            resources = self.registry.resources()
        except Ec2KitError:
            return []
        return [
            each.cidr for each in resources if each.vpc_id == self.resource.vpc_id and each.scenario == ROUTE_TABLE
        ]

    def called(self, tag: str) -> Action:
        """The same action on the resource of another tag."""
        return self._replace(tag=tag, given=None)

    def about(self, resource: Resource, *, seconds: float | None = None) -> Action:
        """The same action for a definition that is not in the registry, with a deadline of its own if need be."""
        deadline = self.deadline if seconds is None else Deadline(seconds, self.deadline.clock)
        return self._replace(tag=resource.tag, given=resource, deadline=deadline)

    def within(self, seconds: float) -> Action:
        """The same action, with a nearer deadline."""
        return self._replace(deadline=self.deadline.within(seconds))

    def begin(self) -> None:
        """Log that it begins."""
        self.log.put(messages.BEGIN, action=self.name, tag=self._subject, server=self.settings.server)

    def end(self, note: str = "") -> None:
        """Log that it succeeded; the note says what the success consists in."""
        note = f": {note}" if note else ""
        fields = {"action": self.name, "tag": self._subject, "seconds": self._seconds, "note": note}
        self.log.put(messages.END_SUCCESSFUL, **fields)

    def fail(self, reason: Ec2KitError | Stopped | str) -> None:
        """Log why it failed, under the error's own code, and that it failed."""
        if isinstance(reason, Ec2KitError | Stopped):
            self.log.error(reason, told=True)
        fields = {"action": self.name, "tag": self._subject, "seconds": self._seconds, "reason": reason}
        self.log.put(messages.END_FAILED, **fields)

    @property
    def _subject(self) -> str:
        return self.tag or "all resources"

    @property
    def _seconds(self) -> str:
        return f"{self.deadline.elapsed():.2f}"
