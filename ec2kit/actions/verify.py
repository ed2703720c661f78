"""The action verify tests a resource as an administrator would: start, ping, switch over, ping, switch back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ec2kit.actions import probe, remove, restore
from ec2kit.deadline import side_by_side
from ec2kit.engine import judgement
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, BadRequest, Ec2KitError, LocalCommandFailed, Overtaken
from ec2kit.finding import Finding, Outcome
from ec2kit.host import ping
from ec2kit.messages import catalogue
from ec2kit.peers import agree, here
from ec2kit.peers.answer import QUESTIONS, Questions, answer
from ec2kit.peers.ask import ask
from ec2kit.scenarios.table import making_of
from ec2kit.state.withdrawn import Withdrawn, new_token
from ec2kit.status import Status

_SECONDS = 30.0
"""Seconds for a question that moves nothing."""

_AT_A_TIME = 32

_MORE_SECONDS = 10.0
"""Seconds that a server needs to begin and to answer, beyond the time-out of its action."""

Tell = Callable[[Finding], None]

_End = tuple[Outcome, str, str]
"""The outcome of a step, its finding and its advice."""


@dataclass(frozen=True)
class Verification:
    """
    The result of the test.

    Attributes:
        steps: The findings of the steps, in their order.
        place: The servers that have the resource in service now by their own words, "node1"; or "no server".
    """

    steps: tuple[Finding, ...]
    place: str

    @property
    def failed(self) -> tuple[str, ...]:
        """Return the names of the steps that failed."""
        return tuple(each.check for each in self.steps if each.outcome is Outcome.FAILED)


@dataclass(frozen=True)
class _Tour:
    """
    The way of the resource during the test.

    Attributes:
        home: The server where the resource is in service, or this one.
        away: The server that would take over; None: there is no other.
        topmost: Server → the tags to bring in service there, so that the whole hierarchy comes along.
    """

    home: str
    away: str | None
    topmost: dict[str, list[str]]


def verify(action: Action, tell: Tell) -> Verification:
    """
    Bring the resource in service on its server, look, switch it over, look, switch it back, look.

    Args:
        tell: Called with the finding of each step.

    Raises:
        Ec2KitError: The test cannot begin; nothing was moved.
    """
    tour = _tour(action)
    test = _Test(action, tour, tell)
    try:
        test.run()
    finally:
        place = _place(action)
        if test.began and place != tour.home:
            fields = {"tag": action.tag, "place": place, "home": tour.home, "holders": _holders(action)}
            action.log.put(catalogue.NOT_WHERE_IT_SHOULD_BE, **fields)
    return Verification(tuple(test.steps), place)


# -- before anything is moved ----------------------------------------------------------------------------------


def _tour(action: Action) -> _Tour:
    resource = action.resource
    action.server  # noqa: B018  (raises)
    holders = [name for name, in_service in agree.states(action, resource).items() if in_service]
    if len(holders) > 1:
        raise BadRequest(catalogue.IN_SERVICE_TWICE, tag=action.tag, servers=", ".join(holders))
    home = holders[0] if holders else action.registry.server
    in_order = action.registry.latest(action.tag).names  # LifeKeeper may have changed the priorities
    away = next((name for name in in_order if name != home), None)
    return _Tour(home, away, _topmost(action, home, away))


def _topmost(action: Action, home: str, away: str | None) -> dict[str, list[str]]:
    try:
        listed: list[dict[str, str]] = _ask(action, home, "topmost", action.tag)["topmost"]
    except Ec2KitError as error:
        raise BadRequest(catalogue.SERVERS_SILENT, servers=str(error)) from error
    found = {name: [each[name] for each in listed if name in each] for name in (home, away) if name}
    left = [each[home] for each in listed if away and away not in each]
    if left:
        raise BadRequest(catalogue.NOT_EXTENDED, tags=", ".join(left), tag=action.tag, server=away)
    return found


def _ask(action: Action, name: str, *words: str, seconds: float = _SECONDS) -> dict[str, Any]:
    """Return the answer of a server, this one included; raises the errors of `answer` and `ask`."""
    if name == action.registry.server:
        return answer(action.within(seconds), list(words), {**QUESTIONS, **PEER_QUESTIONS})
    return ask(action, name, list(words), seconds=seconds)


def _place(action: Action) -> str:
    """Return the servers that have the resource in service now, and those that cannot be asked."""
    holders: list[str] = []
    silent: list[str] = []
    for name in action.resource.names:
        try:
            holders += [name] if _ask(action, name, "state", action.tag)["in_service"] else []
        except (Ec2KitError, KeyError):
            silent.append(name)
    place = ", ".join(holders) or "no server"
    return f"{place} ({', '.join(silent)} cannot be asked)" if silent else place


def _holders(action: Action) -> str:
    """Return the owners of the address in AWS, as far as AWS answers."""
    seen = judgement.look(action.within(_SECONDS))
    if not seen.owners:
        return f"unknown ({seen.verdict.reason})"
    holders = {eni: action.resource.find_holder(eni) for eni in seen.owners.values()}
    return ", ".join(sorted(each.name if each else str(eni or "nothing") for eni, each in holders.items()))


# -- the test ----------------------------------------------------------------------------------------------------


class _Test:
    """
    One test of one resource.

    The way there gets half of the time, so that enough is left for the way back. A question that brings the resource
    in service may be on its way for longer than this command waits for it; its token lets the way back withdraw it.

    Attributes:
        began: True: the resource was touched.
    """

    def __init__(self, action: Action, tour: _Tour, tell: Tell) -> None:
        self.steps: list[Finding] = []
        self.began = False
        self._whole = action
        self._action = action.within(action.deadline.remaining() / 2)
        self._tour = tour
        self._tell = tell
        self._token = new_token()

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
        if self._action.lifekeeper is None:  # LifeKeeper does that itself before it restores on another server
            self._let(home, "release", self._action.tag)
        return self._bring(away)

    def _switch_back(self, away: str, home: str) -> _End:
        try:
            self._let(away, "release", self._action.tag, self._token)
        except Ec2KitError as error:  # the way back goes on in any case
            self._action.log.error(error)
        self._token = new_token()
        return self._bring(home)

    def _bring(self, name: str) -> _End:
        self._let(name, "bring", self._action.tag, self._token, *self._tour.topmost[name])
        return Outcome.OK, "restore succeeded", ""

    def _let(self, name: str, *words: str) -> None:
        seconds = self._action.settings.restore_timeout + _MORE_SECONDS
        _ask(self._action, name, *words, seconds=seconds)

    # -- looking --

    def _see_ec2(self, name: str) -> _End:
        """Check that EC2 answers the server; otherwise the server could not take over."""
        told = _ask(self._action, name, "check", self._action.tag)
        if told["status"] == Status.UNKNOWN.value:
            return Outcome.FAILED, told["reason"], "fix this first; nothing was moved"
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
            return Outcome.UNSEEN, told["reason"], "ping the address by hand"
        if not told["answers"]:
            advice = f"look at {making_of(resource).WHEN_SILENT}; see docs/troubleshooting.md"
            return Outcome.FAILED, f"{resource.address} does not answer", advice
        open_question = making_of(resource).NOT_PROVED_BY_PING
        return Outcome.NOTE if open_question else Outcome.OK, f"{resource.address} answers", open_question

    # -- one step, or one on each server at the same time --

    def _step(self, step: str, take: Callable[[], _End]) -> bool:
        """Take a step, and record its end, also if it raises; return False if it failed."""
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


# -- questions to each server --------------------------------------------------------------------------------------


def _tell_status(action: Action) -> dict[str, Any]:
    verdict = judgement.look(action).verdict
    return {"status": verdict.status.value, "reason": str(verdict.reason)}


def _tell_ping(action: Action) -> dict[str, Any]:
    """Tell whether the address answers a ping from this server; None if a ping is impossible."""
    addresses = making_of(action.resource).packets_to(action.resource, None)
    if not addresses:
        return {"answers": None, "reason": f"no host answers a ping to {action.resource.address}"}
    if itself := probe.here_itself(action, addresses):
        return {"answers": None, "reason": itself}
    try:
        return {"answers": all(ping.answers(each, action.settings, action.deadline) for each in addresses)}
    except LocalCommandFailed as error:
        return {"answers": None, "reason": str(error)}


def _tell_topmost(action: Action) -> dict[str, Any]:
    """Tell which resources to bring in service, so that the whole hierarchy comes along; each as server → tag."""
    resource, framework = action.resource, action.lifekeeper
    if framework is None:
        return {"topmost": [dict.fromkeys(resource.names, action.tag)]}
    tags = framework.topmost(action.tag) if here.in_service(action) else [resource.ip_resource or action.tag]
    return {"topmost": [{action.registry.server: each, **framework.equivalents(each)} for each in tags]}


def _bring_here(action: Action, words: list[str]) -> None:
    """
    Bring the resource in service, unless the command that asked has withdrawn that meanwhile.

    Raises:
        ArgumentInvalid: A word is missing.
        Overtaken: It is withdrawn.
    """
    token, topmost = (words[0] if words else ""), words[1:]
    if not topmost:
        raise ArgumentInvalid(name="peer", reason="bring needs TAG, a token and TOPMOST; install the same version")
    withdrawn = Withdrawn(action.settings.run_dir, action.tag)
    withdrawn.refuse(token)
    if action.lifekeeper is not None:
        for each in topmost:
            restore.bring_in_service(action.called(each))
        return
    try:
        restore.restore(action, first=partial(withdrawn.refuse, token))
    except Overtaken:
        if withdrawn.has(token):  # the intention of this restore may be newer than that of the release
            remove.take_out_of_service(action)
        raise


def _release_here(action: Action, words: list[str]) -> None:
    """
    Withdraw a bring, however late it may come, then release the resource; LifeKeeper releases it itself.

    The token is noted before the remove declares what it wants: a bring that declares its own intention after that
    finds the token, and one that has declared it before is overtaken by the remove.
    """
    try:
        if words:
            Withdrawn(action.settings.run_dir, action.tag).add(words[0])
    finally:
        if action.lifekeeper is None:
            remove.take_out_of_service(action)


PEER_QUESTIONS: Questions = {
    "check": lambda action, _: _tell_status(action),
    "ping": lambda action, _: _tell_ping(action),
    "topmost": lambda action, _: _tell_topmost(action),
    "bring": lambda action, words: _bring_here(action, words[1:]),
    "release": lambda action, words: _release_here(action, words[1:]),
}
"""The questions of verify: check, ping or topmost TAG; bring TAG TOKEN TOPMOST...; release TAG [TOKEN]."""
