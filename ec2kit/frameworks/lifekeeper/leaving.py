"""
LifeKeeper moves the resources off a server by one event for each: it has no recovery program, so that they fail over.

A server without a resource in service has nothing to tell LifeKeeper, and nothing is taken back when it comes back.

Source: LifeKeeper man page sendevent (5).
"""

from __future__ import annotations

from ec2kit.actions import ready
from ec2kit.engine.action import Action
from ec2kit.engine.leaving import Others, Told
from ec2kit.errors import Ec2KitError
from ec2kit.frameworks.lifekeeper.commands import LifeKeeper
from ec2kit.frameworks.lifekeeper.registry import tags_of_ours
from ec2kit.state.notices import Kept

EVENT = "maintenance"
"""The event of class ec2; a recovery program of this name would be asked before the failover."""


class LifeKeeperMover:
    """
    LifeKeeper has the protocol `ec2kit.engine.leaving.Mover`.

    Args:
        kept: The note of the last look; `left` are the resources for which an event was sent.
    """

    name = "LifeKeeper"

    def __init__(self, action: Action, lifekeeper: LifeKeeper, kept: Kept) -> None:
        self._action = action
        self._lifekeeper = lifekeeper
        self._left = kept.left
        self._was_away = kept.is_away is True

    def is_away(self, *, is_due: bool) -> bool:
        return self._was_away and not (is_due and self._to_move())

    def others(self) -> Others:
        try:
            return ready.others(self._action, self._to_move())
        except Ec2KitError as error:
            return Others(able=None, reason=str(error))

    def leave(self) -> Told:
        tags = self._to_move()
        for each in tags:
            self._lifekeeper.send_event(each, event=EVENT, monitor="notices")
        how = f"event {EVENT} sent for {', '.join(tags)}" if tags else "nothing is in service here"
        return Told(how, (*self._left, *tags))

    def come_back(self) -> Told:
        return Told("LifeKeeper is told nothing")

    def publish(self, published: str) -> str:
        return ""  # the other servers ask

    def ineffective(self) -> str:
        still = ", ".join(each for each in self._left if self._is_in_service(each))
        return f"{still} is still in service here; did its failover fail?" if still else ""

    def _to_move(self) -> list[str]:
        """Return what is in service here and was not told of; raises LifeKeeperFailed."""
        tags = tags_of_ours(self._lifekeeper)
        return [each for each in tags if each not in self._left and self._is_in_service(each)]

    def _is_in_service(self, tag: str) -> bool:
        instance = self._lifekeeper.instance(tag)
        return instance is not None and instance.is_in_service
