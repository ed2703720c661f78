"""A cluster with resource-agents' own AWS agents is changed to ec2kit's, by the commands of docs/pacemaker.md."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import cib
from .guides import Guide, guides
from .lab import Lab
from .needed import AWS_CLI
from .node import SECONDARY_IP, Node, until
from .report import Report

pytestmark = pytest.mark.timeout(900)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "pacemaker.md").read_text()


def commands() -> str:
    """The block of the document that changes the provider."""
    section = DOCUMENT.partition("\n## Moving from the heartbeat agents\n")[2]
    return section.partition("```sh\n")[2].partition("```")[0]


@pytest.fixture
def theirs(cluster: Lab) -> Iterator[list[Guide]]:
    """The group has the resources of the guides, by heartbeat's agents, which run with the AWS CLI."""
    if not AWS_CLI.exists():
        reason = f"{AWS_CLI} is missing: run 'make cluster-setup'"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    if not (cluster.folder / "bin").exists():
        pytest.skip("the nodes boot from a root of another release, which has no AWS CLI")
    members = guides(cluster)
    group = cib.group(*(each.primitive("heartbeat") for each in members))
    cluster.configure(fencing=cib.fence_lab(), front=group)
    yield members
    cluster.configure(fencing=cib.fence_lab(), front=cib.front(cluster.description))


def providers(node: Node) -> dict[str, str]:
    """Resource → its provider, as the cluster has it configured."""
    told = node.run("cibadmin", "--query", "--scope=resources")
    found = (re.search(r'provider="(\w+)"', each) for each in re.findall(r"<primitive [^>]*>", told))
    names = re.findall(r'<primitive [^>]*\bid="([^"]+)"', told)
    return {name: each[1] for name, each in zip(names, found, strict=True) if each}


def test_resources_of_the_guides_are_taken_over_by_the_name_of_the_provider(
    cluster: Lab, theirs: list[Guide], report: Report
) -> None:
    """All four agents at once: no packet is lost on the way; then ours are validated, fail over, and stop."""
    cluster.idle()
    active, other = cluster.active()
    assert {each.name: each.holder() for each in theirs} == dict.fromkeys((each.name for each in theirs), active.name)
    assert cluster.failures() == []
    before = active.run("cibadmin", "--query", "--scope=resources")
    began = time.time()
    folder = cluster.folder / "takeover"
    folder.mkdir()
    said = active.run("sh", "-xc", f"cd {folder}\n{commands()}", check=False)
    cluster.idle()
    assert said.count("> ") == len(theirs), said
    assert providers(active) == {"sip-ip": "heartbeat", **{each.name: "ec2kit" for each in theirs}}
    after = active.run("cibadmin", "--query", "--scope=resources")
    assert after.replace('provider="ec2kit"', 'provider="heartbeat"') == before
    _runs_on(cluster, theirs, active)
    report.add("taken over from heartbeat's agents", cluster, began)
    assert cluster.client.outage(began) < 1
    for each in theirs:
        assert "returned 0 (ok)" in active.run("crm_resource", "--validate", "-r", each.name).lower()
    fenced, began = list(cluster.hypervisor.fenced), time.time()
    active.switch_off()
    until(lambda: cluster.where("dns", other) == [other.name], what="the group runs on the other node")
    _runs_on(cluster, theirs, other)
    report.add("node killed, the guides' resources, ec2kit's agents", cluster, began)
    assert cluster.hypervisor.fenced == [*fenced, active.name]
    other.run("crm_resource", "-r", "front", "--meta", "-p", "target-role", "-v", "Stopped")
    cluster.idle()
    assert [cluster.where(each.name) for each in theirs] == [[]] * len(theirs)
    assert not any(other.has(each) for each in (cluster.vip, SECONDARY_IP))
    assert cluster.failures() == []


def _runs_on(cluster: Lab, members: list[Guide], node: Node) -> None:
    """Pacemaker, AWS and the device agree on where each resource is, and nothing failed."""
    assert {each.name: cluster.where(each.name) for each in members} == {each.name: [node.name] for each in members}
    assert {each.name: each.holder() for each in members} == {each.name: node.name for each in members}
    assert all(node.has(each.carried) for each in members if each.carried)
    assert cluster.failures() == []
