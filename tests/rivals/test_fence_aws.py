"""
A defect of fence_aws, Pacemaker's fence agent for EC2, and that ec2kit does not have it.

Source: ClusterLabs/fence-agents, agents/aws at 08047403.
"""

from __future__ import annotations

import pytest

from ..actions.cluster import Cluster

NOT_THE_KEY = [
    pytest.param({"effect": "throttle"}, "EC2 throttles DescribeRouteTables", id="throttled"),
    pytest.param({"effect": "error"}, "EC2 failed at DescribeRouteTables: HTTP 500", id="server error"),
    pytest.param({"effect": "deny"}, "permission missing for DescribeRouteTables", id="no permission"),
    pytest.param(
        {"effect": "error", "status": 400, "code": "InvalidVpcID.NotFound"},
        "EC2 refuses DescribeRouteTables",
        id="no VPC",
    ),
    pytest.param({"effect": "no-role", "service": "imds"}, "no credentials for DescribeRouteTables", id="no role"),
]


@pytest.mark.parametrize(("fault", "reason"), NOT_THE_KEY)
def test_an_error_is_called_by_its_name(cluster: Cluster, fault: dict[str, object], reason: str) -> None:
    """fence_aws calls every error of EC2, throttling too, an incorrect access key."""
    cluster.with_resource()
    cluster.sandbox.fault(server="node1", **fault)  # type: ignore[arg-type]
    done = cluster.act("node1", "quickCheck")
    assert done.status == 0
    assert reason in done.stderr
    assert "does not accept the credentials" not in done.stderr


def test_a_wrong_key_is_called_so_and_not_tried_again(cluster: Cluster) -> None:
    """fence_aws cannot tell a wrong key from anything else."""
    cluster.with_resource()
    cluster.sandbox.fault("error", server="node1", status=401, code="AuthFailure")
    before = len(cluster.sandbox.calls())
    done = cluster.act("node1", "quickCheck")
    assert "EC2 does not accept the credentials for DescribeRouteTables: AuthFailure" in done.stderr
    assert len(cluster.sandbox.calls()) == before + 1
