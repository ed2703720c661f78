"""The dialogue of create asks one question after the other, with back and cancel, until there is a wish."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ec2kit.actions.wish import Wish, wish_of
from ec2kit.deadline import Deadline
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, BadRequest, Ec2KitError, InterfaceUnknown, Unknown
from ec2kit.host import instance
from ec2kit.host.device import devices
from ec2kit.messages import catalogue
from ec2kit.peers.answer import Questions
from ec2kit.peers.ask import ask
from ec2kit.resource import SWITCHBACKS, checked_tag
from ec2kit.scenarios import table
from ec2kit.scenarios.wish import Field, Offered

BACK, CANCEL = "back", "cancel"

_LOOK_SECONDS = 30.0
"""Seconds to look up the offers of a server."""

_INTRODUCTION = f'An empty answer takes the one in brackets; "{BACK}" goes back one question, "{CANCEL}" ends.'


class Terminal(Protocol):
    """A person sits at the terminal."""

    def say(self, text: str) -> None:
        """Show lines."""

    def ask(self, prompt: str) -> str | None:
        """Return the typed line; None at the end of the input."""


@dataclass(frozen=True)
class Offers:
    """
    The choices on a server; a choice that could not be looked up is left out, and can be typed.

    Attributes:
        region: The region of this instance.
        devices: Device → description, "eni-0a, 10.0.11.11".
        lists: The offers of the scenarios.
    """

    region: str = ""
    devices: Mapping[str, str] = field(default_factory=dict)
    lists: Offered = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the offers for another server, in JSON types; the lists are beside region and devices."""
        return {"region": self.region, "devices": self.devices, **self.lists}


def _offers_from(told: Mapping[str, Any]) -> Offers:
    lists = {name: value for name, value in told.items() if name not in ("region", "devices")}
    return Offers(told["region"], told["devices"], lists)


Answers = Mapping[str, str]


def _always(answers: Answers, offers: Offers) -> bool:
    return True


def _no_choices(offers: Offers) -> Mapping[str, str]:
    return {}


def _nothing(answers: Answers, offers: Offers) -> str:
    return ""


@dataclass(frozen=True)
class Question:
    """
    One question of the dialogue.

    Attributes:
        choices: Value → description.
        checked: Returns the answer in its usual form; raises Ec2KitError.
        open: True: a value that is not offered may be typed.
        otherwise: What an answer may be that gives nothing, "none"; "": an answer is needed.
    """

    name: str
    text: str
    choices: Callable[[Offers], Mapping[str, str]] = _no_choices
    default: Callable[[Answers, Offers], str] = _nothing
    applies: Callable[[Answers, Offers], bool] = _always
    checked: Callable[[str], str] = str
    open: bool = False
    otherwise: str = ""


def _last_device(answers: Answers, offers: Offers) -> str:
    return list(offers.devices)[-1] if offers.devices else ""


def _default_tag(answers: Answers, offers: Offers) -> str:
    return as_wish(answers).tag


def _words(*values: str) -> Callable[[Offers], Mapping[str, str]]:
    return lambda offers: dict.fromkeys(values, "")


def _of_a_field(it: Field) -> Question:
    """Return the question for a field of one or several scenarios."""
    scenarios = {name for name in table.names() if it.name in _field_names(name)}
    return Question(
        it.name,
        it.question,
        _words("yes") if it.is_switch else lambda offers: offers.lists.get(it.offered) or {},
        lambda answers, offers: next(iter(offers.lists.get(it.offered) or {}), ""),
        lambda answers, offers: answers.get("scenario") in scenarios and it.asked(offers.lists, answers),
        checked=partial(it.checked, it.question.lower()),
        open=not it.closed and not it.is_switch,
        otherwise=it.otherwise,
    )


def _field_names(scenario: str) -> set[str]:
    return {each.name for each in table.scenario(scenario).making().FIELDS}


def questions() -> tuple[Question, ...]:
    """Return all questions after the one for the server, which decides what there is to choose from."""
    fields = table.fields()
    return (
        Question("switchback", "Switchback", _words(*SWITCHBACKS), lambda answers, offers: SWITCHBACKS[0]),
        Question("region", "Region", default=lambda answers, offers: offers.region, open=True),
        Question("scenario", "Type", _words(*table.names()), lambda answers, offers: table.names()[0]),
        *(_of_a_field(each) for each in fields if not each.after_device),
        Question("device", "Network interface", lambda offers: offers.devices, _last_device, open=True),
        *(_of_a_field(each) for each in fields if each.after_device),
        Question("tag", "Tag", default=_default_tag, checked=checked_tag, open=True),
    )


def hold(terminal: Terminal, servers: list[str], offers_of: Callable[[str], Offers]) -> dict[str, str]:
    """
    Ask until every question that applies has an answer.

    Args:
        servers: The servers to choose from, this one first.
        offers_of: Returns the offers of a server; raises Ec2KitError.

    Returns:
        "server" and the names of the questions → answer.

    Raises:
        BadRequest: The person has cancelled; nothing was done.
    """
    terminal.say(_INTRODUCTION)
    answers: dict[str, str] = {}
    asked = questions()
    while True:
        server = _asked(terminal, _server_question(servers), answers, Offers())
        if server is None:
            continue  # no question comes before this one
        answers["server"] = server
        if _ask_all(terminal, asked, answers, offers_of(server)):
            return answers


def _server_question(servers: list[str]) -> Question:
    return Question("server", "Server", _words(*servers), lambda answers, offers: servers[0])


def _ask_all(terminal: Terminal, asked: Sequence[Question], answers: dict[str, str], offers: Offers) -> bool:
    """Ask all questions; return False if the person goes back to the question before them."""
    place = 0
    while place < len(asked) + 1:
        if place == len(asked) and (refused := _refused(asked, answers, offers)) is not None:
            terminal.say(f"  {refused[1]}")
            place = refused[0]
        question = asked[place] if place < len(asked) else _confirmation(answers)
        answer = _asked(terminal, question, answers, offers)
        if answer is None:
            place = _before(asked, place, answers, offers)
            if place < 0:
                return False
            continue
        answers[question.name] = answer
        place = _after(asked, place, answers, offers)
    return True


def _refused(asked: Sequence[Question], answers: Answers, offers: Offers) -> tuple[int, ArgumentInvalid] | None:
    """Return what does not go together, by the judgement of the options, and the place of the question about it."""
    wish = as_wish(answers)
    making = table.scenario(wish.scenario).making()
    try:
        making.understood(wish.given, (lambda tag: "") if "ip_resource" in wish.given else None)
    except ArgumentInvalid as error:
        names = {each.name for each in making.FIELDS if each.word == error.fields["name"]}
        places = [place for place, each in enumerate(asked) if each.name in names and each.applies(answers, offers)]
        return (places or [_place_of("scenario", asked)])[0], error
    return None


def _place_of(name: str, asked: Sequence[Question]) -> int:
    return next(place for place, each in enumerate(asked) if each.name == name)


def _after(asked: Sequence[Question], place: int, answers: dict[str, str], offers: Offers) -> int:
    """Return the place of the next question that applies; forget answers to questions that no longer apply."""
    apply = [each.applies(answers, offers) for each in asked]
    wanted = {each.name for each, applies in zip(asked, apply, strict=True) if applies}
    for each in asked:
        if each.name not in wanted:
            answers.pop(each.name, None)
    place += 1
    while place < len(asked) and not apply[place]:
        place += 1
    return place


def _before(asked: Sequence[Question], place: int, answers: Answers, offers: Offers) -> int:
    place -= 1
    while place >= 0 and not asked[place].applies(answers, offers):
        place -= 1
    return place


def _confirmation(answers: Answers) -> Question:
    given = as_wish(answers).given
    more = [f"{each.word} {given[each.name]}" for each in table.fields() if each.otherwise and each.name in given]
    what = f"{answers['scenario']}, {as_wish(answers).thing} on {answers['device']}"
    text = f"Create {answers['tag']} on {answers['server']}: {', '.join((what, *more))}"
    return Question("confirmed", text, _words("yes"), lambda answers, offers: "yes")


def _asked(terminal: Terminal, question: Question, answers: Answers, offers: Offers) -> str | None:
    """Return a valid answer; None: back. Raises BadRequest if the person cancels."""
    choices = question.choices(offers)
    default = answers.get(question.name) or question.default(answers, offers) or question.otherwise
    for number, (value, note) in enumerate(choices.items(), start=1):
        if len(choices) > 1 or note:
            terminal.say(f"  {number}  {value}" + (f"  {note}" if note else ""))
    while True:
        typed = terminal.ask(question.text + (f" [{default}]: " if default else ": "))
        if typed is None or typed.strip().lower() == CANCEL:
            raise BadRequest(catalogue.CANCELLED)
        text = typed.strip() or default
        if text.lower() == BACK:
            return None
        try:
            return _understood(question, choices, text)
        except (Ec2KitError, ValueError) as error:
            terminal.say(f"  {error}")


def _understood(question: Question, choices: Mapping[str, str], text: str) -> str:
    values = list(choices)
    if question.otherwise and text == question.otherwise:
        return ""
    if text.isdecimal() and 1 <= int(text) <= len(values):
        return values[int(text) - 1]
    if not text:
        raise ValueError("please answer")
    if text not in values and not question.open:
        raise ValueError(f"it is none of: {', '.join(values)}" if values else "there is none to choose from")
    return question.checked(text)


# -- offers ------------------------------------------------------------------------------------------------------


def choices(action: Action) -> tuple[list[str], Callable[[str], Offers]]:
    """Return the servers on which a resource can be made, this one first, and the function for their offers."""
    own = action.settings.server
    systems = action.lifekeeper.systems() if action.lifekeeper is not None else []
    return [own, *(each for each in systems if each != own)], partial(_offers_of, action)


def _offers_of(action: Action, server: str) -> Offers:
    action = action._replace(deadline=Deadline(_LOOK_SECONDS))  # time spent typing does not count
    if server == action.settings.server:
        return offers(action)
    return _offers_from(ask(action, server, ["offers"], seconds=_LOOK_SECONDS)["offers"])


def offers(action: Action) -> Offers:
    """Return the offers of this server; an offer that cannot be looked up is left out."""
    framework = action.lifekeeper
    found = None if framework is None else {each.tag: each.address for each in framework.usable_ip_resources()}
    region = ""
    with suppress(Unknown):
        region = instance.identity(action.settings, action.deadline).region
    ec2 = action.ec2(region=region, look_retries=0) if region else None
    lists: dict[str, Mapping[str, str] | None] = {}
    for name in table.names():
        lists |= table.scenario(name).making().offers(ec2, found)
    return Offers(region, _devices(action), lists)


def _devices(action: Action) -> dict[str, str]:
    found: dict[str, str] = {}
    for device in devices(action.settings):
        with suppress(Unknown, InterfaceUnknown):
            it = instance.interface(device, action.settings, action.deadline)
            found[device] = f"{it.network_interface_id}, {it.private_ip_addresses[0]}"
    return found


def as_wish(answers: Mapping[str, Any]) -> Wish:
    """Return the answers as a wish for create."""
    names = ("scenario", "switchback", "region", "device", *(each.name for each in table.fields()))
    return wish_of(**{name: answers[name] for name in names if answers.get(name)})


PEER_QUESTIONS: Questions = {"offers": lambda action, _: {"offers": offers(action).as_dict()}}
"""The question of the dialogue to another server: offers."""
