"""`ec2kit install --ocf` and `ec2kit uninstall --ocf`, as commands, where Pacemaker looks for agents."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ec2kit.frameworks.pacemaker.layout import AGENTS

from ..actions.cluster import Cluster
from ..ocf.resource import NOT_RUNNING, SUCCESS, VirtualIp, variables
from ..one_sandbox import OneSandbox
from .commands import EC2KIT, WEAK, Done, call, ec2kit, envelope, gone, told
from .snapshot import contents, snapshot

ROUTE_TABLE, ELASTIC_IP, AWSEIP = (f"resource.d/ec2kit/{name}" for name in ("route-table", "elastic-ip", "awseip"))
LAUNCHER, GUARD, MANIFEST = (f"lib/ec2kit/{name}" for name in ("launch", "agent", "ec2kit.json"))
ALL = {*AGENTS, LAUNCHER, GUARD}


@pytest.fixture
def ocf_root(tmp_path: Path) -> Path:
    """$OCF_ROOT with the agents of others, in a folder whose name a shell could misunderstand."""
    root = tmp_path / 'o\'cf "$HOME"'
    for place in ("resource.d/heartbeat/IPaddr2", "lib/heartbeat/ocf-shellfuncs"):
        (root / place).parent.mkdir(parents=True)
        (root / place).write_text(f"their {place}\n")
    return root


@pytest.fixture
def foreign(ocf_root: Path) -> Path:
    """The same with a provider of ours made by hand: an agent, a link to one, and a file that is in nobody's way."""
    (ocf_root / "resource.d/ec2kit").mkdir()
    for place in (ROUTE_TABLE, "resource.d/ec2kit/other"):
        (ocf_root / place).write_text(f"their {place}\n")
        (ocf_root / place).chmod(0o750)
        os.utime(ocf_root / place, ns=(1, 1_500_000_000_123_456_789))
    (ocf_root / AWSEIP).symlink_to("/opt/ec2kit/share/ec2kit/actions/ocf/awseip")
    return ocf_root


def install(root: Path, *words: str, program: Path = EC2KIT) -> Done:
    done = ec2kit("install", "--ocf", "--ocf-root", root, *words, program=program)
    assert done.returncode == 0, done.stderr
    return done


def uninstall(root: Path, program: Path = EC2KIT) -> Done:
    done = ec2kit("uninstall", "--ocf", "--ocf-root", root, program=program)
    assert done.returncode == 0, done.stderr
    return done


# -- what it puts where --------------------------------------------------------------------------------------------


def test_install_puts_agents_and_nothing_else_where_pacemaker_lists_them(ocf_root: Path) -> None:
    """Each file is shown; all can read and run them whatever the umask, as Pacemaker does as hacluster."""
    before = snapshot(ocf_root)
    done = ec2kit("install", "--ocf", "--ocf-root", ocf_root, umask=0o077)
    assert told(done) == dict.fromkeys(ALL, "installed")
    assert done.stdout.splitlines()[-1] == f"{ocf_root}: {len(ALL)} installed; run by {sys.executable}"
    made = {path: str(seen[0]) for path, seen in snapshot(ocf_root).items() if path not in before}
    assert made.keys() == {*ALL, MANIFEST, "lib/ec2kit", "resource.d/ec2kit"}
    assert made.pop(MANIFEST) == "-rw-r--r--"
    assert {mode[1:] for mode in made.values()} == {"rwxr-xr-x"}


def test_install_from_where_only_root_may_read_warns_that_hacluster_cannot_run_the_agents(
    prefix: Path, ocf_root: Path
) -> None:
    """It names what is closed, and nearest to the root; and does its work all the same."""
    prefix.parent.parent.chmod(0o700)
    done = install(ocf_root, program=prefix / "bin" / "ec2kit")
    (line,) = done.stderr.splitlines()
    assert "hacluster cannot run the agents" in line
    closed = next(each for each in [*reversed(prefix.parents), prefix] if not each.stat().st_mode & 0o001)
    assert str(closed) in re.split(", | ", line.rpartition("access to ")[2])


def test_install_again_changes_nothing_and_from_another_environment_the_launcher(
    prefix: Path, ocf_root: Path
) -> None:
    """Only the launcher names Python; what is missing is there again."""
    install(ocf_root)
    before = snapshot(ocf_root)
    assert set(told(install(ocf_root)).values()) == {"unchanged"}
    assert snapshot(ocf_root) == before
    (ocf_root / ELASTIC_IP).unlink()
    verbs = told(install(ocf_root, program=prefix / "bin" / "ec2kit"))
    assert (verbs.pop(LAUNCHER), verbs.pop(ELASTIC_IP), {*verbs.values()}) == ("updated", "installed", {"unchanged"})
    assert contents(ocf_root).keys() == before.keys()


def test_uninstall_removes_what_install_put_there_and_leaves_no_folder(ocf_root: Path) -> None:
    """The agents of others are as they were; a second time there is nothing to do."""
    before = snapshot(ocf_root)
    install(ocf_root)
    done = uninstall(ocf_root)
    assert told(done) == dict.fromkeys(ALL, "removed")
    assert done.stdout.splitlines()[-1] == (
        f"{ocf_root}: {len(ALL)} removed; Pacemaker finds no agent ocf:ec2kit there any more"
    )
    assert snapshot(ocf_root) == before
    assert "nothing of ec2kit was there" in uninstall(ocf_root).stdout


def test_install_in_an_empty_root_and_uninstall_leave_it_empty(tmp_path: Path) -> None:
    """resource.d and lib are gone, too, if install made them."""
    install(tmp_path)
    uninstall(tmp_path)
    assert os.listdir(tmp_path) == []


CIBADMIN = """#!/bin/sh
[ "$1 $2" = "--query --xpath" ] || exit 64
cat <<'END'
{stdout}
END
echo "cibadmin: {stderr}" >&2
exit {status}
"""
"""Pacemaker's tool, as it answers to what uninstall asks."""

TWO = """<xpath-query>
  <primitive id="vip" class="ocf" provider="ec2kit" type="route-table">
    <operations><op id="vip-monitor" name="monitor"/></operations>
  </primitive>
  <template id="eips" class="ocf" provider="ec2kit" type="elastic-ip"/>
</xpath-query>"""


def cluster_that_says(folder: Path, *, status: int = 0, stdout: str = "", stderr: str = "") -> dict[str, str]:
    """The environment of a server whose Pacemaker answers so."""
    (folder / "bin").mkdir()
    (folder / "bin/cibadmin").write_text(CIBADMIN.format(stdout=stdout, stderr=stderr, status=status))
    (folder / "bin/cibadmin").chmod(0o755)
    return {"PATH": f"{folder}/bin:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        ({"stdout": TWO}, "there are resources: vip, eips"),
        (
            {"status": 1, "stderr": "Permission denied"},
            "cannot be listed: `cibadmin` failed: cibadmin: Permission denied",
        ),
        ({"status": 0, "stdout": "all is well"}, "cannot be listed: `cibadmin` failed: no answer in XML"),
    ],
    ids=["resources", "no-answer", "rubbish"],
)
def test_uninstall_is_refused_while_the_cluster_has_resources_or_does_not_tell(
    cluster: dict[str, Any], reason: str, ocf_root: Path, tmp_path: Path
) -> None:
    """Without its agent Pacemaker could not even stop a resource; --force does it."""
    install(ocf_root)
    before = snapshot(ocf_root)
    environment = cluster_that_says(tmp_path, **cluster)
    done = ec2kit("uninstall", "--ocf", "--ocf-root", ocf_root, **environment)
    assert done.returncode == 1
    assert f"ec2kit stays in {ocf_root}: " in done.stderr
    assert reason in done.stderr
    assert snapshot(ocf_root) == before
    forced = ec2kit("uninstall", "--ocf", "--ocf-root", ocf_root, "--force", **environment)
    assert told(forced) == dict.fromkeys(ALL, "removed")


@pytest.mark.parametrize("status", [105, 102], ids=["no-resources", "not-running"])
def test_uninstall_goes_on_where_the_cluster_has_no_resources_or_does_not_run(
    status: int, ocf_root: Path, tmp_path: Path
) -> None:
    """Pacemaker calls no agent there."""
    install(ocf_root)
    environment = cluster_that_says(tmp_path, status=status, stderr="No such device or address")
    done = ec2kit("uninstall", "--ocf", "--ocf-root", ocf_root, **environment)
    assert (done.returncode, told(done)) == (0, dict.fromkeys(ALL, "removed"))


def test_both_frameworks_trees_are_independent(ocf_root: Path, tmp_path: Path) -> None:
    """A server may have both; taking the kit out of one leaves the other."""
    lkroot = tmp_path / "LifeKeeper"
    lkroot.mkdir()
    assert ec2kit("install", "--lkroot", lkroot).returncode == 0
    before = snapshot(lkroot)
    install(ocf_root)
    uninstall(ocf_root)
    assert snapshot(lkroot) == before


def test_what_was_installed_stands_in_the_log(ocf_root: Path, tmp_path: Path) -> None:
    """Whoever looks for it later finds when, where and from what."""
    log = tmp_path / "ec2kit.log"
    ec2kit("install", "--ocf", "--ocf-root", ocf_root, EC2KIT_LOG_FILE=str(log))
    assert (
        f"NOTIFY:ec2kit:install::620701:ec2kit is installed in {ocf_root}: {len(ALL)} installed; run by"
        in log.read_text()
    )


# -- whose tree ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize("words", [["--ocf"], ["--ocf-root", "/nowhere/ocf"]], ids=["ocf", "ocf-root"])
def test_the_folders_of_two_frameworks_at_once_are_refused(command: str, words: list[str], tmp_path: Path) -> None:
    """Whoever says both gets neither."""
    done = ec2kit(command, "--lkroot", tmp_path, *words)
    assert done.returncode == 2
    assert "--lkroot is for LifeKeeper, --ocf and --ocf-root are for Pacemaker: one at a time" in done.stderr
    assert os.listdir(tmp_path) == []


def test_the_root_comes_from_the_option_or_else_from_ocf_root(ocf_root: Path, tmp_path: Path) -> None:
    """--ocf-root needs no --ocf; OCF_ROOT alone chooses no framework."""
    (tmp_path / "other").mkdir()
    environment = {"OCF_ROOT": str(ocf_root)}
    assert ec2kit("install", "--ocf", **environment).returncode == 0
    assert (ocf_root / ROUTE_TABLE).exists()
    assert ec2kit("install", "--ocf-root", tmp_path / "other", **environment).returncode == 0
    assert (tmp_path / "other" / ROUTE_TABLE).exists()
    assert ec2kit("install", LKROOT="/nowhere/LifeKeeper", **environment).returncode == 1


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_without_a_framework_neither_named_nor_there_both_folders_are_told(command: str) -> None:
    """Whoever forgot --ocf reads it."""
    done = ec2kit(command, LKROOT="/nowhere/LifeKeeper", OCF_ROOT="/nowhere/ocf")
    assert done.returncode == 1
    assert (
        "LifeKeeper is not in /nowhere/LifeKeeper, and --ocf, for Pacemaker in /nowhere/ocf, was not given"
        in done.stderr
    )
    assert len(done.stderr.splitlines()) == 1


# -- what is not ours ----------------------------------------------------------------------------------------------


def test_a_foreign_agent_is_refused_by_name_and_nothing_is_changed(foreign: Path) -> None:
    """A script, and a link that somebody made to the very kit."""
    before = snapshot(foreign)
    done = ec2kit("install", "--ocf", "--ocf-root", foreign, "--json")
    assert (done.returncode, envelope(done)["error"]["code"]) == (1, 620705)
    assert f"not ec2kit's: {ROUTE_TABLE}, {AWSEIP}" in envelope(done)["error"]["text"]
    assert snapshot(foreign) == before


def test_replace_keeps_a_foreign_agent_out_of_pacemakers_sight_and_uninstall_puts_it_back(foreign: Path) -> None:
    """Contents, modes, times and links; a second --replace changes nothing."""
    before = snapshot(foreign)
    answer = envelope(install(foreign, "--replace", "--json"))
    assert (answer["action"], answer["success"], answer["ocf_root"]) == ("install", True, str(foreign))
    backups = {each["path"]: each["backup"] for each in answer["files"] if "backup" in each}
    assert backups.keys() == {ROUTE_TABLE, AWSEIP}
    assert (foreign / backups[ROUTE_TABLE]).read_text() == f"their {ROUTE_TABLE}\n"
    listed = set(os.listdir(foreign / "resource.d/ec2kit"))
    assert listed == {*AGENTS.values(), "other"}
    assert set(told(install(foreign, "--replace")).values()) == {"unchanged"}
    assert f"restored   {ROUTE_TABLE}" in uninstall(foreign).stdout
    assert snapshot(foreign) == before


def test_uninstall_leaves_an_agent_that_was_edited_and_goes_on_when_it_is_moved_away(ocf_root: Path) -> None:
    """It is named and stays, the rest is gone; then nothing is left."""
    before = snapshot(ocf_root)
    install(ocf_root)
    (ocf_root / ROUTE_TABLE).write_text("edited\n")
    done = ec2kit("uninstall", "--ocf", "--ocf-root", ocf_root)
    assert (done.returncode, f"left       {ROUTE_TABLE}" in done.stdout, "620703" in done.stderr) == (1, True, True)
    assert {path for path in ALL if (ocf_root / path).exists()} == {ROUTE_TABLE}
    (ocf_root / ROUTE_TABLE).unlink()
    uninstall(ocf_root)
    assert snapshot(ocf_root) == before


def test_install_stopped_in_the_middle_goes_on_when_it_is_run_again(ocf_root: Path) -> None:
    """What was done is known: the next run does the rest, and uninstall leaves nothing."""
    (ocf_root / "resource.d/ec2kit").mkdir(mode=0o755)
    before = snapshot(ocf_root)
    (ocf_root / "resource.d/ec2kit").chmod(0o555)
    done = ec2kit("install", "--ocf", "--ocf-root", ocf_root, through=WEAK)
    assert done.returncode == 1
    assert "resource.d/ec2kit/route-table cannot be used: Permission denied" in done.stderr
    (ocf_root / "resource.d/ec2kit").chmod(0o755)
    verbs = told(install(ocf_root))
    assert (verbs[LAUNCHER], verbs[GUARD], verbs[ROUTE_TABLE]) == ("unchanged", "unchanged", "installed")
    uninstall(ocf_root)
    assert snapshot(ocf_root) == before


# -- the installed agents ------------------------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """Variables and a folder by which another Python, or nobody's, would be found."""
    (tmp_path / "hostile").mkdir()
    for name in ("ec2kit", "gc", "sitecustomize"):
        (tmp_path / "hostile" / f"{name}.py").write_text("raise SystemExit(7)\n")
    return {
        "PYTHONPATH": str(tmp_path / "hostile"),
        "PYTHONHOME": "/nowhere",
        "PYTHONSTARTUP": str(tmp_path / "hostile" / "ec2kit.py"),
        "PYTHONUSERBASE": str(tmp_path / "hostile"),
    }


@pytest.mark.parametrize("place", AGENTS)
def test_an_installed_agent_tells_its_meta_data_with_any_environment(
    prefix: Path, ocf_root: Path, hostile: dict[str, str], place: str
) -> None:
    """By absolute path, from /, without a single variable, and with those of another Python."""
    install(ocf_root, program=prefix / "bin" / "ec2kit")
    for environment in ({}, hostile):
        done = call(ocf_root / place, "meta-data", **environment)
        assert done.returncode == SUCCESS, done.stderr
        assert f'<resource-agent name="{AGENTS[place]}"' in done.stdout


@pytest.fixture
def vip(one_sandbox: OneSandbox) -> VirtualIp:
    """A virtual IP that runs nowhere; its routes point at node1."""
    cluster = Cluster(one_sandbox, size=3)
    cluster.clean()
    return VirtualIp(cluster)


def operate(agent: Path, vip: VirtualIp, operation: str, more: dict[str, str]) -> Done:
    meta = variables(vip.name, vip.parameters, timeout=60_000, interval=10_000)
    return call(agent, operation, **{**vip.cluster.environment("node2"), **meta, **more})


def test_an_installed_agent_starts_monitors_and_stops_with_the_variables_of_another_python(
    prefix: Path, ocf_root: Path, hostile: dict[str, str], vip: VirtualIp
) -> None:
    """It does what the kit's own does; the environment that it was installed from does it."""
    install(ocf_root, program=prefix / "bin" / "ec2kit")
    agent = ocf_root / ROUTE_TABLE
    assert operate(agent, vip, "monitor", hostile).returncode == NOT_RUNNING
    started = operate(agent, vip, "start", hostile)
    assert started.returncode == SUCCESS, started.stderr
    assert vip.is_on("node2")
    assert operate(agent, vip, "monitor", hostile).returncode == SUCCESS
    assert operate(agent, vip, "stop", hostile).returncode == SUCCESS
    assert operate(agent, vip, "monitor", hostile).returncode == NOT_RUNNING


def test_an_installed_agent_whose_environment_is_gone_is_no_verdict(
    prefix: Path, ocf_root: Path, vip: VirtualIp
) -> None:
    """Where the resource runs monitor goes on to succeed; and whoever uninstalls needs no such Python."""
    before = snapshot(ocf_root)
    install(ocf_root, program=prefix / "bin" / "ec2kit")
    assert operate(ocf_root / ROUTE_TABLE, vip, "start", {}).returncode == SUCCESS
    with gone(prefix / "bin"):
        done = operate(ocf_root / ROUTE_TABLE, vip, "monitor", {})
    assert done.returncode == SUCCESS
    assert "ec2kit is not installed" in done.stderr
    assert operate(ocf_root / ROUTE_TABLE, vip, "stop", {}).returncode == SUCCESS
    uninstall(ocf_root)
    assert snapshot(ocf_root) == before


def test_agents_are_put_there_after_what_they_call(ocf_root: Path) -> None:
    """No agent can be called before it could work."""
    done = install(ocf_root)
    order = [line.split()[-1] for line in done.stdout.splitlines()[:-1]]
    assert order == [LAUNCHER, GUARD, *AGENTS]
