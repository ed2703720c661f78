"""The servers of a resource agree on one definition: one command at a time changes it, on all of them or on none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any

from ec2kit.deadline import Deadline
from ec2kit.engine.action import UNDO_SECONDS, Action
from ec2kit.errors import BadRequest, Ec2KitError, RemoteRefused, RemoteSilent
from ec2kit.messages import catalogue
from ec2kit.peers import here
from ec2kit.peers.answer import QUESTIONS, answer
from ec2kit.peers.ask import ask
from ec2kit.resource import Resource
from ec2kit.state.claim import Claimant


def asked(action: Action, name: str, *words: str) -> dict[str, Any]:
    """Return the answer of a server, this one included; raises the errors of `answer` and `ask`."""
    if name == action.registry.server:
        return answer(action, list(words), QUESTIONS)
    return ask(action, name, list(words), seconds=here.SECONDS)


def states(action: Action, known: Resource) -> dict[str, bool]:
    """
    Return server → True if it has the resource in service.

    Raises:
        BadRequest: Some servers did not answer; the error names all of them.
    """
    found: dict[str, bool] = {}
    with _naming_all() as named:
        for name in known.names:
            with named(name):
                found[name] = _has_in_service(asked(action, name, "state", action.tag))
    return found


@contextmanager
def _naming_all() -> Iterator[Callable[[str], AbstractContextManager[None]]]:
    """Go on after a server that does not answer, and in the end raise one BadRequest that names all such servers."""
    silent: list[str] = []

    @contextmanager
    def named(name: str) -> Iterator[None]:
        try:
            yield
        except (RemoteSilent, RemoteRefused, KeyError) as error:
            silent.append(f"{name} ({error})")

    yield named
    if silent:
        raise BadRequest(catalogue.SERVERS_SILENT, servers=", ".join(silent))


def _has_in_service(told: dict[str, Any]) -> bool:
    return bool(told["known"] and told["in_service"] is not False)


@contextmanager
def changing(action: Action) -> Iterator[Change]:
    """
    Be the one command of this server that changes the definition; release in the end what was claimed.

    Raises:
        BadRequest: Another command of this server is changing it.
    """
    with action.claims.by_this_command(action.tag, action.registry.server) as claimant:
        change = Change(action, claimant)
        try:
            yield change
        finally:
            change.release()


Changing = Callable[[Action], AbstractContextManager["Change"]]
"""`changing`, or what stands in for it where a change is only foreseen."""


class Change:
    """
    One change of a definition: claimed on all servers, then made on all of them, or else put back on all.

    A claim excludes every other command. Each server tells its present revision when it is claimed, and takes a new
    definition only in place of that revision. After a change that was killed the revisions differ; the next change
    goes on from there, and a server that has no definition gets one only by extend.
    """

    def __init__(self, action: Action, claimant: Claimant) -> None:
        self._action = action
        self._claimant = claimant
        self._renewed = os.urandom(8).hex()
        self._revisions: dict[tuple[str, str], int] = {}
        self._taken: dict[tuple[str, str], str] = {}
        self._left = ""
        self.in_service: dict[str, bool] = {}
        self.parents: list[str] = []

    # -- claims --

    def alone_with(self, tag: str) -> AbstractContextManager[object]:
        """Be the one command of this server that may give a resource this tag, too; raises as `changing` does."""
        return self._action.claims.by_this_command(tag, self._own)

    def claim(self, names: Collection[str], tag: str = "") -> None:
        """
        Claim the resource on servers; all do it in the order of their names, so that of two changes one comes first.

        Args:
            tag: The tag that the resource is about to get; "": its own, which has to be claimed before another one.

        Raises:
            BadRequest: Servers do not answer, or another command is changing the resource there.
        """
        action = self._action.called(tag or self._action.tag)
        with _naming_all() as named:
            for name in sorted(names):
                with named(name):
                    told = self._claimed(action, name)
                    self._revisions[name, action.tag] = _revision(name, told)
                    if told.get("taken"):
                        self._taken[name, action.tag] = str(told.get("address"))
                    self.in_service[name] = self.in_service.get(name, False) or _has_in_service(told)

    def _claimed(self, action: Action, name: str, *dead: str) -> dict[str, Any]:
        """Claim the resource on one server; a claim gives way if its server says that its command is dead."""
        told = asked(action, name, "claim", action.tag, *self._claimant, *dead)
        if "holder" not in told:
            return told
        server, token = map(str, told["holder"])
        if dead or self._is_changed_by(action, server):
            raise BadRequest(catalogue.CLAIMED, tag=action.tag, server=server)
        return self._claimed(action, name, token)

    def _is_changed_by(self, action: Action, server: str) -> bool:
        """Tell whether a command of that server may be changing the resource; True if the server does not answer."""
        try:
            return asked(action, server, "changing", action.tag).get("changing") is not False
        except (RemoteSilent, RemoteRefused):
            return True

    def must_be(self, before: Resource, *, at: str, may_lack: Collection[str] = ()) -> None:
        """
        Refuse the change if its definition is not the present one.

        Args:
            at: The server from which the definition was read.
            may_lack: Servers that need not have the resource.

        Raises:
            BadRequest: Another change came in between, or servers do not have the resource.
        """
        lack = [
            name for name in before.names if (name, before.tag) in self._revisions and not self.has(name, before.tag)
        ]
        wrong = {name: "" for name in lack if name not in may_lack}
        wrong |= {name: f" (there it is {tag})" for name in lack if (tag := self._other_tag(name, before))}
        if wrong:
            servers = ", ".join(f"{name}{how}" for name, how in wrong.items())
            raise BadRequest(catalogue.MISSING_ON, tag=before.tag, servers=servers)
        if self._revisions.get((at, before.tag)) != before.revision:
            raise BadRequest(catalogue.REVISION_CHANGED, tag=before.tag)

    def _other_tag(self, name: str, before: Resource) -> str | None:
        """Return the tag that a rename that was cut off has given the resource on a server."""
        kept = asked(self._action, name, "addresses", before.tag)["addresses"]
        return next(
            (tag for tag, each in kept.items() if each == here.subject(before) and not self.has(name, tag)), None
        )

    def must_be_free(self, tag: str, before: Resource) -> None:
        """Raise BadRequest if another resource has the tag on a server; the resource itself may have it there."""
        for (name, taken), address in self._taken.items():
            if taken == tag and address != here.subject(before):
                raise BadRequest(catalogue.NOT_FREE, what=f"tag {tag} on {name}", by="another resource")

    def has(self, name: str, tag: str) -> bool:
        """Tell whether a server had a resource of this tag when it was claimed."""
        return self._revisions.get((name, tag), 0) > 0

    def release(self) -> None:
        """Release the claims; a server that does not answer forgets its claim a minute later."""
        for name, tag in self._revisions:
            try:
                asked(self._later.called(tag), name, "unclaim", tag, self._token, self._renewed)
            except Ec2KitError as error:
                self._action.log.put(catalogue.CLAIM_STAYS, tag=tag, server=name, reason=error)

    # -- changes --

    def spread(
        self, before: Resource, after: Resource, changed: Collection[str] = (), *, leaving: str = ""
    ) -> Resource:
        """
        Give the new definition to all servers, to this one last; if one fails, give the old one back to all.

        Args:
            changed: Fields that the framework owns and has to change on each server.
            leaving: A server that gives the resource up first.

        Returns:
            The new definition with its revision, which is newer than any that a server has.
        """
        after = after._replace(revision=self._newest(before) + 1)
        told = [leaving] if leaving else []
        try:
            self._leave(leaving)
            for name in sorted(after.names, key=lambda each: each == self._own):
                told.append(name)  # before the question, because the answer may be lost
                self._store(name, after, self._revisions[name, after.tag], changed)
        except BaseException as error:
            back = before._replace(revision=after.revision + 1)
            for name in dict.fromkeys((*told, *before.names)):
                self._put_back(name, back, changed)
            if isinstance(error, RemoteSilent | RemoteRefused):
                raise BadRequest(catalogue.SERVERS_SILENT, servers=str(error)) from error
            raise
        return after

    def rename(self, before: Resource, tag: str) -> Resource:
        """
        Rename the resource on all servers, on this one last; if one fails, rename it back on all.

        Returns:
            The definition with the new tag.
        """
        after = before._replace(tag=tag, revision=self._newest(before) + 1)
        try:
            for name in sorted(before.names, key=lambda each: each == self._own):
                asked(self._action, name, "rename", before.tag, _text(after), self._token)
                self._action.log.put(catalogue.RENAMED, tag=before.tag, new=tag, server=name)
        except BaseException as error:
            for name in before.names:
                self._rename_back(name, before._replace(revision=after.revision + 1), tag)
            if isinstance(error, RemoteSilent | RemoteRefused):
                raise BadRequest(catalogue.SERVERS_SILENT, servers=str(error)) from error
            raise
        return after

    def drop(self, names: Collection[str]) -> None:
        """
        Let servers forget the resource, this one last; what is forgotten cannot be put back, so each is asked twice.

        Raises:
            BadRequest: A server did not answer; those before it have forgotten the resource.
        """
        for name in sorted(names, key=lambda each: each == self._own):
            self._drop(name)
            self._action.log.put(catalogue.DELETED, tag=self._action.tag, server=name)

    def _drop(self, name: str) -> None:
        for has_another_try in (True, False):
            try:
                asked(self._action, name, "drop", self._action.tag, self._token)
                return
            except (RemoteSilent, RemoteRefused) as error:
                if isinstance(error, RemoteRefused) or not has_another_try:
                    raise BadRequest(catalogue.SERVERS_SILENT, servers=str(error)) from error

    def _newest(self, before: Resource) -> int:
        return max(before.revision, *self._revisions.values())

    def _leave(self, name: str) -> None:
        if name:
            self._left = name
            told = asked(self._action, name, "leave", self._action.tag, self._token)
            self.parents = [str(each) for each in told.get("parents") or ()]

    def _store(self, name: str, definition: Resource, replaces: int, changed: Collection[str]) -> None:
        asked(self._action, name, "store", _text(definition), self._token, str(replaces), *changed)

    # -- back --

    def _put_back(self, name: str, back: Resource, changed: Collection[str]) -> None:
        """Put the old definition back on a server, which has the new one by now, or the old one still."""
        action = self._later
        if (name, action.tag) not in self._revisions:
            return  # the server is lost, and was not asked
        try:
            present = self._renew(name)
            if back.find_server(name) is None:
                asked(action, name, "drop", action.tag, self._renewed)
            elif present or name == self._left:  # otherwise the framework itself has removed the resource meanwhile
                asked(action, name, "store", _text(back), self._renewed, str(present), *changed)
        except Ec2KitError as error:
            self._action.log.put(catalogue.UNDO_FAILED, what=f"definition of {action.tag} on {name}", reason=error)

    def _rename_back(self, name: str, back: Resource, tag: str) -> None:
        action = self._later
        try:
            self._renew(name)
            asked(action.called(tag), name, "rename", tag, _text(back), self._token)
        except Ec2KitError as error:
            self._action.log.put(catalogue.UNDO_FAILED, what=f"rename of {back.tag} on {name}", reason=error)

    def _renew(self, name: str) -> int:
        """Return the present revision on a server; a request from before that comes late is refused from now on."""
        told = asked(self._later, name, "renew", self._action.tag, self._token, self._renewed)
        return _revision(name, told)

    @cached_property
    def _later(self) -> Action:
        """Return the action with the time to undo and to release, which begins now."""
        return self._action._replace(deadline=Deadline(UNDO_SECONDS, self._action.deadline.clock))

    @property
    def _own(self) -> str:
        return self._action.registry.server

    @property
    def _token(self) -> str:
        return self._claimant.token


def _text(definition: Resource) -> str:
    return json.dumps(definition.as_dict(), separators=(",", ":"))


def _revision(name: str, told: dict[str, Any]) -> int:
    """Return the revision that a server tells; raises RemoteSilent if it tells none."""
    revision = told.get("revision")
    if not isinstance(revision, int):
        raise RemoteSilent(server=name, reason="it does not tell the revision of its definition")
    return revision
