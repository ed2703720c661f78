"""The stage on which the soak plays, with every kind of address."""

from __future__ import annotations

from pathlib import Path

from ec2kit.sandbox.client import started

from ..builders import OBJECTS
from .kind import KINDS
from .stage import NODES, TABLES, ZONES, Stage
from .truth import things


def test_the_stage_is_laid_in_a_sandbox_as_strict_as_ec2(tmp_path: Path) -> None:
    """The soak runs for minutes and in no other test, so what EC2 refuses of its beginning is seen here."""
    with started(tmp_path / "sandbox", nodes=len(NODES), tables=TABLES, zones=ZONES) as sandbox:
        stage = Stage(sandbox)
        assert len(stage.resources) == sum(each.count for each in KINDS.values())
        assert {*stage.first.values()} == {NODES[0], "nothing"}  # the Elastic IPs are on no server yet
        for each in stage.resources.values():
            stage.outside_hand(each)
        assert NODES[0] not in {stage.now()[things(each, stage.tables)[0]] for each in stage.resources.values()}
        assert stage.not_ours() == stage.others
    assert {*KINDS} == {*OBJECTS}
