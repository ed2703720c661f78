"""The test of a resource that an administrator would do by hand: start, ping, switch over, ping, switch back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ec2kit import judgement, messages, peers
from ec2kit.action import Action
from ec2kit.checks import Finding, Outcome
from ec2kit.deadline import side_by_side
from ec2kit.errors import Ec2KitError, InServiceTwice, NotExtended, ServersSilent
from ec2kit.resource import ELASTIC_IP
from ec2kit.status import Status

_SECONDS = 30.0
"""For a question that moves nothing."""

_AT_A_TIME = 32

_MORE_SECONDS = 10.0
"""For a server to begin and to answer, beyond the time-out of what it does."""

Tell = Callable[[Finding], None]

_End = tuple[Outcome, str, str]
"""How a step ended, what was found, and what to do."""


@dataclass(frozen=True)
class Verification:
    """
    How the test went.

    Attributes:
        steps: One finding each, in their order.
        place: The servers that say they have the resource in service now, "node1"; or that none does.
    """

    steps: tuple[Finding, ...]
    place: str

    @property
    def failed(self) -> tuple[str, ...]:
        """The steps that failed."""
        return tuple(each.check for each in self.steps if each.outcome is Outcome.FAILED)


@dataclass(frozen=True)
class _Tour:
    """
    Where the resource goes.

    Attributes:
        home: The server where it is, or this one.
        away: The server that would take over; None where there is no other.
        topmost: Server → the tags to bring in service there, so that all comes along that needs the resource.
    """

    home: str
    away: str | None
    topmost: dict[str, list[str]]


def verify(action: Action, tell: Tell) -> Verification:
    """
    Bring the resource in service where it is, look, switch it over, look, switch it back, look.

    Args:
        tell: Called with each step when it is over.

    Raises:
        ServersSilent, InServiceTwice, NotExtended, Ec2KitError: It cannot be begun; nothing was moved.
    """
    tour = _tour(action)
    test = _Test(action, tour, tell)
    try:
        test.run()
    finally:
        place = _place(action)
        if test.began and place != tour.home:
            fields = {"tag": action.tag, "place": place, "home": tour.home, "holders": _holders(action)}
            action.log.put(messages.NOT_WHERE_IT_SHOULD_BE, **fields)
    return Verification(tuple(test.steps), place)


# -- before anything is moved ----------------------------------------------------------------------------------


def _tour(action: Action) -> _Tour:
    resource = action.resource
    action.server  # noqa: B018  (raises)
    here = [name for name, in_service in peers.states(action, resource).items() if in_service]
    if len(here) > 1:
        raise InServiceTwice(tag=action.tag, servers=", ".join(here))
    home = here[0] if here else action.registry.server
    in_order = action.registry.latest(action.tag).names  # LifeKeeper may have changed the priorities
    away = next((name for name in in_order if name != home), None)
    return _Tour(home, away, _topmost(action, home, away))


def _topmost(action: Action, home: str, away: str | None) -> dict[str, list[str]]:
    try:
        listed: list[dict[str, str]] = _ask(action, home, "topmost", action.tag)["topmost"]
    except Ec2KitError as error:
        raise ServersSilent(servers=str(error)) from error
    found = {name: [each[name] for each in listed if name in each] for name in (home, away) if name}
    left = [each[home] for each in listed if away and away not in each]
    if left:
        raise NotExtended(tags=", ".join(left), tag=action.tag, server=away)
    return found


def _ask(action: Action, name: str, *words: str, seconds: float = _SECONDS) -> dict[str, Any]:
    """The answer of a server, this one included; raises what `peers.answer` and `remote.ask` raise."""
    if name == action.registry.server:
        return peers.answer(action.within(seconds), list(words))
    return action.ask(name, list(words), seconds=seconds)


def _place(action: Action) -> str:
    """Where it is in service now, as far as the servers say."""
    here: list[str] = []
    silent: list[str] = []
    for name in action.resource.names:
        try:
            here += [name] if _ask(action, name, "state", action.tag)["in_service"] else []
        except (Ec2KitError, KeyError):
            silent.append(name)
    place = ", ".join(here) or "no server"
    return f"{place} ({', '.join(silent)} cannot be asked)" if silent else place


def _holders(action: Action) -> str:
    """Who has the address in AWS, as far as it says."""
    seen = judgement.look(action.within(_SECONDS))
    if not seen.owners:
        return f"nobody can say ({seen.verdict.reason})"
    holders = {eni: action.resource.find_holder(eni) for eni in seen.owners.values()}
    return ", ".join(sorted(each.name if each else str(eni or "nothing") for eni, each in holders.items()))


# -- the test ----------------------------------------------------------------------------------------------------


class _Test:
    """
    One test of one resource.

    Half of its time is for the way there, so that there is always some for the way back.

    Attributes:
        began: The resource was touched.
    """

    def __init__(self, action: Action, tour: _Tour, tell: Tell) -> None:
        self.steps: list[Finding] = []
        self.began = False
        self._whole = action
        self._action = action.within(action.deadline.remaining() / 2)
        self._tour = tour
        self._tell = tell

    def run(self) -> None:
        home, away = self._tour.home, self._tour.away
        if not self._on_each("EC2 seen from", self._action.resource.names, self._see_ec2):
            return
        self.began = True
        if not (self._step(f"in service on {home}", partial(self._bring, home)) and self._is_right_on(home)):
            return
        if away is None:
            advice = "extend the resource to another server"
            self._end("switched over", (Outcome.UNSEEN, f"{home} is its only server", advice))
            return
        try:
            if self._step(f"switched over to {away}", partial(self._switch_over, home, away)):
                self._is_right_on(away)
        finally:
            self._action = self._whole
            if self._step(f"switched back to {home}", partial(self._switch_back, away, home)):
                self._is_right_on(home)

    # -- moving --

    def _switch_over(self, home: str, away: str) -> _End:
        self._release(home)
        return self._bring(away)

    def _switch_back(self, away: str, home: str) -> _End:
        try:
            self._release(away)
        except Ec2KitError as error:  # it must come home all the same
            self._action.log.error(error)
        return self._bring(home)

    def _release(self, name: str) -> None:
        """LifeKeeper does that itself, before it restores elsewhere."""
        if self._action.lifekeeper is None:
            self._let(name, "release", self._action.tag)

    def _bring(self, name: str) -> _End:
        self._let(name, "bring", self._action.tag, *self._tour.topmost[name])
        return Outcome.OK, "restore succeeded", ""

    def _let(self, name: str, *words: str) -> None:
        seconds = self._action.settings.restore_timeout + _MORE_SECONDS
        _ask(self._action, name, *words, seconds=seconds)

    # -- looking --

    def _see_ec2(self, name: str) -> _End:
        """A server that EC2 does not answer could not take over."""
        told = _ask(self._action, name, "check", self._action.tag)
        if told["status"] == Status.UNKNOWN.value:
            return Outcome.FAILED, told["reason"], "mend this first; nothing was moved"
        return Outcome.OK, "it answers", ""

    def _is_right_on(self, name: str) -> bool:
        others = [each for each in self._action.resource.names if each != name]
        return self._step(f"quickCheck on {name}", partial(self._check, name)) and self._on_each(
            "ping from", others, self._ping
        )

    def _check(self, name: str) -> _End:
        told = _ask(self._action, name, "check", self._action.tag)
        if told["status"] == Status.IN_SERVICE.value:
            return Outcome.OK, told["status"], ""
        return Outcome.FAILED, f"{told['status']}: {told['reason']}", f"see the log of {name}"

    def _ping(self, name: str) -> _End:
        told, resource = _ask(self._action, name, "ping", self._action.tag), self._action.resource
        if told["answers"] is None:
            return Outcome.UNSEEN, told["reason"], "ping it by hand"
        if not told["answers"]:
            advice = "is the address on the device? do security groups let ICMP echo in? see docs/troubleshooting.md"
            return Outcome.FAILED, f"{resource.address} does not answer", advice
        if resource.scenario == ELASTIC_IP:
            advice = "this proves only the path inside: try it from the Internet, too"
            return Outcome.NOTE, f"{resource.address} answers", advice
        return Outcome.OK, f"{resource.address} answers", ""

    # -- one step, or one on each server at the same time --

    def _step(self, step: str, take: Callable[[], _End]) -> bool:
        """Take it; what goes wrong is how it ends. Whether it did not fail."""
        try:
            end = take()
        except Ec2KitError as error:
            end = _trouble(error)
        return self._end(step, end)

    def _on_each(self, step: str, names: Sequence[str], take: Callable[[str], _End]) -> bool:
        jobs = [partial(take, name) for name in names]
        ends = side_by_side(jobs, self._action.deadline.within(_SECONDS), at_most=_AT_A_TIME)
        went_well = [self._end(f"{step} {name}", _settled(end)) for name, end in zip(names, ends, strict=True)]
        return all(went_well)

    def _end(self, step: str, end: _End) -> bool:
        finding = Finding(step, *end)
        self.steps.append(finding)
        message, fields = finding.notice
        self._action.log.record(message, **fields)
        self._tell(finding)
        return finding.outcome is not Outcome.FAILED


def _settled(end: _End | Exception) -> _End:
    if isinstance(end, Ec2KitError):
        return _trouble(end)
    if isinstance(end, Exception):
        raise end
    return end


def _trouble(error: Ec2KitError) -> _End:
    return Outcome.FAILED, str(error), error.message.action or "see the log"
