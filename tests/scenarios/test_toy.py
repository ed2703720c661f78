"""A third scenario, known by one line in the table and nothing else, is led through its life by the real programs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ec2kit.actions.dialogue import Offers, hold, questions
from ec2kit.actions.wish import wish_of
from ec2kit.frameworks.lifekeeper.registry import from_info, to_info
from ec2kit.frameworks.pacemaker.ocf import SPOKEN
from ec2kit.scenarios.scenario import Making, Scenario
from ec2kit.scenarios.table import TABLE, Entry
from ec2kit.status import Wanted

from ..actions.cluster import Cluster, Done, finished
from ..builders import ENI_A, ENI_B, a_resource, a_server
from ..frameworks.test_dialogue import Typist
from ..one_sandbox import OneSandbox
from . import toy
from .test_scenario import lacks

TAG, SUBNET = "ec2-subnet", "198.51.100.0/24"

NO = 101
"""What quickCheck says to the script around it, when the answer is no."""

LINE = Entry("tests.scenarios.toy", agents=("subnet-route",))
"""All that makes the kind known."""

_PROGRAM = f"""\
#!{sys.executable} -I
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from ec2kit.scenarios.table import TABLE, Entry
TABLE["subnet-route"] = Entry({LINE.module!r}, agents={LINE.agents!r})
"""
_SCRIPT = _PROGRAM + "from ec2kit.frameworks.lifekeeper import scripts; scripts.main(sys.argv[1:])\n"
_CLI = _PROGRAM + "from ec2kit import cli; cli.main()\n"
_AGENT = _PROGRAM + "from ec2kit.frameworks.pacemaker import ocf; ocf.main(sys.argv[1:])\n"

_REMOTE = """\
#!/bin/sh
# remote SERVER COMMANDLINE: as the sandbox's, but what is called there knows the third scenario.
. "{folder}/$1.env"
shift
export EC2_REMOTE_COMMAND="{remote}"
command="$*"
exec sh -c "{cli} ${{command#* }}"
"""


class Toy:
    """Two servers on the sandbox whose programs know the third scenario."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder
        self.table = cluster.tables[0]
        self.parked = cluster.eni("node2", "eth0")
        for name, text in (("script", _SCRIPT), ("ec2kit", _CLI), ("agent", _AGENT)):
            self._program(name, text)
        places = {"folder": cluster.sandbox.folder, "remote": folder / "remote", "cli": folder / "ec2kit"}
        self._program("remote", _REMOTE.format(**places))
        block = {"RouteTableId": self.table, "DestinationCidrBlock": SUBNET}
        cluster.aws.create_route(**block, NetworkInterfaceId=self.parked)

    def _program(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)
        (self._folder / name).chmod(0o700)

    def run(self, server: str, program: str, *words: str, **settings: str) -> Done:
        remote = {"EC2_REMOTE_COMMAND": shlex.quote(str(self._folder / "remote"))}
        with subprocess.Popen(
            [self._folder / program, *words],
            env=self.cluster.environment(server, **remote, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            return finished(process)

    def act(self, server: str, action: str, *words: str, **settings: str) -> Done:
        return self.run(server, "script", action, "-t", TAG, *words, **settings)

    def create(self) -> Done:
        words = ["--type", "subnet-route", "--subnet", SUBNET, "--table", self.table, "--parked-at", self.parked]
        return self.act("node1", "create", *words, "--interface", "eth1")

    def with_resource(self) -> Toy:
        """The resource on both servers, in service on node1."""
        for done in (self.create(), self.run("node2", "script", "extend", "node1", TAG)):
            assert done.status == 0, done.stderr
        return self

    def asked(self, server: str, *words: str) -> Any:
        return json.loads(self.run(server, "ec2kit", *words, "--json").stdout)

    @property
    def holder(self) -> str:
        """The server that the route points at, else the ENI."""
        return self.cluster.server_of(self.cluster.routes()[self.table, SUBNET])


@pytest.fixture
def a_toy(one_sandbox: OneSandbox, tmp_path: Path) -> Toy:
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return Toy(cluster, tmp_path)


# -- its life ----------------------------------------------------------------------------------------------------


def test_the_third_scenario_is_created_extended_moved_and_deleted(a_toy: Toy) -> None:
    """Create, extend, quickCheck, restore, a late remove, remove and delete do with it what they always do."""
    a_toy.with_resource()
    assert a_toy.holder == "node1"
    assert [a_toy.act(name, "quickCheck").status for name in ("node1", "node2")] == [0, NO]
    assert a_toy.act("node2", "restore").status == 0
    assert a_toy.holder == "node2"
    assert a_toy.act("node1", "remove").status == 0
    assert a_toy.holder == "node2"
    assert a_toy.act("node2", "remove").status == 0
    assert a_toy.holder == a_toy.parked
    assert a_toy.act("node1", "delete").status == 0
    assert [a_toy.asked(name, "status")["resources"] for name in ("node1", "node2")] == [[], []]


def test_the_third_scenario_is_recovered_only_where_it_is_in_service(a_toy: Toy) -> None:
    """Drift is put right by the server that has it, and by no other."""
    a_toy.with_resource()
    a_toy.cluster.point(a_toy.table, a_toy.parked, SUBNET)
    assert a_toy.act("node2", "recover").status == 1
    assert a_toy.holder == a_toy.parked
    assert a_toy.act("node1", "recover").status == 0
    assert a_toy.holder == "node1"


def test_the_third_scenario_makes_its_own_checks_beside_the_common_ones(a_toy: Toy) -> None:
    """Its own are made; zones do not matter to it; and of what cannot be asked the person has to make sure."""
    said = a_toy.create().stderr + a_toy.run("node2", "script", "extend", "node1", TAG).stderr
    assert f"subnet route: {SUBNET} points at" in said
    assert f"toy's interface: {a_toy.cluster.eni('node2')} was looked at" in said
    assert "permission route53:ChangeResourceRecordSets: could not look: it cannot be tested" in said
    assert "region and vpc" in said
    assert "availability zones" not in said


def test_the_third_scenario_is_undone_where_it_cannot_be_created(a_toy: Toy) -> None:
    """What failed leaves nothing in the registry, and the route where it was."""
    a_toy.cluster.sandbox.fault("error", server="node1", operation="ReplaceRoute", status=400, code="Odd")
    done = a_toy.create()
    assert (done.status, a_toy.holder) == (1, a_toy.parked)
    assert f"create of {TAG} is undone" in done.stderr
    assert a_toy.asked("node1", "status")["resources"] == []


def test_the_third_scenario_is_refused_what_others_need(a_toy: Toy) -> None:
    """An option of another kind is too much, and one of its own must not be missing."""
    words = ["--type", "subnet-route", "--subnet", SUBNET, "--interface", "eth1"]
    assert (
        "vip: a subnet-route resource has none" in a_toy.act("node1", "create", *words, "--vip", "10.1.0.10").stderr
    )
    assert "a subnet-route resource needs --table" in a_toy.act("node1", "create", *words).stderr
    elastic = ["--type", "elastic-ip", "--elastic-ip", "203.0.113.1", "--interface", "eth1"]
    done = a_toy.act("node1", "create", *elastic, "--subnet", SUBNET)
    assert "subnet: an elastic-ip resource has none" in done.stderr


def test_the_third_scenario_is_shown(a_toy: Toy) -> None:
    """Status and properties, for a person and for a program, have what is its own."""
    assert a_toy.create().status == 0
    (told,) = a_toy.asked("node1", "status")["resources"]
    assert (told["scenario"], told["address"], told["status"]) == ("subnet-route", SUBNET, "IN_SERVICE")
    assert (told["route_table_id"], told["parked_at"]) == (a_toy.table, [a_toy.parked])
    assert told["owners"] == {a_toy.table: {"network_interface_id": a_toy.cluster.eni("node1"), "server": "node1"}}
    assert f"on node1: {a_toy.table}" in a_toy.run("node1", "ec2kit", "status", TAG).stdout
    assert f"address     {SUBNET} in {a_toy.table}" in a_toy.run("node1", "ec2kit", "properties", TAG).stdout


def test_the_third_scenarios_checks_share_an_answer(a_toy: Toy) -> None:
    """The second check of a server reads what the first was told."""
    assert a_toy.create().status == 0

    def looks() -> int:
        calls = a_toy.cluster.sandbox.calls()
        return sum(each["operation"] == "DescribeRouteTables" and each["server"] == "node1" for each in calls)

    before = looks()
    for _ in range(2):
        assert a_toy.act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="600").status == 0
    assert looks() == before + 1


def test_the_third_scenario_is_verified_without_a_ping(a_toy: Toy) -> None:
    """Nothing answers a ping to a subnet: that could not be looked at, and is no failure."""
    a_toy.with_resource()
    told = a_toy.asked("node1", "verify", TAG, "--yes")
    assert (told["success"], a_toy.holder) == (True, "node1")
    pings = [each for each in told["steps"] if each["step"].startswith("ping")]
    assert {each["outcome"] for each in pings} == {"could not look"}


def test_the_third_scenario_runs_under_pacemaker(a_toy: Toy) -> None:
    """Its parameters make the resource, and start, monitor and stop do the same deeds."""
    given = {"subnet": SUBNET, "table": a_toy.table, "parked_at": a_toy.parked, "interface": "eth1"}
    parameters = {f"OCF_RESKEY_{name}": text for name, text in given.items()}

    def operate(name: str) -> int:
        done = a_toy.run("node1", "agent", "subnet-route", name, OCF_RESOURCE_INSTANCE="toy", **parameters)
        return done.status - SPOKEN

    assert operate("start") == 0
    assert (operate("monitor"), a_toy.holder) == (0, "node1")
    assert operate("stop") == 0
    assert (operate("monitor"), a_toy.holder) == (7, a_toy.parked)
    shown = a_toy.run("node1", "agent", "subnet-route", "meta-data").stdout
    assert all(f'<parameter name="{name}"' in shown for name in (*given, "region", "awscli"))


# -- what needs no process ---------------------------------------------------------------------------------------


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "subnet-route", LINE)


def seen(target: str) -> toy.Observed:
    resource = a_resource("subnet-route", address=SUBNET, own=toy.Own("rtb-1", (ENI_B,)))
    return toy.Observed(resource, a_server(), toy.Route(SUBNET, target))


def test_the_third_scenario_has_the_names_of_the_protocol() -> None:
    """It is made of the protocol, and of no more."""
    assert lacks(toy, Scenario) == []
    assert lacks(toy.making(), Making) == []


def test_the_third_scenario_is_undone_to_where_it_was() -> None:
    """What was planned and made is undone to what was before."""
    (moved,) = toy.plan(seen(ENI_B), Wanted.HERE, {}).changes
    (back,) = toy.undo(seen(str(moved.new)), toy.origin(seen(ENI_B))).changes
    assert (moved.new, back.new) == (ENI_A, ENI_B)


@pytest.mark.usefixtures("known")
def test_the_third_scenario_is_kept_by_lifekeeper_with_all_that_is_its_own() -> None:
    """Texts and lists come back from the one line that LifeKeeper keeps."""
    resource = seen(ENI_A).resource._replace(own=toy.Own("rtb-1", (ENI_A, ENI_B)))
    assert from_info(resource.tag, to_info(resource)) == resource


@pytest.mark.usefixtures("known")
def test_the_third_scenario_is_asked_for_in_the_dialogue() -> None:
    """Its questions come when it was chosen, and what was typed is checked at once."""
    typist = Typist("", "", "", "subnet-route", "198.51.100.1/24", SUBNET, "rtb-1", "eni-1", "eth1", "", "yes")
    answers = hold(typist, ["node1"], lambda server: Offers("us-east-1", {"eth1": ""}))
    expected = {"subnet": SUBNET, "table": "rtb-1", "parked_at": "eni-1"}
    assert {name: answers[name] for name in expected} == expected
    assert answers["tag"] == wish_of(scenario="subnet-route", **expected).tag == "ec2-198.51.100.0-24"
    assert len({each.name for each in questions()}) == len(questions())
    assert any("is no block of addresses" in line for line in typist.shown)
