"""A request that another command has withdrawn is noted, because the request itself may come later than that."""

from __future__ import annotations

import os

from ec2kit.errors import Overtaken
from ec2kit.state.note import WITHDRAWN, Note

_MOST = 16
"""Requests that are noted; each is of another run of a command, and the oldest one is forgotten first."""


def new_token() -> str:
    """Return a word by which one request is known, and no other."""
    return os.urandom(8).hex()


class Withdrawn:
    """
    The requests about one resource that must not be carried out any more in this boot.

    Args:
        folder: EC2KIT_RUN_DIR.
    """

    def __init__(self, folder: str, tag: str) -> None:
        self._note = Note(folder, tag, WITHDRAWN)

    def add(self, token: str) -> None:
        """
        Note a request as withdrawn.

        Raises:
            StateUnusable: The note cannot be written.
        """
        self._note.write({"tokens": [*self._tokens(), token][-_MOST:]})

    def has(self, token: str) -> bool:
        """Tell whether a request is withdrawn."""
        return token in self._tokens()

    def refuse(self, token: str) -> None:
        """
        Refuse to go on with a request that is withdrawn.

        Raises:
            Overtaken: It is.
        """
        if self.has(token):
            raise Overtaken(newer="the command that asked for this has withdrawn it")

    def _tokens(self) -> list[str]:
        content = self._note.read() or {}
        tokens = content.get("tokens")
        return [str(each) for each in tokens] if isinstance(tokens, list) else []
