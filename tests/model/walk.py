"""A long walk of two servers by chance: many actions at once, under every fate, and a judge who watches each step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..builders import FOREIGN, OBJECTS, ROUTE_TABLE
from .cluster import KINDS, SERVERS, WELL, Cluster, Fate

DEEDS = ("restore", "restore", "remove", "recover", "quickCheck", "quickCheck")
TOGETHER = 3
"""Actions at a time, at most."""


@dataclass
class Walked:
    """What was met on the way: actions, faults by kind, and what the judge has to say."""

    actions: int = 0
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[tuple[str, str]] = field(default_factory=list)


class Walk:
    """
    Args:
        seed: The same one gives the same walk.
    """

    def __init__(self, folder: Path, seed: int, scenario: str = ROUTE_TABLE) -> None:
        self._chance = random.Random(seed)
        self.scenario = scenario
        self._objects = OBJECTS[scenario]
        self.cluster = Cluster(folder, scenario, SERVERS[0])
        self.walked = Walked(complaints=self.cluster.judge.complaints)

    def go(self, actions: int) -> Walked:
        """Begin that many actions, let all come to their end, and bring peace to each server."""
        until = self.walked.actions + actions
        while self.walked.actions < until:
            self._step()
            self.cluster.judge.look_around()
        self.cluster.finish()
        for server in SERVERS:
            self._peace(server)
        return self.walked

    def wander(self, steps: int) -> None:
        """Take some steps, and let what was begun come to its end: what is then, nothing is about to change."""
        for _ in range(steps):
            self._step()
        self.cluster.finish()

    def _step(self) -> None:
        chance, cluster = self._chance.random(), self.cluster
        if chance < 0.3 and len(cluster.processes) < TOGETHER:
            cluster.begin(self._chance.choice(SERVERS), self._chance.choice(DEEDS))
            self.walked.actions += 1
        elif chance < 0.93 and cluster.processes:
            cluster.go_on(self._chance.choice(cluster.processes), self._fate())
            self.walked.steps += 1
        elif chance > 0.95:
            self._calamity()

    def _fate(self) -> Fate:
        if self._chance.random() > 0.2:
            return WELL
        befallen = frozenset(each for each in self._objects if self._chance.random() < 0.7)
        fate = Fate(self._chance.choice(KINDS[1:]), befallen, self._chance.randint(1, 3))
        self.walked.faults[fate.kind] += 1
        return fate

    def _calamity(self) -> None:
        cluster, server = self.cluster, self._chance.choice(SERVERS)
        what = self._chance.choice(("outside hand", "outside hand", "kill -9", "reboot", "cut off", "held up"))
        if what == "outside hand":
            cluster.outside_hand(self._chance.choice(self._objects), self._chance.choice(("eni-a", FOREIGN, None)))
        elif what == "kill -9" and cluster.processes:
            cluster.kill(self._chance.choice(cluster.processes))
        elif what == "reboot":
            cluster.reboot(server)
        elif what == "cut off":
            cluster.cut_off ^= {server}
        elif what == "held up":
            cluster.time += self._chance.choice((1.0, 6.0, 16.0))
        self.walked.faults[what] += 1

    def _peace(self, server: str) -> None:
        """A restore that nothing disturbs brings the address here, whatever was before."""
        cluster = self.cluster
        restored = cluster.run(server, "restore")
        self.walked.actions += 1
        if restored.error is not None or not cluster.owns(server, cluster.now):
            cluster.judge.complain("lost change", f"an undisturbed restore on {server} ended with {restored.error}")


SCENARIOS = tuple(OBJECTS)
