"""
Route tables of another account are moved under a role that STS gives; by the real action scripts.

Two accounts: that of the servers, and the one that shares its VPC with them and owns the tables. The keys of the one
are good for nothing that belongs to the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ec2kit.state.file import StateFile

from ..leaks import must_not_be_left_in, must_not_leak
from .cluster import VIP_TAG, Cluster, crowded, finished, until
from .life import Life

CIDR = "10.1.0.10/32"
OWNER = "210987654321"
ROLE = f"arn:aws:iam::{OWNER}:role/network/vip-mover"
WORDS = ("--vip", "10.1.0.10", "--role-arn", ROLE, "--external-id", "of-the-cluster")

EC2KIT = str(Path(sys.executable).with_name("ec2kit"))

OF_EC2 = ("permission missing", "EC2 throttles", "EC2 failed", "no answer from EC2", "rejects the credentials")
"""What would be said of EC2."""


def separate(cluster: Cluster) -> None:
    """Let the route tables belong to the other account, as those of a VPC that is shared by RAM do."""
    cluster.sandbox.fault("other-account", account=OWNER)


def with_role(cluster: Cluster) -> Cluster:
    """The resource of the other tests, on both servers, under the role."""
    cluster.with_resource()
    for server in ("node1", "node2"):
        file = StateFile(str(cluster.path(server, "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"))
        file.write({**(file.read() or {}), "role_arn": ROLE}, durable=False)
    separate(cluster)
    return cluster


def assumed(cluster: Cluster, server: str) -> list[dict[str, str]]:
    """The parameters of the questions to STS that a server had answered."""
    return [
        each["parameters"]
        for each in cluster.sandbox.sts_calls()
        if (each["server"], each["operation"]) == (server, "AssumeRole")
    ]


def test_resource_of_another_accounts_tables_leads_its_whole_life(cluster: Cluster) -> None:
    """Created, extended, changed, moved, repaired, deleted: each by a session that names resource and server."""
    separate(cluster)
    tables = cluster.tables[:3]
    words = (*WORDS, "--route-table", ",".join(tables))
    life = Life(cluster, words, [(each, CIDR) for each in tables])
    for step in life.steps():
        if step == "created and extended":
            changed = cluster.run("node1", EC2KIT, "set", VIP_TAG, "external_id=another")
            assert changed.status == 0, changed.stderr
    for server in ("node1", "node2"):
        asked = assumed(cluster, server)
        assert {each["RoleArn"] for each in asked} == {ROLE}
        assert {each["RoleSessionName"] for each in asked} == {f"{VIP_TAG}@{server}"}
        assert (asked[0]["ExternalId"], asked[-1]["ExternalId"]) == ("of-the-cluster", "another")


def test_keys_that_end_in_the_middle_of_fifty_tables_are_renewed(fifty_tables: Cluster) -> None:
    """
    EC2 refuses the keys after some writes; new ones are asked for once, and the restore goes on.

    Meanwhile the keys of neither account are in the process list or in a file, and the writes take their turn beside
    those of the role's account.
    """
    cluster = with_role(fifty_tables)
    cluster.sandbox.fault("worn", server="node2", operation="ReplaceRoute", skip=20)
    held = cluster.sandbox.fault("silent", server="node2", operation="ReplaceRoute", skip=40)
    settings = {"EC2_WRITE_BURST": "1000", "EC2_WRITE_RATE": "1000", "AWSCLI_CONNECT_TIMEOUT": "240"}
    running = cluster.start("node2", "restore", "-t", VIP_TAG, **settings)
    until(lambda: cluster.met(held))
    for name in ("cmdline", "environ"):
        must_not_leak(Path(f"/proc/{running.pid}/{name}").read_text(errors="replace"))
    must_not_be_left_in(cluster.sandbox.folder / "node2")
    cluster.sandbox.clear(held)
    done = finished(running)
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 50
    assert len(assumed(cluster, "node2")) == 2
    assert f"role {ROLE}" in done.stderr
    buckets = {each.name for each in cluster.path("node2", "EC2KIT_RUN_DIR").glob("write-bucket.*")}
    assert f"write-bucket.{OWNER}.ReplaceRoute.json" in buckets
    assert "write-bucket.ReplaceRoute.json" not in buckets


def test_role_that_sts_refuses_is_an_error_with_its_name_and_is_not_asked_for_again(cluster: Cluster) -> None:
    """The check is UNKNOWN, restore fails at once, a person has to act; EC2 is not asked, and not blamed."""
    with_role(cluster)
    before = len(cluster.sandbox.calls())
    cluster.sandbox.fault("deny", service="sts", server="node2")
    check = cluster.act("node2", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0")
    restore = cluster.act("node2", "restore")
    assert (check.status, restore.status) == (0, 1)
    for each in (check, restore):
        assert f"STS does not let this server assume the role {ROLE}" in each.stderr
        assert "620248]" in each.stderr
        assert not [words for words in OF_EC2 if words in each.stderr]
    assert "ERROR: 10.1.0.10 cannot be judged" in check.stderr
    assert len(assumed(cluster, "node2")) == 2
    assert len(cluster.sandbox.calls()) == before


def test_sts_that_is_silent_is_the_stage_of_what_is_unknown(cluster: Cluster) -> None:
    """The check is UNKNOWN, restore ends by its own deadline, and nothing is said of EC2, which was not asked."""
    with_role(cluster)
    before, deadline = len(cluster.sandbox.calls()), f"{crowded(10):.1f}"
    cluster.sandbox.fault("silent", service="sts")
    settings = {"EC2_QUICKCHECK_TIMEOUT": deadline, "EC2_RESTORE_TIMEOUT": deadline, "AWSCLI_READ_TIMEOUT": "60"}
    running = [
        cluster.start(server, action, "-t", VIP_TAG, **settings, EC2_SNAPSHOT_MAX_AGE="0")
        for server, action in (("node1", "quickCheck"), ("node2", "restore"))
    ]
    check, restore = map(finished, running)
    assert (check.status, restore.status) == (0, 1)
    for each in (check, restore):
        assert f"STS gives no credentials yet, so DescribeRouteTables is not sent: AssumeRole {ROLE}" in each.stderr
        assert "620239]" in each.stderr
        assert not [words for words in OF_EC2 if words in each.stderr]
    assert "WARN: 10.1.0.10 cannot be judged" in check.stderr
    assert len(cluster.sandbox.calls()) == before
    assert cluster.holders() == ["node1"] * 6


def test_checks_under_two_roles_share_no_answer(cluster: Cluster) -> None:
    """Each role has an answer of its own, which its next check reads; one without a role has another."""
    cluster.with_resource()
    cluster.copied(VIP_TAG, ["10.1.0.20"])
    folder = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources"
    for tag, role in ((VIP_TAG, ROLE), (f"{VIP_TAG}-0", f"{ROLE}-2")):
        file = StateFile(str(folder / f"{tag}.json"))
        file.write({**(file.read() or {}), "role_arn": role}, durable=False)
    before = cluster.asked("node1", "DescribeRouteTables")
    for tag in (VIP_TAG, f"{VIP_TAG}-0", VIP_TAG):
        assert cluster.act("node1", "quickCheck", tag, EC2_SNAPSHOT_MAX_AGE="600").status == 0
    assert [each["RoleArn"] for each in assumed(cluster, "node1")] == [ROLE, f"{ROLE}-2"]
    assert cluster.asked("node1", "DescribeRouteTables") == before + 2
    shared = cluster.path("node1", "EC2KIT_RUN_DIR").glob("shared.*.json")
    assert ["10.1.0.20" in each.read_text() for each in sorted(shared)].count(True) == 1
