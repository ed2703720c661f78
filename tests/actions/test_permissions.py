"""Each kind of address works with its own statement of the IAM policy alone, and names what is missing there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .cluster import (
    DNS_TAG,
    EIP_TAG,
    NAT_TAG,
    SEVERAL_TAG,
    SIP6_TAG,
    SIP_TAG,
    TAGGED_TAG,
    VIP_TAG,
    Cluster,
    standby,
)

POLICY = json.loads((Path(__file__).parents[2] / "etc" / "iam-policy.json").read_text())
STATEMENTS: dict[str, list[str]] = {each["Sid"]: each["Action"] for each in POLICY["Statement"]}

STATEMENT_OF = {
    **dict.fromkeys((VIP_TAG, NAT_TAG, SEVERAL_TAG, TAGGED_TAG), "RouteTable"),
    EIP_TAG: "ElasticIp",
    **dict.fromkeys((SIP_TAG, SIP6_TAG), "SecondaryIp"),
    DNS_TAG: "DnsRecord",
}
"""Resource → the statement of its kind."""

OF_THE_OTHER_FAMILY = {
    SIP_TAG: {"ec2:AssignIpv6Addresses", "ec2:UnassignIpv6Addresses"},
    SIP6_TAG: {"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"},
}


def grant_only(cluster: Cluster, actions: set[str]) -> None:
    """Deny every other action of the policy, with and without DryRun; more than the policy has is never asked for."""
    for each in {action for its in STATEMENTS.values() for action in its} - actions:
        service, _, operation = each.partition(":")
        cluster.sandbox.fault("deny", service=service, operation=operation)


def needed(tag: str) -> set[str]:
    return set(STATEMENTS[STATEMENT_OF[tag]]) - OF_THE_OTHER_FAMILY.get(tag, set())


def prepare(cluster: Cluster, tag: str) -> None:
    """An administrator makes the routes, with permissions of his own."""
    if STATEMENT_OF[tag] == "RouteTable" and tag != VIP_TAG:
        cluster.make_routes(tag)


@pytest.mark.parametrize("tag", STATEMENT_OF)
def test_all_actions_of_a_kind_work_with_its_statement_alone(cluster: Cluster, tag: str) -> None:
    """create, extend, quickCheck, failover, repair and remove; what the optional statements are for is left out."""
    prepare(cluster, tag)
    grant_only(cluster, needed(tag))
    other = standby(tag)
    created, extended = cluster.create(tag=tag), cluster.run(other, "extend", "node1", tag)
    assert (created.status, extended.status) == (0, 0), created.stderr + extended.stderr
    assert cluster.act("node1", "remove", tag).status == 0
    assert cluster.act(other, "restore", tag).status == 0
    assert cluster.holder(tag) == other
    cluster.move(tag, cluster.eni("node1"))
    checked = cluster.act(other, "quickCheck", tag, EC2_SNAPSHOT_MAX_AGE="0")
    recovered = cluster.act(other, "recover", tag)
    assert (checked.status, recovered.status) == (1, 0), checked.stderr + recovered.stderr
    missing = set(re.findall(r"permission missing for (\w+)", checked.stderr + recovered.stderr))
    assert missing <= {"DescribeNetworkInterfaces"}, "only the source/destination check is left alone"
    assert cluster.holder(tag) == other


REMOVED = [
    pytest.param(tag, action, id=action)
    for tag in (VIP_TAG, EIP_TAG, SIP_TAG, SIP6_TAG, DNS_TAG)
    for action in sorted(needed(tag))
    if (tag, action) != (SIP6_TAG, "ec2:DescribeNetworkInterfaces")
]


@pytest.mark.parametrize(("tag", "action"), REMOVED)
def test_create_without_one_permission_of_its_kind_fails_and_names_it(
    cluster: Cluster, tag: str, action: str
) -> None:
    """Whether EC2 has DryRun for it or not; and there is no resource then."""
    grant_only(cluster, needed(tag) - {action})
    takes_off = action.startswith("ec2:Unassign")
    if takes_off:  # it is only needed to take an address off an ENI
        _let_it_be_needed(cluster, tag)
    done = cluster.create(tag=tag, **({"EC2_VERIFY_TIMEOUT": "1"} if takes_off else {}))
    service, _, operation = action.partition(":")
    assert done.status == 1, done.stderr
    named = (f"permission missing for {operation}", f"permission {service}:{operation}: missing")
    assert any(each in done.stderr for each in named), done.stderr
    assert not (cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{tag}.json").exists()


def _let_it_be_needed(cluster: Cluster, tag: str) -> None:
    """Of IPv4 where a create fails late; of IPv6 where another ENI has the address."""
    if tag == SIP6_TAG:
        cluster.assign(tag, cluster.eni("node3"))
    else:
        cluster.sandbox.fault("late", seconds=4)
