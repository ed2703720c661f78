"""A definition has things of AWS for itself: two that share one would take it from each other for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Holding(NamedTuple):
    """
    One thing of AWS that belongs to one definition.

    Attributes:
        thing: The thing with its kind, as a person reads it: "Elastic IP 203.0.113.1".
        places: Where the definition has it, if a thing may be in several places: ids, and marks "KEY=VALUE", which
            any place may have, but with one value for each key. (): everywhere.
    """

    thing: str
    places: tuple[str, ...] = ()

    def meets(self, other: Holding) -> bool:
        """Tell whether both may be one thing in one place."""
        if self.thing != other.thing:
            return False
        everywhere = not (self.places and other.places)
        return everywhere or any(_may_be_one(one, each) for one in self.places for each in other.places)


def _may_be_one(place: str, other: str) -> bool:
    """Tell whether two places may be the same."""
    (key, is_mark, value), (other_key, is_other_mark, other_value) = place.partition("="), other.partition("=")
    if is_mark and is_other_mark:
        return key != other_key or value == other_value
    return bool(is_mark or is_other_mark) or place == other


Holdings = tuple[Holding, ...]


def meeting(mine: Iterable[Holding], others: Iterable[Holding]) -> tuple[str, ...]:
    """Return the things of one definition that another one has, too; none if both may live side by side."""
    kept = tuple(others)
    return tuple(each.thing for each in mine if any(each.meets(other) for other in kept))


def as_json(holdings: Iterable[Holding]) -> list[list[Any]]:
    """Return the form in which servers tell each other what a definition has, `[["Elastic IP 203.0.113.1", []]]`."""
    return [[each.thing, [*each.places]] for each in holdings]


def from_json(told: Any) -> Holdings:
    """
    Read what `as_json` has written.

    Raises:
        ValueError: It is of another form.
    """
    try:
        return tuple(Holding(str(thing), tuple(map(str, places))) for thing, places in told)
    except TypeError as error:
        raise ValueError("it is no list of holdings") from error
