"""A wish for a resource is checked here, and completed as far as this server can."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ec2kit import resource
from ec2kit.errors import ArgumentInvalid
from ec2kit.resource import SWITCHBACKS
from ec2kit.scenarios import table

if TYPE_CHECKING:
    from ec2kit.engine.action import Action


@dataclass(frozen=True)
class Wish:
    """
    The wish of a person, as it was typed; None for a value that was not given.

    Attributes:
        scenario: A name in the table of scenarios.
        given: Name of a field of the scenario → the given text; fields that were not given are missing.
        device, network_interface_id: Exactly one of both is given.
    """

    scenario: str
    given: Mapping[str, str] = field(default_factory=dict)
    switchback: str = "intelligent"
    region: str | None = None
    device: str | None = None
    network_interface_id: str | None = None
    priority: int = 1

    @property
    def thing(self) -> str:
        """Return the name of the protected thing, as it was typed."""
        names = (self.given.get(each.name) for each in table.fields() if each.names_it)
        return next(filter(None, names), "")

    @property
    def tag(self) -> str:
        """Return the tag of a resource without a given tag: the thing, in letters that a tag may have."""
        return "ec2-" + re.sub(r"[^A-Za-z0-9._-]", "-", self.thing)

    def as_dict(self) -> dict[str, Any]:
        """Return the wish for another server, in JSON types; the scenario's fields are beside the common ones."""
        common = {name: getattr(self, name) for name in _COMMON}
        return {**common, **self.given}


_COMMON = ("scenario", "switchback", "region", "device", "network_interface_id", "priority")


def wish_of(**words: Any) -> Wish:
    """
    Make a wish of words by their names; an empty field of a scenario counts as not given.

    Raises:
        TypeError: A name is known to no scenario.
    """
    common = {name: value for name, value in words.items() if name in _COMMON}
    given = {name: value for name, value in words.items() if name not in _COMMON and value}
    unknown = given.keys() - {each.name for each in table.fields()}
    if unknown:
        raise TypeError(f"{sorted(unknown)} are no words of a wish")
    return Wish(given=given, **common)


def understood(action: Action, wish: Wish) -> Wish:
    """
    Return the wish with its words checked and in their usual form, completed as far as this server can.

    Raises:
        ArgumentInvalid: A word is missing, does not belong here, or is invalid.
    """
    scenario = resource.checked_choice("type", wish.scenario, table.names())
    making = table.scenario(scenario).making()
    fields = {each.name: each for each in making.FIELDS}
    _refuse_others(scenario, wish.given.keys() - fields.keys())
    given = making.understood(wish.given, _address_of(action))
    if bool(wish.device) == bool(wish.network_interface_id):
        raise ArgumentInvalid(name="interface", reason="give either --interface or --network-interface-id")
    return replace(
        wish,
        scenario=scenario,
        switchback=resource.checked_choice("switchback", wish.switchback, SWITCHBACKS),
        given={name: fields[name].checked(fields[name].word, text) for name, text in given.items()},
        priority=resource.checked_priority(wish.priority),
    )


def _refuse_others(scenario: str, others: set[str]) -> None:
    for each in table.fields():
        if each.name in others:
            article = "an" if scenario[0] in "aeiou" else "a"
            raise ArgumentInvalid(name=each.word, reason=f"{article} {scenario} resource has none")


def _address_of(action: Action) -> Callable[[str], str] | None:
    """Return the function for the address of an IP resource; None if the framework has no IP resources."""
    lifekeeper = action.lifekeeper
    if lifekeeper is None:
        return None
    return lambda tag: lifekeeper.ip_resource(tag).address
