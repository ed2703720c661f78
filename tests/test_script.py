"""The scripts for LifeKeeper's tree, made from the kit's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ec2kit import script
from ec2kit.deadline import Deadline
from ec2kit.errors import KitIncomplete

ACTIONS = Path(__file__).parents[1] / "actions"
SOURCES = {path.name: path.read_text() for path in ACTIONS.iterdir() if path.is_file()}

ODD = """o'dd "pläce" $HOME `x` \\"""
"""A folder's name that a shell could misunderstand."""

LINE = 'launch=$(readlink -f -- "$0") && launch=${launch%/*}/launch\n'

HOOKS = ["restore", "remove", "quickCheck", "recover", "delete"]
PROGRAMS = ["create", "canextend", "extend", "unextend", "delete"]


def write(root: Path, made: dict[str, str]) -> None:
    for place, text in made.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
        (root / place).chmod(0o755)


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env={}, cwd="/", capture_output=True, text=True, check=False, timeout=30)


def telling(path: Path) -> str:
    """A program in the place of Python that tells LKROOT and its arguments, a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "$LKROOT"\nfor each; do echo "$each"; done\n')
    path.chmod(0o755)
    return str(path)


def test_scripts_stand_where_lifekeeper_and_administrators_look_for_them() -> None:
    """Hooks, recovery program, administration programs with their launcher, and the migration; nothing else."""
    places = script.scripts(SOURCES, root="/opt/LifeKeeper", python="/opt/ec2kit/bin/python")
    assert sorted(places) == sorted(
        [f"subsys/comm/resources/ec2/actions/{name}" for name in HOOKS]
        + ["subsys/comm/resources/ec2/recovery/ec2/outOfService"]
        + [f"lkadm/subsys/comm/ec2/bin/{name}" for name in [*PROGRAMS, "launch"]]
        + ["lkadm/bin/aws_iam_migration"]
    )


@pytest.mark.parametrize("place", [*script.HOOKS, *script.PROGRAMS])
def test_a_script_runs_python_with_its_root_its_name_and_its_arguments(tmp_path: Path, place: str) -> None:
    """Whatever the folders are called; and a hook says that LifeKeeper calls, which a program does not."""
    root = tmp_path / ODD
    write(root, script.scripts(SOURCES, root=str(root), python=telling(tmp_path / f"env {ODD}" / "python")))
    told = run(root / place, "-t", "a  b").stdout.splitlines()
    name = script.HOOKS.get(place) or script.PROGRAMS[place]
    hook = ["--hook"] if place in script.HOOKS else []
    assert told[:2] == [str(root), "-I"]
    assert told[-3 - len(hook) :] == [name, *hook, "-t", "a  b"]


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
    write(tmp_path, script.scripts(SOURCES, root=str(tmp_path), python="/nowhere/bin/python"))
    done = run(tmp_path / place, "-t", "x")
    assert done.returncode == status
    assert "ec2kit is not installed: no /nowhere/bin/python (run 'ec2kit install' again" in done.stderr


@pytest.mark.parametrize("place", [*script.HOOKS, *script.PROGRAMS, script.LAUNCHER])
def test_a_script_is_told_from_its_source_by_what_is_replaced_only(place: str) -> None:
    """Everything else, the guard of quickCheck and remove too, is what was tested as the kit's own."""
    name = script.HOOKS.get(place) or script.PROGRAMS.get(place) or "launch"
    made = script.scripts(SOURCES, root="/lk", python="/py")[place].splitlines()
    source = SOURCES[name].splitlines()
    if place == script.LAUNCHER:
        assert made[-7:] == source[-7:]
        return
    changed = [(old, new) for old, new in zip(source, made, strict=True) if old != new]
    assert changed[0] == (LINE.strip(), "launch=/lk/lkadm/subsys/comm/ec2/bin/launch")
    assert [old.replace('"$@"', '--hook "$@"') for old, _ in changed[1:]] == [new for _, new in changed[1:]]
    assert len(changed) == (2 if place in script.HOOKS else 1)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param("restore", "launch=", "start=", id="no line for the launcher"),
        pytest.param("quickCheck", LINE, LINE + LINE, id="two of them"),
        pytest.param("remove", '"$@"', "", id="no arguments"),
        pytest.param("create", 'exec "$launch"', 'true "$@"; exec "$launch"', id="arguments twice"),
        pytest.param("launch", "# Up to here", "#", id="no seam in the launcher"),
    ],
)
def test_a_source_that_was_edited_is_refused_by_its_name(name: str, old: str, new: str) -> None:
    """What cannot be replaced is not installed as it is."""
    edited = SOURCES[name].replace(old, new)
    with pytest.raises(KitIncomplete, match=f"actions/{name}: it should have this once"):
        script.scripts({**SOURCES, name: edited}, root="/lk", python="/py")


def test_installable_names_the_python_that_was_given_and_not_what_it_leads_to() -> None:
    """A virtual environment's Python is a link; followed, it would no longer find the kit."""
    made = script.installable("/lk", python=sys.executable, deadline=Deadline(30))
    assert f"python={sys.executable}\n" in made[script.LAUNCHER]


def test_installable_with_a_python_that_does_not_find_the_kit_is_refused(tmp_path: Path) -> None:
    """Hooks that could never run are not installed."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(KitIncomplete, match="does not find ec2kit"):
        script.installable("/lk", python=str(python), deadline=Deadline(30))
