"""
create that does not come to its end, at each of its points, while EC2's reads are late.

AWS and the registry are as before, or the message names what could not be put back. `make test` has a few cells.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterable

import pytest

from ..conftest import Counted
from .place import Place, wrong
from .tripping import NO_ROOM

Cell = Callable[[Place, int, float], tuple[str, list[str]]]
"""Takes the number of a point and how late reads are; gives the point, "" if there is none, and what is wrong."""

SLICES = 5
"""Each test takes each fifth point, so that workers share them."""


def stopped(place: Place, number: int, late: float) -> tuple[str, list[str]]:
    """SIGTERM."""
    before = place.lay_out(late)
    ended = place.tripped(number, signal.SIGTERM)
    return ended.point, list(wrong(place, before, ended.done))


def failing(place: Place, number: int, late: float) -> tuple[str, list[str]]:
    """The disk is full, or a command of LifeKeeper cannot be run."""
    before = place.lay_out(late)
    ended = place.tripped(number, NO_ROOM)
    return ended.point, list(wrong(place, before, ended.done))


def killed(place: Place, number: int, late: float) -> tuple[str, list[str]]:
    """SIGKILL, and a next create, which fails in a check or cannot write either; then one that succeeds."""
    before = place.lay_out(late)
    ended = place.tripped(number, signal.SIGKILL)
    if not ended.point:
        return "", list(wrong(place, before, ended.done))
    effect = [{"effect": "deny", "count": 1}, {"effect": "error", "status": 400, "code": "Odd", "count": 3}][
        number % 2
    ]
    place.cluster.sandbox.fault(server="node1", operation="ReplaceRoute", **effect)
    next_one = place.create()
    found = [f"the next one: {each}" for each in wrong(place, before, next_one)]
    place.cluster.sandbox.clear()  # reads that show what was before the undo would show it as done already
    return ended.point, found or [f"the last one: {each}" for each in wrong(place, before, place.create())]


def _hold(cell: Cell, place: Place, late: float, numbers: Iterable[int]) -> int:
    """Try the points of these numbers, as far as there are any; return how many there were."""
    count = 0
    for number in numbers:
        point, found = cell(place, number, late)
        assert not found, "\n".join([f"{cell.__name__} {point} (no. {number}), reads {late:g} s late:", *found])
        if not point:
            assert place.is_in_service(), f"create neither comes to point no. {number} nor succeeds"
            break
        count += 1
    return count


@pytest.mark.interrupted
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1, SLICES + 1))
@pytest.mark.parametrize("late", [5.0, 2.0, 0.5, 0.0])
@pytest.mark.parametrize("cell", [killed, stopped, failing])
def test_create_interrupted_anywhere_leaves_everything_as_it_was_or_says_what_it_left(
    place: Place, cell: Cell, late: float, first: int, counted: Counted
) -> None:
    """Each point, each way to be interrupted, each lateness, both registries."""
    count = _hold(cell, place, late, itertools.count(first, SLICES))
    counted(f"create {cell.__name__} with reads {late:g} s late: {count} points from no. {first} on")


def test_create_interrupted_leaves_everything_as_it_was_or_says_what_it_left(place: Place) -> None:
    """A few of these cells: at a file or a command in the middle, when LifeKeeper begins, and at the very end."""
    _hold(stopped, place, 0.5, (place.last, *place.starts))
    _hold(killed, place, 0.0, (7,))
    _hold(failing, place, 0.5, (6, place.last_file))
