"""What Pacemaker's programs print is understood, in the words of Pacemaker 2.1.5; tests/cluster has the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.engine.leaving import Others
from ec2kit.errors import LocalCommandFailed
from ec2kit.finding import Finding, Outcome
from ec2kit.frameworks.pacemaker import leaving
from ec2kit.frameworks.pacemaker.leaving import Pacemaker
from ec2kit.settings import Settings
from ec2kit.state.note import MARKER, Note

from ...patience import HANGS

GREEN = {"online": "true", "standby": "false", "maintenance": "false", "pending": "false", "health": "green"}


class Programs:
    """Pacemaker's programs on node2, which print what a test wants, and note how they are called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.settings = Settings(path=str(folder), run_dir=str(folder / "run"))
        self.mover = Pacemaker(self.settings, Deadline(HANGS))
        self.prints("crm_node", "node2")

    def prints(self, program: str, text: str, status: int = 0, errors: str = "") -> None:
        calls = self._folder / f"{program}.calls"
        lines = [f'echo "$*" >>{calls}', f"printf %s '{text}'", f"printf %s '{errors}' >&2", f"exit {status}"]
        (self._folder / program).write_text("\n".join(["#!/bin/sh", *lines, ""]))
        (self._folder / program).chmod(0o755)

    def calls(self, program: str) -> list[str]:
        return (self._folder / f"{program}.calls").read_text().splitlines()

    def nodes(self, **nodes: dict[str, str]) -> None:
        """Let crm_mon show these nodes beside this one; without a word of any about a resource."""
        self.prints("attrd_updater", "", 78, "attribute does not exist")
        shown = {"node2": GREEN, **nodes}
        told = "".join(
            f'<node name="{name}" {" ".join(f"""{key}="{value}" """ for key, value in each.items())}/>'
            for name, each in shown.items()
        )
        self.prints("crm_mon", f"<pacemaker-result><nodes>{told}</nodes></pacemaker-result>")


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@pytest.mark.parametrize(
    ("text", "status", "errors", "expected"),
    [
        pytest.param('name="#health-ec2kit" host="node2" value="red"', 0, "", True, id="red"),
        pytest.param('name="#health-ec2kit" host="node2" value=""', 0, "", False, id="deleted"),
        pytest.param(
            "", 78, "Could not query value of #health-ec2kit: attribute does not exist", False, id="never set"
        ),
    ],
)
def test_is_away_by_the_attribute_of_this_node(
    programs: Programs, text: str, status: int, errors: str, expected: bool
) -> None:
    """It is asked for by the node's name, because all nodes are listed otherwise."""
    programs.prints("attrd_updater", text, status, errors)
    assert programs.mover.is_away(is_due=True) is expected
    assert programs.calls("attrd_updater") == ["-n #health-ec2kit -Q -N node2"]


def test_is_away_while_pacemaker_does_not_run_is_not_known(programs: Programs) -> None:
    """Nor is anything else."""
    programs.prints("attrd_updater", "", 102, "Could not connect to the cluster")
    with pytest.raises(LocalCommandFailed, match="exit status 102, Could not connect"):
        programs.mover.is_away(is_due=True)
    programs.prints("crm_mon", "", 102, "crm_mon: Connection to cluster failed")
    others = programs.mover.others()
    assert (others.able, "exit status 102" in others.reason) == (None, True)


@pytest.mark.parametrize(
    ("node", "lacks"),
    [
        pytest.param({**GREEN, "online": "false"}, "node1 is offline", id="offline"),
        pytest.param({**GREEN, "standby": "true"}, "node1 is standby", id="standby"),
        pytest.param({**GREEN, "maintenance": "true"}, "node1 is maintenance", id="maintenance"),
        pytest.param({**GREEN, "pending": "true"}, "node1 is pending", id="pending"),
        pytest.param({**GREEN, "unclean": "true"}, "node1 is unclean", id="unclean"),
    ],
)
def test_others_node_that_takes_nothing_is_not_able(programs: Programs, node: dict[str, str], lacks: str) -> None:
    """One other node that is online and healthy is enough."""
    programs.nodes(node1=node)
    assert programs.mover.others() == Others(able=False, reason=lacks)
    programs.nodes(node1=node, node3=GREEN)
    assert programs.mover.others().able is True


def test_others_of_several_red_nodes_the_first_comes_back(programs: Programs) -> None:
    """Otherwise all would come back, and leave again."""
    red = {**GREEN, "health": "red"}
    programs.nodes(node3=red)
    assert programs.mover.others() == Others(able=False, reason="node3 is red")
    programs.nodes(node1=red)
    assert programs.mover.others() == Others(able=None, reason="node1 is red; node1 decides")
    programs.nodes()
    assert programs.mover.others() == Others(able=False, reason="the cluster has no other node")


def test_others_node_that_could_not_start_what_is_here_is_not_able(programs: Programs) -> None:
    """What it could not start, and is not in service here, does not matter."""
    programs.nodes(node1=GREEN)
    programs.prints("attrd_updater", 'name="ec2kit-not-ready" host="node1" value="eip,vip"')
    assert programs.mover.others().able is True
    Note(programs.settings.run_dir, "vip", MARKER).write({})
    assert programs.mover.others() == Others(able=False, reason="node1 is not ready for vip")


def test_publish_tells_what_failed_here_until_it_is_well_again(programs: Programs) -> None:
    """A resource that is in service here was able to start."""
    run_dir = programs.settings.run_dir
    programs.prints("attrd_updater", "")
    assert programs.mover.publish("") == ""
    failed = Finding("permission ec2:ReplaceRoute", Outcome.FAILED, "denied")
    leaving.note_readiness(run_dir, "vip", [failed])
    leaving.note_readiness(run_dir, "eip", [failed._replace(outcome=Outcome.UNSEEN)])
    assert programs.mover.publish("") == "vip"
    Note(run_dir, "vip", MARKER).write({})
    assert programs.mover.publish("vip") == ""
    assert programs.calls("attrd_updater") == ["-n ec2kit-not-ready -U vip", "-n ec2kit-not-ready -D"]


@pytest.mark.parametrize(
    ("strategy", "complains"), [("none", True), ("progressive", False), ("migrate-on-red", False)]
)
def test_ineffective_without_a_strategy(programs: Programs, strategy: str, complains: bool) -> None:
    """Red moves nothing then."""
    programs.prints("crm_attribute", strategy)
    assert bool(programs.mover.ineffective()) is complains
