"""
Defects of aws-vpc-move-ip, the overlay IP agent for Pacemaker, and that ec2kit has none of them.

Source: ClusterLabs/resource-agents, heartbeat/aws-vpc-move-ip at bf01ad08, and the issues and pull requests named.
"""

from __future__ import annotations

import pytest

from ec2kit.sandbox.imds import SECRET_PREFIX, SESSION_PREFIX, TOKEN_PREFIX

from ..actions.cluster import VIP_TAG, Cluster, Done, given_time, in_a_hurry
from ..patience import Stalls


@pytest.mark.parametrize("effect", ["throttle", "silent"])
def test_an_api_error_in_a_check_is_not_a_failed_resource(cluster: Cluster, effect: str) -> None:
    """aws-vpc-move-ip (monapi) takes any API error, time-out or throttle for "routed elsewhere": not running."""
    cluster.with_resource()
    cluster.sandbox.fault(effect, server="node1")
    done = cluster.act("node1", "quickCheck", **in_a_hurry())
    assert done.status == 0
    assert "cannot be judged, taken as in service" in done.stderr


@pytest.mark.parametrize("trouble", ["API error", "route taken by the peer"])
def test_stop_takes_out_of_service_here_whatever_the_routes_say(cluster: Cluster, trouble: str) -> None:
    """aws-vpc-move-ip's stop asks monitor first and, where that says no, succeeds with the address still in place."""
    cluster.with_resource()
    if trouble == "API error":
        cluster.sandbox.fault("error", server="node1")
    else:
        assert cluster.act("node2", "restore").status == 0
    assert cluster.act("node1", "remove").status == 0
    assert (cluster.path("node1", "EC2KIT_STATE_DIR") / "states" / f"{VIP_TAG}.json").read_text().count('"OSU"') == 1
    assert "not in service here" in cluster.act("node1", "recover").stderr


def test_the_region_is_the_resources_whatever_the_environment_says(cluster: Cluster) -> None:
    """aws-vpc-move-ip with a role uses a variable for the region that f45f76600 removed, so the region is lost."""
    cluster.with_resource()
    elsewhere = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}
    assert cluster.act("node2", "restore", **elsewhere).status == 0
    assert cluster.holders() == ["node2"] * 6


def test_a_write_that_failed_is_a_failure_and_the_other_tables_are_done(cluster: Cluster) -> None:
    """aws-vpc-move-ip takes an echo's exit status for ReplaceRoute's (role), and stops at the first table's error."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute", skip=1, count=1)
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert "permission missing for ReplaceRoute on rtb-" in done.stderr
    assert sorted(cluster.holders()) == ["node1"] + ["node2"] * 5


@pytest.mark.parametrize(("length", "reason"), [(128, "there is no resource"), (129, "is not a tag")])
def test_a_check_of_length_checks(cluster: Cluster, length: int, reason: str) -> None:
    """aws-vpc-move-ip misspells a variable (OFC_…), so its check of a label's length never strikes (#1993)."""
    cluster.with_resource()
    done = cluster.act("node1", "quickCheck", "x" * length)
    assert done.status == 1
    assert reason in done.stderr


def test_a_stale_server_that_comes_back_late_does_not_win(cluster: Cluster) -> None:
    """aws-vpc-move-ip overwrites the route whoever has it, so a stale node that comes back late takes it."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    assert cluster.act("node2", "restore").status == 0
    cluster.sandbox.clear()
    assert cluster.act("node1", "quickCheck").status == 1
    done = cluster.act("node1", "recover")
    assert done.status == 1
    assert "taken over by node2" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_credentials_and_tokens_are_in_no_file_and_no_environment(cluster: Cluster) -> None:
    """aws-vpc-move-ip hands a role's credentials on by the environment, and an IMDS token by a file (#1990)."""
    cluster.with_resource()
    cluster.point(cluster.tables[0], cluster.eni("node2"))
    seen, spy = cluster.sandbox.folder / "seen", cluster.sandbox.folder / "spy"
    spy.write_text(f"#!/bin/sh\n{{ env; echo \"$@\"; }} >'{seen}'\nexec '{cluster.sandbox.folder}/remote' \"$@\"\n")
    spy.chmod(0o755)
    done = cluster.act("node1", "recover", EC2_REMOTE_COMMAND=f"'{spy}'")
    assert done.status == 0, done.stderr
    places = [cluster.path("node1", name) for name in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR")]
    files = [path.read_text() for place in places for path in place.rglob("*") if path.is_file()]
    told = "".join([seen.read_text(), done.stderr, cluster.log("node1"), *files])
    assert "peer state" in seen.read_text()
    assert [word for word in (SECRET_PREFIX, SESSION_PREFIX, TOKEN_PREFIX) if word in told] == []


def test_a_time_out_of_one_request_is_shorter_than_the_actions_own(cluster: Cluster) -> None:
    """aws-vpc-move-ip waited 60 s for a connection inside a monitor of 30 s, and was killed with it (#2140)."""
    cluster.with_resource()
    cluster.sandbox.fault("silent", server="node1")

    def checked(seconds: float) -> tuple[Done, float]:
        stalls, settings = Stalls(), {"EC2_QUICKCHECK_TIMEOUT": f"{seconds:.1f}", "AWSCLI_CONNECT_TIMEOUT": "60"}
        return cluster.act("node1", "quickCheck", **settings), seconds + 1 + stalls.seconds

    done, bound = given_time(checked, lambda came: all(each in came[0].stderr for each in ("none within", "END")))
    assert done.status == 0
    assert "none within" in done.stderr
    assert done.seconds < bound
