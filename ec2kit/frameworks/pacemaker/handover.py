"""
A resource that Pacemaker migrates is on two servers for a moment, so that its address answers all the time.

migrate_to lets this server write nothing more for the resource, and keeps its address on; migrate_from, which is a
start, moves it to the other server; the stop that follows here takes the address off when no packet comes any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ec2kit.errors import Ec2KitError
from ec2kit.messages import catalogue
from ec2kit.state.note import HANDOVER, Note

if TYPE_CHECKING:
    from ec2kit.engine.action import Action

QUIET = 2.0
"""Seconds without a packet after which the address is taken off; AWS should need less to make a change effective."""

AT_MOST = 10.0
"""Seconds after which it is taken off although packets still arrive."""


def begin(action: Action) -> None:
    """Note that another server takes the resource over from here; raises StateUnusable."""
    _note(action).write({})


def is_under_way(action: Action) -> bool:
    """Tell whether the resource was handed over since its last start here."""
    return _note(action).read() is not None


def end(action: Action) -> None:
    """Forget that it was; a note that cannot be removed only lets the next stop wait."""
    try:
        _note(action).remove()
    except Ec2KitError as error:
        action.log.error(error)


def wait_for_last_packet(action: Action, addresses: Sequence[str], device: str) -> None:
    """Wait while packets to the addresses arrive here, as AWS needs a moment until a change is effective."""
    from ec2kit.host.arrival import is_quiet

    fields = {"address": ", ".join(addresses), "device": device}
    began = action.deadline.elapsed()
    limit = action.deadline.within(min(AT_MOST, action.deadline.remaining() / 2))
    try:
        quiet = is_quiet(addresses, device, min(QUIET, limit.seconds / 2), limit)
    except Ec2KitError as error:
        action.log.put(catalogue.PACKETS_UNSEEN, **fields, seconds=f"{QUIET:g}", reason=error)
        limit.pause(min(QUIET, limit.seconds / 2), "the last packets")
        return
    message = catalogue.PACKETS_OVER if quiet else catalogue.PACKETS_STILL_ARRIVE
    action.log.put(message, **fields, seconds=f"{action.deadline.elapsed() - began:.1f}")


def _note(action: Action) -> Note:
    return Note(action.settings.run_dir, action.tag, HANDOVER)
