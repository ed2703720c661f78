"""The dialogue of create: one question after the other, back and cancel, until there is a wish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ec2kit import ip_resource, nic, node
from ec2kit.action import Action
from ec2kit.creation import Wish
from ec2kit.deadline import Deadline
from ec2kit.errors import Cancelled, Ec2KitError, InterfaceUnknown, Unknown
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, SCENARIOS, SWITCHBACKS, checked_ipv4, checked_tag

BACK, CANCEL = "back", "cancel"

_LOOK_SECONDS = 30.0
"""For looking up what a server has to offer."""

_INTRODUCTION = f'An empty answer takes the one in brackets; "{BACK}" goes back one question, "{CANCEL}" ends.'


class Terminal(Protocol):
    """Where a person sits."""

    def say(self, text: str) -> None:
        """Show lines."""

    def ask(self, prompt: str) -> str | None:
        """What was typed; None where nothing more will come."""


@dataclass(frozen=True)
class Offers:
    """
    What a server has to choose from; what could not be looked up is left out, and can be typed.

    Attributes:
        region: Of this instance.
        devices: Device → what it is, "eni-0a, 10.0.11.11".
        elastic_ips: Address → what it is, "eipalloc-0a on eni-0b".
        ip_resources: Tag → address, of those that can be protected now; None without LifeKeeper.
    """

    region: str = ""
    devices: Mapping[str, str] = field(default_factory=dict)
    elastic_ips: Mapping[str, str] = field(default_factory=dict)
    ip_resources: Mapping[str, str] | None = None


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
    Attributes:
        choices: Value → what it is.
        checked: The answer in its usual form; raises Ec2KitError.
        open: Whether something that is not offered may be typed.
    """

    name: str
    text: str
    choices: Callable[[Offers], Mapping[str, str]] = _no_choices
    default: Callable[[Answers, Offers], str] = _nothing
    applies: Callable[[Answers, Offers], bool] = _always
    checked: Callable[[str], str] = str
    open: bool = False


def _is(scenario: str) -> Callable[[Answers, Offers], bool]:
    return lambda answers, offers: answers.get("scenario") == scenario


def _has_ip_resources(answers: Answers, offers: Offers) -> bool:
    return answers.get("scenario") == ROUTE_TABLE and offers.ip_resources is not None


def _has_no_ip_resources(answers: Answers, offers: Offers) -> bool:
    return answers.get("scenario") == ROUTE_TABLE and offers.ip_resources is None


def _last_device(answers: Answers, offers: Offers) -> str:
    return list(offers.devices)[-1] if offers.devices else ""


def _default_tag(answers: Answers, offers: Offers) -> str:
    return as_wish(answers).tag


def _words(*values: str) -> Callable[[Offers], Mapping[str, str]]:
    return lambda offers: dict.fromkeys(values, "")


QUESTIONS: tuple[Question, ...] = (
    Question("switchback", "Switchback", _words(*SWITCHBACKS), lambda answers, offers: SWITCHBACKS[0]),
    Question("region", "Region", default=lambda answers, offers: offers.region, open=True),
    Question("scenario", "Type", _words(*SCENARIOS), lambda answers, offers: ROUTE_TABLE),
    Question(
        "ip_resource",
        "IP resource (in service here, IPv4)",
        lambda offers: offers.ip_resources or {},
        lambda answers, offers: next(iter(offers.ip_resources or {}), ""),
        _has_ip_resources,
    ),
    Question(
        "virtual_ip",
        "Virtual IP",
        applies=_has_no_ip_resources,
        checked=lambda text: checked_ipv4("virtual ip", text),
        open=True,
    ),
    Question("device", "Network interface", lambda offers: offers.devices, _last_device, open=True),
    Question(
        "elastic_ip",
        "Elastic IP",
        lambda offers: offers.elastic_ips,
        lambda answers, offers: next(iter(offers.elastic_ips), ""),
        _is(ELASTIC_IP),
        open=True,
    ),
    Question("tag", "Tag", default=_default_tag, checked=checked_tag, open=True),
)
"""The prompts of the wizard, after the one for the server, which decides what there is to choose from."""


def hold(terminal: Terminal, servers: list[str], offers_of: Callable[[str], Offers]) -> dict[str, str]:
    """
    Ask until there is an answer to every question that applies; `server` and the names of QUESTIONS → answer.

    Args:
        servers: To choose from, this one first.
        offers_of: What there is on a server; raises Ec2KitError.

    Raises:
        Cancelled: The person does not want to go on; nothing was done.
    """
    terminal.say(_INTRODUCTION)
    answers: dict[str, str] = {}
    while True:
        server = _asked(terminal, _server_question(servers), answers, Offers())
        if server is None:
            continue  # there is nothing before the first question
        answers["server"] = server
        if _ask_all(terminal, answers, offers_of(server)):
            return answers


def _server_question(servers: list[str]) -> Question:
    return Question("server", "Server", _words(*servers), lambda answers, offers: servers[0])


def _ask_all(terminal: Terminal, answers: dict[str, str], offers: Offers) -> bool:
    """Whether all are answered; False: back to the question before them."""
    place = 0
    while place < len(QUESTIONS) + 1:
        question = QUESTIONS[place] if place < len(QUESTIONS) else _confirmation(answers)
        answer = _asked(terminal, question, answers, offers)
        if answer is None:
            place = _before(place, answers, offers)
            if place < 0:
                return False
            continue
        answers[question.name] = answer
        place = _after(place, answers, offers)
    return True


def _after(place: int, answers: dict[str, str], offers: Offers) -> int:
    """The next question that applies; what others were answered earlier is forgotten."""
    place += 1
    while place < len(QUESTIONS) and not QUESTIONS[place].applies(answers, offers):
        answers.pop(QUESTIONS[place].name, None)
        place += 1
    return place


def _before(place: int, answers: Answers, offers: Offers) -> int:
    place -= 1
    while place >= 0 and not QUESTIONS[place].applies(answers, offers):
        place -= 1
    return place


def _confirmation(answers: Answers) -> Question:
    what = answers.get("ip_resource") or answers.get("virtual_ip") or answers.get("elastic_ip")
    text = f"Create {answers['tag']} on {answers['server']}: {answers['scenario']}, {what} on {answers['device']}"
    return Question("confirmed", text, _words("yes"), lambda answers, offers: "yes")


def _asked(terminal: Terminal, question: Question, answers: Answers, offers: Offers) -> str | None:
    """A valid answer; None: back. Raises Cancelled."""
    choices = question.choices(offers)
    default = answers.get(question.name) or question.default(answers, offers)
    for number, (value, note) in enumerate(choices.items(), start=1):
        if len(choices) > 1 or note:
            terminal.say(f"  {number}  {value}" + (f"  {note}" if note else ""))
    while True:
        typed = terminal.ask(question.text + (f" [{default}]: " if default else ": "))
        if typed is None or typed.strip().lower() == CANCEL:
            raise Cancelled
        text = typed.strip() or default
        if text.lower() == BACK:
            return None
        try:
            return _understood(question, choices, text)
        except (Ec2KitError, ValueError) as error:
            terminal.say(f"  {error}")


def _understood(question: Question, choices: Mapping[str, str], text: str) -> str:
    values = list(choices)
    if text.isdecimal() and 1 <= int(text) <= len(values):
        return values[int(text) - 1]
    if not text:
        raise ValueError("please answer")
    if text not in values and not question.open:
        raise ValueError(f"it is none of: {', '.join(values)}" if values else "there is none to choose from")
    return question.checked(text)


# -- what there is to choose from --------------------------------------------------------------------------------


def choices(action: Action) -> tuple[list[str], Callable[[str], Offers]]:
    """The servers that a resource can be made on, this one first; and how to ask what one has to offer."""
    own = action.settings.server
    systems = action.lifekeeper.systems() if action.lifekeeper is not None else []
    return [own, *(each for each in systems if each != own)], partial(_offers_of, action)


def _offers_of(action: Action, server: str) -> Offers:
    action = action._replace(deadline=Deadline(_LOOK_SECONDS))  # time spent typing does not count
    if server == action.settings.server:
        return offers(action)
    return Offers(**action.ask(server, ["offers"], seconds=_LOOK_SECONDS)["offers"])


def offers(action: Action) -> Offers:
    """What this server has; what cannot be looked up is left out."""
    framework = action.lifekeeper
    found = None if framework is None else {each.tag: each.address for each in ip_resource.usable(framework)}
    region = ""
    with suppress(Unknown):
        region = node.identity(action.settings, action.deadline).region
    return Offers(region, _devices(action), _elastic_ips(action, region), found)


def _devices(action: Action) -> dict[str, str]:
    found: dict[str, str] = {}
    for device in nic.devices(action.settings):
        with suppress(Unknown, InterfaceUnknown):
            it = node.interface(device, action.settings, action.deadline)
            found[device] = f"{it.network_interface_id}, {it.private_ip_addresses[0]}"
    return found


def _elastic_ips(action: Action, region: str) -> dict[str, str]:
    if not region:
        return {}
    try:
        listed = action.ec2(region=region, look_retries=0).addresses()
    except Ec2KitError:
        return {}
    return {each.public_ip: f"{each.allocation_id} on {each.network_interface_id or 'nothing'}" for each in listed}


def as_wish(answers: Mapping[str, Any]) -> Wish:
    """What was answered, as create understands it."""
    names = ("scenario", "switchback", "region", "virtual_ip", "elastic_ip", "ip_resource", "device")
    return Wish(**{name: answers[name] for name in names if answers.get(name)})
