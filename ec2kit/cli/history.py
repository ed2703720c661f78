"""The command `ec2kit history` shows the decisions and changes of this server, the newest last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ec2kit.actions.option import TAG, Option, Values
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.errors import StateUnusable
from ec2kit.frameworks import edge
from ec2kit.state.journal import Journal

_USUAL = 50
"""The number of records that are shown."""


def records(tag: str | None) -> Iterator[dict[str, Any]]:
    """
    Yield the records of this server, or those of one resource, the oldest first.

    Raises:
        StateUnusable: The journal cannot be read.
    """
    journal = Journal(edge.open_action("history", "", watched=False).settings.state_dir, 0)
    try:
        yield from (each for each in journal.records() if tag in (None, each.get("tag")))
    except OSError as error:
        raise StateUnusable(path=journal.path, reason=error.strerror or str(error)) from error


def _show(values: Values, as_json: bool) -> int:
    found = list(records(values["tag"]))[-values["number"] :]
    server = edge.open_action("history", "", watched=False).settings.server
    text = "\n".join(map(_line, found)) or f"no history on {server}"
    return Result(text, {"server": server, "records": found}).show(as_json=as_json)


def _line(record: dict[str, Any]) -> str:
    words = [str(record.get(name, "")) for name in ("at", "id", "tag", "action", "kind", "text")]
    return "  ".join(words)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000):
        raise ValueError(f"{text[:60]!a} is no number of records")
    return int(text)


command = commands.make(
    "history",
    "Show the decisions and changes of this server, the newest last; `ec2kit explain ID` explains one.",
    (
        TAG._replace(help="Tag of a resource; default: all of them.", required=False),
        Option("number", ("-n", "--number"), "N", "Number of records.", kind=_number, default=_USUAL),
    ),
    _show,
)
