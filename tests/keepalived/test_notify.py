"""The notify script and the command line of what keepalived runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ..actions.cluster import ACTIONS, EIP_TAG, VIP_TAG, Cluster
from ..patience import HANGS

VI_1 = f"VI_1={VIP_TAG}"


def test_a_notify_script_does_what_its_words_say(cluster: Cluster) -> None:
    """MASTER brings the address here, BACKUP takes it out of service."""
    cluster.with_resource(EIP_TAG)
    for state, holder in (("MASTER", "node2"), ("FAULT", None)):
        done = cluster.run("node2", "keepalived", "notify", f"VI_1={EIP_TAG}", "INSTANCE", "VI_1", state, "100")
        assert done.status == 0, done.stderr
        assert cluster.address_holder() == holder


def test_a_deed_that_fails_is_a_failure_that_names_it(cluster: Cluster) -> None:
    """The log says which action of which tag."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", operation="ReplaceRoute")
    done = cluster.run("node2", "keepalived", "notify", VI_1, "INSTANCE", "VI_1", "MASTER", "100")
    assert done.status == 1
    assert f"restore of {VIP_TAG} ended with status 1" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["nonsense"], id="another word"),
        pytest.param(["fifo", "/run/fifo"], id="no instance"),
        pytest.param(["fifo", "VI_1", "/run/fifo"], id="no tag"),
        pytest.param(["notify", VI_1, "INSTANCE", "VI_1"], id="no state"),
        pytest.param(["notify", VI_1, "INSTANCE", "VI_1", "MASTEER", "1"], id="no state of keepalived's"),
        pytest.param(["check"], id="no tag to check"),
    ],
)
def test_a_command_line_that_is_none_is_told_as_usage(cluster: Cluster, words: list[str]) -> None:
    """2, and one line that says what can be said; nothing is done."""
    assert cluster.run("node1", "keepalived", *words).status == 2


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param([f"VI_1={VIP_TAG}", f"G1={EIP_TAG},{VIP_TAG}"], "VI_1 and G1", id="two names"),
        pytest.param([f"VI_1={VIP_TAG},{VIP_TAG}"], "VI_1 twice", id="twice in one word"),
        pytest.param([f"VI_1={VIP_TAG}", f"VI_1={VIP_TAG}"], "VI_1 twice", id="twice in two words"),
    ],
)
def test_a_tag_belongs_to_one_name(cluster: Cluster, words: list[str], names: str) -> None:
    """A MASTER of one name and a BACKUP of the other one would restore and remove it at once."""
    for program in (["fifo", *words, "/run/fifo"], ["notify", *words, "INSTANCE", "VI_1", "MASTER", "100"]):
        done = cluster.run("node1", "keepalived", *program)
        assert done.status == 2
        assert f"{VIP_TAG} belongs to {names}" in done.stderr


def test_several_words_of_one_name_are_its_tags(cluster: Cluster) -> None:
    """Written in one word or in two."""
    cluster.with_resource(EIP_TAG).with_resource()
    words = ["notify", VI_1, f"VI_1={EIP_TAG}", "INSTANCE", "VI_1", "MASTER", "100"]
    assert cluster.run("node2", "keepalived", *words).status == 0
    assert (cluster.address_holder(), cluster.holders()) == ("node2", ["node2"] * 3)


def test_program_behind_a_link_works_without_the_variables_that_keepalived_takes_away(
    cluster: Cluster, tmp_path: Path
) -> None:
    """keepalived 2.4 runs its scripts without these, and looks at what a link leads to; so does the script itself."""
    cluster.with_resource()
    link = tmp_path / "keepalived"
    link.symlink_to(ACTIONS / "keepalived")
    environment = cluster.environment("node1")
    for name in ("IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"):
        environment.pop(name, None)
    words = [str(link), "check", "-t", VIP_TAG]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=HANGS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
