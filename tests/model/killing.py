"""
Kills a deed at each of its points, once at every one, by SIGKILL to a process of its own; then runs it again.

A point is before a request to EC2 leaves, when it has been carried out and not been answered, when its answer is
there, and before each step on a file. Writes are parallel, so which point comes after which differs from run to run;
the points of each kind are therefore counted for themselves, and each kind that a deed meets is killed at.
Prints what the points were, and what did not converge, as JSON.
Arguments: folder, name of the case.

Source: Python, "Audit events table"; fork(2).
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ec2kit.actions.quick_check import quick_check
from ec2kit.actions.recover import recover
from ec2kit.actions.remove import remove
from ec2kit.actions.restore import restore
from ec2kit.ec2.answers import Address, Receipt
from ec2kit.engine.action import Action
from ec2kit.state.intention import Direction
from ec2kit.state.lock import Lock

from ..builders import (
    ALLOCATION,
    ELASTIC_IP,
    ENI_A,
    ENI_B,
    FOREIGN,
    IP_A,
    IP_B,
    OBJECTS,
    PUBLIC_IP,
    ROUTE_TABLE,
    SECONDARY_IPV6,
    Desk,
    a_desk,
    a_resource,
)
from ..pretended_ec2 import PretendedEc2

Routes = dict[str, str | None]
Step = Callable[[str], None]

POINTS = (
    "before a step on a file",
    "before a look leaves",
    "when a look is answered",
    "before a write leaves",
    "when a write is carried out",
    "when a write is answered",
)


@dataclass(frozen=True)
class Case:
    """
    A deed in a situation, and what it comes to.

    Attributes:
        routes, eni: What there is in the beginning; one of the two.
        kind: The kind of address that `routes` is about.
        state: The resource's on this server.
        removed: It was given away in this boot, so a restore that has not begun yet writes beside its first look.
        owner: Whom the address belongs to in the end, with `ends` as its state.
    """

    deed: Callable[[Action], Any]
    owner: str | None
    ends: str
    routes: Routes | None = None
    eni: str | None = None
    kind: str = ROUTE_TABLE
    state: str = "OSU"
    removed: bool = False


_ELSEWHERE: Routes = {"rtb-1": ENI_B, "rtb-2": FOREIGN, "rtb-3": None}
_DRIFTED: Routes = {"rtb-1": ENI_A, "rtb-2": FOREIGN, "rtb-3": None}
_HERE: Routes = dict.fromkeys(_ELSEWHERE, ENI_A)

CASES = {
    "restore of routes": Case(restore, ENI_A, "ISP", routes=_ELSEWHERE),
    "restore of routes after a remove": Case(restore, ENI_A, "ISP", routes=_HERE, removed=True),
    "recover of routes": Case(recover, ENI_A, "ISP", routes=_DRIFTED, state="ISP"),
    "remove of routes": Case(remove, ENI_A, "OSU", routes=_HERE, state="ISP"),
    "quickCheck of routes": Case(quick_check, ENI_A, "ISP", routes=_HERE, state="ISP"),
    "restore of an Elastic IP": Case(restore, ENI_A, "ISP", eni=ENI_B),
    "recover of an Elastic IP": Case(recover, ENI_A, "ISP", eni=FOREIGN, state="ISP"),
    "remove of an Elastic IP": Case(remove, None, "OSU", eni=ENI_A, state="ISP"),
    "quickCheck of an Elastic IP that is elsewhere": Case(quick_check, ENI_B, "OSU", eni=ENI_B),
}
for _kind, _objects in OBJECTS.items():
    if _kind in (ROUTE_TABLE, ELASTIC_IP):
        continue
    _from, _foreign, _to = (dict.fromkeys(_objects, each) for each in (ENI_B, FOREIGN, ENI_A))
    CASES |= {
        f"restore of {_kind}": Case(restore, ENI_A, "ISP", _from, kind=_kind),
        f"recover of {_kind}": Case(recover, ENI_A, "ISP", _foreign, kind=_kind, state="ISP"),
        f"remove of {_kind}": Case(remove, ENI_A, "OSU", _to, kind=_kind, state="ISP"),
        f"quickCheck of {_kind}": Case(quick_check, ENI_A, "ISP", _to, kind=_kind, state="ISP"),
    }


class Mortal(PretendedEc2):
    """An EC2 that goes on when whoever asks it is killed; each call is told before, in the middle, and after."""

    def __init__(self, before: PretendedEc2, kept: Path, step: Step) -> None:
        super().__init__(before.routes, tuple(before.held.values()))
        self.spreading = before.spreading
        self._kept = kept
        self._step = step

    def look(self) -> tuple[Routes, dict[str, Address]]:
        self._step("before a look leaves")
        shown = super().look()
        self._step("when a look is answered")
        return shown

    def ask_for_a_change(self) -> None:
        self._step("before a look leaves")
        self._step("when a look is answered")

    def write(self, operation: str, target: str, owner: str | None, carry_out: Callable[[], None]) -> Receipt:
        self._step("before a write leaves")
        with self._lock:
            receipt = super().write(operation, target, owner, carry_out)
            whole = self._kept.with_suffix(".whole")
            whole.write_bytes(pickle.dumps((self.routes, self.held)))
            whole.replace(self._kept)
        self._step("when a write is carried out")
        self._step("when a write is answered")
        return receipt


def killed_everywhere(case: Case, folder: Path) -> dict[str, Any]:
    """Point → how often the deed was killed there; and what was wrong after it was run again."""
    points: Counter[str] = Counter()
    wrong: list[str] = []
    for kind, point in enumerate(POINTS):
        for number in itertools.count():
            place = folder / f"{kind}-{number:03}"
            desk = prepared(case, place)
            if not was_killed(point, number, case, desk, place):
                break
            points[point] += 1
            wrong += [f"killed {point} ({number}): {each}" for each in run_again(case, desk)]
    return {"points": points, "wrong": wrong}


def prepared(case: Case, place: Path) -> Desk:
    desk = a_desk(place, a_resource(case.kind if case.routes else ELASTIC_IP))
    private = {ENI_A: IP_A, ENI_B: IP_B}.get(case.eni or "", "10.0.9.9")
    address = Address(PUBLIC_IP, ALLOCATION, "eipassoc-1", case.eni, private)
    desk.ec2 = PretendedEc2(case.routes, (address,))
    desk.ec2.spreading = 1
    if case.removed:
        restore(desk.action())
        remove(desk.action("remove"))
    elif case.state == "ISP":
        desk.registry.mark_in_service(desk.resource.tag)
    return desk


def was_killed(point: str, number: int, case: Case, desk: Desk, place: Path) -> bool:
    """Run the deed, to be killed at one of the points of a kind; False if it had come to its end before."""
    kept = place / "truth"
    child = os.fork()
    if child == 0:
        step = dying_at(point, number)
        desk.ec2 = Mortal(desk.ec2, kept, step)
        sys.addaudithook(counting_files(step, str(place)))
        case.deed(desk.action())
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if kept.exists():
        desk.ec2.routes, desk.ec2.held = pickle.loads(kept.read_bytes())
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
    return status != 0


def dying_at(point: str, number: int) -> Step:
    steps, lock = itertools.count(), threading.Lock()

    def step(what: str) -> None:
        with lock:
            if what == point and next(steps) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return step


def counting_files(step: Step, place: str) -> Callable[[str, tuple[Any, ...]], None]:
    """The audit hook that counts each step on a file of ours; one that is opened already goes by its number."""
    ours = (f"{place}/run", f"{place}/state")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.rename", "os.remove", "os.mkdir"):
            return
        if isinstance(arguments[0], int) or str(arguments[0]).startswith(ours):
            step("before a step on a file")

    return hook


def run_again(case: Case, desk: Desk) -> list[str]:
    """What is not as if it had not been killed."""
    wrong = [*not_whole(desk)]
    missing = sum(writes_to_move(case, each) for each in owners(desk) if each != case.owner)
    if case.deed is restore and writes_unseen(desk):
        missing = len(owners(desk))
    before = len(desk.ec2.written)
    case.deed(desk.action())
    if set(owners(desk)) != {case.owner}:
        wrong.append(f"the address is at {owners(desk)}")
    if len(desk.ec2.written) - before != missing:
        wrong.append(f"{len(desk.ec2.written) - before} writes where {missing} were missing")
    if (state := desk.registry.state(desk.resource.tag)) != case.ends:
        wrong.append(f"its state is {state}")
    return wrong


def writes_to_move(case: Case, owner: str | None) -> int:
    """An IPv6 address has to be taken from its owner first."""
    return 2 if case.kind == SECONDARY_IPV6 and owner is not None else 1


def writes_unseen(desk: Desk) -> bool:
    """Whether the next restore writes to all objects, because a remove was the last that was asked for."""
    wanted = desk.action().intentions.current()
    return (
        wanted is not None and wanted.direction is Direction.DOWN and desk.registry.state(desk.resource.tag) == "OSU"
    )


def not_whole(desk: Desk) -> list[str]:
    """Half written files, and locks that nobody holds any more."""
    wrong = []
    for place in (desk.settings.run_dir, desk.settings.state_dir):
        for path in Path(place).rglob("*"):
            if path.suffix == ".json" and not path.read_text().endswith("\n}\n"):
                wrong.append(f"{path.name} is half written")
            if path.suffix == ".lock" and Lock(str(path)).is_held:
                wrong.append(f"{path.name} is held")
    return wrong


def owners(desk: Desk) -> list[str | None]:
    if desk.resource.scenario != ELASTIC_IP:
        return list(desk.ec2.routes.values())
    return [desk.ec2.held[ALLOCATION].network_interface_id]


if __name__ == "__main__":
    prepared(CASES[sys.argv[2]], Path(sys.argv[1], "first"))  # so that everything is imported
    print(json.dumps(killed_everywhere(CASES[sys.argv[2]], Path(sys.argv[1]))))
