"""A resource of routes is led through its whole life by the real scripts; what is not its own stays as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ec2kit.ec2.answers import DESTINATIONS, kind_of

from .cluster import VIP_TAG, Cluster, Done

Place = tuple[str, str]
"""A table and a destination."""


@dataclass
class Life:
    """
    One resource on node1 and node2.

    Attributes:
        words: What create is told of the address, "--vip", "10.1.0.10".
        places: The routes that are the resource's; every other route of the account has to stay.
    """

    cluster: Cluster
    words: tuple[str, ...]
    places: Collection[Place]
    _before: dict[Place, str | None] = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.others()

    def others(self) -> dict[Place, str | None]:
        return {place: target for place, target in self.cluster.routes().items() if place not in self.places}

    def holders(self) -> set[str]:
        """The servers, or other targets, that the resource's routes point at."""
        routes = self.cluster.routes()
        return {self.cluster.server_of(routes.get(place)) for place in self.places}

    def create(self, **settings: str) -> Done:
        words = ["-t", VIP_TAG, "--type", "route-table", *self.words, "--interface", "eth1"]
        return self.cluster.run("node1", "create", *words, **settings)

    def act(self, server: str, action: str) -> Done:
        """An action that sees each change of an outside hand at once, not by an answer that checks share."""
        return self.cluster.act(server, action, EC2_SNAPSHOT_MAX_AGE="0")

    def with_resource(self) -> Life:
        for done in (self.create(), self.cluster.run("node2", "extend", "node1", VIP_TAG)):
            assert done.status == 0, done.stderr
        return self

    def must_be_on(self, server: str) -> None:
        assert self.holders() == {server}
        others = self.others()
        changed = {place for place in {*others, *self._before} if others.get(place) != self._before.get(place)}
        assert not changed

    def drift(self, place: Place) -> None:
        """An outside hand moves one of the routes."""
        table, destination = place
        kind = DESTINATIONS[kind_of(destination)]
        target = {"RouteTableId": table, kind: destination, "NetworkInterfaceId": self.cluster.eni("node1", "eth0")}
        self.cluster.aws.replace_route(**target)

    def lead(self) -> None:
        """Create, extend, failover, drift, late remove, recover that refuses to steal, unextend, delete."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[str]:
        self.with_resource().must_be_on("node1")
        yield "created and extended"
        done = self.act("node2", "restore")
        assert done.status == 0, done.stderr
        self.must_be_on("node2")
        assert [self.act(name, "quickCheck").status for name in ("node1", "node2")] == [1, 0]
        yield "moved"
        self.drift(next(iter(self.places)))
        assert self.act("node2", "quickCheck").status == 1
        done = self.act("node2", "recover")
        assert done.status == 0, done.stderr
        self.must_be_on("node2")
        yield "repaired"
        recovered = self.act("node1", "recover")
        assert (recovered.status, "taken over by node2" in recovered.stderr) == (1, True), recovered.stderr
        assert self.act("node1", "remove").status == 0
        self.must_be_on("node2")
        yield "left alone by the other server"
        assert self.act("node2", "quickCheck").status == 0
        done = self.cluster.run("node2", "unextend", VIP_TAG, "--server", "node1")
        assert done.status == 0, done.stderr
        assert self.cluster.run("node2", "delete", VIP_TAG).status == 0
        self.must_be_on("node2")
