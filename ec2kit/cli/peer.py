"""The command `ec2kit peer` answers the other servers of the cluster, in versioned JSON on stdout."""

from __future__ import annotations

import json

import click

from ec2kit.errors import Ec2KitError
from ec2kit.frameworks import edge
from ec2kit.peers.answer import QUESTIONS, Questions, answer
from ec2kit.peers.ask import PROTOCOL
from ec2kit.resource import checked_tag


@click.command("peer", hidden=True)
@click.argument("question")
@click.argument("words", nargs=-1)
def command(question: str, words: tuple[str, ...]) -> int:
    """Answer another server; the questions are in `ec2kit.peers.answer`, and beside the actions that ask them."""
    try:
        tag = checked_tag(_tag(question, words[0])) if words else ""
        action = edge.open_action(_ACTIONS.get(question, "peer"), tag, watched=False, watch=_watch(question))
        told, status = answer(action, [question, *words], _questions(question)), 0
    except (Ec2KitError, ValueError, RecursionError, IndexError, TypeError) as error:
        server = edge.open_action("peer", "", watched=False).settings.server
        told, status = {"protocol": PROTOCOL, "server": server, "error": str(error)}, 1
    click.echo(json.dumps(told))
    return status


_ACTIONS = {"create": "create"}
"""Questions that the log shows as an action of their own → that action."""


def _tag(question: str, word: str) -> str:
    if question != "store":
        return word
    definition = json.loads(word)
    return str(definition.get("tag")) if isinstance(definition, dict) else ""


def _watch(question: str) -> edge.Watch:
    if question != "create":
        return edge.Watch(1)
    from ec2kit.engine.action import UNDO_SECONDS

    edge.mind_signals()
    return edge.Watch(1, grace=UNDO_SECONDS + edge.OVERDUE)


def _questions(name: str) -> Questions:
    """Return a table that has the question; only the question of an action loads the actions."""
    if name in QUESTIONS:
        return QUESTIONS
    from ec2kit.actions import probe

    if name in probe.PEER_QUESTIONS:
        return probe.PEER_QUESTIONS
    from ec2kit.actions import create, dialogue, doctor, ready, verify

    return {
        **doctor.PEER_QUESTIONS,
        **ready.PEER_QUESTIONS,
        **verify.PEER_QUESTIONS,
        **create.PEER_QUESTIONS,
        **dialogue.PEER_QUESTIONS,
    }
