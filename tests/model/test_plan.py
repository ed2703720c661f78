"""Plan equals deed: in any situation, the calls that a plan announces are those that the action makes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ec2kit.engine.foresight import AWS, Foreseen, Step

from ..builders import ELASTIC_IP, FOREIGN
from ..conftest import Counted
from ..pretended_ec2 import ADDRESSES
from .cluster import OBJECTS, SERVERS, Cluster
from .walk import SCENARIOS, Walk

DEEDS = ("restore", "restore", "remove", "recover", "recover")


def all_files(cluster: Cluster) -> dict[str, bytes]:
    """Everything that the kit has written on all servers; locks, too."""
    return {path: Path(path).read_bytes() for name in SERVERS for path in cluster.files(name, "")}


def announced(found: Foreseen) -> list[tuple[str, str, str | None]]:
    return sorted((each.operation, each.target, _owner(each)) for each in found.steps if _is_call(each))


def _is_call(step: Step) -> bool:
    return step.is_made and step.place == AWS


def _owner(step: Step) -> str | None:
    """The ENI that has the object afterwards, as the model notes it."""
    if step.operation == "ModifyNetworkInterfaceAttribute" or step.new is None:
        return None
    new = step.new.split()[0]
    return {address: eni for eni, address in ADDRESSES.items()}.get(new, new)


def one_situation(walk: Walk, chance: random.Random, seen: Counter[str]) -> None:
    cluster = walk.cluster
    walk.wander(chance.randint(3, 40))
    server, deed = chance.choice(SERVERS), chance.choice(DEEDS)
    for target in OBJECTS[walk.scenario]:
        if chance.random() < 0.4:
            cluster.outside_hand(target, chance.choice(("eni-a", "eni-b", FOREIGN, None)))
    cluster.ec2.source_dest_check = chance.random() < 0.3
    for desk in cluster.desks.values():
        desk.set(eip_exclusive=chance.random() < 0.3, recover_take_from_peer=chance.random() < 0.1)
        desk.set(write_beside_look=chance.random() < 0.8)
    before, files = list(cluster.ec2.written), all_files(cluster)
    planned = cluster.run(server, f"plan of {deed}")
    assert planned.error is None, planned.error
    found: Foreseen = planned.result
    assert (cluster.ec2.written, all_files(cluster)) == (before, files), "a plan has written something"
    done = cluster.run(server, deed)
    calls = cluster.ec2.written[len(before) :]
    about = f"{deed} on {server} of {cluster.resource.scenario}: {found}"
    assert announced(found) == sorted(calls, key=repr_of), about
    if deed != "remove":
        assert str(found.error) == str(done.error), about
    state = next((each.new for each in found.steps if each.operation == "state"), None)
    assert state in (None, cluster.desks[server].registry.state(cluster.resource.tag)), about
    seen[f"{deed}, {'calls' if calls else 'no call'}, {'fails' if found.error else 'succeeds'}"] += 1


def repr_of(call: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(map(str, call))


def situations(folder: Path, scenario: str, seed: int, count: int, counted: Counted) -> None:
    walk, chance, seen = Walk(folder, seed, scenario), random.Random(seed), Counter[str]()
    for _ in range(count):
        one_situation(walk, chance, seen)
    counted(f"plan and deed, {scenario}, {seed}: {dict(sorted(seen.items()))}")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_plan_in_some_situations_announces_the_calls_of_the_action(
    scenario: str, folder: Path, counted: Counted
) -> None:
    """Operation, object and new owner of each call, the error, and the state in the end; a plan leaves no trace."""
    situations(folder, scenario, 1, 12, counted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_plan_in_hundreds_of_situations_announces_the_calls_of_the_action(
    scenario: str, seed: int, folder: Path, counted: Counted
) -> None:
    """The same, in a hundred situations of each walk."""
    situations(folder, scenario, seed, 100, counted)


def test_plan_with_elastic_ips_displaced_names_each_of_them(folder: Path) -> None:
    """With EC2_EIP_EXCLUSIVE the second round is foreseen, in which other addresses lose their place."""
    cluster = Cluster(folder, ELASTIC_IP, "server-b")
    cluster.desks["server-a"].set(eip_exclusive=True)
    found: Foreseen = cluster.run("server-a", "plan of restore").result
    assert [each.operation for each in found.steps if _is_call(each)] == ["AssociateAddress", "DisassociateAddress"]
    cluster.run("server-a", "restore")
    assert announced(found) == sorted(cluster.ec2.written, key=repr_of)
