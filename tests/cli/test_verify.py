"""`ec2kit verify`, as a process on the sandbox: the address goes to the next server and back, or stays."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from ec2kit.frameworks.lifekeeper.registry import to_info
from ec2kit.registry.definition import from_dict
from tests.actions.cluster import EIP_TAG, VIP_TAG, Cluster, Done, finished, until
from tests.actions.pretended_lifekeeper import PretendedLifeKeeper
from tests.one_sandbox import OneSandbox

from .test_cli import EC2KIT, ec2kit, envelope

PING = """#!/bin/sh
# A stand-in for ping: keeps its words, says and ends as the file `says` beside it wants.
here=$(dirname "$0")
echo "$*" >>"$here/pings"
[ -e "$here/says" ] || exit 0
. "$here/says"
"""


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    for name in one_sandbox.description["nodes"]:
        ping = bin_of(cluster, name) / "ping"
        ping.write_text(PING)
        ping.chmod(0o755)
    return cluster


def bin_of(cluster: Cluster, server: str) -> Path:
    return cluster.sandbox.folder / server / "bin"


def ping_says(cluster: Cluster, server: str, script: str) -> None:
    (bin_of(cluster, server) / "says").write_text(script + "\n")


def pings(cluster: Cluster, server: str) -> list[str]:
    path = bin_of(cluster, server) / "pings"
    return path.read_text().splitlines() if path.exists() else []


def verify(cluster: Cluster, server: str, tag: str = VIP_TAG, *words: str, **settings: str) -> Done:
    return ec2kit(cluster, server, "verify", tag, "--yes", *words, **settings)


def moves(cluster: Cluster) -> int:
    """How often a server has moved the address so far."""
    return sum(len(cluster.writes(name)) for name in ("node1", "node2", "node3"))


def in_service_on(cluster: Cluster) -> list[str]:
    """The servers that have written down that they have the resource in service."""
    places = {name: cluster.path(name, "EC2KIT_STATE_DIR") for name in ("node1", "node2", "node3")}
    files = {name: place / "states" / f"{VIP_TAG}.json" for name, place in places.items()}
    return [name for name, file in files.items() if file.exists() and json.loads(file.read_text())["state"] == "ISP"]


def test_verify_moves_the_address_to_the_next_server_and_back(cluster: Cluster) -> None:
    """Each step is told; afterwards everything is where it was."""
    cluster.with_resource(servers=3)
    before = moves(cluster)
    done = verify(cluster, "node1")
    assert done.status == 0, done.stderr
    assert done.stdout.splitlines() == [
        "✓ EC2 seen from node1: it answers",
        "✓ EC2 seen from node2: it answers",
        "✓ EC2 seen from node3: it answers",
        "✓ in service on node1: restore succeeded",
        "✓ quickCheck on node1: IN_SERVICE",
        "✓ ping from node2: 10.1.0.10 answers",
        "✓ ping from node3: 10.1.0.10 answers",
        "✓ switched over to node2: restore succeeded",
        "✓ quickCheck on node2: IN_SERVICE",
        "✓ ping from node1: 10.1.0.10 answers",
        "✓ ping from node3: 10.1.0.10 answers",
        "✓ switched back to node1: restore succeeded",
        "✓ quickCheck on node1: IN_SERVICE",
        "✓ ping from node2: 10.1.0.10 answers",
        "✓ ping from node3: 10.1.0.10 answers",
        "ec2-vip1: verified; in service on node1",
    ]
    assert pings(cluster, "node1") == ["-c 1 -W 2 10.1.0.10"]
    assert moves(cluster) == before + 6
    assert cluster.holders() == ["node1"] * 3
    assert in_service_on(cluster) == ["node1"]


def test_verify_can_be_run_from_any_server(cluster: Cluster) -> None:
    """It begins where the resource is, not where it is typed; the next server is the one of the highest priority."""
    cluster.with_resource(servers=3, on="node2").act("node1", "remove")
    done = verify(cluster, "node3")
    assert done.status == 0, done.stderr
    assert "switched over to node1" in done.stdout
    assert "switched back to node2" in done.stdout
    assert cluster.holders() == ["node2"] * 3
    assert in_service_on(cluster) == ["node2"]


def test_verify_of_a_resource_that_is_nowhere_in_service_starts_it_here(cluster: Cluster) -> None:
    """The test begins with a start."""
    cluster.with_resource().act("node1", "remove")
    done = verify(cluster, "node2")
    assert done.status == 0, done.stderr
    assert "✓ in service on node2" in done.stdout
    assert cluster.holders() == ["node2"] * 3


def test_verify_of_an_elastic_ip_says_what_ping_proves(cluster: Cluster) -> None:
    """A ping from inside the VPC is not a client on the Internet."""
    cluster.with_resource(EIP_TAG)
    done = verify(cluster, "node1", EIP_TAG)
    assert done.status == 0, done.stderr
    assert "✓ ping from node2: 203.0.113.1 answers; this proves only the path inside" in done.stdout
    assert cluster.address_holder() == "node1"


def test_verify_as_json_tells_the_steps(cluster: Cluster) -> None:
    """A program gets all steps in one object, and nothing else on stdout."""
    cluster.create()
    told = envelope(verify(cluster, "node1", VIP_TAG, "--json"))
    assert (told["success"], told["in_service_on"]) == (True, "node1")
    assert told["steps"][0] == {"step": "EC2 seen from node1", "outcome": "ok", "found": "it answers", "advice": ""}
    steps = ["EC2 seen from node1", "in service on node1", "quickCheck on node1", "switched over"]
    assert [each["step"] for each in told["steps"]] == steps


# -- when a step fails ---------------------------------------------------------------------------------------------


def test_verify_goes_back_when_the_next_server_cannot_take_it(cluster: Cluster) -> None:
    """The address is home again, and the exit status says that the test failed."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "✗ switched over to node2: failed: node2 says: 0 of 3 are right" in done.stdout
    assert "✓ switched back to node1" in done.stdout
    assert "1 steps failed: switched over to node2; in service on node1" in done.stdout
    assert cluster.holders() == ["node1"] * 3
    assert in_service_on(cluster) == ["node1"]


def test_verify_goes_back_when_the_address_does_not_answer_there(cluster: Cluster) -> None:
    """Right in AWS and silent all the same: that is what the test is for."""
    cluster.with_resource()
    ping_says(cluster, "node1", "exit 1")
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "✗ ping from node1: failed: 10.1.0.10 does not answer" in done.stdout
    assert "✓ switched back to node1" in done.stdout
    assert pings(cluster, "node1") == ["-c 1 -W 2 10.1.0.10"] * 3
    assert cluster.holders() == ["node1"] * 3


def test_verify_moves_nothing_when_the_address_does_not_answer_at_home(cluster: Cluster) -> None:
    """What is not right where it is, is not moved."""
    cluster.with_resource()
    ping_says(cluster, "node2", "exit 1")
    before = moves(cluster)
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "switched over" not in done.stdout
    assert moves(cluster) == before


def test_verify_that_cannot_bring_it_back_says_where_it_is(cluster: Cluster) -> None:
    """The address is elsewhere than it was only where nothing else could be done, and that is an ERROR."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "✗ switched back to node1" in done.stdout
    assert "in service on no server now, and should be on node1; in AWS its address is on: node2" in done.stderr
    assert cluster.holders() == ["node2"] * 3


def test_verify_that_is_interrupted_goes_back(cluster: Cluster) -> None:
    """Ctrl-C while the address is on its way does not leave it there."""
    cluster.with_resource()
    cluster.sandbox.fault("delay", server="node2", operation="ReplaceRoute", seconds=3, count=2)
    with subprocess.Popen(
        [EC2KIT, "verify", VIP_TAG, "--yes"],
        env=cluster.environment("node1", AWSCLI_READ_TIMEOUT="10"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until((cluster.path("node2", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.intention.json").exists)
        process.send_signal(signal.SIGINT)
        done = finished(process)
    assert done.status == 1
    assert "✓ switched back to node1" in done.stdout
    assert "stopped by signal SIGINT" in done.stderr
    assert cluster.holders() == ["node1"] * 3
    assert in_service_on(cluster) == ["node1"]


LATE = """#!/bin/sh
# As remote, but what brings the resource in service on node2 comes there only when the file `let` is made.
here=$(dirname "$0")
case "$*" in
node2*" bring "*)
	(setsid sh -c 'touch "$0/asked"; while [ ! -e "$0/let" ]; do sleep 0.05; done
		"$0/remote" "$@" >"$0/late.part" 2>&1
		mv "$0/late.part" "$0/late"' "$here" "$@" </dev/null >/dev/null 2>&1 &)
	exec sleep 600
	;;
esac
exec "$here/remote" "$@"
"""


def test_verify_that_is_interrupted_withdraws_what_has_not_come_to_the_other_server_yet(cluster: Cluster) -> None:
    """A login that takes long lets the request come after the way back; the address stays where verify left it."""
    cluster.with_resource()
    place = cluster.sandbox.folder
    (place / "remote.late").write_text(LATE)
    (place / "remote.late").chmod(0o755)
    with subprocess.Popen(
        [EC2KIT, "verify", VIP_TAG, "--yes"],
        env=cluster.environment("node1", EC2_REMOTE_COMMAND=shlex.quote(str(place / "remote.late"))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until((place / "asked").exists)
        process.send_signal(signal.SIGINT)
        done = finished(process)
    assert done.status == 1
    assert "✓ switched back to node1" in done.stdout
    (place / "let").touch()
    until((place / "late").exists)
    assert "withdrawn" in (place / "late").read_text()
    assert cluster.holders() == ["node1"] * 3
    assert in_service_on(cluster) == ["node1"]


# -- under LifeKeeper ------------------------------------------------------------------------------------------------


@pytest.fixture
def lifekeeper(cluster: Cluster, tmp_path: Path) -> PretendedLifeKeeper:
    """An application on an IP resource on the EC2 resource, on node1 and node2, in service on node1."""
    cluster.with_resource()
    definition = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"
    info = to_info(from_dict(json.loads(definition.read_text()))._replace(ip_resource="ip-vip1"))
    framework = PretendedLifeKeeper(tmp_path / "LifeKeeper")
    for name, state in (("node1", "ISP"), ("node2", "OSU")):
        framework.add(VIP_TAG, info, state=state, system=name)
        framework.add("ip-vip1", kind="ip", state=state, system=name)
        framework.add("app", kind="app", state=state, system=name)
        (cluster.sandbox.folder / name / "default").write_text(f"LKROOT={framework.root}\n")
    framework.depends(parent="app", child="ip-vip1")
    framework.depends(parent="ip-vip1", child=VIP_TAG)
    return framework


def test_verify_under_lifekeeper_moves_all_that_stands_on_the_resource(
    cluster: Cluster, lifekeeper: PretendedLifeKeeper
) -> None:
    """What was in service with it is in service with it on the next server, and again at home."""
    done = verify(cluster, "node1")
    assert done.status == 0, done.stderr
    performed = [(server, words[-3:]) for server, _, *words in lifekeeper.commands("perform_action")]
    assert [server for server, _ in performed] == ["node1", "node2", "node1"]
    assert all(words == ["app", "-a", "restore"] for _, words in performed)
    assert lifekeeper.states("node1") == {VIP_TAG: "ISP", "ip-vip1": "ISP", "app": "ISP"}
    assert lifekeeper.states("node2") == {VIP_TAG: "OSU", "ip-vip1": "OSU", "app": "OSU"}
    assert cluster.holders() == ["node1"] * 3


def test_verify_under_lifekeeper_leaves_alone_what_was_stopped(
    cluster: Cluster, lifekeeper: PretendedLifeKeeper
) -> None:
    """An application that somebody took out of service is not started by a test."""
    instances = lifekeeper.database["instances"]
    instances["node1"][2][5] = "OSU"
    lifekeeper.set(instances=instances)
    assert verify(cluster, "node1").status == 0
    assert lifekeeper.states("node1") == {VIP_TAG: "ISP", "ip-vip1": "ISP", "app": "OSU"}


def test_verify_under_lifekeeper_moves_nothing_that_cannot_come_along(
    cluster: Cluster, lifekeeper: PretendedLifeKeeper
) -> None:
    """It would be out of service for as long as the test lasts."""
    instances = lifekeeper.database["instances"]
    instances["node2"].pop()
    lifekeeper.set(instances=instances)
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "app depends on ec2-vip1 and is not on node2; nothing was moved" in done.stderr
    assert lifekeeper.commands("perform_action") == []


# -- what it does not begin ------------------------------------------------------------------------------------------


def test_verify_asks_before_it_moves_anything(cluster: Cluster) -> None:
    """A live service is not moved by one word; who gives no answer does not agree."""
    cluster.with_resource()
    calls = len(cluster.sandbox.calls())
    done = ec2kit(cluster, "node1", "verify", VIP_TAG, "--json")
    assert done.status == 1
    assert "ec2-vip1 is moved to another server and back" in done.stderr
    assert done.stdout == ""
    assert len(cluster.sandbox.calls()) == calls


def test_verify_of_what_is_no_tag_asks_nothing(cluster: Cluster) -> None:
    """A hostile tag is not even printed."""
    done = ec2kit(cluster, "node1", "verify", "\x1b[2J")
    assert done.status == 1
    assert "is not a tag" in done.stderr
    assert "\x1b" not in done.stderr


def test_verify_with_a_silent_server_moves_nothing(cluster: Cluster) -> None:
    """Every server is needed: it may have the resource, and it shall ping."""
    cluster.with_resource()
    cluster.cut_off("node2")
    before = moves(cluster)
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "node2" in done.stderr
    assert moves(cluster) == before


def test_verify_with_a_server_that_does_not_see_ec2_moves_nothing(cluster: Cluster) -> None:
    """It could not take over, which is known before it has to; a resource that was nowhere stays nowhere."""
    cluster.with_resource().act("node1", "remove")
    cluster.sandbox.fault("refuse", server="node2")
    before = moves(cluster)
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "✗ EC2 seen from node2: failed: no connection to http:" in done.stdout
    assert "should be" not in done.stderr
    assert moves(cluster) == before


def test_verify_with_a_server_whose_answer_lacks_something_moves_nothing(cluster: Cluster) -> None:
    """As one of another version: that is said of this server, and is no fault of ec2kit."""
    cluster.with_resource()
    lacking = shlex.quote('{"protocol": 1, "server": "node2", "known": true, "in_service": false}')
    before = moves(cluster)
    done = ec2kit(cluster, "node1", "verify", VIP_TAG, "--yes", EC2_REMOTE_COMMAND=f"sh -c 'echo \"$0\"' {lacking}")
    assert (done.status, moves(cluster)) == (1, before)
    assert "✗ EC2 seen from node2: failed: " in done.stdout
    assert "its answer has no status: install the same version on all servers" in done.stdout
    assert "unexpected trouble" not in done.stderr


def test_verify_of_what_is_in_service_twice_moves_nothing(cluster: Cluster) -> None:
    """Which of them has it in truth, is for a person to find out."""
    cluster.with_resource(on="node2")
    done = verify(cluster, "node1")
    assert done.status == 1
    assert "in service on several servers: node1, node2" in done.stderr
    assert cluster.holders() == ["node2"] * 3


def test_verify_with_one_server_cannot_look_at_a_switchover(cluster: Cluster) -> None:
    """There is nowhere to go, which is said and is no failure."""
    cluster.create()
    done = verify(cluster, "node1")
    assert done.status == 0, done.stderr
    assert "? switched over: could not look: node1 is its only server" in done.stdout


@pytest.mark.parametrize(
    ("script", "settings", "says"),
    [
        pytest.param(
            "echo 'ping: socket: Operation not permitted' >&2; exit 2",
            {},
            "Operation not permitted",
            id="not permitted",
        ),
        pytest.param("exit 0", {"PATH_ec2_vip1": "/nowhere"}, "No such file", id="no ping"),
    ],
)
def test_verify_without_a_usable_ping_could_not_look(
    cluster: Cluster, script: str, settings: dict[str, str], says: str
) -> None:
    """What cannot be tried is no failure; the rest of the test goes on."""
    cluster.with_resource()
    for name in ("node1", "node2"):
        ping_says(cluster, name, script)
    done = verify(cluster, "node1", **settings)
    assert done.status == 0, done.stderr
    assert "? ping from node2: could not look: `ping -c 1 -W 2 10.1.0.10` failed:" in done.stdout
    assert says in done.stdout
    assert "✓ switched back to node1" in done.stdout


def test_verify_on_a_terminal_without_ticks_works_all_the_same(cluster: Cluster) -> None:
    """A step is told by a word, too."""
    cluster.create()
    done = verify(cluster, "node1", PYTHONIOENCODING="iso8859-1")
    assert done.status == 0, done.stderr
    assert "? quickCheck on node1: IN_SERVICE" in done.stdout
