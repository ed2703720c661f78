"""The expectations of a step are compared with what was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from stage import Done, Place, Truth
from story import Act, Holders, Move


@dataclass(frozen=True)
class Expectation:
    """Hold one thing that must be so, what was found, and whether that is the same."""

    promise: str
    expected: str
    found: str
    held: bool


def of_an_action(act: Act, done: Done) -> list[Expectation]:
    """Compare exit status, words and changes in EC2 with the story."""
    status = Expectation(f"exit {act.status}", str(act.status), str(done.status), done.status == act.status)
    wanted, made = _counted(act.writes), _counted(done.writes)
    writes = Expectation(wanted, wanted, made, wanted == made)
    return [status, *(_said(words, done) for words in act.says), writes]


def of_a_move(move: Move, done: Done, places: tuple[Place, ...], before: Truth, after: Truth) -> list[Expectation]:
    """Compare the move of one address with the story; everything else is as it was."""
    first, second = (f"{server} eth1" for server in move.servers)
    found = f"{before.get(move.place, 'nothing')} → {after.get(move.place, 'nothing')}"
    moved, wanted, made = f"{first} → {second}", _counted(move.writes), _counted(done.writes)
    return [
        Expectation(f"{move.kind} {move.place[1]}: {moved}", moved, found, moved == found),
        Expectation(wanted, wanted, made, wanted == made),
        _untouched(_without(places, before), _without(places, after)),
    ]


def of_the_world(holders: Holders, places: tuple[Place, ...], before: Truth, now: Truth) -> list[Expectation]:
    """
    Compare EC2 with the story: the address is where it should be, and everything else is as it was.

    Args:
        before: EC2 as it was when the scenario began.
    """
    return [_held_by(holders, places, now), _untouched(_without(places, before), _without(places, now))]


def _counted(writes: tuple[str, ...]) -> str:
    """Return ("ReplaceRoute", "ReplaceRoute") as "2 × ReplaceRoute"."""
    return ", ".join(f"{times} × {operation}" for operation, times in sorted(Counter(writes).items())) or "no write"


def _said(words: str, done: Done) -> Expectation:
    found = f'last line "{done.lines[-1]}"' if done.lines else "no output"
    return Expectation(f'says "{words}"', f'a line with "{words}"', found, any(words in line for line in done.lines))


def _held_by(wanted: Holders, places: tuple[Place, ...], now: Truth) -> Expectation:
    held = tuple(now.get(place, "nothing") for place in places)
    address = places[0][1].removesuffix("/32")
    return Expectation(f"{address} on {_listed(wanted)}", _listed(wanted), _listed(held), held == wanted)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names if len(set(names)) > 1 else names[:1])


def _untouched(before: Truth, now: Truth) -> Expectation:
    changed = [
        f"{' '.join(place)}: {before.get(place, 'nothing')} → {now.get(place, 'nothing')}"
        for place in sorted({*before, *now})
        if before.get(place) != now.get(place)
    ]
    return Expectation("rest untouched", "all as before", "; ".join(changed), not changed)


def _without(places: tuple[Place, ...], truth: Truth) -> Truth:
    return {place: holder for place, holder in truth.items() if place not in places}
