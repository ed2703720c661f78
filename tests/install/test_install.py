"""The kit as pip installs it: the scripts in PREFIX/share/ec2kit find the Python of their own prefix."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

NAMES = [
    "create",
    "extend",
    "unextend",
    "delete",
    "restore",
    "remove",
    "quickCheck",
    "recover",
    "canextend",
    "aws_iam_migration",
    "launch",
    "guard",
    "agent",
    "keepalived",
    "ocf",
    "patroni",
]


def test_the_wheel_brings_scripts_that_can_be_run(prefix: Path) -> None:
    """All actions are there and executable, and so are the samples."""
    actions = prefix / "share" / "ec2kit" / "actions"
    assert sorted(path.name for path in actions.iterdir()) == sorted(NAMES)
    assert all(path.stat().st_mode & 0o111 for path in actions.iterdir())
    assert (prefix / "share" / "ec2kit" / "etc" / "iam-policy.json").exists()


def test_the_wheel_brings_the_cut_model_and_bytecode(prefix: Path) -> None:
    """What makes an action fast is there after pip, before anything has run."""
    (package,) = (prefix / "lib").glob("python3.*/site-packages/ec2kit")
    assert (package / "ec2" / "data" / "endpoints.json").exists()
    assert list((package / "ec2" / "data").glob("ec2/*/service-2.json"))
    assert {path.stem for path in package.glob("*.py")} <= {
        path.name.partition(".")[0] for path in package.glob("__pycache__/*.pyc")
    }


def test_an_installed_action_runs_from_anywhere_with_an_empty_environment(prefix: Path, tmp_path: Path) -> None:
    """By absolute path, from /, without a single variable, PYTHON* or PATH."""
    action = prefix / "share" / "ec2kit" / "actions" / "quickCheck"
    done = subprocess.run([action, "-t", "../x"], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "is not a tag" in done.stderr


def test_an_action_on_a_full_disk_leaves_no_half_bytecode(prefix: Path) -> None:
    """Half a file of bytecode would stop every later action, also when the disk has room again."""
    (package,) = (prefix / "lib").glob("python3.*/site-packages/ec2kit")
    for folder in [*package.rglob("__pycache__")]:
        shutil.rmtree(folder)
    action, command = prefix / "share" / "ec2kit" / "actions" / "restore", prefix / "bin" / "ec2kit"
    try:
        for limit in ("2", "unlimited"):  # blocks of 512 bytes, beyond which no file grows
            full = ["sh", "-c", f'ulimit -f {limit}; exec "$0" "$@"']
            done = subprocess.run([*full, action, "-t", "../x"], env={}, capture_output=True, text=True, check=False)
            assert "is not a tag" in done.stderr
            done = subprocess.run([*full, command, "messages", "620309"], capture_output=True, text=True, check=False)
            assert "no route table" in done.stdout, done.stderr
        assert not [*package.rglob("frameworks/**/*.pyc"), *package.rglob("messages/*.pyc")]
    finally:
        subprocess.run([prefix / "bin" / "python", "-m", "compileall", "-q", package], check=True)


def test_an_installed_action_ignores_the_variables_of_another_python(prefix: Path, tmp_path: Path) -> None:
    """A framework's PYTHONPATH and PYTHONHOME do no harm."""
    (tmp_path / "ec2kit.py").write_text("raise SystemExit(7)\n")
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere", "PATH": "/usr/bin:/bin"}
    action = prefix / "share" / "ec2kit" / "actions" / "restore"
    done = subprocess.run([action], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: restore" in done.stderr


def test_an_installed_action_runs_through_a_symlink(prefix: Path, tmp_path: Path) -> None:
    """An administrator may link the hooks into a framework's folder."""
    link = tmp_path / "restore"
    link.symlink_to(prefix / "share" / "ec2kit" / "actions" / "restore")
    done = subprocess.run([link, "-t", "a b"], capture_output=True, text=True, check=False)
    assert (done.returncode, "is not a tag" in done.stderr) == (1, True)


def test_an_installed_agent_runs_through_a_symlink(prefix: Path, tmp_path: Path) -> None:
    """Pacemaker's folder of agents may hold links."""
    link = tmp_path / "route-table"
    link.symlink_to(prefix / "share" / "ec2kit" / "actions" / "ocf" / "route-table")
    done = subprocess.run([link, "meta-data"], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '<resource-agent name="route-table"' in done.stdout


def test_the_installed_command_is_there(prefix: Path) -> None:
    """`ec2kit` stands where remote servers look for it."""
    done = subprocess.run([prefix / "bin" / "ec2kit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ec2kit, version ")
