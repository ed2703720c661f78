"""The command `ec2kit explain` replays one decision from its record, without AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ec2kit.actions.option import Option, Values
from ec2kit.cli import commands, history
from ec2kit.cli.result import Result
from ec2kit.errors import ArgumentInvalid, Ec2KitError
from ec2kit.scenarios.situation import file
from ec2kit.scenarios.situation.lines import Malformed
from ec2kit.scenarios.situation.replay import RULES, explained, replay

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement

_LARGEST = 10_000_000
"""Characters of a file; a longer one is no record."""


def _show(values: Values, as_json: bool) -> int:
    record = _found(values["which"])
    situation = record.get("situation")
    if values["situation"]:
        if not situation:
            raise ArgumentInvalid(name="id", reason=f"{record.get('id')} has no situation: {record.get('without')}")
        return Result(str(situation).rstrip("\n"), {"situation": situation}).show(as_json=as_json)
    try:
        replayed = _replayed(str(situation), values["which"] or str(record.get("id"))) if situation else None
    except Malformed as error:
        raise ArgumentInvalid(name="file", reason=str(error)) from error
    text = "\n".join(_lines(record, replayed))
    status = 1 if replayed is not None and not replayed["agrees"] else 0
    return Result(text, {"record": record, "replay": replayed}, status).show(as_json=as_json)


command = commands.make(
    "explain",
    "Explain one decision of this server from its record, without AWS; default: the last one.",
    (
        Option("which", (), "ID|FILE", "A record by its id, or a file with a record or a situation.", word=True),
        Option("situation", ("--situation",), "", "Print the situation as a file of its own.", kind=bool),
    ),
    _show,
)


# -- finding it ------------------------------------------------------------------------------------------------


def _found(which: str | None) -> dict[str, Any]:
    """
    Return a record: of the journal by its id, the last one that can be replayed, or that of a file.

    Raises:
        ArgumentInvalid: There is no such record, or the file is none.
    """
    if which is not None and (os.sep in which or os.path.exists(which)):
        return _of_file(which)
    matching = [each for each in history.records(None) if which in (None, each.get("id"))]
    if not matching:
        raise ArgumentInvalid(name="id", reason=f"no record {which or ''} in the history of this server".strip())
    return next((each for each in reversed(matching) if each.get("situation")), matching[-1])


def _of_file(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read(_LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentInvalid(name="file", reason=f"{path}: {error}") from error
    if not text.lstrip().startswith("{"):
        return {"text": text.partition("\n")[0], "situation": text}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentInvalid(name="file", reason=f"{path} is no record: {error}") from error
    inner = content.get("record", content) if isinstance(content, dict) else None
    if not isinstance(inner, dict):
        raise ArgumentInvalid(name="file", reason=f"{path} is no record")
    return inner


# -- replaying it ----------------------------------------------------------------------------------------------


def _replayed(text: str, name: str) -> dict[str, Any]:
    """Return what is concluded now, and whether that is what was recorded, byte for byte; raises Malformed."""
    recorded = file.read(text, name)
    now = replay(recorded.situation)
    found = explained(recorded.situation)
    told: dict[str, Any] = {
        "agrees": now == recorded.expected,
        "seen": recorded.situation.shown.lines(),
        "wanted": recorded.situation.wanted,
        "conclusion": list(now),
        "recorded": list(recorded.expected),
    }
    if isinstance(found, Ec2KitError):
        return {**told, "verdict": "UNKNOWN", "reasons": [_statement(found)], "rules": []}
    verdict, rules = found
    return {
        **told,
        "verdict": verdict.status.value,
        "reasons": [_statement(each) for each in verdict.reasons],
        "rules": [
            {
                "box": each.box,
                "rule": RULES[each.box],
                "target": each.target,
                "reason": _statement(each.reason) if each.reason is not None else None,
            }
            for each in rules
        ],
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {"code": statement.message.code, "text": str(statement)}


# -- for a person ----------------------------------------------------------------------------------------------


def _lines(record: dict[str, Any], replayed: dict[str, Any] | None) -> Iterator[str]:
    words = (str(record[name]) for name in ("at", "id", "server", "tag", "action", "kind") if record.get(name))
    yield "  ".join(words)
    yield f"  {record.get('text', '')}"
    if replayed is None:
        yield f"nothing to replay: {record.get('without') or 'nothing was looked at'}"
    else:
        yield from _reasoning(replayed)
    calls = record.get("calls") or []
    if calls:
        yield "done" + (", beside the look, from what was remembered" if record.get("beside_look") else "")
    for each in calls:
        yield f"  {each['operation']} {each['target']}: {each['old']} -> {each['new']}"
        yield f"      {each['outcome']}: {each['told']}"
    if replayed is not None and replayed["agrees"]:
        yield "replayed: the same conclusion, byte for byte"
    elif replayed is not None:
        yield "replayed: ANOTHER conclusion; recorded was"
        yield from (f"  {line}" for line in replayed["recorded"])


def _reasoning(replayed: dict[str, Any]) -> Iterator[str]:
    yield "seen"
    yield from (f"  {line}" for line in replayed["seen"])
    yield f"concluded, since wanted was: {replayed['wanted']}"
    yield f"  {replayed['verdict']}"
    yield from (f"      {each['text']} [{each['code']:06d}]" for each in replayed["reasons"])
    for each in replayed["rules"]:
        yield f"  {each['box']}: {each['target']}"
        why = each["reason"]
        yield f"      {why['text']} [{why['code']:06d}]" if why else f"      {each['rule']}"
