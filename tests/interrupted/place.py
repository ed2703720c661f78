"""Where create is interrupted: a server with a registry of files, or with LifeKeeper's stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..actions.cluster import VIP_TAG, Cluster, Done, finished
from ..lifekeeper.kit import Kit
from ..lifekeeper.world import IP_TAG
from .tripping import Tripped, tripped

PATIENCE = {"EC2_RESTORE_TIMEOUT": "90", "EC2_VERIFY_TIMEOUT": "30"}

Routes = dict[tuple[str, str], str | None]


@dataclass
class Place:
    """node1 without resources; the routes of the address lead to an ENI that is no server's."""

    cluster: Cluster

    last, last_file = 25, 16
    """The number of the last point, at which the resource is there already: of all, and without those at a write."""

    starts: tuple[int, ...] = ()
    """The number of the point at which a framework is about to bring the address here, if one does that."""

    def lay_out(self, late: float) -> Routes:
        """Put everything as it is before a create; EC2 shows node1 what was so many seconds ago."""
        self._clean()
        for table in self.cluster.tables:
            self.cluster.point(table, self.cluster.eni("node2", "eth0"))
        if late:
            self.cluster.sandbox.fault("late", server="node1", seconds=late)
        return self.cluster.routes()

    def _clean(self) -> None:
        self.cluster.clean()

    @property
    def words(self) -> list[str]:
        """The options of create."""
        return ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]

    @property
    def environment(self) -> dict[str, str]:
        return self.cluster.environment("node1", **PATIENCE)

    def create(self, **settings: str) -> Done:
        """Run the script itself."""
        running = self.cluster.start("node1", "create", *self.words, **{**PATIENCE, **settings})
        return finished(running)

    def tripped(self, number: int, by: int) -> Tripped:
        return tripped(self.words, self.environment, number=number, by=by)

    def traces(self) -> list[str]:
        """What node1 has of the resource; locks, and what a killed writer left, count for nothing."""
        node = self.cluster.sandbox.folder / "node1"
        found = [path for place in ("state", "run") for path in (node / place).rglob(f"{VIP_TAG}*")]
        return [str(path.relative_to(node)) for path in found if path.suffix not in (".lock", ".tmp")]

    def is_in_service(self) -> bool:
        """Tell whether node1 has the resource in service, and all routes."""
        done = self.cluster.run("node1", "quickCheck", "-t", VIP_TAG)
        return done.status == 0 and set(self.cluster.holders()) == {"node1"}


class LifeKeeperPlace(Place):
    """The same under LifeKeeper's stand-in, with an IP resource."""

    cluster: Kit

    last = last_file = 15
    starts = (13,)

    def _clean(self) -> None:
        self.cluster.stop()
        self.cluster.clean()
        self.cluster.install()
        self.cluster.with_ip()
        self.cluster.settings(**PATIENCE)

    @property
    def words(self) -> list[str]:
        return self.cluster.create_words()

    def traces(self) -> list[str]:
        database: Any = self.cluster.database("node1")
        known = [f"database: {VIP_TAG}"] if VIP_TAG in str(database) else []
        assert self.cluster.state("node1", IP_TAG) == "ISP"
        return [*super().traces(), *known]

    def is_in_service(self) -> bool:
        states = self.cluster.state("node1", VIP_TAG), self.cluster.dependencies("node1")
        return states == ("ISP", [(IP_TAG, VIP_TAG)]) and set(self.cluster.holders()) == {"node1"}


# -- what must hold ------------------------------------------------------------------------------------------------


def wrong(place: Place, before: Routes, done: Done) -> Iterator[str]:
    """
    Say what is wrong after a create.

    If it succeeded, or found that the resource is there, the resource is in service. Otherwise everything is as
    before, or is named with its former place.
    """
    if done.status == 0 or "is taken" in done.stderr or "resource ec2-vip1 created" in done.stderr:
        if not place.is_in_service():
            yield f"it is not in service:\n{done.stderr}"
        return
    for (table, block), eni in place.cluster.routes().items():
        was = before[table, block]
        if eni != was and not any(table in line and str(was) in line for line in done.stderr.splitlines()):
            yield f"{table} is at {eni}, was at {was}:\n{done.stderr}"
    yield from (f"{each} is left:\n{done.stderr}" for each in place.traces())
