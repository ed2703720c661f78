"""
The stale writer: an action that was held up, or a server that was cut off, and that others have gone on without.

What is held up waits for its turn after EC2 throttled a write: it has looked, and is about to write. A turn comes
once a second, and what is caught with a later request goes on until the next one: what is on its way to EC2 cannot be
called back. The other place to be held up, while looking, is in test_route_table.py.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..patience import HANGS
from .cluster import EIP_TAG, VIP_TAG, Cluster, finished, given_time, go_on, in_a_hurry, stop, until

Process = subprocess.Popen[str]
Deed = Callable[[], object]


@dataclass(frozen=True)
class Brake:
    """What keeps a process from running, and lets it go on."""

    stop: Deed
    go_on: Deed
    clear_up: Deed = lambda: None


def by_signal(process: Process) -> Brake:
    return Brake(lambda: stop(process), lambda: go_on(process))


def by_freezer(process: Process) -> Brake:
    """
    As a container is paused: by a cgroup of its own.

    Source: Linux, admin-guide/cgroup-v1/freezer-subsystem, admin-guide/cgroup-v2 (cgroup.freeze).
    """
    group = Path("/sys/fs/cgroup/freezer" if os.path.isdir("/sys/fs/cgroup/freezer") else "/sys/fs/cgroup")
    place = group / f"ec2kit-test-{process.pid}"
    try:
        place.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error.strerror}")
    switch, frozen, thawed = place / "freezer.state", "FROZEN", "THAWED"
    if not switch.exists():
        switch, frozen, thawed = place / "cgroup.freeze", "1", "0"
    (place / "cgroup.procs").write_text(str(process.pid))

    def freeze() -> None:
        switch.write_text(frozen)
        until(lambda: switch.read_text().strip() == frozen)

    def clear_up() -> None:
        until(lambda: not (place / "cgroup.procs").read_text())
        place.rmdir()

    return Brake(freeze, lambda: switch.write_text(thawed), clear_up)


HoldUp = Callable[[Process, str, Callable[[Process], Brake]], Deed]


@pytest.fixture
def hold_up(cluster: Cluster) -> Iterator[HoldUp]:
    """Holds a server's action up, and gives what lets it go on; whatever happens, it goes on in the end."""
    held: list[tuple[Process, Brake]] = []

    def hold(process: Process, server: str, kind: Callable[[Process], Brake]) -> Deed:
        brake = kind(process)
        held.append((process, brake))
        brake.stop()
        while not waits_for_its_turn(cluster, server):
            brake.go_on()
            until(lambda: waits_for_its_turn(cluster, server) or process.poll() is not None)
            if process.poll() is not None:
                break  # its deadline was too near
            brake.stop()
        return brake.go_on

    yield hold
    for process, brake in held:
        if process.poll() is None:
            brake.go_on()
            process.communicate(timeout=HANGS)
        brake.clear_up()


def waits_for_its_turn(cluster: Cluster, server: str) -> bool:
    """Whether the last thing that EC2 answered the server is that it is throttled."""
    cluster.aws.describe_addresses()  # what was on its way before this has been answered
    calls = [each for each in cluster.sandbox.calls() if each["server"] == server]
    return calls[-1]["operation"] == "ReplaceRoute" and calls[-1]["code"] == "RequestLimitExceeded"


def about_to_write(cluster: Cluster, server: str, action: str, **settings: str) -> Process:
    """An action that EC2 throttles, and that waits for its next turn."""
    settings = {"EC2_WRITE_BURST": "1", "EC2_WRITE_RATE": "1", **settings}
    cluster.sandbox.fault("throttle", server=server, operation="ReplaceRoute")
    running = cluster.start(server, action, "-t", VIP_TAG, **settings)
    until(lambda: _waits(cluster, server) or running.poll() is not None)
    return running


def _waits(cluster: Cluster, server: str) -> bool:
    return cluster.asked(server, "ReplaceRoute") > 0 and waits_for_its_turn(cluster, server)


def drift(cluster: Cluster) -> None:
    """An outside hand points one route at an ENI that is no server's."""
    cluster.point(cluster.tables[0], cluster.eni("node1", "eth0"))


ACTIONS = {"restore": "node2", "recover": "node1"}
"""Action → the server where it has something to write."""


@pytest.mark.parametrize(("action", "by"), [("restore", by_signal), ("restore", by_freezer), ("recover", by_signal)])
def test_an_action_held_up_past_its_deadline_writes_nothing_when_it_goes_on(
    cluster: Cluster, action: str, by: Callable[[Process], Brake], hold_up: HoldUp
) -> None:
    """Time in which a process does not run counts, however it is kept from running."""
    cluster.with_resource()
    drift(cluster)
    server = ACTIONS[action]
    before = cluster.writes(server)

    def held_up(seconds: float) -> tuple[Process, Deed, float]:
        cluster.sandbox.clear()
        running = about_to_write(cluster, server, action, **{f"EC2_{action.upper()}_TIMEOUT": f"{seconds:.1f}"})
        is_too_late = running.poll() is not None
        return running, running.kill if is_too_late else hold_up(running, server, by), seconds

    running, release, deadline = given_time(held_up, lambda held: held[0].poll() is None, seconds=4)
    cluster.sandbox.clear()
    time.sleep(deadline)
    release()
    assert finished(running).status == 1
    assert cluster.writes(server) == before


@pytest.mark.parametrize(("action", "by"), [("restore", by_freezer), ("recover", by_signal)])
def test_an_action_held_up_and_overtaken_by_remove_writes_nothing_when_it_goes_on(
    cluster: Cluster, action: str, by: Callable[[Process], Brake], hold_up: HoldUp
) -> None:
    """A remove that was answered stays the last word, whoever still holds the lock."""
    cluster.with_resource()
    drift(cluster)
    server = ACTIONS[action]
    before = cluster.writes(server)
    running = about_to_write(cluster, server, action)
    release = hold_up(running, server, by)
    cluster.sandbox.clear()
    assert cluster.act(server, "remove").status == 0
    release()
    done = finished(running)
    assert done.status == 1
    assert "overtaken" in done.stderr
    assert cluster.writes(server) == before


def test_restore_held_up_and_overtaken_by_a_newer_restore_leaves_the_writing_to_that_one(
    cluster: Cluster, hold_up: HoldUp
) -> None:
    """restore, remove, restore: the first goes on to nothing, the last writes each table once."""
    cluster.with_resource()
    before = len(cluster.writes("node2"))
    first = about_to_write(cluster, "node2", "restore")
    release = hold_up(first, "node2", by_signal)
    cluster.sandbox.clear()
    assert cluster.act("node2", "remove").status == 0
    last = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: cluster.log("node2").count("BEGIN restore") == 2)
    release()
    assert [finished(first).status, finished(last).status] == [1, 0]
    assert len(cluster.writes("node2")) == before + 6
    assert cluster.holders() == ["node2"] * 6


def test_recover_held_up_while_another_server_takes_over_writes_nothing_when_it_goes_on(
    cluster: Cluster, hold_up: HoldUp
) -> None:
    """Before its next try it looks and asks anew, and finds the legitimate owner."""
    cluster.with_resource()
    drift(cluster)
    before = cluster.writes("node1")
    running = about_to_write(cluster, "node1", "recover")
    release = hold_up(running, "node1", by_freezer)
    cluster.sandbox.clear()
    assert cluster.act("node2", "restore").status == 0
    release()
    done = finished(running)
    assert done.status == 1
    assert "taken over by node2" in done.stderr
    assert cluster.writes("node1") == before
    assert cluster.holders() == ["node2"] * 6


# -- a server that was cut off, and comes back ---------------------------------------------------------------------


def test_recover_of_a_server_that_comes_back_takes_what_leads_nowhere(cluster: Cluster) -> None:
    """Against no owner: the one that took over is halted and silent, and its routes are blackholes."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    assert cluster.act("node2", "restore").status == 0
    instance = cluster.sandbox.description["nodes"]["node2"]["instance_id"]
    cluster.aws.stop_instances(InstanceIds=[instance])
    cluster.cut_off("node2")
    cluster.sandbox.clear()
    done = cluster.act("node1", "recover")
    cluster.aws.start_instances(InstanceIds=[instance])
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node1"] * 6


@pytest.mark.parametrize("owner", ["in service", "silent", "nobody"])
def test_recover_of_an_elastic_ip_by_a_server_that_comes_back(cluster: Cluster, owner: str) -> None:
    """A legitimate owner keeps the address, a silent one too; what the other server gave up is taken."""
    cluster.with_resource(EIP_TAG)
    cluster.sandbox.fault("refuse", server="node1")
    assert cluster.act("node2", "restore", EIP_TAG).status == 0
    cluster.sandbox.clear()
    if owner == "nobody":
        assert cluster.act("node2", "remove", EIP_TAG).status == 0
    if owner == "silent":
        cluster.cut_off("node2")
    before = cluster.writes("node1")
    done = cluster.act("node1", "recover", EIP_TAG)
    taken = owner == "nobody"
    assert (done.status == 0) is taken, done.stderr
    assert ("taken over by node2" in done.stderr) is not taken
    assert (cluster.writes("node1") == before) is not taken
    assert cluster.address_holder() == ("node1" if taken else "node2")


def test_restore_that_hangs_on_a_server_that_was_given_up_ends_with_its_deadline(cluster: Cluster) -> None:
    """Cut off from EC2 in the middle of its writes, and back when its time is over: it takes nothing back."""
    cluster.with_resource(on="node2")
    before = cluster.writes("node1")
    cluster.sandbox.fault("silent", server="node1", operation="ReplaceRoute")
    hanging = cluster.start("node1", "restore", "-t", VIP_TAG, **in_a_hurry(4))
    assert finished(hanging).status == 1
    cluster.sandbox.clear()
    assert cluster.act("node2", "quickCheck").status == 0
    assert cluster.writes("node1") == before
    assert cluster.holders() == ["node2"] * 6
