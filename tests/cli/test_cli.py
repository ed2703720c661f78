"""The admin CLI, as a process on the sandbox: the same deeds, one result with two renderings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ec2kit import __version__
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster, Done, finished, given_time
from tests.one_sandbox import OneSandbox

EC2KIT = str(Path(sys.executable).with_name("ec2kit"))


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=3)
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


def test_a_command_that_is_written_wrong_is_answered_with_the_one_that_was_meant(cluster: Cluster) -> None:
    """Also where only a capital letter is missing; of what is not near, nothing is guessed."""
    for written, meant in (("resotre", "restore"), ("quickcheck", "quickCheck"), ("docter", "doctor")):
        done = ec2kit(cluster, "node1", written, VIP_TAG)
        assert (done.status, f"Did you mean '{meant}'?" in done.stderr) == (2, True), done.stderr
    assert "Did you mean" not in ec2kit(cluster, "node1", "frobnicate").stderr


def test_the_deeds_move_the_address(cluster: Cluster) -> None:
    """What the hooks do can be done by hand."""
    words = ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    assert ec2kit(cluster, "node1", "create", *words).stdout == "ec2-vip1 protects 10.1.0.10\n"
    assert ec2kit(cluster, "node2", "canextend", "node1", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "extend", "node1", VIP_TAG).stdout == "ec2-vip1 on node1, node2\n"
    assert ec2kit(cluster, "node1", "remove", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "restore", VIP_TAG).stdout == "in service here, 3 changed\n"
    assert ec2kit(cluster, "node2", "quickCheck", VIP_TAG).stdout == "IN_SERVICE\n"
    assert ec2kit(cluster, "node1", "unextend", VIP_TAG).status == 0
    assert ec2kit(cluster, "node2", "delete", VIP_TAG).status == 0
    assert cluster.holders() == ["node2"] * 3


def test_a_tag_may_be_given_by_its_flag(cluster: Cluster) -> None:
    """What is typed for a script may be typed for a command; two different tags are refused by both their names."""
    cluster.with_resource()
    assert ec2kit(cluster, "node1", "quickCheck", "-t", VIP_TAG).stdout == "IN_SERVICE\n"
    for command in ("status", "properties"):
        assert VIP_TAG in ec2kit(cluster, "node1", command, "-t", VIP_TAG).stdout
    assert ec2kit(cluster, "node1", "set", "--tag", VIP_TAG, "priority=7").stdout == f"{VIP_TAG}: priority is 7\n"
    refused = ec2kit(cluster, "node1", "remove", "-t", VIP_TAG, "ec2-other")
    assert refused.status == 2
    assert f"'{VIP_TAG}', 'ec2-other'" in refused.stderr
    assert cluster.holders() == ["node1"] * len(cluster.tables)


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
    cluster.with_resource(on="node2")
    done = ec2kit(cluster, "node1", "quickCheck", VIP_TAG, "--json")
    assert done.status == 1
    assert envelope(done)["status"] == "OUT_OF_SERVICE"
    cluster.sandbox.fault("refuse", server="node1")
    done = ec2kit(cluster, "node1", "quickCheck", VIP_TAG, "--json")
    assert done.status == 0
    assert envelope(done)["status"] == "UNKNOWN"


def test_status_shows_aws_registry_and_unknown_with_age_and_reason(cluster: Cluster) -> None:
    """One look tells where the address is, what the registry says, and for how long nothing was known."""
    cluster.with_resource(on="node2")
    cluster.sandbox.fault("refuse", server="node1")
    cluster.act("node1", "quickCheck")
    cluster.sandbox.clear()
    shown = ec2kit(cluster, "node1", "status").stdout
    assert "OUT_OF_SERVICE here" in shown
    assert "on node2: rtb-" in shown
    assert "registry  ISP here; servers node1 (1, eth1), node2 (20, eth1)" in shown
    assert "server    10.1.0.10 on no device; no rule of ec2kit's for replies" in shown
    assert "1 check without an answer" in shown
    assert "Connection refused" in shown


def test_status_as_json_tells_the_same(cluster: Cluster) -> None:
    """A program reads status, owners and state."""
    cluster.with_resource(EIP_TAG)
    (told,) = envelope(ec2kit(cluster, "node1", "status", EIP_TAG, "--json"))["resources"]
    assert (told["status"], told["state"]) == ("IN_SERVICE", "ISP")
    owner = {"network_interface_id": cluster.eni("node1"), "server": "node1"}
    assert told["owners"] == {cluster.sandbox.description["allocation_id"]: owner}


def test_status_names_the_way_to_the_credentials(cluster: Cluster, tmp_path: Path) -> None:
    """Keys that somebody left in a file hide the role of the instance, which is easily overlooked."""
    cluster.with_resource()
    keys = tmp_path / "credentials"
    keys.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    no_keys = {"AWS_PROFILE": "nobody"}
    ways = [({}, "iam-role"), ({"AWS_SHARED_CREDENTIALS_FILE": str(keys)}, "shared-credentials-file")]
    for settings, way in [*ways, (no_keys, "none yet")]:
        shown = ec2kit(cluster, "node1", "status", **settings)
        assert f"\n  SDK       credentials: {way}\n" in shown.stdout, shown
    (told,) = envelope(ec2kit(cluster, "node1", "status", "--json"))["resources"]
    assert told["credentials"] == "iam-role"


def test_status_while_aws_is_silent_still_shows_the_registry(cluster: Cluster) -> None:
    """UNKNOWN is shown as such, with the reason."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    done = ec2kit(cluster, "node1", "status", VIP_TAG)
    assert done.status == 0
    assert "UNKNOWN here: no connection to http:" in done.stdout


def test_status_of_many_while_aws_is_silent_shows_all_of_them_in_time(cluster: Cluster) -> None:
    """More resources than are looked at at a time: each is shown, UNKNOWN, and the registry's part of it."""
    cluster.with_resource()
    folder = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources"
    for number in range(12):
        _copy_definition(folder, tag=f"copy{number}", address=f"10.9.0.{number + 1}")
    cluster.sandbox.fault("silent", server="node1")
    done = given_time(
        lambda seconds: ec2kit(cluster, "node1", "status", "--json", EC2_QUICKCHECK_TIMEOUT=f"{seconds:.1f}"),
        lambda done: done.stdout != "",  # otherwise the machine kept it from ending by itself
        seconds=2,
    )
    assert done.status == 0, done.stderr
    found = envelope(done)["resources"]
    assert len(found) == 13
    assert {each["status"] for each in found} == {"UNKNOWN"}
    assert all(each["reasons"] and each["servers"] for each in found)


def test_status_beside_a_definition_that_cannot_be_read_shows_the_others(cluster: Cluster) -> None:
    """One broken file hides no other resource, and is named."""
    cluster.with_resource()
    broken = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / "broken.json"
    broken.write_text("{")
    broken.chmod(0o600)
    done = ec2kit(cluster, "node1", "status")
    assert done.status == 1
    assert "IN_SERVICE here" in done.stdout
    assert str(broken) in done.stdout


def test_status_names_the_tables_of_another_mechanism(cluster: Cluster) -> None:
    """A person sees which tables the resource leaves alone, and whose they are."""
    cluster.with_resource()
    cluster.sandbox.fault("propagated")
    shown = ec2kit(cluster, "node1", "status").stdout
    assert "IN_SERVICE here" in shown
    assert "beside: 10.1.0.10/32 leads to vgw-0ec2000000000k170 by EnableVgwRoutePropagation" in shown


def _copy_definition(folder: Path, **different: str) -> None:
    definition = json.loads((folder / f"{VIP_TAG}.json").read_text())
    copy = folder / f"{different['tag']}.json"
    copy.write_text(json.dumps({**definition, **different}))
    copy.chmod(0o600)


def test_status_of_hundreds_asks_a_few_times(cluster: Cluster) -> None:
    """One question for each kind of address, and for each 200 virtual IPs; each resource has its own answer."""
    cluster.with_resource().with_resource(EIP_TAG)
    cluster.copied(VIP_TAG, (f"10.0.{number}.1" for number in range(200)))
    before = len(cluster.sandbox.calls())
    shown = envelope(ec2kit(cluster, "node1", "status", "--json"))["resources"]
    answers = {each["tag"]: each["status"] for each in shown}
    assert len(answers) == 202
    assert {tag for tag, status in answers.items() if status == "IN_SERVICE"} == {VIP_TAG, EIP_TAG}
    asked = sorted(str(call["operation"]) for call in cluster.sandbox.calls()[before:])
    assert asked == ["DescribeAddresses", "DescribeRouteTables", "DescribeRouteTables"]


def test_status_asks_each_endpoint_for_its_own_resources(cluster: Cluster) -> None:
    """What is set for one resource holds for its look only."""
    cluster.with_resource()
    cluster.copied(VIP_TAG, ["10.1.0.20"])
    endpoint = {"EC2_ENDPOINT_URL_ec2_vip1_0": "http://127.0.0.1:9"}
    shown = envelope(ec2kit(cluster, "node1", "status", "--json", **endpoint))["resources"]
    assert {each["tag"]: each["status"] for each in shown} == {VIP_TAG: "IN_SERVICE", f"{VIP_TAG}-0": "UNKNOWN"}


def test_status_without_resources_says_so(cluster: Cluster) -> None:
    """An empty registry is no error for a person who looks, and one that was lost may look like it: both are said."""
    shown = ec2kit(cluster, "node1", "status").stdout
    assert shown.startswith("no resources on node1: its registry (")
    assert shown.endswith(") is missing or empty\n")


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


def test_status_shows_the_way_in_use(cluster: Cluster) -> None:
    """A person sees by which of several ways EC2 answers; a program does, too."""
    cluster.with_resource()
    good = cluster.sandbox.description["nodes"]["node1"]["fips_url"]
    cluster.sandbox.fault("refuse", service="interface", server="node1")
    listed = f"{cluster.sandbox.description['nodes']['node1']['interface_url']}, {good} direct"
    assert f"\n  way       {good} direct\n" in ec2kit(cluster, "node1", "status", EC2_ENDPOINTS=listed).stdout
    (shown,) = envelope(ec2kit(cluster, "node1", "status", "--json", EC2_ENDPOINTS=listed))["resources"]
    assert shown["way"] == f"{good} direct"
