"""Checks, readiness and tests of a resource report in these words: what they found, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message, Notice


class Outcome(Enum):
    """A check ends in one of these ways; only FAILED stops the command."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    UNSEEN = "could not look"
    FAILED = "failed"


_MESSAGES: dict[Outcome, Message] = {
    Outcome.OK: catalogue.CHECK_OK,
    Outcome.NOTE: catalogue.CHECK_NOTE,
    Outcome.WARN: catalogue.CHECK_WARN,
    Outcome.UNSEEN: catalogue.CHECK_UNSEEN,
    Outcome.FAILED: catalogue.CHECK_FAILED,
}


class Finding(NamedTuple):
    """
    Hold what one check found.

    Attributes:
        check: The check's name, "vip outside the vpc".
        advice: What to do; empty if all is well.
    """

    check: str
    outcome: Outcome
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the finding in the form that programs and other servers get."""
        return {"check": self.check, "outcome": self.outcome.value, "found": self.found, "advice": self.advice}

    @property
    def notice(self) -> Notice:
        """Return the finding as a message of the catalogue."""
        return _MESSAGES[self.outcome], {"check": self.check, "found": self.found, "advice": self.advice}


Findings = Iterator[Finding]
"""The findings that one check yields."""
