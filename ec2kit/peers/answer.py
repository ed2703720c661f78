"""This server answers the others: a table has one function for each question."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ec2kit import __version__
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, StateUnusable
from ec2kit.peers import here
from ec2kit.peers.ask import PROTOCOL
from ec2kit.registry.definition import from_dict
from ec2kit.resource import Resource
from ec2kit.state.claim import Claimant

Question = Callable[[Action, list[str]], Mapping[str, Any] | None]
"""One function of the table: answers a question, or carries out a request; the first of its words is the tag."""

Questions = Mapping[str, Question]


def answer(action: Action, words: list[str], questions: Questions) -> dict[str, Any]:
    """
    Answer another server, or this one.

    Args:
        words: The name of the question and its arguments, ["state", "ec2-vip1"].
        questions: The questions that are known here.

    Raises:
        Ec2KitError: The question cannot be answered, or the request not carried out.
    """
    told = {"protocol": PROTOCOL, "version": __version__, "server": action.registry.server}
    question = questions.get(words[0])
    if question is None:
        raise ArgumentInvalid(name="peer", reason=f"{words[0][:60]!a} is no question")
    return {**told, **(question(action, words[1:]) or {})}


def _word(words: list[str], place: int) -> str:
    """Return one word of a request; raises ArgumentInvalid if a server of an earlier version does not send it."""
    try:
        return words[place]
    except IndexError as error:
        raise ArgumentInvalid(name="peer", reason="a word is missing; install the same version everywhere") from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentInvalid(name="peer", reason=f"{text[:60]!a} is no revision")
    return int(text)


def _store(action: Action, words: list[str]) -> None:
    definition = _definition(_word(words, 0))
    here.store(action.called(definition.tag), definition, _word(words, 1), _number(_word(words, 2)), words[3:])


def _definition(text: str) -> Resource:
    try:
        return from_dict(json.loads(text))
    except (ValueError, RecursionError, TypeError) as error:
        raise StateUnusable(path="the definition sent", reason=str(error)) from error


QUESTIONS: Questions = {
    "state": lambda action, _: here.state(action),
    "addresses": lambda action, _: here.kept(action),
    "describe": lambda action, words: here.description(action, *words[1:2]),
    "claim": lambda action, words: here.claim(action, Claimant(_word(words, 1), _word(words, 2)), *words[3:4]),
    "changing": lambda action, _: {"changing": action.claims.is_being_changed(action.tag)},
    "renew": lambda action, words: here.renew(action, _word(words, 1), _word(words, 2)),
    "unclaim": lambda action, words: here.unclaim(action, *words[1:]),
    "store": _store,
    "rename": lambda action, words: here.rename(action, _definition(_word(words, 1)), _word(words, 2)),
    "drop": lambda action, words: here.drop(action, _word(words, 1)),
    "leave": lambda action, words: here.leave(action, _word(words, 1)),
}
"""
The questions by which the servers agree: addresses; state TAG; describe TAG [WHO-EXTENDS]; changing TAG;
claim TAG SERVER TOKEN [TOKEN-OF-A-DEAD-COMMAND]; renew TAG TOKEN NEW-TOKEN; unclaim TAG TOKEN...;
drop or leave TAG TOKEN; store DEFINITION TOKEN REPLACES CHANGED...; rename TAG DEFINITION TOKEN. All other questions
are declared beside the action that asks them.
"""
