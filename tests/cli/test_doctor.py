"""`ec2kit doctor`: what would go wrong is found before it does, on each server, and each finding says what to do."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from ec2kit.state.file import StateFile
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster

from .test_cli import cluster, ec2kit  # noqa: F401  # the fixture


def examined(cluster: Cluster, server: str, *words: str, **settings: str) -> tuple[int, dict[str, Any]]:  # noqa: F811
    """The exit status, and for each server its findings that are not fine: "TAG CHECK" → outcome."""
    done = ec2kit(cluster, server, "doctor", "--json", *words, **settings)
    told = json.loads(done.stdout)
    found = {
        each["server"]: {
            **{f" {one['check']}": one["outcome"] for one in each["findings"]},
            **{
                f"{it['tag']} {one['check']}": one["outcome"]
                for it in each["resources"]
                for one in it["findings"]
                if one["outcome"] != "ok"
            },
        }
        for each in told["servers"]
    }
    return done.status, found


def test_healthy_cluster_is_fine_on_each_server_and_nothing_is_changed(cluster: Cluster) -> None:  # noqa: F811
    """Not a write, not a line of log; notes are shown once, and harm nothing."""
    cluster.with_resource()
    logged, routes = cluster.log("node2"), cluster.routes()
    done = ec2kit(cluster, "node1", "doctor", "--all-servers")
    assert done.status == 0, done.stdout
    assert f"node1\n  {VIP_TAG}  10.1.0.10  in service\n" in done.stdout
    assert f"node2\n  {VIP_TAG}  10.1.0.10  stands by\n" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" fine")
    assert len(re.findall("subnets without a table", done.stdout)) == 1
    assert cluster.routes() == routes
    assert cluster.log("node2") == logged


def test_elastic_ip_in_a_subnet_without_an_internet_gateway_is_found(cluster: Cluster) -> None:  # noqa: F811
    """AWS lets it be there, and no packet arrives."""
    cluster.with_resource(EIP_TAG).with_resource()
    assert examined(cluster, "node1", VIP_TAG, EIP_TAG)[1]["node1"][f"{EIP_TAG} public path"] == "failed"
    tables = cluster.aws.describe_route_tables()["RouteTables"]
    gateways = {route.get("GatewayId", "") for each in tables for route in each["Routes"]}
    (gateway,) = {each for each in gateways if each.startswith("igw-")}
    for table in cluster.tables:
        cluster.aws.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert f"{EIP_TAG} public path" not in examined(cluster, "node1", EIP_TAG)[1]["node1"]


def test_planted_mistakes_are_found_on_the_server_that_has_them(cluster: Cluster) -> None:  # noqa: F811
    """A permission, a subnet's table without the route, a definition that differs, an address that is elsewhere."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    kept = StateFile(str(cluster.path("node2", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"))
    kept.write({**(kept.read() or {}), "switchback": "automatic"}, durable=False)
    status, found = examined(cluster, "node1", "--all-servers")
    assert status == 1
    assert found["node1"][f"{VIP_TAG} address"] == "failed"
    assert found["node2"][f"{VIP_TAG} permission ec2:ReplaceRoute"] == "failed"
    assert found["node2"][f"{VIP_TAG} address"] == "note"
    assert found["node2"][" definition"] == "failed"
    shown = ec2kit(cluster, "node1", "doctor", VIP_TAG, "--all-servers").stdout
    assert "definition: ec2-vip1: switchback other than on node1" in shown


def test_resource_in_service_on_two_servers_or_on_none_is_told(cluster: Cluster) -> None:  # noqa: F811
    """No server can know this by itself."""
    cluster.with_resource()
    assert cluster.act("node2", "restore").status == 0
    shown = ec2kit(cluster, "node1", "doctor", "--all-servers").stdout
    assert f"failed: one server in service: {VIP_TAG} is in service on node1 and node2" in shown
    assert cluster.act("node1", "remove").status == cluster.act("node2", "remove").status == 0
    status, found = examined(cluster, "node1", "--all-servers")
    assert (status, found["node1"][" one server in service"]) == (3, "warn")


@pytest.mark.parametrize(("fault", "check"), [({"effect": "refuse"}, "ec2 endpoint")], ids=["endpoint"])
def test_server_out_of_reach_and_silent_ec2_are_not_taken_for_fine(
    cluster: Cluster,  # noqa: F811
    fault: dict[str, str],
    check: str,
) -> None:
    """Each has a finding of its own; what can be seen is shown all the same."""
    cluster.with_resource()
    cluster.sandbox.fault(server="node1", **fault)  # type: ignore[arg-type]
    status, found = examined(cluster, "node1", VIP_TAG, "--all-servers", EC2_REMOTE_COMMAND="false")
    assert status == 1
    assert found["node1"][f"{VIP_TAG} {check}"] == "failed"
    assert found["node2"] == {" server": "could not look"}


@pytest.mark.parametrize("answer", ['"version": "9"', '"now": 1, "examined": {"ec2-vip1": {"findings": [{}]}}'])
def test_answer_of_another_form_is_none(cluster: Cluster, answer: str) -> None:  # noqa: F811
    """As of a server of another version: what it found is not known, and nothing breaks."""
    cluster.with_resource()
    told = shlex.quote(f'{{"protocol": 1, "server": "node2", {answer}}}')
    settings = {"EC2_REMOTE_COMMAND": f"sh -c 'echo \"$0\"' {told}"}
    status, found = examined(cluster, "node1", "--all-servers", **settings)
    assert (status, found["node2"]) == (3, {" server": "could not look"})
    shown = ec2kit(cluster, "node1", "doctor", "--all-servers", **settings).stdout
    assert "install the same version on all servers" in shown


def test_doctor_without_resources_or_of_unknown_tags(cluster: Cluster) -> None:  # noqa: F811
    """Nothing is not a failure; a tag that is not there is one."""
    done = ec2kit(cluster, "node3", "doctor")
    assert (done.status, done.stdout) == (0, "node3  no resources\n0 fine\n")
    cluster.with_resource()
    done = ec2kit(cluster, "node1", "doctor", "nosuch")
    assert done.status == 1
    assert "definition: there is no resource nosuch on node1" in done.stdout
