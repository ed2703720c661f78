"""`ec2kit iam-policy`: what it prints is enough for every action of what exists, and names no other object."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ec2kit.actions.iam_policy import partition
from ec2kit.scenarios.route_table import Own
from ec2kit.scenarios.table import making_of
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster
from tests.actions.test_permissions import grant_only
from tests.builders import a_resource

from .test_cli import cluster, ec2kit  # noqa: F401  # the fixture


def printed(cluster: Cluster, *words: str, **settings: str) -> dict[str, dict[str, Any]]:  # noqa: F811
    """Sid → the statement, of the policy that is printed on node1."""
    done = ec2kit(cluster, "node1", "iam-policy", *words, **settings)
    assert done.status == 0, done.stderr
    policy = json.loads(done.stdout)
    assert policy["Version"] == "2012-10-17"
    return {each.pop("Sid"): each for each in policy["Statement"]}


def test_policy_names_the_objects_of_all_resources_and_is_enough(cluster: Cluster) -> None:  # noqa: F811
    """With all else denied, each address fails over, is checked, and taken back."""
    cluster.with_resource(EIP_TAG).with_resource()
    account = "arn:aws:ec2:us-east-1:123456789012"
    found = printed(cluster)
    assert found["MoveRoutes"] == {
        "Effect": "Allow",
        "Action": ["ec2:ReplaceRoute"],
        "Resource": sorted(f"{account}:route-table/{each}" for each in cluster.tables),
    }
    assert found["LookAtRoutes"]["Resource"] == "*"
    address = f"{account}:elastic-ip/{cluster.sandbox.description['allocation_id']}"
    enis = [f"{account}:network-interface/{cluster.eni(each)}" for each in ("node1", "node2")]
    assert found["TakeAddressOff"]["Resource"] == sorted([address, *enis])
    assert "SwitchCheckOff" not in found
    assert "SwitchCheckOff" in printed(cluster, VIP_TAG, "--optional")
    assert "MoveAddress" not in printed(cluster, VIP_TAG)
    grant_only(cluster, {action for each in found.values() for action in each["Action"]})
    for tag in (VIP_TAG, EIP_TAG):
        assert cluster.act("node1", "remove", tag).status == 0
        assert cluster.act("node2", "restore", tag).status == 0
        assert cluster.holder(tag) == "node2"
        assert cluster.act("node2", "quickCheck", tag).status == 0


def test_policy_that_cannot_be_whole_is_not_printed(cluster: Cluster) -> None:  # noqa: F811
    """A silent EC2, a role that no resource has, and a server without resources."""
    cluster.with_resource()
    done = ec2kit(cluster, "node1", "iam-policy", "--role", "arn:aws:iam::111122223333:role/vip")
    assert (done.status, done.stdout) == (1, "")
    assert "those that are assumed: none" in done.stderr
    cluster.sandbox.fault("refuse", server="node1")
    done = ec2kit(cluster, "node1", "iam-policy", EC2_RESTORE_TIMEOUT="3")
    assert (done.status, done.stdout) == (1, "")
    assert ec2kit(cluster, "node3", "iam-policy").status == 1


def test_tagged_tables_and_roles_have_statements_of_their_own() -> None:
    """A table that gains the tag later is allowed by the tag; each role gets its own tables."""
    role = "arn:aws:iam::111122223333:role/vip"
    own = Own(("rtb-1",), "ec2kit=vip", f"rtb-1={role}")
    resource = a_resource("route-table", address="10.1.0.10", own=own)
    observed = SimpleNamespace(routes={"rtb-1": None, "rtb-2": None})
    found = {(each.sid, each.role.role_arn if each.role else ""): each for each in _grants(resource, observed)}
    assert found["MoveRoutes", role].objects == ("route-table/rtb-1",)
    assert found["MoveRoutes", ""].objects == ("route-table/rtb-2",)
    assert found["MoveRoutesOfTag", ""].condition == {"StringEquals": {"aws:ResourceTag/ec2kit": "vip"}}
    assert found["AssumeRoles", ""].objects == (role,)


def _grants(resource: Any, observed: Any) -> Any:
    return making_of(resource).grants(resource, observed)


@pytest.mark.parametrize(
    ("region", "expected"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")],
)
def test_each_region_is_in_its_partition(region: str, expected: str) -> None:
    """An ARN of another partition grants nothing."""
    assert partition(region) == expected
