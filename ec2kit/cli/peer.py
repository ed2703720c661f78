"""`ec2kit peer`: what other servers of the cluster ask this one; versioned JSON on stdout."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ec2kit import edge, peers, remote
from ec2kit.action import Action
from ec2kit.errand import Errand
from ec2kit.errors import Ec2KitError
from ec2kit.resource import checked_tag


@click.command("peer", hidden=True)
@click.argument("question")
@click.argument("words", nargs=-1)
def command(question: str, words: tuple[str, ...]) -> int:
    """Answer another server: offers; create TAG WISH [TOKEN]; uncreate TAG TOKEN SECONDS; or as `ec2kit.peers`."""
    try:
        tag = checked_tag(_tag(question, words[0])) if words else ""
        action = edge.open_action(_ACTIONS.get(question, "peer"), tag, watched=False, watch=_watch(question))
        answer, status = _answer(action, question, words), 0
    except (Ec2KitError, ValueError, RecursionError, IndexError, TypeError) as error:
        server = edge.open_action("peer", "", watched=False).settings.server
        answer, status = {"protocol": remote.PROTOCOL, "server": server, "error": str(error)}, 1
    click.echo(json.dumps(answer))
    return status


_ACTIONS = {"create": "create"}
"""Questions that are actions of their own in the log."""


def _tag(question: str, word: str) -> str:
    if question != "store":
        return word
    definition = json.loads(word)
    return str(definition.get("tag")) if isinstance(definition, dict) else ""


def _watch(question: str) -> edge.Watch:
    if question != "create":
        return edge.Watch(1)
    from ec2kit.creation import UNDO_SECONDS

    edge.mind_signals()
    return edge.Watch(1, grace=UNDO_SECONDS + edge.OVERDUE)


def _errand(action: Action, token: str) -> Errand:
    return Errand(action.settings.run_dir, checked_tag(token))


def _answer(action: Action, question: str, words: tuple[str, ...]) -> dict[str, Any]:
    told = {"protocol": remote.PROTOCOL, "server": action.registry.server}
    if question == "offers":
        from ec2kit import dialogue

        return {**told, "offers": asdict(dialogue.offers(action))}
    if question == "create":
        from ec2kit import creation

        wish = creation.Wish(**json.loads(words[1]))
        if len(words) < 3:  # of an older version, which does not call back
            return {**told, "resource": creation.create(action, wish).as_dict()}
        with _errand(action, words[2]).under_way() as tell:
            made = creation.create(action, wish, tell)
        return {**told, "resource": made.as_dict()}
    if question == "uncreate":
        left = _errand(action, words[1]).call_back(action.deadline.within(float(words[2])))
        return {**told, "left": f"it was killed; run create of {action.tag} there again" if left is None else left}
    return peers.answer(action, [question, *words])
