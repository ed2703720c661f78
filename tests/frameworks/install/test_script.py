"""The scripts for a framework's tree, made from the kit's own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import OwnTrouble
from ec2kit.frameworks.install import script
from ec2kit.frameworks.install.layout import Layout
from ec2kit.frameworks.lifekeeper import layout as lifekeeper
from ec2kit.frameworks.lifekeeper.layout import LIFEKEEPER
from ec2kit.frameworks.pacemaker import layout as pacemaker
from ec2kit.frameworks.pacemaker.layout import PACEMAKER
from ec2kit.messages import catalogue
from ec2kit.scenarios import table

from ...builders import raises
from ...patience import HANGS

ACTIONS = Path(__file__).parents[3] / "actions"
SOURCES = {str(path.relative_to(ACTIONS)): path.read_text() for path in ACTIONS.rglob("*") if path.is_file()}

ODD = """o'dd "pläce" $HOME `x` \\"""
"""A folder's name that a shell could misunderstand."""

LINE = 'launch=$(readlink -f -- "$0") && launch=${launch%/*}/launch\n'
AGENT_LINE = 'agent=$(readlink -f -- "$0") && agent=${agent%/*/*}/agent\n'

HOOKS = ["restore", "remove", "quickCheck", "recover", "delete"]
PROGRAMS = ["create", "canextend", "extend", "unextend", "delete"]
NAMES_OF_AGENTS = [
    *("route-table", "elastic-ip", "secondary-ip", "dns-record"),
    *("aws-vpc-move-ip", "awseip", "awsvip", "aws-vpc-route53"),
]

each_tree = pytest.mark.parametrize("tree", [LIFEKEEPER, PACEMAKER], ids=["lifekeeper", "pacemaker"])


def write(root: Path, made: dict[str, str]) -> None:
    for place, text in made.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
        (root / place).chmod(0o755)


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=HANGS)


def telling(path: Path) -> str:
    """A program in the place of Python that tells LKROOT and its arguments, a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "$LKROOT"\nfor each; do echo "$each"; done\nexit 100\n')
    path.chmod(0o755)
    return str(path)


def changed(made: str, source: str) -> list[tuple[str, str]]:
    """The lines of a source that are others in what was made of it."""
    return [(old, new) for old, new in zip(source.splitlines(), made.splitlines(), strict=True) if old != new]


# -- where and what ------------------------------------------------------------------------------------------------


def test_scripts_stand_where_lifekeeper_and_administrators_look_for_them() -> None:
    """Hooks, recovery program, administration programs with launcher and guard, and the migration; nothing else."""
    places = script.scripts(LIFEKEEPER, SOURCES, root="/opt/LifeKeeper", python="/opt/ec2kit/bin/python")
    assert sorted(places) == sorted(
        [f"subsys/comm/resources/ec2/actions/{name}" for name in HOOKS]
        + ["subsys/comm/resources/ec2/recovery/ec2/outOfService"]
        + [f"lkadm/subsys/comm/ec2/bin/{name}" for name in [*PROGRAMS, "launch", "guard"]]
        + ["lkadm/bin/aws_iam_migration"]
    )


def test_scripts_stand_where_pacemaker_looks_for_agents_and_nothing_else_does() -> None:
    """Every agent of the kit under the provider ec2kit; what they call lies elsewhere."""
    places = [*script.scripts(PACEMAKER, SOURCES, root="/usr/lib/ocf", python="/opt/ec2kit/bin/python")]
    assert places[:2] == ["lib/ec2kit/launch", "lib/ec2kit/agent"]
    assert sorted(places[2:]) == sorted(f"resource.d/ec2kit/{name}" for name in NAMES_OF_AGENTS)
    assert set(NAMES_OF_AGENTS) == {*table.agents()} == set(os.listdir(ACTIONS / "ocf"))


@pytest.mark.parametrize("place", [*lifekeeper.HOOKS, *lifekeeper.PROGRAMS])
def test_a_script_runs_python_with_its_root_its_name_and_its_arguments(tmp_path: Path, place: str) -> None:
    """Whatever the folders are called; and a hook says that LifeKeeper calls, which a program does not."""
    root = tmp_path / ODD
    python = telling(tmp_path / f"env {ODD}" / "python")
    write(root, script.scripts(LIFEKEEPER, SOURCES, root=str(root), python=python))
    told = run(root / place, "-t", "a  b").stdout.splitlines()
    name = lifekeeper.HOOKS.get(place) or lifekeeper.PROGRAMS[place]
    hook = ["--hook"] if place in lifekeeper.HOOKS else []
    assert told[:2] == [str(root), "-IB"]
    assert told[-3 - len(hook) :] == [name, *hook, "-t", "a  b"]


@pytest.mark.parametrize("place", pacemaker.AGENTS)
def test_an_agent_runs_python_with_its_name_and_the_operation(tmp_path: Path, place: str) -> None:
    """Whatever the folders are called; LKROOT is none of its business; its status is told."""
    root = tmp_path / ODD
    python = telling(tmp_path / f"env {ODD}" / "python")
    write(root, script.scripts(PACEMAKER, SOURCES, root=str(root), python=python))
    done = run(root / place, "a  b")
    told = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert (told[:2], told[-2:]) == (["", "-IB"], [pacemaker.AGENTS[place], "a  b"])
    assert "from ec2kit.frameworks.pacemaker.ocf import main" in done.stdout


# -- trouble -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "status"),
    [
        pytest.param("subsys/comm/resources/ec2/actions/restore", 127, id="restore"),
        pytest.param("subsys/comm/resources/ec2/recovery/ec2/outOfService", 127, id="recover"),
        pytest.param("subsys/comm/resources/ec2/actions/quickCheck", 0, id="quickCheck"),
        pytest.param("subsys/comm/resources/ec2/actions/remove", 0, id="remove"),
        pytest.param("lkadm/subsys/comm/ec2/bin/create", 127, id="create"),
    ],
)
def test_a_script_whose_python_is_gone_says_so_and_only_a_guarded_one_succeeds(
    tmp_path: Path, place: str, status: int
) -> None:
    """A missing interpreter is no verdict, and is never silent."""
    write(tmp_path, script.scripts(LIFEKEEPER, SOURCES, root=str(tmp_path), python="/nowhere/bin/python"))
    done = run(tmp_path / place, "-t", "x")
    assert done.returncode == status
    assert "ec2kit is not installed: no /nowhere/bin/python (run 'ec2kit install' again" in done.stderr


@pytest.mark.parametrize(("operation", "status"), [("monitor", 5), ("start", 5), ("stop", 0)])
def test_an_agent_whose_python_is_gone_says_so_and_that_nothing_runs_here(
    tmp_path: Path, operation: str, status: int
) -> None:
    """Not installed, but nothing that would have to be fenced."""
    write(tmp_path, script.scripts(PACEMAKER, SOURCES, root=str(tmp_path), python="/nowhere/bin/python"))
    done = run(tmp_path / "resource.d/ec2kit/awseip", operation, EC2KIT_RUN_DIR=str(tmp_path), PATH="/usr/bin:/bin")
    assert done.returncode == status
    assert "ec2kit is not installed: no /nowhere/bin/python (run 'ec2kit install --ocf' again" in done.stderr


@pytest.fixture
def without_the_kit(tmp_path: Path) -> str:
    """An environment's Python that finds no ec2kit, as the Python of another version finds none."""
    venv.create(tmp_path / "environment")
    return str(tmp_path / "environment" / "bin" / "python")


@pytest.mark.parametrize(
    ("place", "status"),
    [("subsys/comm/resources/ec2/actions/restore", 127), ("subsys/comm/resources/ec2/actions/quickCheck", 0)],
)
def test_a_script_whose_python_has_lost_ec2kit_says_what_to_do(
    tmp_path: Path, without_the_kit: str, place: str, status: int
) -> None:
    """After an upgrade of the distribution the environment's Python is another one, and finds nothing there."""
    write(tmp_path, script.scripts(LIFEKEEPER, SOURCES, root=str(tmp_path), python=without_the_kit))
    done = run(tmp_path / place, "-t", "x")
    assert done.returncode == status
    assert f"{without_the_kit} does not find ec2kit: it is another version than before" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("operation", "status"), [("monitor", 5), ("start", 5), ("stop", 0)])
def test_an_agent_whose_python_has_lost_ec2kit_is_not_installed(
    tmp_path: Path, without_the_kit: str, operation: str, status: int
) -> None:
    """Pacemaker runs the resource on another server at once, and fences nobody where nothing was started."""
    write(tmp_path, script.scripts(PACEMAKER, SOURCES, root=str(tmp_path), python=without_the_kit))
    done = run(tmp_path / "resource.d/ec2kit/awseip", operation, EC2KIT_RUN_DIR=str(tmp_path), PATH="/usr/bin:/bin")
    assert done.returncode == status
    assert f"{without_the_kit} does not find ec2kit" in done.stderr


@each_tree
def test_a_script_is_told_from_its_source_by_what_is_replaced_only(tree: Layout) -> None:
    """Everything else, the guards too, is what was tested as the kit's own."""
    made = script.scripts(tree, SOURCES, root="/tree", python="/py")
    assert made.pop(tree.launcher).splitlines()[-7:] == SOURCES["launch"].splitlines()[-7:]
    for place, text in made.items():
        its = tree.scripts[place]
        if not its.calls:
            assert text == SOURCES[its.source]
            continue
        (line, call), *more = changed(text, SOURCES[its.source])
        assert line + "\n" in (LINE, AGENT_LINE)
        assert call == f"{line.partition('=')[0]}=/tree/{its.calls}"
        assert [new for _, new in more] == [old.replace('"$@"', '--hook "$@"') for old, _ in more]
        assert len(more) == (1 if place in lifekeeper.HOOKS else 0)


@pytest.mark.parametrize(
    ("tree", "name", "old", "new"),
    [
        pytest.param(LIFEKEEPER, "restore", "launch=", "start=", id="no line for the launcher"),
        pytest.param(LIFEKEEPER, "quickCheck", LINE, LINE + LINE, id="two of them"),
        pytest.param(LIFEKEEPER, "remove", '"$@"', "", id="no arguments"),
        pytest.param(LIFEKEEPER, "create", 'exec "$launch"', 'true "$@"; exec "$launch"', id="arguments twice"),
        pytest.param(LIFEKEEPER, "launch", "# Up to here", "#", id="no seam in the launcher"),
        pytest.param(PACEMAKER, "agent", LINE, "", id="no line for the launcher in the guard"),
        pytest.param(PACEMAKER, "ocf/awseip", AGENT_LINE, LINE, id="no line for the guard"),
    ],
)
def test_a_source_that_was_edited_is_refused_by_its_name(tree: Layout, name: str, old: str, new: str) -> None:
    """What cannot be replaced is not installed as it is."""
    edited = SOURCES[name].replace(old, new)
    with raises(OwnTrouble, catalogue.KIT_INCOMPLETE, match=f"actions/{name}: it should have this once"):
        script.scripts(tree, {**SOURCES, name: edited}, root="/lk", python="/py")


@each_tree
def test_installable_names_the_python_that_was_given_and_not_what_it_leads_to(tree: Layout) -> None:
    """A virtual environment's Python is a link; followed, it would no longer find the kit."""
    made = script.installable(tree, "/lk", python=sys.executable, deadline=Deadline(30))
    assert f"python={sys.executable}\n" in made[tree.launcher]


@each_tree
def test_installable_with_a_python_that_does_not_find_the_kit_is_refused(tmp_path: Path, tree: Layout) -> None:
    """Scripts that could never run are not installed."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with raises(OwnTrouble, catalogue.KIT_INCOMPLETE, match="does not find ec2kit"):
        script.installable(tree, "/lk", python=str(python), deadline=Deadline(30))
