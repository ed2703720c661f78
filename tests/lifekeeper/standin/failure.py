"""
How a command fails: the exit statuses that all LCDI commands share, and the message for stderr.

[confirmed LCDI-instances, LCDI-relationship]
"""

from __future__ import annotations

SYSTEM, SYNTAX, INTERNAL, EXISTS, ILLEGAL, RANGE, MISSING, DEPENDED_ON, UNREACHABLE = range(1, 10)


class Failed(Exception):
    """A command that ends with this status; the text goes to stderr."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
