"""Who runs an action reads their own language; the log, and whoever has no locale, reads English."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..patience import HANGS
from .cluster import ACTIONS, Cluster

WITHOUT_LOCALE = dict.fromkeys(("LC_ALL", "LC_MESSAGES", "LANG"), "")
JAPANESE = {**WITHOUT_LOCALE, "LANG": "ja_JP.UTF-8"}
KANA = re.compile("[ぁ-ヿ]")


@dataclass(frozen=True)
class Told:
    """What an action said, and to whom."""

    stderr: str
    log: str


def _run(folder: Path, *words: str, **environment: str) -> Told:
    """A script where no resource is and no EC2 is needed."""
    places = {name: str(folder / name) for name in ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR", "EC2KIT_LOG_FILE")}
    given = {**os.environ, **places, "EC2KIT_DEFAULTS": os.devnull, "EC2KIT_SERVER": "node1", **environment}
    done = subprocess.run(
        [str(ACTIONS / words[0]), *words[1:]], env=given, capture_output=True, check=False, timeout=HANGS
    )
    assert done.returncode == 1
    return Told(done.stderr.decode("utf-8"), Path(places["EC2KIT_LOG_FILE"]).read_text(encoding="utf-8"))


def test_a_japanese_watcher_reads_japanese_and_the_log_is_english(tmp_path: Path) -> None:
    """The sentence is in the watcher's language, its code leads to the line in the log."""
    told = _run(tmp_path, "restore", "-t", "../x", **JAPANESE)
    assert told.stderr == (
        "ERROR: '../x' はタグとして使用できません。使用できるのは英数字と '.'、'_'、'-' で、"
        "長さは 1 から 128 文字です [620011]\n"
    )
    assert "ERROR:ec2kit:restore::620011:'../x' is not a tag: letters, digits" in told.log
    assert told.log.isascii()


@pytest.mark.parametrize(
    "locale",
    [
        pytest.param({}, id="none"),
        pytest.param({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, id="C before Japanese"),
        pytest.param({"LANG": "ja_JP.eucJP"}, id="a charset that is not written"),
        pytest.param({"LANG": "fr_FR.UTF-8"}, id="French"),
    ],
)
def test_everybody_else_reads_english(tmp_path: Path, locale: dict[str, str]) -> None:
    """LifeKeeper and cron have no locale of a person; nobody gets what cannot be shown."""
    told = _run(tmp_path, "restore", "-t", "../x", **{**WITHOUT_LOCALE, **locale})
    assert told.stderr.startswith("ERROR: '../x' is not a tag")
    assert told.stderr.isascii()


def test_a_japanese_watcher_reads_why_an_action_failed_in_japanese(cluster: Cluster) -> None:
    """Begin, each table's failure, the end and its reason are told in Japanese; not a word gets into the log."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    done = cluster.act("node2", "restore", **JAPANESE)
    begin, *_, end = done.stderr.splitlines()
    assert done.status == 1
    assert begin == 'node2 で "ec2-vip1" の restore を開始します'
    assert "失敗しました: 6 個のうち 0 個は正常です。正常でないもの: " in end
    assert all(KANA.search(line) for line in done.stderr.splitlines())
    assert done.stderr.count("に対する ReplaceRoute の権限がありません: UnauthorizedOperation") == 6
    assert "END failed restore" in cluster.log("node2")
    assert not KANA.search(cluster.log("node2"))


def test_a_japanese_watcher_reads_why_the_address_is_elsewhere_in_japanese(cluster: Cluster) -> None:
    """A verdict's reason has its own code: in the log, and at the terminal, where its words are the reader's."""
    cluster.with_resource(on="node2")
    done = cluster.act("node1", "quickCheck", **JAPANESE)
    assert done.status == 1
    assert "10.1.0.10/32 は eni-" in done.stderr
    assert done.stderr.endswith(" [620335]\n")
    assert ":620335:10.1.0.10/32 points at eni-" in cluster.log("node1")


def test_a_restore_without_any_route_names_the_code_that_explains_it(cluster: Cluster) -> None:
    """Message 620309 is in the log under its own code, and what a person looks up is not that an action failed."""
    cluster.with_resource()
    for table in cluster.tables:
        cluster.aws.delete_route(RouteTableId=table, DestinationCidrBlock="10.1.0.10/32")
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert done.stderr.endswith(" [620308, 620309]\n")
    assert ":620309:no route table of vpc-" in cluster.log("node2")
