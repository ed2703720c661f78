"""
Route tables of other accounts are moved under roles that STS gives; by the real action scripts.

Several accounts: that of the servers, and those that own the tables. The keys of the one are good for nothing that
belongs to another.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ec2kit.scenarios.route_table.role import read, text_of
from ec2kit.state.file import StateFile

from ..leaks import must_not_be_left_in, must_not_leak
from .cluster import VIP_TAG, Cluster, crowded, finished, until
from .life import Life

CIDR = "10.1.0.10/32"
OWNER = "210987654321"
ROLE = f"arn:aws:iam::{OWNER}:role/network/vip-mover"
WORDS = ("--vip", "10.1.0.10", "--role-arn", ROLE, "--external-id", "of-the-cluster")

EC2KIT = str(Path(sys.executable).with_name("ec2kit"))

SECOND_OWNER = "310987654321"
SECOND_ROLE = f"arn:aws:iam::{SECOND_OWNER}:role/second"

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


def of_two_accounts(cluster: Cluster, owned: int = 2) -> Cluster:
    """
    The resource on both servers, with tables of three accounts: the role's, the second role's, and the servers'.

    The servers have the tables that are left when each of the others has so many; they name them without a role.
    """
    first, second, rest = split(cluster, owned)
    roles = ",".join([*(f"{each}={ROLE}" for each in first), *(f"{each}={SECOND_ROLE}" for each in second)])
    cluster.with_resource()
    for server in ("node1", "node2"):
        file = StateFile(str(cluster.path(server, "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"))
        own = {"route_table_ids": [*first, *second, *rest], "role_arn": read_roles(roles)}
        file.write({**(file.read() or {}), **own}, durable=False)
    apart(cluster, owned)
    return cluster


def read_roles(text: str) -> str:
    return text_of(read(text))


def split(cluster: Cluster, owned: int) -> tuple[list[str], list[str], list[str]]:
    tables = cluster.tables
    return tables[:owned], tables[owned : 2 * owned], tables[2 * owned :]


def apart(cluster: Cluster, owned: int) -> None:
    """Let the first tables belong to one account, and as many to a second one."""
    first, second, _ = split(cluster, owned)
    cluster.sandbox.fault("other-account", account=OWNER, tables=",".join(first))
    cluster.sandbox.fault("other-account", account=SECOND_OWNER, tables=",".join(second))


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


# -- tables of several accounts in one resource ------------------------------------------------------------------


def test_resource_of_tables_of_three_accounts_leads_its_whole_life(cluster: Cluster) -> None:
    """One verdict and one restore for all; each table is seen and moved by its own account's keys alone."""
    apart(cluster, 2)
    first, second, rest = split(cluster, 2)
    roles = [word for table in first for word in ("--role-arn", f"{table}={ROLE}")]
    roles += [word for table in second for word in ("--role-arn", f"{table}={SECOND_ROLE}")]
    words = ("--vip", "10.1.0.10", "--route-table", ",".join(cluster.tables), *roles, "--external-id", "both")
    life = Life(cluster, words, [(each, CIDR) for each in (*first, *second, *rest)])
    for step in life.steps():
        if step == "created and extended":
            changed = cluster.run("node1", EC2KIT, "set", VIP_TAG, f"role_arn=rtb-0={ROLE}")
            assert (changed.status, "not among its listed" in changed.stderr) == (1, True), changed.stderr
            life.drift((second[0], CIDR))
            checked = life.act("node1", "quickCheck")
            assert (checked.status, f"points at {cluster.eni('node1', 'eth0')}: {second[0]}" in checked.stderr) == (
                1,
                True,
            ), checked.stderr
            shown = cluster.run("node1", EC2KIT, "status", VIP_TAG)
            assert f"credentials: iam-role, role {ROLE}, role {SECOND_ROLE}" in shown.stdout
    for server in ("node1", "node2"):
        assert {each["RoleArn"] for each in assumed(cluster, server)} == {ROLE, SECOND_ROLE}
        assert {each["ExternalId"] for each in assumed(cluster, server)} == {"both"}


def test_keys_of_one_account_that_end_among_fifty_tables_leave_those_of_the_other(fifty_tables: Cluster) -> None:
    """Only the role whose keys are refused is asked for anew; each account's writes have a bucket of their own."""
    cluster = of_two_accounts(fifty_tables, 25)  # none is the servers', whose keys would be worn for ever
    cluster.sandbox.fault("worn", server="node2", operation="ReplaceRoute", skip=30)
    settings = {"EC2_WRITE_BURST": "1000", "EC2_WRITE_RATE": "1000"}
    done = cluster.act("node2", "restore", **settings)
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node2"] * 50
    asked = [each["RoleArn"] for each in assumed(cluster, "node2")]
    assert sorted(map(asked.count, (ROLE, SECOND_ROLE))) == [1, 2]
    buckets = {each.name for each in cluster.path("node2", "EC2KIT_RUN_DIR").glob("write-bucket.*ReplaceRoute*")}
    assert buckets == {f"write-bucket.{each}.ReplaceRoute.json" for each in (OWNER, SECOND_OWNER)}
    must_not_be_left_in(cluster.sandbox.folder / "node2")


def test_one_role_that_is_refused_is_named_and_nothing_is_moved(cluster: Cluster) -> None:
    """The tables of the others are seen, but not moved; a check says no by what is seen, and UNKNOWN otherwise."""
    of_two_accounts(cluster)
    denied = cluster.sandbox.fault("deny", service="sts", operation="AssumeRole", skip=1)
    before = cluster.writes("node2")
    restore = cluster.act("node2", "restore")
    assert restore.status == 1
    assert "STS does not let this server assume the role" in restore.stderr
    assert cluster.writes("node2") == before
    cluster.sandbox.clear(denied)
    cluster.sandbox.fault("error", service="sts", server="node1", status=500)
    checked = cluster.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0")
    assert (checked.status, "620239]" in checked.stderr) == (0, True), checked.stderr
    assert not [words for words in OF_EC2 if words in checked.stderr]
    cluster.point(cluster.tables[-1], cluster.eni("node3"))
    checked = cluster.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0")
    assert (checked.status, f"points at {cluster.eni('node3')}: {cluster.tables[-1]}" in checked.stderr) == (1, True)


def test_standby_tries_each_role(cluster: Cluster) -> None:
    """Before it has to take over: one role that it may not assume is a failure, and the others are not doubted."""
    of_two_accounts(cluster)
    done = cluster.run("node2", EC2KIT, "standby", VIP_TAG)
    assert "stands by, ready" in done.stdout, done.stdout + done.stderr
    assert {each["RoleArn"] for each in assumed(cluster, "node2")} == {ROLE, SECOND_ROLE}
    cluster.sandbox.fault("deny", service="sts", server="node2", skip=1)
    done = cluster.run("node2", EC2KIT, "standby", VIP_TAG)
    (refused,) = {each for each in (ROLE, SECOND_ROLE) if f"the role {each}" in done.stdout}
    assert f"permission ec2:ReplaceRoute: STS does not let this server assume the role {refused}" in done.stdout


def test_restore_that_begins_with_its_writes_reports_each_account_for_itself(cluster: Cluster) -> None:
    """What one role moved is said, what another could not is named with its stage; the next restore ends it."""
    of_two_accounts(cluster)
    for server in ("node2", "node1"):
        assert cluster.act(server, "restore").status == 0
    assert cluster.act("node2", "remove").status == 0
    denied = cluster.sandbox.fault("deny", service="sts", server="node2", skip=1)
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert "STS does not let this server assume the role" in done.stderr
    at = {table: cluster.server_of(eni) for (table, block), eni in cluster.routes().items() if block == CIDR}
    moved = {table for table in cluster.tables if at[table] == "node2"}
    assert {table for table in cluster.tables if f"{table}: route {CIDR} moved" in done.stderr} == moved
    cluster.sandbox.clear(denied)
    assert cluster.act("node2", "restore").status == 0
    assert cluster.holders() == ["node2"] * 6
