"""The last probe of a resource is noted on the server that asked: which servers had an answer, and when."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from ec2kit.state.note import PROBE, Note


class Outcome(Enum):
    """A probe from one server ends in one of these ways; only the first two say something of the address."""

    REACHED = "reached"
    SILENT = "no answer"
    UNABLE = "could not try"
    UNASKED = "could not be asked"
    ITSELF = "has it itself"


class Heard(NamedTuple):
    """
    The outcome on one server.

    Attributes:
        milliseconds: From the packet to its answer, of the slowest address; None: no answer.
        detail: What a person needs beside the outcome; "" for nothing.
    """

    outcome: Outcome
    milliseconds: float | None = None
    detail: str = ""

    @staticmethod
    def of(told: Mapping[str, Any]) -> Heard:
        """
        Read what `as_dict` has returned.

        Raises:
            KeyError, ValueError, TypeError, OverflowError: It is something else.
        """
        return Heard(Outcome(told["outcome"]), _seconds(told["milliseconds"]), str(told["detail"]))

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return {**self._asdict(), "outcome": self.outcome.value}

    def __str__(self) -> str:
        if self.outcome is Outcome.REACHED:
            taken = f" in {self.milliseconds:g} ms" if self.milliseconds is not None else ""
            return f"{self.outcome.value}{taken}" + (f" ({self.detail})" if self.detail else "")
        between = " " if self.outcome is Outcome.SILENT else ": "
        return f"{self.outcome.value}{between}{self.detail}" if self.detail else self.outcome.value


class Probed(NamedTuple):
    """
    Hold what is known of the last probe of this boot.

    Attributes:
        at: When it ended, in seconds of CLOCK_BOOTTIME.
        way: "icmp", "tcp:5432" or "command:/path".
        servers: Server → what came of it there.
        effective: Seconds, at most, from the moment in which AWS had accepted the last change of a restore until a
            packet was answered; None: that was not measured.
    """

    at: float
    way: str
    servers: Mapping[str, Heard]
    effective: float | None = None

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return it for a program, with its age in seconds."""
        return {
            "age": round(max(0.0, now - self.at), 1),
            "way": self.way,
            "servers": {name: each.as_dict() for name, each in self.servers.items()},
            "effective": self.effective,
        }


def recall(folder: str, tag: str) -> Probed | None:
    """Return the last probe; None if there was none in this boot, or its note is damaged, since it is only a help."""
    content = Note(folder, tag, PROBE).read()
    try:
        if content is None:
            return None
        servers = {str(name): Heard.of(each) for name, each in content["servers"].items()}
        return Probed(float(content["at"]), str(content["way"]), servers, _seconds(content["effective"]))
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return None


def _seconds(told: Any) -> float | None:
    """Return a number that was told, None if there is none; raises ValueError for one that is no duration."""
    if told is None:
        return None
    number = float(told)
    if not 0 <= number < _LONGEST:
        raise ValueError(told)
    return number


_LONGEST = 1e9


def keep(folder: str, tag: str, probed: Probed) -> None:
    """
    Note a probe.

    Raises:
        StateUnusable: It cannot be written.
    """
    servers = {name: each.as_dict() for name, each in probed.servers.items()}
    Note(folder, tag, PROBE).write({**probed._asdict(), "servers": servers})
