"""`ec2kit standby`: what would make the next failover fail is found before it, and is no failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster, given_time

from .test_cli import cluster, ec2kit  # noqa: F401  # the fixture


def findings(cluster: Cluster, server: str, *words: str, **settings: str) -> dict[str, list[str]]:  # noqa: F811
    """Tag → the checks that found something, of the resources that stand by."""
    done = ec2kit(cluster, server, "standby", "--json", *words, **settings)
    assert done.status == 0, done.stderr
    told = json.loads(done.stdout)["resources"]
    return {each["tag"]: [finding["check"] for finding in each["findings"]] for each in told if each["stands_by"]}


def test_standby_that_is_ready_says_so_and_changes_nothing(cluster: Cluster) -> None:  # noqa: F811
    """One line a resource, and none in the log."""
    cluster.with_resource()
    before = cluster.log("node2")
    done = ec2kit(cluster, "node2", "standby")
    assert (done.status, done.stdout) == (0, f"{VIP_TAG}  10.1.0.10  stands by, ready\n")
    assert cluster.log("node2") == before
    assert set(cluster.holders()) == {"node1"}


def test_active_server_is_left_to_its_checks(cluster: Cluster) -> None:  # noqa: F811
    """What is in service here has a quickCheck; EC2 is not asked."""
    cluster.with_resource()
    before = len(cluster.sandbox.calls())
    assert ec2kit(cluster, "node1", "standby").stdout == f"{VIP_TAG}  10.1.0.10  in service here\n"
    assert len(cluster.sandbox.calls()) == before


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        pytest.param({"effect": "refuse"}, "ec2 endpoint", id="endpoint"),
        pytest.param({"effect": "deny", "operation": "ReplaceRoute"}, "permission ec2:ReplaceRoute", id="permission"),
        pytest.param({"effect": "refuse", "service": "imds"}, "instance metadata", id="imds"),
    ],
)
def test_standby_that_could_not_take_over_is_warned_of(
    cluster: Cluster,  # noqa: F811
    fault: dict[str, str],
    check: str,
) -> None:
    """In the output and in the log, and the status is 0."""
    cluster.with_resource()
    cluster.sandbox.fault(server="node2", **fault)  # type: ignore[arg-type]
    assert check in findings(cluster, "node2")[VIP_TAG]
    assert f"WARN:ec2kit:standby:{VIP_TAG}:620906:this server stands by" in cluster.log("node2")


def test_all_resources_are_looked_at_or_only_one(cluster: Cluster) -> None:  # noqa: F811
    """Of either kind."""
    cluster.with_resource(EIP_TAG).with_resource()
    assert set(findings(cluster, "node2")) == {VIP_TAG, EIP_TAG}
    assert set(findings(cluster, "node2", EIP_TAG)) == {EIP_TAG}


def test_no_registry_and_no_resource_are_no_failure(cluster: Cluster) -> None:  # noqa: F811
    """The timer runs on every server; a tag that is not known is said."""
    done = ec2kit(cluster, "node3", "standby")
    assert (done.status, done.stdout) == (0, "no resources on node3\n")
    done = ec2kit(cluster, "node3", "standby", "nosuch")
    assert (done.status, "nosuch" in done.stderr) == (0, True)


def test_silent_ec2_ends_within_the_time_of_a_check(cluster: Cluster) -> None:  # noqa: F811
    """A timer does not hang."""
    cluster.with_resource()
    cluster.sandbox.fault("silent", server="node2")
    words = ("node2", "standby", "--json")
    done = given_time(
        lambda seconds: ec2kit(cluster, *words, EC2_QUICKCHECK_TIMEOUT=f"{seconds:.1f}"),
        lambda done: done.stdout != "",  # otherwise the machine kept it from ending by itself
    )
    assert done.status == 0, done.stderr
    (found,) = json.loads(done.stdout)["resources"]
    assert (found["tag"], found["findings"] != []) == (VIP_TAG, True)


def test_units_in_etc_run_the_command() -> None:
    """By the place of the documented installation, and the timer by its own interval."""
    units = Path(__file__).parents[2] / "etc" / "systemd"
    assert "ExecStart=/opt/ec2kit/bin/ec2kit standby\n" in (units / "ec2kit-standby.service").read_text()
    assert "OnUnitInactiveSec=" in (units / "ec2kit-standby.timer").read_text()
