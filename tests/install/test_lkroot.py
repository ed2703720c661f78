"""`ec2kit install` and `ec2kit uninstall`, as commands, in LifeKeeper's folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

import pytest

from ec2kit.frameworks.lifekeeper.layout import HOOKS, LAUNCHER, LIFEKEEPER, PROGRAMS
from ec2kit.settings import INSTALLED

from .commands import EC2KIT, WEAK, Done, call, ec2kit, envelope, gone, told
from .snapshot import contents, snapshot

ACTIONS = "subsys/comm/resources/ec2/actions"
RESTORE, QUICK_CHECK = f"{ACTIONS}/restore", f"{ACTIONS}/quickCheck"
GUARD = "lkadm/subsys/comm/ec2/bin/guard"
ALL = {*LIFEKEEPER.scripts, LAUNCHER}

REFUSED = ["-t", "../x"]
"""What a hook refuses before it does anything."""

REFUSED_BY_PROGRAMS = {
    "create": [*REFUSED, "--type", "elastic-ip"],
    "canextend": ["node1", "../x"],
    "extend": ["node1", "../x"],
    "unextend": REFUSED,
    "delete": REFUSED,
}


@pytest.fixture
def lkroot(tmp_path: Path) -> Path:
    """An empty $LKROOT whose name a shell could misunderstand."""
    root = tmp_path / 'Life\'Keeper "$HOME"'
    root.mkdir(mode=0o755)
    return root


@pytest.fixture
def vendor(lkroot: Path) -> Path:
    """Another kit in the same places: files that collide, a link, and files that do not."""
    for place in (ACTIONS, "lkadm/bin", "lkadm/subsys/comm/ec2/bin"):
        (lkroot / place).mkdir(parents=True)
    for place in (RESTORE, f"{ACTIONS}/prerestore", "lkadm/bin/other", "lkadm/subsys/comm/ec2/bin/create"):
        (lkroot / place).write_text(f"their {place}\n")
        (lkroot / place).chmod(0o750)
        os.utime(lkroot / place, ns=(1, 1_500_000_000_123_456_789))
    (lkroot / QUICK_CHECK).symlink_to("nowhere")
    os.mkfifo(lkroot / f"{ACTIONS}/remove")
    return lkroot


def install(root: Path, *words: str, program: Path = EC2KIT) -> Done:
    done = ec2kit("install", "--lkroot", root, *words, program=program)
    assert done.returncode == 0, done.stderr
    return done


def uninstall(root: Path, program: Path = EC2KIT) -> Done:
    done = ec2kit("uninstall", "--lkroot", root, program=program)
    assert done.returncode == 0, done.stderr
    return done


# -- from an environment of its own ------------------------------------------------------------------------------


def test_every_installed_script_runs_from_anywhere_with_an_empty_environment(prefix: Path, lkroot: Path) -> None:
    """By absolute path, from /, without a single variable; and afterwards nothing is left, not even a folder."""
    install(lkroot, program=prefix / "bin" / "ec2kit")
    words = dict.fromkeys(HOOKS, REFUSED) | {
        place: REFUSED_BY_PROGRAMS[name] for place, name in PROGRAMS.items() if name in REFUSED_BY_PROGRAMS
    }
    assert ALL - words.keys() == {LAUNCHER, GUARD, "lkadm/bin/aws_iam_migration"}
    for place in words:
        done = call(lkroot / place, *words[place])
        status = 0 if place.endswith("actions/remove") else 1  # a failing remove would halt the server
        assert (done.returncode, "is not a tag" in done.stderr) == (status, True), (place, done.stderr)
    uninstall(lkroot, program=prefix / "bin" / "ec2kit")
    assert snapshot(lkroot) == {}


def test_an_installed_hook_ignores_the_variables_of_another_python(
    prefix: Path, lkroot: Path, tmp_path: Path
) -> None:
    """LifeKeeper's PYTHONPATH and PYTHONHOME do no harm, nor does the current folder."""
    install(lkroot, program=prefix / "bin" / "ec2kit")
    (tmp_path / "ec2kit.py").write_text("raise SystemExit(7)\n")
    done = call(lkroot / RESTORE, *REFUSED, PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", PATH="/usr/bin:/bin")
    assert done.returncode == 1
    assert "is not a tag" in done.stderr


def test_hooks_whose_environment_is_gone_are_no_verdict(prefix: Path, lkroot: Path) -> None:
    """quickCheck and remove succeed, restore fails, and each says why; whoever uninstalls needs no such Python."""
    install(lkroot, program=prefix / "bin" / "ec2kit")
    with gone(prefix / "bin"):
        done = {name: call(lkroot / ACTIONS / name, "-t", "x") for name in ("quickCheck", "remove", "restore")}
    assert {name: each.returncode for name, each in done.items()} == {"quickCheck": 0, "remove": 0, "restore": 127}
    assert all("ec2kit is not installed" in each.stderr for each in done.values())
    uninstall(lkroot)
    assert snapshot(lkroot) == {}


def test_install_from_another_environment_updates_what_names_it(prefix: Path, lkroot: Path) -> None:
    """Only the launcher names Python; the rest is as it was."""
    install(lkroot, program=prefix / "bin" / "ec2kit")
    verbs = told(install(lkroot))
    assert verbs.pop(LAUNCHER) == "updated"
    assert set(verbs.values()) == {"unchanged"}
    assert str(Path(sys.executable)) in (lkroot / LAUNCHER).read_text()
    uninstall(lkroot, program=prefix / "bin" / "ec2kit")
    assert snapshot(lkroot) == {}


# -- what it shows, and what it leaves alone -----------------------------------------------------------------------


def test_install_shows_each_file_and_makes_it_readable_for_all_and_writable_for_none(lkroot: Path) -> None:
    """Whatever the umask: LifeKeeper's daemons and other administrators read the scripts."""
    done = ec2kit("install", "--lkroot", lkroot, umask=0o077)
    assert told(done) == dict.fromkeys(ALL, "installed")
    assert done.stdout.splitlines()[-1] == f"{lkroot}: 14 installed; run by {sys.executable}"
    made = {path: str(seen[0]) for path, seen in snapshot(lkroot).items()}
    assert made.pop(INSTALLED) == "-rw-r--r--"
    assert {mode[1:] for mode in made.values()} == {"rwxr-xr-x"}


def test_install_again_changes_nothing_and_says_so(lkroot: Path) -> None:
    """No file is written a second time."""
    install(lkroot)
    before = snapshot(lkroot)
    assert set(told(install(lkroot)).values()) == {"unchanged"}
    assert snapshot(lkroot) == before


def test_install_repairs_what_is_missing_or_cannot_be_run(lkroot: Path) -> None:
    """A repeated run heals."""
    install(lkroot)
    before = contents(lkroot)
    (lkroot / RESTORE).unlink()
    (lkroot / QUICK_CHECK).chmod(0o644)
    shutil.rmtree(lkroot / "lkadm/subsys/comm/ec2/bin")
    verbs = told(install(lkroot))
    assert (verbs[RESTORE], verbs[QUICK_CHECK], verbs[LAUNCHER]) == ("installed", "updated", "installed")
    assert contents(lkroot) == before


def test_uninstall_shows_what_it_removed_and_leaves_other_files(lkroot: Path) -> None:
    """A file that somebody put beside ours keeps its folder, and nothing else stays."""
    install(lkroot)
    (lkroot / "lkadm/bin/other").write_text("")
    done = uninstall(lkroot)
    assert told(done) == dict.fromkeys(ALL, "removed")
    assert done.stdout.splitlines()[-1].startswith(
        f"{lkroot}: 14 removed; ec2kit acts on no resource of type comm/ec2"
    )
    assert set(snapshot(lkroot)) == {"lkadm", "lkadm/bin", "lkadm/bin/other"}


def test_uninstall_where_nothing_is_installed_says_so(vendor: Path) -> None:
    """Another kit's files are none of ours."""
    before = snapshot(vendor)
    assert "nothing of ec2kit was there" in uninstall(vendor).stdout
    assert snapshot(vendor) == before


def test_the_place_comes_from_the_settings_unless_given(lkroot: Path, tmp_path: Path) -> None:
    """LKROOT of LifeKeeper's file."""
    quoted = str(lkroot).replace('"', '\\"').replace("$", "\\$")
    (tmp_path / "defaults").write_text(f'LKROOT="{quoted}"\n')
    done = ec2kit("install", EC2KIT_DEFAULTS=str(tmp_path / "defaults"), LKROOT="")
    assert done.returncode == 0, done.stderr
    assert (lkroot / RESTORE).exists()


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize("option", ["--lkroot", "--ocf-root"])
@pytest.mark.parametrize("place", ["/nowhere/at-all", os.devnull, ""])
def test_a_place_that_is_no_folder_is_refused(command: str, option: str, place: str) -> None:
    """A framework is not made by installing a kit into it; an empty word is not the current folder."""
    done = ec2kit(command, option, place)
    assert done.returncode == 1
    assert "is no folder to work in" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_as_json_each_file_has_its_outcome(vendor: Path) -> None:
    """A program reads the same; a refusal has its code."""
    refused = ec2kit("install", "--lkroot", vendor, "--json")
    assert (refused.returncode, envelope(refused)["error"]["code"]) == (1, 620705)
    answer = envelope(install(vendor, "--replace", "--json"))
    assert (answer["version"], answer["action"], answer["success"]) == (1, "install", True)
    assert answer["lkroot"] == str(vendor)
    outcomes = {each["path"]: each["outcome"] for each in answer["files"]}
    assert outcomes[RESTORE] == "replaced"
    assert outcomes[LAUNCHER] == "installed"
    (backup,) = [each["backup"] for each in answer["files"] if each["path"] == RESTORE]
    assert (vendor / backup).read_text() == f"their {RESTORE}\n"


# -- what is not ours ------------------------------------------------------------------------------------------------


def test_install_refuses_to_overwrite_what_is_not_its_own_naming_all_of_it(vendor: Path) -> None:
    """A script, a link, a pipe: everything is named, and nothing was changed."""
    before = snapshot(vendor)
    done = ec2kit("install", "--lkroot", vendor)
    assert done.returncode == 1
    collide = [RESTORE, QUICK_CHECK, f"{ACTIONS}/remove", "lkadm/subsys/comm/ec2/bin/create"]
    assert all(place in done.stderr for place in collide)
    assert "prerestore" not in done.stderr
    assert snapshot(vendor) == before


def test_install_replace_keeps_aside_what_collides_and_uninstall_puts_it_back(vendor: Path) -> None:
    """The vendor's kit is as it was: contents, modes, times, links."""
    before = snapshot(vendor)
    done = install(vendor, "--replace")
    assert f"replaced   {RESTORE} (backup lkadm/subsys/comm/ec2/ec2kit.backup/" in done.stdout
    assert "is not a tag" in call(vendor / RESTORE, *REFUSED).stderr
    assert snapshot(vendor)[f"{ACTIONS}/prerestore"] == before[f"{ACTIONS}/prerestore"]
    assert set(told(install(vendor)).values()) == {"unchanged"}
    assert f"restored   {RESTORE}" in uninstall(vendor).stdout
    assert snapshot(vendor) == before


@pytest.mark.parametrize("words", [[], ["--replace"]], ids=["plain", "replace"])
def test_a_folder_in_the_place_of_a_file_and_a_file_in_that_of_a_folder_are_always_refused(
    lkroot: Path, words: list[str]
) -> None:
    """Nobody moves a whole folder aside unasked."""
    (lkroot / RESTORE / "deep").mkdir(parents=True)
    (lkroot / "lkadm").mkdir()
    (lkroot / "lkadm/subsys").symlink_to("nowhere")
    before = snapshot(lkroot)
    done = ec2kit("install", "--lkroot", lkroot, *words)
    assert done.returncode == 1
    assert f"lkadm/subsys (no folder), {RESTORE} (a folder)" in done.stderr
    assert snapshot(lkroot) == before


def test_a_folder_of_lifekeeper_may_be_a_link_to_one(lkroot: Path, tmp_path: Path) -> None:
    """Only what stands in a file's own place is never followed."""
    (tmp_path / "elsewhere").mkdir()
    (lkroot / "subsys").symlink_to(tmp_path / "elsewhere")
    before = snapshot(lkroot)
    install(lkroot)
    assert (tmp_path / "elsewhere/comm/resources/ec2/actions/restore").is_file()
    uninstall(lkroot)
    assert (snapshot(lkroot), snapshot(tmp_path / "elsewhere")) == (before, {})


def test_uninstall_leaves_what_was_changed_since_and_goes_on_when_it_is_moved_away(vendor: Path) -> None:
    """It is named and stays, the rest is done; its backup waits."""
    before = snapshot(vendor)
    install(vendor, "--replace")
    (vendor / RESTORE).write_text("edited\n")
    done = ec2kit("uninstall", "--lkroot", vendor)
    assert done.returncode == 1
    assert f"left       {RESTORE}" in done.stdout
    assert "620703" in done.stderr
    assert {path for path in ALL if os.path.lexists(vendor / path)} == {
        RESTORE,
        QUICK_CHECK,
        f"{ACTIONS}/remove",
        "lkadm/subsys/comm/ec2/bin/create",
    }
    assert (vendor / RESTORE).read_text() == "edited\n"
    (vendor / RESTORE).unlink()
    assert f"restored   {RESTORE}" in uninstall(vendor).stdout
    assert snapshot(vendor) == before


def test_an_edited_script_is_refused_and_replaced_only_once(vendor: Path) -> None:
    """What was kept first is never overwritten by what is kept later."""
    install(vendor, "--replace")
    for place in (RESTORE, LAUNCHER):
        (vendor / place).write_text("edited\n")
    refused = ec2kit("install", "--lkroot", vendor)
    assert refused.returncode == 1
    assert LAUNCHER in refused.stderr
    assert RESTORE in refused.stderr
    blocked = ec2kit("install", "--lkroot", vendor, "--replace")
    assert blocked.returncode == 1
    assert f"{RESTORE} (and lkadm/subsys/comm/ec2/ec2kit.backup/" in blocked.stderr
    assert LAUNCHER not in blocked.stderr
    (vendor / RESTORE).unlink()
    assert told(install(vendor, "--replace"))[RESTORE] == "installed"


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1}'])
def test_a_manifest_that_cannot_be_read_stops_both(lkroot: Path, command: str, text: str) -> None:
    """What is ours cannot be said, so nothing is touched."""
    install(lkroot)
    (lkroot / INSTALLED).write_text(text)
    before = snapshot(lkroot)
    done = ec2kit(command, "--lkroot", lkroot)
    assert done.returncode == 1
    assert f"{INSTALLED}, the list of what ec2kit installed, cannot be used" in done.stderr
    assert snapshot(lkroot) == before


def test_install_without_its_manifest_knows_its_files_by_their_text(lkroot: Path) -> None:
    """A lost manifest is written again."""
    install(lkroot)
    before = contents(lkroot)
    (lkroot / INSTALLED).unlink()
    assert set(told(install(lkroot)).values()) == {"unchanged"}
    assert {path: seen for path, seen in contents(lkroot).items() if path != INSTALLED} == {
        path: seen for path, seen in before.items() if path != INSTALLED
    }
    uninstall(lkroot)
    assert not [path for path in ALL if (lkroot / path).exists()]


# -- trouble ----------------------------------------------------------------------------------------------------


def test_install_on_a_full_disk_names_the_path_leaves_nothing_and_heals(lkroot: Path) -> None:
    """A limit on the size of files stands for the disk."""
    done = ec2kit("install", "--lkroot", lkroot, through=["sh", "-c", 'ulimit -f 2; exec "$@"', "sh"])
    assert done.returncode == 1
    assert f"{INSTALLED} cannot be used: File too large" in done.stderr
    assert snapshot(lkroot) == {}
    assert set(told(install(lkroot)).values()) == {"installed"}


def test_install_without_permission_in_the_middle_names_the_path_and_heals(lkroot: Path) -> None:
    """What was done is known, so the next run goes on, and uninstall leaves nothing."""
    (lkroot / ACTIONS).mkdir(parents=True, mode=0o755)
    before = snapshot(lkroot)
    (lkroot / ACTIONS).chmod(0o555)
    done = ec2kit("install", "--lkroot", lkroot, through=WEAK)
    assert done.returncode == 1
    assert f"{ACTIONS}/restore cannot be used: Permission denied" in done.stderr
    (lkroot / ACTIONS).chmod(0o755)
    verbs = told(install(lkroot))
    assert (verbs[LAUNCHER], verbs[RESTORE]) == ("unchanged", "installed")
    uninstall(lkroot)
    assert snapshot(lkroot) == before


def test_a_second_run_at_the_same_time_is_refused(lkroot: Path) -> None:
    """Two installations never mix."""
    descriptor = os.open(lkroot, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = ec2kit("install", "--lkroot", lkroot)
    os.close(descriptor)
    assert done.returncode == 1
    assert "another install or uninstall is under way" in done.stderr
    assert snapshot(lkroot) == {}


def test_what_was_installed_stands_in_the_log(lkroot: Path, tmp_path: Path) -> None:
    """Whoever looks for it later finds when, where and from what."""
    log = tmp_path / "ec2kit.log"
    ec2kit("install", "--lkroot", lkroot, EC2KIT_LOG_FILE=str(log))
    ec2kit("uninstall", "--lkroot", lkroot, EC2KIT_LOG_FILE=str(log))
    first, second = log.read_text().splitlines()
    assert f"NOTIFY:ec2kit:install::620701:ec2kit is installed in {lkroot}: 14 installed; run by" in first
    assert f"NOTIFY:ec2kit:uninstall::620702:ec2kit is uninstalled from {lkroot}: 14 removed" in second
