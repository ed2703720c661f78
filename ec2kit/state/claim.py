"""A claim lets one command at a time change the definition of a resource; all servers of the resource grant it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ec2kit.deadline import Clock, Deadline
from ec2kit.errors import BadRequest, Stopped
from ec2kit.holding import Holdings, as_json, from_json
from ec2kit.messages import catalogue
from ec2kit.state.file import Content
from ec2kit.state.lock import Lock
from ec2kit.state.note import Kind, Note

CLAIM = Kind("claim", ("changing",))
"""No note that goes with the resource: a claim outlives the definition that its command forgets."""

SECONDS = 60.0
"""Seconds that a claim counts after its last use, so long a killed command holds up those of other servers."""

_MUTEX_SECONDS = 30.0
"""Seconds to wait for another request; under LifeKeeper, one that stores runs several commands."""


class Claimant(NamedTuple):
    """
    The command that changes a definition.

    Attributes:
        server: The server on which the command runs.
        token: Chosen by the command, never the same twice.
    """

    server: str
    token: str


class Claims:
    """
    The claims on this server's definitions, one for each tag; a claim of another boot does not count.

    Args:
        folder: EC2KIT_RUN_DIR.
        clock: The clock on which claims grow old.
    """

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._mutex = Lock(os.path.join(folder, "claims.lock"))

    @contextmanager
    def by_this_command(self, tag: str, server: str) -> Iterator[Claimant]:
        """
        Be the one command of this server that changes the resource; the lock proves that an earlier one is dead.

        Raises:
            BadRequest: Another command of this server is changing the resource.
        """
        changing = self._note(tag).lock("changing")
        if not changing.take():
            raise BadRequest(catalogue.CLAIMED, tag=tag, server=server)
        try:
            yield Claimant(server, os.urandom(8).hex())
        finally:
            changing.discard()

    @contextmanager
    def held_here(self, tag: str, server: str, deadline: Deadline, *, seconds: float = SECONDS) -> Iterator[Claimant]:
        """Hold the claim on this server in the block, for a command that needs no other; raises as `take` does."""
        with self.by_this_command(tag, server) as claimant:
            self.take(tag, claimant, deadline, seconds=seconds)
            try:
                yield claimant
            finally:
                self._release_surely(tag, claimant)

    def _release_surely(self, tag: str, claimant: Claimant) -> None:
        """Release a claim, also if a signal comes meanwhile; it comes only once."""
        deadline = Deadline(_MUTEX_SECONDS, self._clock)
        try:
            self.release(tag, (claimant.token,), deadline)
        except Stopped:
            self.release(tag, (claimant.token,), deadline)
            raise

    def take(
        self,
        tag: str,
        by: Claimant,
        deadline: Deadline,
        *,
        seconds: float = SECONDS,
        address: str = "",
        holdings: Holdings = (),
        dead: str = "",
    ) -> None:
        """
        Claim a tag for a command; a claim of the same server is that of a dead command, and gives way.

        Args:
            seconds: The time that the claim counts.
            address: The address that the command is about to protect here.
            holdings: What the resource has of AWS for itself; no other resource may take any of it meanwhile.
            dead: The token of a command that is known to be dead; its claim gives way, too.

        Raises:
            BadRequest: A command of another server has the claim.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "another change of a definition"):
            holder = self.holder(tag)
            if holder is not None and holder.server != by.server and holder.token != dead:
                raise BadRequest(catalogue.CLAIMED, tag=tag, server=holder.server)
            self._write(tag, by, seconds, {"address": address, "holdings": as_json(holdings)})

    @contextmanager
    def used(self, tag: str, token: str, deadline: Deadline, *, renewed: str = "") -> Iterator[None]:
        """
        Let a command use its claim in the block; no other command can claim or use one in between.

        A claim that is too old still counts as long as no other command has taken it.

        Args:
            renewed: The token of the claim from now on, so that a request of the former token that comes late is
                refused; "": the same token.

        Raises:
            BadRequest: The claim is gone: another command has taken it, or this server was booted.
        """
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "another change of a definition"):
            noted = self._note(tag).read()
            if noted is None or noted.get("token") != token:
                raise BadRequest(catalogue.CLAIM_LOST, tag=tag)
            holder = Claimant(str(noted.get("server")), renewed or token)
            about = {name: value for name, value in noted.items() if name in ("address", "holdings")}
            self._write(tag, holder, SECONDS, about)
            yield

    def release(self, tag: str, tokens: Collection[str], deadline: Deadline) -> None:
        """Give a claim up; a claim that is gone, or is another command's, is no error."""
        with self._mutex.held(deadline.within(_MUTEX_SECONDS), "another change of a definition"):
            noted = self._note(tag).read()
            if noted is not None and noted.get("token") in tokens:
                self._note(tag).remove()
            changing = self._note(tag).lock("changing")
            if changing.take():  # a command that was killed has left it
                changing.discard()

    def addresses(self) -> dict[str, str]:
        """Return tag → address of each resource that a command is about to make on this server."""
        found = {tag: str(noted.get("address", "")) for tag, noted in self._noted().items()}
        return {tag: address for tag, address in found.items() if address}

    def holdings(self) -> dict[str, Holdings]:
        """Return tag → what each resource of `addresses` has of AWS for itself."""
        found: dict[str, Holdings] = {}
        for tag, noted in self._noted().items():
            with suppress(ValueError):  # of a note that another version has written
                found[tag] = from_json(noted.get("holdings", []))
        return found

    def _noted(self) -> dict[str, Content]:
        """Return tag → the note of each claim that counts."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return {}
        tags = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
        return {tag: self._note(tag).read() or {} for tag in tags if self.holder(tag)}

    def is_being_changed(self, tag: str) -> bool:
        """Tell whether a command of this server, which lives, is changing the resource."""
        return self._note(tag).lock("changing").is_held

    def holder(self, tag: str) -> Claimant | None:
        """Return the command that has the claim; None if there is none, or the claim is too old."""
        noted = self._note(tag).read() or {}
        until = noted.get("until")
        if not isinstance(until, float) or until <= self._clock.now():
            return None
        return Claimant(str(noted.get("server")), str(noted.get("token")))

    def _write(self, tag: str, by: Claimant, seconds: float, about: Content) -> None:
        until = float(self._clock.now() + seconds)
        self._note(tag).write({**by._asdict(), "until": until, **about})

    def _note(self, tag: str) -> Note:
        return Note(self._folder, tag, CLAIM)


_SUFFIX = f".{CLAIM.name}.json"
