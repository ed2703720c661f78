"""`ec2kit notices` on a real cluster: what AWS announces moves the group before AWS does it, without a failure."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .kit import ROOT, ec2kit
from .lab import Lab
from .node import Node, until
from .report import Report

pytestmark = pytest.mark.timeout(900)

ATTRIBUTE = "#health-ec2kit"

OPTIONS = ("node-health-strategy", "node-health-base", "node-health-red")


def documented() -> dict[str, str]:
    """The cluster's options, as docs/pacemaker.md has them."""
    text = (ROOT / "docs" / "pacemaker.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pcs property set (node-health-strategy=progressive .*)$", text, re.MULTILINE)
    return dict(each.split("=") for each in line.split())


def options(cluster: Lab, **values: str) -> None:
    """Set the options of node health; those that are not named have their defaults."""
    node = cluster.any_node()
    for name in OPTIONS:
        value = values.get(name)
        words = ("-v", value) if value is not None else ("-D",)
        node.run("crm_attribute", "-t", "crm_config", "-n", name, *words, check=False)
    cluster.idle()


@pytest.fixture
def healthy(cluster: Lab) -> Iterator[Lab]:
    """The cluster with the documented options; afterwards no node is red, and the options are gone."""
    options(cluster, **documented())
    yield cluster
    cluster.sandbox.clear()
    for node in cluster.nodes.values():
        node.run("attrd_updater", "-n", ATTRIBUTE, "-D", check=False)
        node.run("rm", "-f", "/run/ec2kit/notices.json", check=False)
    options(cluster)


def notices(cluster: Lab, node: Node, *words: str, **settings: str) -> dict[str, Any]:
    """One look on a node, as the timer takes it."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    command = shlex.join(ec2kit(cluster.folder / "kit", "notices", "--json", *words))
    environment = shlex.quote(str(cluster.folder / "conf" / f"{node.name}.env"))
    told = json.loads(node.run("sh", "-c", f"set -a; . {environment}; {given} exec {command}", check=False))
    assert told["framework"] == "pacemaker"
    return dict(told)


def announce(cluster: Lab, node: Node, effect: str = "maintenance", **arguments: Any) -> int:
    return cluster.sandbox.fault(effect, service="imds", server=node.name, **arguments)


def test_maintenance_moves_the_group_once_and_the_node_comes_back(healthy: Lab, report: Report) -> None:
    """A planned move: each resource is stopped and started once, nothing fails and nothing is fenced; and back."""
    active, other = healthy.active()
    fenced, began = list(healthy.hypervisor.fenced), time.time()
    rule = announce(healthy, active, seconds=7200)
    assert notices(healthy, active)["step"] == "nothing to do"  # not before the lead time
    assert notices(healthy, active, "--dry-run", EC2_NOTICE_LEAD="7200")["step"] == "leaves"
    assert healthy.where("vip") == [active.name]
    assert notices(healthy, active, EC2_NOTICE_LEAD="7200")["told"] == f"{ATTRIBUTE} is red"
    healthy.moved_to(other)
    healthy.idle()
    report.add(f"leaves before maintenance, {healthy.client.lost(began)} packets", healthy, began)
    assert (healthy.failures(), healthy.hypervisor.fenced) == ([], fenced)
    for resource in ("vip", "eip"):
        assert len(healthy.called(active, resource, "stop", began)) == 1
        assert len(healthy.called(other, resource, "start", began)) == 1
    assert notices(healthy, active, EC2_NOTICE_LEAD="7200")["step"] == "stays away"
    healthy.sandbox.clear(rule)
    assert notices(healthy, active)["step"] == "waits before it comes back"
    assert notices(healthy, active, EC2_NOTICE_CALM="0")["step"] == "comes back"
    assert 'value="red"' not in active.run("attrd_updater", "-n", ATTRIBUTE, "-Q", check=False)
    assert notices(healthy, active)["step"] == "nothing to do"
    began = time.time()
    announce(healthy, other, event="instance-retirement", seconds=60)
    assert notices(healthy, other)["step"] == "leaves"
    healthy.moved_to(active)
    report.add(f"leaves before retirement, {healthy.client.lost(began)} packets", healthy, began)
    assert (healthy.failures(), healthy.hypervisor.fenced) == ([], fenced)


def test_last_node_that_could_run_the_group_keeps_it(healthy: Lab) -> None:
    """With a strategy that would stop it everywhere: the last one stays, and comes back if the other one goes."""
    options(healthy, **{"node-health-strategy": "migrate-on-red"})
    active, other = healthy.active()
    for node in (active, other):
        announce(healthy, node, seconds=60)
    assert notices(healthy, active)["step"] == "leaves"
    healthy.moved_to(other)
    told = notices(healthy, other)
    decides = f"; {active.name} decides" if active.name < other.name else ""  # of several, the first by name
    assert (told["step"], told["reason"]) == ("stays", f"{active.name} is red{decides}")
    assert ":620474:" in other.ec2kit_log()
    other.run("crm_standby", "-N", other.name, "-v", "on")
    until(lambda: notices(healthy, active)["step"] == "comes back as the last one", what="the other one is noticed")
    healthy.moved_to(active)
    assert ":620475:" in active.ec2kit_log()
    assert notices(healthy, active)["step"] == "stays"
    other.run("crm_standby", "-N", other.name, "-D")


def test_node_that_could_not_run_the_group_is_no_other_one(healthy: Lab) -> None:
    """Its monitor of the role Stopped finds that, its own look lets the cluster know, and no node leaves for it."""
    active, other = healthy.active()
    rule = healthy.sandbox.fault("deny", server=other.name, operation="ReplaceRoute")
    warned = len(other.ec2kit_log())
    until(lambda: "permission ec2:ReplaceRoute" in other.ec2kit_log()[warned:], what="the standby warns")
    until(lambda: published(healthy, other) == "vip", what="the other one lets it know")
    announce(healthy, active, seconds=60)
    told = notices(healthy, active)
    assert (told["step"], told["reason"]) == ("stays", f"{other.name} is not ready for vip")
    healthy.sandbox.clear(rule)
    until(lambda: published(healthy, other) == "", what="the other one is ready")
    forget_asking(active)
    assert notices(healthy, active)["step"] == "leaves"
    healthy.moved_to(other)


def published(cluster: Lab, node: Node) -> str:
    """What a node lets the others know, after one more look there."""
    notices(cluster, node)
    told = node.run("attrd_updater", "-n", "ec2kit-not-ready", "-Q", "-N", node.name, check=False)
    return "".join(re.findall('value="([^"]*)"', told))


def forget_asking(node: Node) -> None:
    """As if the minute had passed until the other ones are asked again."""
    path = "/run/ec2kit/notices.json"
    changed = {**json.loads(node.run("cat", path)), "asked_at": 0.0}
    node.run("sh", "-c", f"printf %s {shlex.quote(json.dumps(changed))} >{path}")


def test_interrupted_node_is_red_although_no_other_one_is_there(healthy: Lab) -> None:
    """It leaves anyway; with the documented options the group stays where it can run."""
    active, other = healthy.active()
    other.run("crm_standby", "-N", other.name, "-v", "on")
    healthy.idle()
    announce(healthy, active, "interruption")
    assert notices(healthy, active)["step"] == "leaves"
    assert 'value="red"' in active.run("attrd_updater", "-n", ATTRIBUTE, "-Q")
    healthy.idle()
    assert healthy.where("vip") == [active.name]
    began = time.time()
    other.run("crm_standby", "-N", other.name, "-D")
    healthy.moved_to(other)
    assert healthy.called(active, "vip", "stop", began)


def test_cluster_without_a_strategy_is_warned_of(healthy: Lab) -> None:
    """Red moves nothing then."""
    options(healthy)
    active, _ = healthy.active()
    announce(healthy, active, seconds=60)
    assert notices(healthy, active)["complaint"] == "the cluster's node-health-strategy is none"
    healthy.idle()
    assert healthy.where("vip") == [active.name]
    assert active.ec2kit_log().count(":620477:") == 1


def test_silent_metadata_service_changes_nothing(healthy: Lab) -> None:
    """Neither does a node leave, nor does it come back."""
    active, other = healthy.active()
    silence = {"effect": "silent", "service": "imds", "server": active.name}
    healthy.sandbox.fault(**silence)
    assert notices(healthy, active)["step"] == "not known, nothing is changed"
    healthy.sandbox.clear()
    announce(healthy, active, seconds=60)
    assert notices(healthy, active)["step"] == "leaves"
    healthy.moved_to(other)
    healthy.sandbox.clear()
    healthy.sandbox.fault(**silence)
    assert notices(healthy, active, EC2_NOTICE_CALM="0")["step"] == "not known, nothing is changed"
    assert 'value="red"' in active.run("attrd_updater", "-n", ATTRIBUTE, "-Q")
