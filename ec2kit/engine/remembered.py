"""A server remembers the objects of an address: a check misses one that is gone, a restore may begin with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.errors import Ec2KitError
from ec2kit.state import memory

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.scenarios.scenario import Observed


def remember(action: Action, observed: Observed) -> None:
    """Remember the objects of a complete observation, and log the news; so is a note that cannot be written."""
    objects = action.scenario.remembered(observed)
    if not objects or observed.unknown is not None:
        return
    folder = action.settings.run_dir
    try:
        kept = memory.recall(folder, action.tag)
        for message, fields in action.scenario.news(observed, kept.objects):
            action.log.put(message, **fields)
        memory.remember(folder, action.tag, kept._replace(objects=tuple(sorted(objects))))
    except Ec2KitError as error:
        action.log.error(error)
