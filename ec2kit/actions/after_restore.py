"""A restore that has succeeded begins a probe in a process of its own, and does not wait for it."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.deadline import Abandoned, Begun, Deadline
from ec2kit.errors import LocalCommandFailed, Stopped
from ec2kit.host.command import start_alone
from ec2kit.messages import catalogue

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.state.intention import Intention

_SECONDS = 0.5
"""Seconds that a restore gives at most to the start of the process."""

COMMAND = "after-restore"
"""The hidden command of the admin CLI that the process runs; `cli/after_restore.py` has it."""


def begin(action: Action, mine: Intention, *, accepted_at: float | None) -> None:
    """
    Begin the probe; its failure, and a signal meanwhile, change nothing of a restore whose result is certain.

    Args:
        mine: The intention of the restore; a newer one makes the probe obsolete.
        accepted_at: When AWS had accepted the last change, in seconds of CLOCK_BOOTTIME; None: nothing was changed.
    """
    told = {"resource": action.resource.as_dict(), "generation": mine.generation, "accepted_at": accepted_at}
    words = [sys.executable, "-IB", "-m", "ec2kit", COMMAND]
    try:
        Begun(partial(start_alone, words, json.dumps(told))).wait(Deadline(_SECONDS, action.deadline.clock))
    except LocalCommandFailed as error:
        action.log.put(catalogue.PROBE_NOT_BEGUN, reason=error)
    except Abandoned:
        action.log.put(catalogue.PROBE_NOT_BEGUN, reason=f"it was not started within {_SECONDS:g} s")
    except Stopped:
        pass
