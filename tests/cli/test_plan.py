"""`ec2kit plan` and --dry-run, as processes on the sandbox: what would be done, and that nothing is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit.state.file import StateFile
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster, Done, in_a_hurry
from tests.one_sandbox import OneSandbox

from .test_cli import ec2kit, envelope

GOLDEN = Path(__file__).parent / "golden"
CHANGES, NOTHING, FAILS = 3, 0, 1


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=2)
    cluster.clean()
    return cluster


def traces(cluster: Cluster) -> dict[str, bytes]:
    """Every file of every server but its log, and every write that EC2 has carried out."""
    return {**dict(_files(cluster)), "writes": repr([cluster.writes(each) for each in ("node1", "node2")]).encode()}


def _files(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    for server in ("node1", "node2"):
        for name in ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR"):
            for path in sorted(cluster.path(server, name).rglob("*")):
                yield str(path), path.read_bytes() if path.is_file() else b""


def planned(cluster: Cluster, server: str, *words: str, **settings: str) -> Done:
    """A plan, which leaves no trace."""
    before = traces(cluster)
    done = ec2kit(cluster, server, *words, **settings)
    assert traces(cluster) == before
    return done


def as_in_every_sandbox(cluster: Cluster, text: str) -> str:
    """The output with names in place of the ids of this sandbox."""
    described = cluster.sandbox.description
    names = {cluster.eni(server): f"eni-of-{server}" for server in described["nodes"]}
    names |= {table: f"rtb-{number}" for number, table in enumerate(sorted(cluster.tables), 1)}
    return re.sub("|".join(names), lambda found: names[found[0]], text)


def steps(done: Done) -> list[tuple[str, str, str | None, str | None]]:
    told = envelope(done)["steps"]
    return [tuple(each[name] for name in ("operation", "target", "old", "new")) for each in told if each["is_made"]]


def test_plan_for_a_person_and_for_a_program_is_as_documented(cluster: Cluster) -> None:
    """Of a restore that moves one table of two: each call with its reason, and what would not be called."""
    cluster.with_resource()
    cluster.point(sorted(cluster.tables)[0], cluster.eni("node2"))
    for name, words in {
        "restore.txt": ["restore", "--dry-run"],
        "restore.json": ["plan", "restore", "--json"],
    }.items():
        done = planned(cluster, "node2", *words, VIP_TAG)
        shown = as_in_every_sandbox(cluster, done.stdout)
        assert (done.status, shown) == (CHANGES, (GOLDEN / name).read_text(encoding="utf-8"))
        assert done.stderr == ""


@pytest.mark.parametrize("tag", [VIP_TAG, EIP_TAG])
def test_plan_of_a_failover_is_what_the_actions_do(cluster: Cluster, tag: str) -> None:
    """By real requests: the calls of restore, in the form of its own report; then nothing is left to do."""
    cluster.with_resource(tag)
    foreseen = planned(cluster, "node2", "plan", "restore", tag, "--json")
    done = envelope(ec2kit(cluster, "node2", "restore", tag, "--json"))
    made = [tuple(each[name] for name in ("operation", "target", "old", "new")) for each in done["changes"]]
    calls = [each for each in steps(foreseen) if each[0] not in ("state", "intention")]
    assert (foreseen.status, sorted(calls)) == (CHANGES, sorted(made))
    again = planned(cluster, "node2", "plan", "restore", tag, "--json")
    assert (again.status, envelope(again)["would_change"]) == (NOTHING, False)


def test_plan_with_a_silent_ec2_is_unknown(cluster: Cluster) -> None:
    """No answer is never "nothing to do": neither for a person nor for a program."""
    cluster.with_resource()
    dead = {"AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9", **in_a_hurry(2)}
    told = planned(cluster, "node1", "plan", "restore", VIP_TAG, "--json", **dead)
    assert told.status == FAILS
    assert {name: envelope(told)[name] for name in ("would_change", "would_fail")} == {
        "would_change": None,
        "would_fail": None,
    }
    assert planned(cluster, "node1", "plan", "restore", VIP_TAG, **dead).stdout.startswith("UNKNOWN ")


def test_plan_of_definitions_has_the_revisions_that_all_servers_get(cluster: Cluster) -> None:
    """create, extend, set, unextend and delete: what each server would store, and the refusals of the action."""
    kind = ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    made = planned(cluster, "node1", "plan", "create", "-t", VIP_TAG, *kind, "--json")
    assert made.status == CHANGES
    assert ("state", VIP_TAG, "OSU", "ISP") in steps(made)
    assert cluster.create().status == 0
    extended = planned(cluster, "node2", "plan", "extend", "node1", VIP_TAG, "--json")
    assert ec2kit(cluster, "node2", "extend", "node1", VIP_TAG).status == 0
    assert revisions(cluster) == {each[3].split()[1] for each in steps(extended) if each[3]}
    changed = planned(cluster, "node1", "set", "--dry-run", VIP_TAG, "priority=7", "--server", "node2", "--json")
    assert ec2kit(cluster, "node1", "set", VIP_TAG, "priority=7", "--server", "node2").status == 0
    assert revisions(cluster) == {each[3].split()[1] for each in steps(changed) if each[3]}
    refused = planned(cluster, "node2", "plan", "unextend", VIP_TAG, "--server", "node1", "--json")
    assert (refused.status, envelope(refused)["error"]["code"], steps(refused)) == (FAILS, 620509, [])
    deleted = planned(cluster, "node2", "plan", "delete", VIP_TAG)
    assert deleted.status == CHANGES
    assert [line for line in deleted.stdout.splitlines() if "definition" in line and "-> nothing" in line]


def revisions(cluster: Cluster) -> set[str]:
    files = (cluster.path(server, "EC2KIT_STATE_DIR") / f"resources/{VIP_TAG}.json" for server in ("node1", "node2"))
    stored: list[dict[str, Any]] = [StateFile(str(each)).read() or {} for each in files]
    return {str(each["revision"]) for each in stored}


def test_plan_that_would_be_refused_says_so_and_names_no_call(cluster: Cluster) -> None:
    """recover where the resource is not in service, and an unknown tag: as the action, and status 1."""
    cluster.with_resource()
    refused = planned(cluster, "node2", "recover", "--dry-run", VIP_TAG, "--json")
    assert (refused.status, json.loads(refused.stdout)["would_fail"], steps(refused)) == (FAILS, True, [])
    assert planned(cluster, "node2", "plan", "remove", "ec2-nosuch").status == FAILS
