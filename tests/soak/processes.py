"""The real action scripts as processes on a sandbox: frameworks, faults, and in the end the judge."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path

from ec2kit.sandbox.client import started

from . import faults, truth
from .framework import Framework
from .judge import LEAKED, LOST, WRONG, Judge
from .stage import NODES, TABLES, ZONES, Stage
from .tally import Tally

AT_ONCE = 5
"""Frameworks at work for each processor: most of their time they wait for an EC2 that is disturbed."""


def run(folder: Path, seconds: float, *, tls: bool = False) -> Tally:
    began = time.monotonic()
    with started(folder / "sandbox", nodes=len(NODES), tables=TABLES, zones=ZONES, tls=tls) as sandbox:
        stage = Stage(sandbox)
        sockets = stage.sockets
        mischief = faults.Faults(stage, seed=1)
        actives = _go_on(stage, mischief, seconds)
        after = len(stage.done)
        seconds = time.monotonic() - began
        judge = judged(stage, mischief)
        _make_peace(stage, judge, actives)
        for left in stage.left_behind():
            judge.complain(LEAKED, left)
        if (more := _settled(stage, sockets) - sockets) > 0:
            judge.complain(LEAKED, f"{more} sockets")
        tally = Tally(after, faults.met(stage), judge.complaints)
    print(f"as processes: {tally.actions} actions in {seconds:.0f} s, faults {dict(tally.faults)}")
    print(f"as processes: exit statuses {_statuses(stage)}")
    return tally


def _go_on(stage: Stage, mischief: faults.Faults, seconds: float) -> dict[str, str]:
    """Frameworks and faults for so long; says where each resource is believed to be in service."""
    over, slots = threading.Event(), threading.Semaphore(AT_ONCE * (os.cpu_count() or 1))
    frameworks = [
        Framework(stage, resource, seed=number, slots=slots, over=over)
        for number, resource in enumerate(stage.resources.values())
    ]
    mischievous = threading.Thread(target=mischief.go_on, args=(over,))
    for each in (*frameworks, mischievous):
        each.start()
    over.wait(seconds)
    over.set()
    for each in (*frameworks, mischievous):
        each.join()
    return {each.name: each.active or NODES[0] for each in frameworks}


def judged(stage: Stage, mischief: faults.Faults) -> Judge:
    calls = stage.sandbox.calls()
    written = truth.writes(calls, stage.resources, stage.tables)
    things = {tag: truth.things(each, stage.tables) for tag, each in stage.resources.items()}
    judge = Judge(truth.Truth(things, stage.first, written), mischief.lies)
    for done in stage.done:
        judge.judge(done)
    judge.judge_writes(written, stage.done, calls)
    return judge


def _make_peace(stage: Stage, judge: Judge, actives: dict[str, str]) -> None:
    """Undisturbed, each resource is brought where it is believed to be, and given up everywhere else."""
    for tag, server in actives.items():
        others = [each for each in NODES if each != server]
        running = [stage.begin(server, "restore", tag), *(stage.begin(each, "remove", tag) for each in others)]
        for done in [each.end() for each in running]:
            if done.status != 0:
                judge.complain(WRONG, f"{done}, undisturbed: {done.stderr.strip()[-300:]}")
    now = stage.now()
    for tag, server in actives.items():
        for thing in truth.things(stage.resources[tag], stage.tables):
            if now[thing] != server:
                judge.complain(LOST, f"{thing} of {tag} is at {now[thing]}, restored last was {server}")
    if stage.not_ours() != stage.others:
        judge.complain(LOST, "entries that are not ours have changed")


def _settled(stage: Stage, expected: int) -> int:
    """Sockets when the last connections are closed."""
    until = time.monotonic() + 10
    while stage.sockets > expected and time.monotonic() < until:
        time.sleep(0.2)
    return stage.sockets


def _statuses(stage: Stage) -> dict[str, int]:
    return dict(sorted(Counter(f"{each.action} {each.status}" for each in stage.done).items()))
