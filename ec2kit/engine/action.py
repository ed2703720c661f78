"""One action has a context: its name, resource, settings, log, deadline, registry and the way to EC2."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit import __version__
from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.messages.statement import Reasons
from ec2kit.registry import Registry
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.table import scenario_of
from ec2kit.settings import Settings
from ec2kit.state.intention import Intentions

if TYPE_CHECKING:
    from ec2kit.ec2.operations import Ec2
    from ec2kit.ec2.snapshot import Snapshot
    from ec2kit.engine.framework import Framework
    from ec2kit.scenarios.scenario import Scenario
    from ec2kit.state.claim import Claims

UNDO_SECONDS = 25.0
"""Seconds beyond its deadline that a command may take to undo what it could not finish."""


def anything_goes() -> None:
    """Let everything pass: the guard of an action that does not write, or that no other action may stop."""


class _Tools(NamedTuple):
    name: str
    tag: str
    settings: Settings
    log: Log
    deadline: Deadline
    registry: Registry
    lifekeeper: Framework | None = None
    given: Resource | None = None
    recorder: Callable[[Callable[[], Mapping[str, Any]]], None] | None = None


class Action(_Tools):
    """
    One action on one resource of this server.

    Attributes:
        name: "restore".
        deadline: The limit for the whole action.
        lifekeeper: The framework if it is LifeKeeper, otherwise None; ec2kit asks the other frameworks nothing.
        given: A definition that the registry does not have, or not yet.
        recorder: Takes what makes a record of this server's history, and lets nothing wait; None: there is none.
    """

    @property
    def resource(self) -> Resource:
        """
        Return the definition; the registry is asked only once, even if it does not answer.

        Raises:
            Ec2KitError: The error of `Registry.load`.
        """
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
        Return this server as the resource defines it.

        Raises:
            OwnTrouble: The resource was not extended to this server.
        """
        return self.resource.server(self.registry.server)

    @property
    def scenario(self) -> Scenario:
        return scenario_of(self.resource)

    @cached_property
    def intentions(self) -> Intentions:
        return Intentions(self.settings.run_dir, self.tag)

    @cached_property
    def claims(self) -> Claims:
        from ec2kit.state.claim import Claims

        return Claims(self.settings.run_dir, self.deadline.clock)

    def ec2(
        self,
        *,
        guard: Callable[[], None] = anything_goes,
        permit: Callable[[], None] | None = None,
        look_retries: int | None = None,
        write_retries: int | None = None,
        repeats_writes: bool = True,
        queues: bool = True,
        region: str = "",
    ) -> Ec2:
        """
        Return EC2 in the resource's region, by the arguments of `Ec2`.

        boto3 is loaded with the first request.

        Args:
            region: For an action without a resource: the region.
        """
        from ec2kit.ec2.operations import Ec2
        from ec2kit.ec2.pace import SharedBucket
        from ec2kit.ec2.snapshot import Writes

        bucket = os.path.join(self.settings.run_dir, "write-bucket")
        return Ec2(
            region=region or self.resource.region,
            settings=self.settings,
            deadline=self.deadline,
            log=self.log,
            user_agent=f"ec2kit/{__version__} {self.name} {self.tag}".rstrip(),
            guard=guard,
            permit=permit,
            look_retries=look_retries,
            write_retries=write_retries,
            repeats_writes=repeats_writes,
            shared_bucket=lambda operation: SharedBucket(f"{bucket}.{operation}.json"),
            queues=queues,
            note_write=Writes(self.settings.run_dir).note,
            caller=(self.tag, self.settings.server),
        )

    def snapshot(self, ec2: Callable[[], Ec2]) -> Snapshot:
        """Return EC2 as the checks of this server share it; `ec2` is called only if a question is necessary."""
        from ec2kit.ec2.snapshot import Snapshot

        return Snapshot(
            settings=self.settings,
            log=self.log,
            deadline=self.deadline,
            region=self.resource.region,
            ec2=ec2,
        )

    def all_resources(self) -> list[Resource]:
        """Return all resources of this server; none if the registry cannot be read."""
        try:
            return self.registry.resources()
        except Ec2KitError:
            return []

    def called(self, tag: str) -> Action:
        """Return the same action on the resource of another tag."""
        return self._replace(tag=tag, given=None)

    def about(self, resource: Resource, *, seconds: float | None = None) -> Action:
        """
        Return the same action for a definition that is not in the registry.

        Args:
            seconds: For a deadline of its own; None: the action's deadline.
        """
        deadline = self.deadline if seconds is None else Deadline(seconds, self.deadline.clock)
        return self._replace(tag=resource.tag, given=resource, deadline=deadline)

    def within(self, seconds: float) -> Action:
        """Return the same action with a nearer deadline."""
        return self._replace(deadline=self.deadline.within(seconds))

    def record(self, make: Callable[[], Mapping[str, Any]]) -> None:
        """
        Record a decision or a change in this server's history.

        Args:
            make: Makes the record, later and in another thread, of what does not change any more.
        """
        if self.recorder is not None:
            self.recorder(make)

    def begin(self) -> None:
        """Log that the action begins."""
        self.log.put(catalogue.BEGIN, action=self.name, tag=self._subject, server=self.settings.server)

    def end(self, note: str = "") -> None:
        """Log that the action succeeded; the note says what the success consists in."""
        note = f": {note}" if note else ""
        fields = {"action": self.name, "tag": self._subject, "seconds": self._seconds, "note": note}
        self.log.put(catalogue.END_SUCCESSFUL, **fields)

    def fail(self, reason: Ec2KitError | Stopped | Reasons | str) -> None:
        """
        Log the cause under its own code, and that the action failed.

        Args:
            reason: An error is logged here; the other kinds have been logged already, each under its own code.
        """
        if isinstance(reason, Ec2KitError | Stopped):
            self.log.error(reason, told=True)
        fields = {"action": self.name, "tag": self._subject, "seconds": self._seconds, "reason": reason}
        self.log.put(catalogue.END_FAILED, **fields)

    @property
    def _subject(self) -> str:
        return self.tag or "all resources"

    @property
    def _seconds(self) -> str:
        return f"{self.deadline.elapsed():.2f}"
