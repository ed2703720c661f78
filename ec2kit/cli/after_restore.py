"""The hidden command `ec2kit after-restore` probes an address that a restore has just brought here."""

from __future__ import annotations

import json
import sys

import click

from ec2kit.actions import probe
from ec2kit.actions.after_restore import COMMAND
from ec2kit.errors import UsageError
from ec2kit.frameworks import edge
from ec2kit.registry.definition import from_dict

_LONGEST = 1_000_000


@click.command(COMMAND, hidden=True)
def command() -> int:
    """Read from standard input what `ec2kit.actions.after_restore` tells, and probe."""
    edge.mind_signals()
    try:
        told = json.loads(sys.stdin.read(_LONGEST))
        resource, accepted_at = from_dict(told["resource"]), told["accepted_at"]
        generation = int(told["generation"])
        accepted_at = None if accepted_at is None else float(accepted_at)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(problem=f"{COMMAND}: only a restore calls this") from error
    action = edge.open_action("probe", resource.tag, watched=False, watch=edge.Watch(0))
    probe.after_restore(action._replace(given=resource), generation, accepted_at)
    return 0
