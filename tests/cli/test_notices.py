"""`ec2kit notices`: a server leaves before AWS interrupts it; silence, and what is far off, change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ec2kit.state.file import StateFile
from tests.actions.cluster import Cluster
from tests.patience import HANGS

from .test_cli import cluster, ec2kit  # noqa: F401  # the fixture

HERE, FAULT, LOWEST = "0\n", "254\n", "253\n"


class Servers:
    """The servers of a cluster under keepalived; node1 has the resource, and AWS announces something of it."""

    def __init__(self, cluster: Cluster) -> None:  # noqa: F811
        self.cluster = cluster.with_resource()

    def announce(self, effect: str = "maintenance", *, server: str = "node1", **arguments: Any) -> int:
        return self.cluster.sandbox.fault(effect, service="imds", server=server, **arguments)

    def look(self, *words: str, server: str = "node1", status: int = 0, **settings: str) -> dict[str, Any]:
        """One look, which takes the framework that a test names, or keepalived."""
        framework = () if "--framework" in words else ("--framework", "keepalived")
        done = ec2kit(self.cluster, server, "notices", "--json", *framework, *words, **settings)
        assert done.status == status, done.stderr
        return dict(json.loads(done.stdout))

    def number(self, server: str = "node1") -> str | None:
        """What keepalived reads; None: there is no file."""
        path = self.path(server).with_name("run.leave")
        return path.read_text() if path.exists() else None

    def path(self, server: str = "node1") -> Path:
        return self.cluster.path(server, "EC2KIT_RUN_DIR")

    def codes(self, server: str = "node1") -> list[int]:
        """The codes of what the looks have logged."""
        lines = [line for line in self.cluster.log(server).splitlines() if ":ec2kit:notices:" in line]
        return [int(line.split(":notices::")[1][:6]) for line in lines]


@pytest.fixture
def servers(cluster: Cluster) -> Servers:  # noqa: F811
    return Servers(cluster)


# -- leaving -----------------------------------------------------------------------------------------------------


def test_look_that_finds_nothing_is_light_and_leaves_no_line(servers: Servers) -> None:
    """EC2 is not asked, no other server is, and nothing is logged; that is what the timer does day by day."""
    before, asked = servers.cluster.log("node1"), len(servers.cluster.sandbox.calls())
    done = ec2kit(servers.cluster, "node1", "notices", "--framework", "keepalived")
    assert (done.status, done.stdout, done.stderr) == (0, "node1  keepalived  nothing to do\n", "")
    assert (servers.cluster.log("node1"), len(servers.cluster.sandbox.calls())) == (before, asked)
    assert servers.number() is None


def test_look_loads_no_sdk(servers: Servers) -> None:
    """A process every few seconds must cost next to nothing."""
    program = (
        "import sys; from ec2kit.frameworks import edge\n"
        "edge.leave = lambda status: print(*sys.modules)\n"
        "from ec2kit import cli; cli.main()"
    )
    command = [sys.executable, "-I", "-c", program, "notices", "--framework", "keepalived"]
    environment = servers.cluster.environment("node1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=HANGS)
    assert "ec2kit.host.announcement" in done.stdout.split()
    assert not {each.split(".")[0] for each in done.stdout.split()} & {"boto3", "botocore", "urllib3"}


def test_server_leaves_before_a_scheduled_event_and_comes_back_after_it(servers: Servers) -> None:
    """FAULT first, the lowest priority as soon as nothing is in service here, and 0 after a calm time."""
    rule = servers.announce(seconds=60)
    told = servers.look()
    assert (told["step"], told["away"], servers.number()) == ("leaves", False, FAULT)
    assert told["announced"][0]["code"] == "system-reboot"
    servers.cluster.act("node1", "remove")  # as keepalived's program does in FAULT
    assert (servers.look()["step"], servers.number()) == ("stays away", LOWEST)
    servers.cluster.sandbox.clear(rule)
    assert (servers.look()["step"], servers.number()) == ("waits before it comes back", LOWEST)
    assert (servers.look(EC2_NOTICE_CALM="0")["step"], servers.number()) == ("comes back", HERE)
    assert (servers.look()["step"], servers.number()) == ("nothing to do", HERE)
    assert servers.codes() == [620470, 620471, 620472]


def test_event_that_is_far_off_is_said_and_no_reason_yet(servers: Servers) -> None:
    """One line in the log; status names it, before and after the server leaves."""
    servers.announce(seconds=86400)
    for _ in range(2):
        told = servers.look()
        assert (told["step"], told["announced"][0]["due"]) == ("nothing to do", False)
    assert (servers.codes(), servers.number()) == ([620470], None)
    shown = ec2kit(servers.cluster, "node1", "status").stdout
    assert "AWS announces system-reboot (instance-event-0" in shown
    servers.look(EC2_NOTICE_LEAD="100000")
    assert servers.number() == FAULT
    status = json.loads(ec2kit(servers.cluster, "node1", "status", "--json").stdout)
    assert (status["notices"]["step"], status["notices"]["away"]) == ("leaves", True)


def test_standby_that_has_nothing_leaves_without_a_question(servers: Servers) -> None:
    """It only does not take over before others."""
    servers.announce(server="node2", seconds=60)
    (servers.cluster.sandbox.folder / "node1" / "unreachable").touch()
    assert servers.look(server="node2")["step"] == "leaves"
    assert servers.number("node2") == LOWEST


@pytest.mark.parametrize(
    ("effect", "settings", "step"),
    [
        pytest.param("rebalance", {}, "nothing to do", id="recommendation"),
        pytest.param("rebalance", {"EC2_NOTICE_REBALANCE": "1"}, "leaves", id="recommendation that counts"),
        pytest.param("interruption", {}, "leaves", id="interruption"),
    ],
)
def test_spot_instance_leaves_for_an_interruption(
    servers: Servers, effect: str, settings: dict[str, str], step: str
) -> None:
    """And for a recommendation if that is set."""
    servers.announce(effect)
    assert servers.look(**settings)["step"] == step
    assert servers.number() == (FAULT if step == "leaves" else None)


# -- the last one ------------------------------------------------------------------------------------------------


def test_server_stays_as_long_as_the_other_one_could_not_take_over(servers: Servers) -> None:
    """By the checks of its standby; said once, and asked again only after a while."""
    rule = servers.cluster.sandbox.fault("refuse", server="node2")
    servers.announce(seconds=60)
    told = servers.look()
    assert told["step"] == "stays"
    assert "node2: ec2 endpoint: " in told["reason"]
    servers.cluster.sandbox.clear(rule)
    note = StateFile(str(servers.path() / "notices.json"))
    note.write({**(note.read() or {}), "asked_at": 1e12})  # just now, however slow this machine is
    assert servers.look()["step"] == "stays"
    assert (servers.codes(), servers.number()) == ([620470, 620474], None)
    note.write({**(note.read() or {}), "asked_at": 0.0})
    assert servers.look()["step"] == "leaves"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param("unreachable", id="the other one cannot be asked"),
        pytest.param("announced", id="the other one is interrupted, too"),
    ],
)
def test_server_stays_if_another_one_is_not_known_to_be_ready(servers: Servers, trouble: str) -> None:
    """But not for an interruption, which comes in two minutes in any case."""
    if trouble == "unreachable":
        (servers.cluster.sandbox.folder / "node2" / "unreachable").touch()
    else:
        servers.announce(server="node2", seconds=60)
        servers.look(server="node2")
    servers.announce(seconds=60)
    assert servers.look()["step"] == "stays"
    assert servers.number() is None
    servers.announce("interruption")
    assert (servers.look()["step"], servers.number()) == ("leaves", FAULT)


# -- silence, and other trouble ----------------------------------------------------------------------------------

SILENCES: dict[str, dict[str, Any]] = {
    "refuse": {},
    "reset": {},
    "garble": {},
    "empty": {},
    "error": {"status": 500},
    "hop-limit": {},
    "silent": {},
}


@pytest.mark.parametrize("effect", SILENCES)
def test_silence_makes_a_server_neither_leave_nor_come_back(servers: Servers, effect: str) -> None:
    """It is said the third time, and once; a calm time begins anew after it."""
    hurry = {"AWSCLI_CONNECT_TIMEOUT": "1"} if effect in ("silent", "hop-limit") else {}
    servers.announce(seconds=60)
    servers.look()
    servers.cluster.act("node1", "remove")
    servers.look()
    servers.cluster.sandbox.clear()
    servers.look()
    servers.cluster.sandbox.fault(effect, service="imds", server="node1", **SILENCES[effect])
    for _ in range(4):
        told = servers.look(EC2_NOTICE_CALM="0", **hurry)
        assert told["step"] == "not known, nothing is changed"
    assert servers.number() == LOWEST
    servers.cluster.sandbox.clear()
    assert servers.look()["step"] == "waits before it comes back"
    note = StateFile(str(servers.path() / "notices.json")).read() or {}
    assert note["calm_since"] == note["looked_at"]
    assert servers.codes() == [620470, 620471, 620473, 620478]


def test_silence_of_one_item_hides_no_interruption(servers: Servers) -> None:
    """Each is asked for by itself."""
    servers.cluster.sandbox.fault("garble", service="imds", server="node1", operation="*/scheduled")
    assert servers.look()["step"] == "not known, nothing is changed"
    servers.announce("interruption")
    assert (servers.look()["step"], servers.number()) == ("leaves", FAULT)


def test_dry_run_says_what_would_be_done_and_does_nothing(servers: Servers) -> None:
    """No file, no note, no line."""
    servers.announce(seconds=60)
    before = servers.cluster.log("node1")
    done = ec2kit(servers.cluster, "node1", "notices", "--framework", "keepalived", "--dry-run")
    assert done.stdout.startswith("node1  keepalived  would do: leaves\n  system-reboot (instance-event-0")
    assert (servers.number(), servers.cluster.log("node1")) == (None, before)
    assert not (servers.path() / "notices.json").exists()


@pytest.mark.parametrize(
    "note",
    [
        pytest.param('{"version": 1, "boot": "another", "is_away": false}', id="of another boot"),
        pytest.param("{", id="cut"),
        pytest.param('{"version": 1}', id="empty"),
    ],
)
def test_note_that_does_not_count_is_made_anew_by_what_keepalived_reads(servers: Servers, note: str) -> None:
    """This server comes back although nothing says any more that it left."""
    servers.path().mkdir(exist_ok=True)
    servers.path().chmod(0o700)
    (servers.path() / "notices.json").write_text(note)
    servers.path().with_name("run.leave").write_text(FAULT)
    assert servers.look()["step"] == "waits before it comes back"
    assert (servers.look(EC2_NOTICE_CALM="0")["step"], servers.number()) == ("comes back", HERE)


def test_file_that_nothing_follows_is_warned_of(servers: Servers) -> None:
    """The resource is still in service here although keepalived should be in FAULT."""
    servers.announce(seconds=60)
    assert servers.look()["complaint"] == ""
    for _ in range(2):
        assert "does keepalived track" in servers.look()["complaint"]
    assert servers.codes() == [620470, 620471, 620477]


def test_server_leaves_although_nothing_can_be_noted(servers: Servers) -> None:
    """Others can write the folder of notes and locks, so that it is not used: ERROR, and the server leaves."""
    servers.announce(seconds=60)
    servers.path().chmod(0o777)
    assert (servers.look()["step"], servers.number()) == ("leaves", FAULT)
    assert set(servers.codes()) > {620470, 620471}


def test_file_that_cannot_be_written_is_an_error_and_tried_again(servers: Servers) -> None:
    """The status is 1, so that the unit fails; the reason is said once."""
    servers.announce(seconds=60)
    place = servers.path().with_name("run.leave")
    place.mkdir()
    for _ in range(2):
        assert servers.look(status=1)["trouble"] is not None
    assert servers.codes() == [620470, 620476]
    place.rmdir()
    assert (servers.look()["step"], servers.number()) == ("leaves", FAULT)


def test_pacemaker_that_does_not_run_is_an_error_only_if_it_matters(servers: Servers) -> None:
    """Nothing is announced: nothing is wrong. Something is: the unit fails."""
    words = ("--framework", "pacemaker")
    settings = {"PATH": str(servers.path().parent / "bin")}
    assert servers.look(*words, **settings)["step"] == "nothing to do"
    servers.announce(seconds=60)
    assert servers.look(*words, status=1, **settings)["step"] == "not known, nothing is changed"
    assert servers.codes() == [620470, 620476]


def test_lifekeeper_that_is_not_there_is_a_usage_error(servers: Servers) -> None:
    """No guess is made."""
    done = ec2kit(servers.cluster, "node1", "notices", "--framework", "lifekeeper")
    assert (done.status, "not installed in LifeKeeper" in done.stderr) == (2, True)


def test_units_in_etc_run_the_command() -> None:
    """By the place of the documented installation, and often enough for an interruption in two minutes."""
    units = Path(__file__).parents[2] / "etc" / "systemd"
    assert "ExecStart=/opt/ec2kit/bin/ec2kit notices\n" in (units / "ec2kit-notices.service").read_text()
    assert "OnUnitInactiveSec=15s\n" in (units / "ec2kit-notices.timer").read_text()
