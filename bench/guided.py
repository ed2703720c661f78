"""
The AWS agents of resource-agents are measured in the configurations of guides, and ec2kit's beside them.

Only the provider's name differs. What counts is when AWS has the address on a server that lives, and where the guide
has the address on a device as well, that device, too: three of the four have no client in the lab.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from failover_report import Guided

from tests.cluster import cib
from tests.cluster.guides import Guide, guides
from tests.cluster.lab import NODES, Lab
from tests.cluster.node import Node, until

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSE = 0.02

CONFIGURATIONS = {
    "AWS and SUSE": ("vip",),
    "Red Hat, a group with IPaddr2": ("sip", "eip"),
    "resource-agents": ("dns",),
}
"""Who publishes it → its resources by the four agents."""


class _Watch(threading.Thread):
    """
    A thread that asks again and again whether a resource is served, by AWS's truth and by the device.

    Args:
        nodes: The nodes that may serve; a node that was lost serves nothing, also when it is back.
    """

    def __init__(self, guide: Guide, nodes: dict[str, Node]) -> None:
        super().__init__(daemon=True)
        self._guide = guide
        self._nodes = nodes
        self._over = threading.Event()
        self.lost = ""
        self.served: list[float] = []

    def run(self) -> None:
        while not self._over.is_set():
            began = time.time()
            name = self._guide.holder()
            if name is not None and name != self.lost and self._carries(name):
                self.served.append(began)
            time.sleep(_PAUSE)

    def _carries(self, name: str) -> bool:
        return not self._guide.carried or self._nodes[name].has(self._guide.carried)

    def end(self) -> None:
        self._over.set()
        self.join()

    def outage(self, since: float) -> float:
        """Return the longest time in which the resource was not served, of those that ended after a moment."""
        pairs = zip(self.served, self.served[1:], strict=False)
        return max((after - before for before, after in pairs if after > since), default=0.0)


@contextmanager
def _watched(lab: Lab, members: Sequence[Guide]) -> Iterator[dict[str, _Watch]]:
    watches = {each.name: _Watch(each, lab.nodes) for each in members}
    for each in watches.values():
        each.start()
    time.sleep(1)
    try:
        yield watches
    finally:
        for each in watches.values():
            each.end()


def measure(lab: Lab, configuration: str, provider: str, tell: Callable[[str], object]) -> list[Guided]:
    """Start the resources, kill their node, move them by hand, and stop them; return what each of the agents took."""
    named = CONFIGURATIONS[configuration]
    members = [each for each in guides(lab) if each.name in named]
    _whole(lab)
    lab.configure(fencing=cib.fence_lab(), front=cib.group(*(each.primitive(provider) for each in members)))
    _runs(lab, members)
    killed = _event(lab, members, lambda active, _: active.switch_off(), kills=True)
    _whole(lab)
    moved = _event(lab, members, _move, kills=False)
    lab.any_node().run("crm_resource", "--clear", "-r", "front")
    failed = lab.failures()
    lab.any_node().run("crm_resource", "-r", "front", "--meta", "-p", "target-role", "-v", "Stopped")
    lab.idle()
    stopped = not any(lab.where(each.name) for each in members) and not lab.failures()
    found = [
        Guided(each.agent, configuration, provider, killed[each.name], moved[each.name], stopped, len(failed))
        for each in members
    ]
    for each in found:
        tell(f"  {each}")
    return found


def _move(active: Node, other: Node) -> None:
    active.run("crm_resource", "--move", "-r", "front", "-N", other.name)


def _event(
    lab: Lab, members: Sequence[Guide], happen: Callable[[Node, Node], object], *, kills: bool
) -> dict[str, float]:
    """Let something happen to the node that has the resources; return each outage when the other node has all."""
    (name,) = lab.where(members[-1].name)
    active, other = lab.nodes[name], next(node for each, node in lab.nodes.items() if each != name)
    with _watched(lab, members) as watches:
        began = time.time()
        for each in watches.values():
            each.lost = name if kills else ""
        happen(active, other)
        _runs(lab, members, other)
        return {each: watch.outage(began) for each, watch in watches.items()}


def _runs(lab: Lab, members: Sequence[Guide], node: Node | None = None) -> None:
    """Wait until Pacemaker, AWS and the device agree on one node; heartbeat's record set takes 20 s at least."""

    def all_of_it() -> bool:
        found = lab.where(members[-1].name, node)
        if len(found) != 1 or (node is not None and found != [node.name]):
            return False
        there = lab.nodes[found[0]]
        carried = all(there.has(each.carried) for each in members if each.carried)
        return carried and all(each.holder() == there.name for each in members)

    until(all_of_it, within=180, what="the resources run")
    lab.idle()


def _whole(lab: Lab) -> None:
    """Bring both nodes back, without a failed operation."""
    for node in lab.nodes.values():
        node.switch_on()
    until(lambda: all(lab.online(node) == [*NODES] for node in lab.nodes.values()), what="both nodes online")
    lab.any_node().run("crm_resource", "--cleanup", check=False)
    lab.idle()
