"""`ec2kit history` and `ec2kit explain`, as processes on the sandbox: from an incident to a file of its situation."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.actions.cluster import DNS_TAG, EIP_TAG, SIP_TAG, VIP_TAG, Cluster, in_a_hurry, standby
from tests.one_sandbox import OneSandbox
from tests.situations.__main__ import main as write_anew

from .test_cli import ec2kit, envelope
from .test_plan import GOLDEN, as_in_every_sandbox, steps

CHANGING = {"id": r"[0-9a-f]{8}", "at": r"\d{4}-\d\d-\d\dT[\d:]+Z", "boot": r"[0-9a-f-]{36}"}


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=1)
    cluster.clean()
    return cluster


def at_any_time(cluster: Cluster, text: str) -> str:
    """The output without what differs from time to time."""
    text = re.sub(r"request [0-9a-f-]{36}, attempt 1, [\d.]+ ms", "request ID, attempt 1, 5 ms", text)
    text = re.sub(r"vpc-[0-9a-f]+", "vpc-1", re.sub(r"02(:[0-9a-f]{2}){5}", "02:00:00:00:00:01", text))
    for name, form in CHANGING.items():
        text = re.sub(f'"{name}": "{form}"', f'"{name}": "{name.upper()}"', text)
    text = re.sub(r'"uptime": [\d.]+', '"uptime": 4451.8', text)
    text = re.sub(f"(?m)^{CHANGING['at']}  {CHANGING['id']}  ", "AT  ID  ", text)
    return as_in_every_sandbox(cluster, text)


def test_history_and_explain_are_as_documented(cluster: Cluster, tmp_path: Path) -> None:
    """For a person and for a program: a failover, and its decision from its record, without AWS."""
    cluster.with_resource()
    assert cluster.act("node2", "restore").status == 0
    for name, words in {
        "history.txt": ["history", VIP_TAG, "-n", "3"],
        "history.json": ["history", VIP_TAG, "-n", "3", "--json"],
    }.items():
        shown = at_any_time(cluster, ec2kit(cluster, "node2", *words).stdout)
        assert shown == (GOLDEN / name).read_text(encoding="utf-8")
    asked = cluster.asked("node2", "DescribeRouteTables")
    records = envelope(ec2kit(cluster, "node2", "history", "--json"))["records"]
    (decision,) = [each for each in records if each["kind"] == "decision"]
    for name, words in {"explain.txt": [], "explain.json": ["--json"]}.items():
        done = ec2kit(cluster, "node2", "explain", decision["id"], *words)
        assert at_any_time(cluster, done.stdout) == (GOLDEN / name).read_text(encoding="utf-8")
        assert done.status == 0
    assert cluster.asked("node2", "DescribeRouteTables") == asked
    situation = tmp_path / "incident.txt"
    situation.write_text(ec2kit(cluster, "node2", "explain", decision["id"], "--situation").stdout)
    before = situation.read_text()
    assert write_anew([situation]) == 0
    assert situation.read_text() == before, "a record can be dropped into tests/situations/ as it is"


@pytest.mark.parametrize("tag", [EIP_TAG, SIP_TAG, DNS_TAG])
def test_a_decision_of_each_kind_is_replayed(cluster: Cluster, tag: str) -> None:
    """By real answers of AWS and of the metadata service."""
    cluster.with_resource(tag)
    there = standby(tag)
    assert cluster.act(there, "restore", tag).status == 0
    explained = envelope(ec2kit(cluster, there, "explain", "--json"))
    assert explained["replay"]["agrees"] is True
    assert explained["record"]["kind"] == "end"
    decisions = [
        each
        for each in envelope(ec2kit(cluster, there, "history", "--json"))["records"]
        if each["kind"] == "decision"
    ]
    assert [each["outcome"] for each in decisions[0]["calls"]] == ["made"]


def test_what_is_changed_beside_the_address_is_recorded(cluster: Cluster) -> None:
    """The setting of the ENI, each definition that is stored here, and each state."""
    cluster.with_resource()
    cluster.aws.modify_network_interface_attribute(
        NetworkInterfaceId=cluster.eni("node2"), SourceDestCheck={"Value": True}
    )
    assert ("ModifyNetworkInterfaceAttribute", cluster.eni("node2")) in [
        each[:2] for each in steps(ec2kit(cluster, "node2", "plan", "restore", VIP_TAG, "--json"))
    ]
    assert cluster.act("node2", "restore").status == 0
    told = envelope(ec2kit(cluster, "node2", "history", "--json"))["records"]
    kinds = [each["kind"] for each in told]
    assert [each for each in kinds if each != "definition"] == ["decision", "end", "state", "call"]
    assert told[-1]["calls"][0]["operation"] == "ModifyNetworkInterfaceAttribute"
    assert [each["revision"] for each in told if each["kind"] == "definition"]


def test_only_a_change_of_the_verdict_is_recorded(cluster: Cluster) -> None:
    """A check that finds what it found before writes no record; one that turns UNKNOWN does, with the reason."""
    cluster.with_resource()
    dead = {"AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9", "EC2_SNAPSHOT_MAX_AGE": "0", **in_a_hurry(2)}
    for settings in ({}, {}, dead, dead, {}):
        cluster.act("node1", "quickCheck", **settings)
    records = envelope(ec2kit(cluster, "node1", "history", "--json"))["records"]
    assert [each["status"] for each in records if each["kind"] == "verdict"] == [
        "IN_SERVICE",
        "UNKNOWN",
        "IN_SERVICE",
    ]


def test_a_journal_that_cannot_be_written_changes_no_result(cluster: Cluster) -> None:
    """The action succeeds, and a person is told once; with EC2_HISTORY_SIZE=0 there is none."""
    cluster.with_resource()
    journal = cluster.path("node2", "EC2KIT_STATE_DIR") / "journal"
    shutil.rmtree(journal)
    off = cluster.act("node2", "restore", EC2_HISTORY_SIZE="0")
    assert (off.status, journal.exists()) == (0, False)
    journal.write_text("in its place")
    done = cluster.act("node2", "remove")
    assert (done.status, done.stderr.count("history.jsonl cannot be written")) == (0, 1)
    assert cluster.act("node2", "restore").status == 0
    assert ec2kit(cluster, "node2", "history").status == 1


def test_explain_refuses_what_is_no_record(cluster: Cluster, tmp_path: Path) -> None:
    """An id that is not there, a file that is none, a line that is not known: each is named, and status 1."""
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("A sentence.\n\nscenario: route-table\n")
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"situation": "A sentence.\n\nscenery: x\n"}))
    for which, named in {"deadbeef": "deadbeef", str(wrong): f"{wrong}:4", str(broken): "scenery", "/": "/"}.items():
        refused = ec2kit(cluster, "node1", "explain", which)
        assert refused.status == 1
        assert named in refused.stderr
