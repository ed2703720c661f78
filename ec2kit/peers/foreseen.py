"""A change of a definition is foreseen here: each server is asked what it has, none is claimed, nothing is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from ec2kit.engine.action import Action
from ec2kit.engine.foresight import Step
from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason
from ec2kit.peers import agree
from ec2kit.resource import Resource
from ec2kit.state.claim import Claimant


class ForeseenChange(agree.Change):
    """
    A change that notes what it would store, after the same questions and refusals.

    Attributes:
        steps: The definitions and states that the servers would have.
    """

    def __init__(self, action: Action) -> None:
        super().__init__(action, Claimant(action.registry.server, ""))
        self.steps: list[Step] = []

    def alone_with(self, tag: str) -> AbstractContextManager[object]:
        return nullcontext()

    def _claimed(self, action: Action, name: str, *dead: str) -> dict[str, Any]:
        """Ask for what a claim tells, without a claim."""
        kept = agree.asked(action, name, "addresses", action.tag)["addresses"]
        told = agree.asked(action, name, "state", action.tag)
        revision = 0
        if told.get("known"):
            revision = int(agree.asked(action, name, "describe", action.tag)["stored"]["revision"])
        address = str(kept.get(action.tag, ""))
        return {**told, "revision": revision, "address": address, "taken": action.tag in kept}

    def release(self) -> None:
        """Do nothing, because nothing was claimed."""

    def spread(
        self, before: Resource, after: Resource, changed: Collection[str] = (), *, leaving: str = ""
    ) -> Resource:
        after = after._replace(revision=self._newest(before) + 1)
        if leaving:
            self._note(leaving, before.tag, None)
        for name in self._in_order(after.names):
            self._note(name, after.tag, after)
        return after

    def rename(self, before: Resource, tag: str) -> Resource:
        after = before._replace(tag=tag, revision=self._newest(before) + 1)
        for name in self._in_order(before.names):
            self._note(name, before.tag, None)
            self._note(name, tag, after)
        return after

    def drop(self, names: Collection[str]) -> None:
        for name in self._in_order(names):
            self._note(name, self._action.tag, None)

    def _in_order(self, names: Collection[str]) -> list[str]:
        return sorted(names, key=lambda each: each == self._own)

    def _note(self, name: str, tag: str, after: Resource | None) -> None:
        """Note that a server would store a definition, or forget the one that it has."""
        revision = self._revisions.get((name, tag), 0)
        old = f"revision {revision}" if revision else None
        new = described(after) if after is not None else None
        is_made = after is not None or revision > 0
        why = Reason.of(catalogue.PLAN_DEFINITION if is_made else catalogue.PLAN_AS_WANTED)
        self.steps.append(Step(is_made, name, "definition", tag, old, new, (why,)))


def described(definition: Resource) -> str:
    """Return a definition for a person: "revision 2 on node1 (1), node2 (10), switchback intelligent"."""
    servers = ", ".join(f"{each.name} ({each.priority})" for each in definition.servers)
    return f"revision {definition.revision} on {servers}, switchback {definition.switchback}"


class Foreseeing:
    """
    Stands in for `agree.changing` where a change is only foreseen.

    Attributes:
        steps: What was foreseen.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def __call__(self, action: Action) -> Iterator[agree.Change]:
        change = ForeseenChange(action)
        yield change
        self.steps += change.steps
