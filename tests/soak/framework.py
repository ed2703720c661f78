"""One resource's HA framework, as rough as they come: it checks, switches over, fails over, kills, and holds up."""

from __future__ import annotations

import random
import signal
import threading
import time
from threading import Event, Semaphore

from ec2kit.resource import Resource

from .judge import Done
from .stage import NODES, Running, Stage


class Framework(threading.Thread):
    """
    Args:
        slots: How many frameworks are at work at a time.
        over: Set when it is time to end.

    Attributes:
        active: The server where it believes the resource to be in service; None after a failure.
    """

    def __init__(self, stage: Stage, resource: Resource, *, seed: int, slots: Semaphore, over: Event) -> None:
        super().__init__(name=resource.tag)
        self._stage = stage
        self._resource = resource
        self._chance = random.Random(seed)
        self._slots = slots
        self._over = over
        self.active: str | None = None

    def run(self) -> None:
        deeds = {
            self._check: 8,
            self._check_a_standby: 2,
            self._switch_over: 4,
            self._take_over: 2,
            self._drift: 2,
            self._kill: 2,
            self._hold_up: 1,
            self._overtake: 2,
        }
        while not self._over.is_set():
            with self._slots:
                if self.active is None:
                    self._bring(self._chance.choice(NODES))
                else:
                    self._chance.choices(list(deeds), list(deeds.values()))[0](self.active)

    # -- the usual --

    def _check(self, active: str) -> None:
        """A no leads to a recovery, and if that fails, to a failover; nothing else does."""
        if self._act(active, "quickCheck").status == 1 and self._act(active, "recover").status != 0:
            self._act(active, "remove")
            self._bring(self._another(active))

    def _check_a_standby(self, active: str) -> None:
        self._act(self._another(active), "quickCheck")

    def _switch_over(self, active: str) -> None:
        self._act(active, "remove")
        self._bring(self._another(active))

    def _bring(self, server: str) -> None:
        self.active = None
        for _ in range(2):
            if self._act(server, "restore").status == 0:
                self.active = server
                break

    # -- the unusual --

    def _take_over(self, active: str) -> None:
        """The active server is given up without a remove, comes back later, and is told then."""
        self._bring(self._another(active))
        if self._act(active, "quickCheck").status == 1:
            self._act(active, "recover")
        if active != self.active:
            self._act(active, "remove")

    def _drift(self, active: str) -> None:
        self._stage.outside_hand(self._resource)
        self._check(active)

    def _kill(self, active: str) -> None:
        """kill -9 somewhere in the middle, and then again."""
        server = self._chance.choice(NODES)
        running = self._begin(server, "restore")
        self._pause(0.1, 1.0)
        running.signal(signal.SIGKILL)
        self._stage.meets("kill -9")
        running.end()
        self._bring(server)

    def _hold_up(self, active: str) -> None:
        """Stopped somewhere in the middle, while a remove, or another server's restore, comes in between."""
        server = self._another(active)
        running = self._begin(server, "restore")
        self._pause(0.1, 0.8)
        running.signal(signal.SIGSTOP)
        self._stage.meets("SIGSTOP")
        other = self._another(server)
        meanwhile = self._act(server, "remove") if self._chance.random() < 0.5 else self._act(other, "restore")
        running.signal(signal.SIGCONT)
        running.end()
        self._bring(other if meanwhile.action == "restore" else active)

    def _overtake(self, active: str) -> None:
        """A remove while a restore runs."""
        server = self._another(active)
        running = self._begin(server, "restore")
        self._pause(0.1, 0.8)
        self._act(server, "remove")
        running.end()
        self._bring(active)

    # -- one action --

    def _act(self, server: str, action: str) -> Done:
        return self._begin(server, action).end()

    def _begin(self, server: str, action: str) -> Running:
        return self._stage.begin(server, action, self._resource.tag)

    def _another(self, server: str) -> str:
        return self._chance.choice([each for each in NODES if each != server])

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self._chance.uniform(least, most))
