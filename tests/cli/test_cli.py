"""The admin CLI, as a process on the sandbox: the same deeds, one result with two renderings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit import __version__
from ec2kit.sandbox.client import Sandbox, started
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster, Done, finished

EC2KIT = str(Path(sys.executable).with_name("ec2kit"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def cluster(sandbox: Sandbox) -> Cluster:
    cluster = Cluster(sandbox)
    cluster.clean()
    return cluster


def ec2kit(cluster: Cluster, server: str, *words: str, **settings: str) -> Done:
    with subprocess.Popen(
        [EC2KIT, *words],
        env=cluster.environment(server, **settings),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        return finished(process)


def envelope(done: Done) -> dict[str, Any]:
    content = json.loads(done.stdout)
    assert isinstance(content, dict)
    return content


def test_version_is_the_packages(cluster: Cluster) -> None:
    """--version says which ec2kit this is."""
    assert ec2kit(cluster, "node1", "--version").stdout == f"ec2kit, version {__version__}\n"


def test_help_lists_the_deeds(cluster: Cluster) -> None:
    """A newcomer finds the commands, and not the one that servers use among themselves."""
    shown = ec2kit(cluster, "node1", "--help").stdout
    assert all(f"\n  {name} " in shown for name in ("create", "restore", "quickCheck", "status", "sandbox"))
    assert "peer" not in shown


def test_the_deeds_move_the_address(cluster: Cluster) -> None:
    """What the hooks do can be done by hand."""
    words = ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    assert ec2kit(cluster, "node1", "create", *words).stdout == "ec2-vip1 protects 10.1.0.10\n"
    assert ec2kit(cluster, "node2", "canextend", "node1", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "extend", "node1", VIP_TAG).stdout == "ec2-vip1 on node1, node2\n"
    assert ec2kit(cluster, "node1", "remove", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "restore", VIP_TAG).stdout == "in service here, 2 changed\n"
    assert ec2kit(cluster, "node2", "quickCheck", VIP_TAG).stdout == "IN_SERVICE\n"
    assert ec2kit(cluster, "node1", "unextend", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "delete", VIP_TAG).status == 0
    assert cluster.holders() == ["node2"] * 2


def test_restore_as_json_tells_each_change(cluster: Cluster) -> None:
    """A program reads what was changed from an envelope with a version."""
    cluster.with_resource()
    told = envelope(ec2kit(cluster, "node2", "restore", VIP_TAG, "--json"))
    assert {key: told[key] for key in ("version", "action", "tag", "server", "success")} == {
        "version": 1,
        "action": "restore",
        "tag": VIP_TAG,
        "server": "node2",
        "success": True,
    }
    change = {"operation": "ReplaceRoute", "old": cluster.eni("node1"), "new": cluster.eni("node2")}
    assert told["changes"] == [{**change, "target": table} for table in cluster.tables]


def test_a_failure_as_json_has_its_code_and_what_to_do(cluster: Cluster) -> None:
    """An error is one line for a person, and an object for a program."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2")
    done = ec2kit(cluster, "node2", "restore", VIP_TAG, "--json")
    told = envelope(done)
    assert done.status == 1
    assert told["success"] is False
    assert told["error"]["code"] == 620207
    assert "iam-policy" in told["error"]["action"]
    assert "Traceback" not in done.stderr


def test_quick_check_as_json_tells_the_status(cluster: Cluster) -> None:
    """All three answers, and the reasons."""
    cluster.with_resource().act("node2", "restore")
    done = ec2kit(cluster, "node1", "quickCheck", VIP_TAG, "--json")
    assert done.status == 1
    assert envelope(done)["status"] == "OUT_OF_SERVICE"
    cluster.sandbox.fault("refuse", server="node1")
    done = ec2kit(cluster, "node1", "quickCheck", VIP_TAG, "--json")
    assert done.status == 0
    assert envelope(done)["status"] == "UNKNOWN"


def test_status_shows_aws_registry_and_unknown_with_age_and_reason(cluster: Cluster) -> None:
    """One look tells where the address is, what the registry says, and for how long nothing was known."""
    cluster.with_resource().act("node2", "restore")
    cluster.sandbox.fault("refuse", server="node1")
    cluster.act("node1", "quickCheck")
    cluster.sandbox.clear()
    shown = ec2kit(cluster, "node1", "status").stdout
    assert "OUT_OF_SERVICE here" in shown
    assert "on node2: rtb-" in shown
    assert "registry  ISP here; servers node1 (1, eth1), node2 (20, eth1)" in shown
    assert "1 check without an answer" in shown
    assert "Connection refused" in shown


def test_status_as_json_tells_the_same(cluster: Cluster) -> None:
    """A program reads status, owners and state."""
    cluster.with_resource(EIP_TAG)
    (told,) = envelope(ec2kit(cluster, "node1", "status", EIP_TAG, "--json"))["resources"]
    assert (told["status"], told["state"]) == ("IN_SERVICE", "ISP")
    owner = {"network_interface_id": cluster.eni("node1"), "server": "node1"}
    assert told["owners"] == {cluster.sandbox.description["allocation_id"]: owner}


def test_status_while_aws_is_silent_still_shows_the_registry(cluster: Cluster) -> None:
    """UNKNOWN is shown as such, with the reason."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    done = ec2kit(cluster, "node1", "status", VIP_TAG)
    assert done.status == 0
    assert "UNKNOWN here: no answer from EC2" in done.stdout


def test_status_without_resources_says_so(cluster: Cluster) -> None:
    """An empty registry is no error for a person who looks."""
    assert "no resources on node1" in ec2kit(cluster, "node1", "status").stdout


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        pytest.param(["status", "ec2-none"], 1, "there is no resource ec2-none", id="unknown tag"),
        pytest.param(["restore", "../x"], 1, "is not a tag", id="hostile tag"),
        pytest.param(["restore"], 2, "Missing argument", id="no tag"),
        pytest.param(["restor", "x"], 2, "No such command", id="no command"),
        pytest.param(["create", "--type", "bridge"], 2, "Invalid value", id="no type"),
    ],
)
def test_what_cannot_be_is_one_message_and_a_status(
    cluster: Cluster, words: list[str], status: int, says: str
) -> None:
    """Errors become a message and an exit status, never a traceback."""
    cluster.with_resource()
    done = ec2kit(cluster, "node1", *words)
    assert done.status == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_peer_answers_are_versioned_json(cluster: Cluster) -> None:
    """Servers of different versions understand, or say that they do not."""
    cluster.with_resource()
    told = envelope(ec2kit(cluster, "node1", "peer", "state", VIP_TAG))
    assert (told["protocol"], told["in_service"], told["version"]) == (1, True, __version__)
    unknown = envelope(ec2kit(cluster, "node1", "peer", "state", "ec2-none"))
    assert (unknown["known"], unknown["in_service"]) == (False, None)
    refused = ec2kit(cluster, "node1", "peer", "describe", "ec2-none")
    assert refused.status == 1
    assert "there is no resource" in envelope(refused)["error"]


@pytest.mark.parametrize("question", ["status", "properties"])
def test_what_a_person_is_shown_has_no_control_characters(cluster: Cluster, question: str) -> None:
    """A definition, which another server may have sent, cannot write on the terminal as it likes."""
    cluster.with_resource()
    definition = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"
    definition.write_text(definition.read_text().replace('"node2"', '"no\\u001b[2J\\udc80de\\u202e2"'))
    done = ec2kit(cluster, "node1", question, VIP_TAG)
    assert done.status == 0, done.stderr
    assert "no [2J de 2" in done.stdout


@pytest.mark.parametrize(
    "word", ["{}", "[]", "[" * 100_000, "nonsense", '{"tag": "../x"}', '{"tag": "ec2-x", "servers": []}']
)
def test_peer_store_of_rubbish_is_refused(cluster: Cluster, word: str) -> None:
    """A definition that is none never reaches the registry."""
    done = ec2kit(cluster, "node1", "peer", "store", word)
    assert done.status == 1
    assert "error" in envelope(done)
    assert not (cluster.path("node1", "EC2KIT_STATE_DIR") / "resources").exists()


def test_quick_check_that_cannot_print_still_says_what_it_found(cluster: Cluster) -> None:
    """The exit status is the verdict, not whether somebody could read it."""
    cluster.with_resource()
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [EC2KIT, "quickCheck", VIP_TAG], env=cluster.environment("node1"), stdout=full, check=False
        )
    assert done.returncode == 0
