"""The stage on which the soak plays."""

from __future__ import annotations

from pathlib import Path

from ec2kit.sandbox.client import started

from .stage import ELASTIC_IPS, NODES, TABLES, VIRTUAL_IPS, Stage


def test_the_stage_is_laid_in_a_sandbox_as_strict_as_ec2(tmp_path: Path) -> None:
    """The soak runs for minutes and in no other test, so what EC2 refuses of its beginning is seen here."""
    with started(tmp_path / "sandbox", nodes=len(NODES), tables=TABLES) as sandbox:
        assert len(Stage(sandbox).resources) == VIRTUAL_IPS + ELASTIC_IPS
