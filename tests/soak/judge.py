"""Who says, when all is over, which verdicts were wrong and which changes were lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .truth import Truth, Write, sender

WRONG, LOST, LEAKED = "wrong verdict", "lost change", "leaked"

MAX_AGE = 2.0
"""EC2_SNAPSHOT_MAX_AGE of the soak: how old an answer may be that a verdict rests on."""

_SLACK = 0.1
"""Seconds between a process's end and our noticing it."""

_ON_THE_WAY = 0.5
"""Seconds that a request may have been on its way, on a busy machine: what has left cannot be called back."""


Looks = dict[tuple[str, str, str], list[float]]
"""(server, action, tag) → when it looked at EC2."""


@dataclass(frozen=True)
class Done:
    """
    One action as a process, from its beginning to its end.

    Attributes:
        status: Its exit status; None if we killed it.
    """

    server: str
    action: str
    tag: str
    began: float
    ended: float
    status: int | None
    stderr: str = ""

    def __str__(self) -> str:
        return f"{self.action} of {self.tag} on {self.server}, exit status {self.status}"

    @property
    def verdict(self) -> str:
        """What a quickCheck says of the address: "IN_SERVICE", "UNKNOWN", "busy"."""
        said = re.findall(r"END successful quickCheck .*: (\S+)$", self.stderr, re.MULTILINE)
        return said[-1] if said else ""


@dataclass(frozen=True)
class Lie:
    """
    A time in which EC2 showed a server something else than the truth.

    Attributes:
        reach: How long before `began` what was shown may have been true.
        is_made_up: It never was true.
    """

    server: str | None
    began: float
    ended: float
    reach: float = 0.0
    is_made_up: bool = False

    def concerns(self, done: Done) -> bool:
        return self.server in (None, done.server) and self.began <= done.ended and self.ended >= done.began - MAX_AGE


@dataclass
class Judge:
    """
    Attributes:
        complaints: (kind, what).
    """

    truth: Truth
    lies: Sequence[Lie] = ()
    complaints: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        return Counter(kind for kind, _ in self.complaints)

    def complain(self, kind: str, what: str) -> None:
        self.complaints.append((kind, what))

    # -- verdicts --

    def judge(self, done: Done) -> None:
        """What an action said, against what EC2 had at any moment that it may speak of."""
        if done.status is None:
            return
        if done.status not in {"remove": (0,)}.get(done.action, (0, 1)):
            self.complain(WRONG, str(done))
        elif done.action == "quickCheck" and done.status == 1 and not self._may_say_no(done):
            self.complain(WRONG, f"{done}: it was there all the time: {done.stderr.strip()[-300:]}")
        elif self._says_yes(done) and not self._may_say_yes(done):
            self.complain(WRONG, f"{done}: it was never there: {done.stderr.strip()[-300:]}")

    def _says_yes(self, done: Done) -> bool:
        if done.action == "quickCheck":
            return done.status == 0 and done.verdict == "IN_SERVICE"
        return done.action in ("restore", "recover") and done.status == 0

    def _may_say_no(self, done: Done) -> bool:
        if any(each.is_made_up and each.concerns(done) for each in self.lies):
            return True
        return self.truth.may_have_been_elsewhere(done.tag, done.server, self._since(done), done.ended)

    def _may_say_yes(self, done: Done) -> bool:
        return self.truth.may_have_been(done.tag, done.server, self._since(done), done.ended)

    def _since(self, done: Done) -> float:
        """The earliest moment that what it was shown may be of."""
        shown = [each.began - each.reach for each in self.lies if each.concerns(done)]
        return min([done.began - (MAX_AGE if done.action == "quickCheck" else 0.0), *shown]) - _SLACK

    # -- changes --

    def judge_writes(
        self, written: Iterable[Write], done: Sequence[Done], calls: Sequence[Mapping[str, Any]]
    ) -> None:
        """Each write of ours: is it of ours, of an action that lives, that is still wanted, and that may take it?"""
        before: dict[str, str] = {}
        looks = _looks(calls)
        for write in written:
            owner = before.get(write.thing, "")
            before[write.thing] = write.owner
            if write.server is None:
                continue
            senders = [each for each in done if _sent(each, write)]
            if not senders:
                self.complain(LOST, f"{write}: nobody who lives wrote it")
            elif not self.truth.holds(write.tag, write.thing):
                self.complain(LOST, f"{write}: it is not {write.tag}'s")
            elif all(_is_overtaken(each, write, done, looks) for each in senders):
                self.complain(LOST, f"{write}: a remove had ended before it was sent")
            elif write.action == "recover" and self._is_theft(write, owner, done, looks):
                self.complain(LOST, f"{write}: it was in service on {owner}")

    def _is_theft(self, write: Write, owner: str, done: Sequence[Done], looks: Looks) -> bool:
        """
        Whether a recovery took the address from a server where it was in service at the recovery's last look.

        What changed after that look it cannot know, nor what a lie kept from it.
        """
        looked = looks.get((write.server or "", "recover", write.tag), [])
        asked = max((each for each in looked if each < write.began), default=0.0)
        theirs = [each for each in done if (each.tag, each.server) == (write.tag, owner) and each.began < asked]
        if owner == write.server or any(each.server in (None, write.server) for each in self._lies_at(asked)):
            return False
        states = [each for each in theirs if each.action in ("restore", "remove") and each.ended < asked]
        last = max(states, key=lambda each: each.ended, default=None)
        under_way = any(each.ended >= asked and each.action in ("restore", "remove") for each in theirs)
        return last is not None and (last.action, last.status) == ("restore", 0) and not under_way

    def _lies_at(self, moment: float) -> list[Lie]:
        return [each for each in self.lies if each.began <= moment <= each.ended]


def _sent(done: Done, write: Write) -> bool:
    is_it = (done.server, done.action, done.tag) == (write.server, write.action, write.tag)
    return is_it and done.began <= write.began <= done.ended + _SLACK


def _is_overtaken(writer: Done, write: Write, done: Sequence[Done], looks: Looks) -> bool:
    """
    Whether a remove that wrote down what is wanted after the writer had done so had ended before the write was sent.

    A writer that has looked has written it down.
    """
    looked = looks.get((writer.server, writer.action, writer.tag), [])
    return any(
        (each.server, each.action, each.tag, each.status) == (writer.server, "remove", writer.tag, 0)
        and any(writer.began <= look < each.began for look in looked)
        and each.ended < write.began - _ON_THE_WAY
        and "ERROR" not in each.stderr
        for each in done
    )


def _looks(calls: Iterable[Mapping[str, Any]]) -> Looks:
    found: Looks = {}
    for call in calls:
        if call["operation"].startswith(("Describe", "List")) and call["server"]:
            found.setdefault((call["server"], *sender(call)), []).append(call["time"])
    return found
