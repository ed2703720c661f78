"""`ec2kit peer`: what other servers of the cluster ask this one; versioned JSON on stdout."""

from __future__ import annotations

import json

import click

from ec2kit import edge, peers, remote
from ec2kit.errors import Ec2KitError
from ec2kit.resource import checked_tag


@click.command("peer", hidden=True)
@click.argument("question")
@click.argument("words", nargs=-1, required=True)
def command(question: str, words: tuple[str, ...]) -> int:
    """Answer another server; the questions are those of `ec2kit.peers.answer`."""
    try:
        tag = checked_tag(_tag(question, words[0]))
        action = edge.open_action("peer", tag, watched=False, watch=edge.Watch(1))
        answer, status = peers.answer(action, [question, *words]), 0
    except (Ec2KitError, ValueError) as error:
        server = edge.open_action("peer", "", watched=False).settings.server
        answer, status = {"protocol": remote.PROTOCOL, "server": server, "error": str(error)}, 1
    click.echo(json.dumps(answer))
    return status


def _tag(question: str, word: str) -> str:
    if question != "store":
        return word
    definition = json.loads(word)
    return str(definition.get("tag")) if isinstance(definition, dict) else ""
