"""The small durable file."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.errors import StateUnusable
from ec2kit.state.file import Damaged, StateFile, sweep
from ec2kit.state.lock import Lock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=10,
)


@given(st.dictionaries(st.text().filter(lambda name: name != "version"), JSON))
def test_write_any_content_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    """Whatever JSON can say is read as it was written."""
    file = StateFile(str(tmp_path_factory.getbasetemp() / "round-trip.json"))
    file.write(content)
    assert file.read() == {"version": 1, **content}


def test_write_not_durable_is_whole_and_private_all_the_same(tmp_path: Path) -> None:
    """What need not survive a crash of the machine is still never seen half written, nor by others."""
    path = tmp_path / "run" / "x.json"
    StateFile(str(path)).write({"a": 1}, durable=False)
    StateFile(str(path)).write({"a": 2}, durable=False)
    assert StateFile(str(path)).read() == {"version": 1, "a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["x.json"]


def test_read_missing_file_is_none(tmp_path: Path) -> None:
    """A file that is not there is no error."""
    assert StateFile(str(tmp_path / "no" / "x.json")).read() is None


def test_write_modes_are_private_with_all_parents(tmp_path: Path) -> None:
    """The file is 0600 and each folder made for it 0700, whatever the umask."""
    before = os.umask(0)
    try:
        StateFile(str(tmp_path / "lib" / "ec2kit" / "resources" / "x.json")).write({"a": 1})
    finally:
        os.umask(before)
    path = tmp_path / "lib" / "ec2kit" / "resources" / "x.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    """After a write there is one file."""
    StateFile(str(tmp_path / "x.json")).write({"a": 1})
    assert os.listdir(tmp_path) == ["x.json"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"version": 1, "a"', id="cut"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b"1", id="number"),
        pytest.param(b'{"a": 1}', id="no-version"),
        pytest.param(b'{"version": 2}', id="later-version"),
        pytest.param(b"\xff\xfe{}", id="no-text"),
        pytest.param(b'{"version": 1, "a": "' + b"x" * 1_100_000 + b'"}', id="too-large"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"version": ' + b"9" * 10_000 + b"}", id="endless-number"),
    ],
)
def test_read_what_was_not_written_here_raises_damaged(content: bytes, tmp_path: Path) -> None:
    """A cut, edited or foreign file is known for what it is, and is never half believed."""
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(Damaged):
        StateFile(str(tmp_path / "x.json")).read()


def test_read_and_lock_through_a_link_are_refused(tmp_path: Path) -> None:
    """Nobody can lead us to another file by a link."""
    (tmp_path / "target").write_text('{"version": 1}')
    (tmp_path / "x.json").symlink_to(tmp_path / "target")
    with pytest.raises(StateUnusable):
        StateFile(str(tmp_path / "x.json")).read()
    with pytest.raises(StateUnusable):
        Lock(str(tmp_path / "x.json")).take()


def test_write_over_a_link_replaces_the_link_and_not_its_target(tmp_path: Path) -> None:
    """A link in the file's place loses it; what it led to stays as it was."""
    (tmp_path / "target").write_text("precious")
    (tmp_path / "x.json").symlink_to(tmp_path / "target")
    StateFile(str(tmp_path / "x.json")).write({"a": 1})
    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "x.json").is_symlink()


def test_write_temporary_file_is_a_link_is_refused(tmp_path: Path) -> None:
    """Not even through the temporary file can we be led to another."""
    (tmp_path / "target").write_text("precious")
    (tmp_path / f"x.json.{os.getpid()}.tmp").symlink_to(tmp_path / "target")
    with pytest.raises(StateUnusable):
        StateFile(str(tmp_path / "x.json")).write({"a": 1})
    assert (tmp_path / "target").read_text() == "precious"


@pytest.mark.parametrize("place", ["file", "folder"])
def test_write_place_unusable_raises_state_unusable(place: str, tmp_path: Path) -> None:
    """Trouble with the disk has one name, whatever it is."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / "file" / "x.json" if place == "file" else tmp_path / "folder"
    with pytest.raises(StateUnusable):
        StateFile(str(path)).write({"a": 1})
    assert [each for each in os.listdir(tmp_path) if each.endswith(".tmp")] == []


def test_remove_file_there_or_not_is_gone(tmp_path: Path) -> None:
    """Removing is the same done twice, even without the folder."""
    file = StateFile(str(tmp_path / "no" / "x.json"))
    file.remove()
    file.write({})
    file.remove()
    file.remove()
    assert file.read() is None


_WRITER = """
import sys
from ec2kit.state.file import StateFile
file, number = StateFile(sys.argv[1]), 0
print("ready", flush=True)
while True:
    number += 1
    file.write({"number": number, "long": [number] * 3000})
"""


def test_write_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    """After kill -9 in the middle the old content or the new one is there, and sweep removes what was left."""
    file = StateFile(str(tmp_path / "x.json"))
    for round_ in range(12):
        with subprocess.Popen([sys.executable, "-c", _WRITER, file.path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.003 * round_)
            writer.send_signal(signal.SIGKILL)
        content = file.read()
        assert content is None or content["long"] == [content["number"]] * 3000
    sweep(str(tmp_path))
    assert os.listdir(tmp_path) in ([], ["x.json"])


def test_write_readers_meanwhile_never_see_a_part(tmp_path: Path) -> None:
    """Whoever reads while another writes sees one whole content, and numbers that only grow."""
    file, last = StateFile(str(tmp_path / "x.json")), 0
    with subprocess.Popen([sys.executable, "-c", _WRITER, file.path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        for _ in range(300):
            content = file.read() or {"number": 0, "long": []}
            assert content["long"] == [content["number"]] * len(content["long"])
            assert content["number"] >= last
            last = content["number"]
        writer.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_write_disk_full_keeps_the_old_content(small_disk: Path) -> None:
    """A full disk costs the new content only, and says so."""
    file = StateFile(str(small_disk / "x.json"))
    file.write({"number": 1})
    (small_disk / "filler").write_bytes(b"x" * (40 * 1024))
    with pytest.raises(StateUnusable, match="No space left"):
        file.write({"number": 2, "long": "x" * 100_000})
    content = file.read()
    assert content is not None
    assert content["number"] == 1
    assert sorted(os.listdir(small_disk)) == ["filler", "x.json"]


def test_write_more_than_can_be_read_keeps_the_old_content(tmp_path: Path) -> None:
    """What reading would take for damage is refused by writing, and says so; a file that grew is told by its size."""
    file = StateFile(str(tmp_path / "x.json"))
    file.write({"text": "x" * 999_900})
    with pytest.raises(StateUnusable, match="more than 1000000"):
        file.write({"text": "x" * 1_000_000})
    assert (file.read() or {})["text"] == "x" * 999_900
    with open(file.path, "a") as more:
        more.write(" " * 1000)
    with pytest.raises(Damaged, match="more than 1000000"):
        file.read()


def test_sweep_temporary_files_of_the_living_stay(tmp_path: Path) -> None:
    """Only what dead writers left is removed; a living writer keeps its file, and whole files stay."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    for name in (f"x.json.{os.getpid()}.tmp", f"x.json.{gone.pid}.tmp", "x.json", "y.writing.lock"):
        (tmp_path / name).write_text("")
    sweep(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["x.json", f"x.json.{os.getpid()}.tmp", "y.writing.lock"]


def test_sweep_folder_missing_or_odd_names_stops_nothing(tmp_path: Path) -> None:
    """Sweeping is a courtesy: what it cannot remove stays and stops no action."""
    sweep(str(tmp_path / "nowhere"))
    (tmp_path / ".tmp").write_text("")
    (tmp_path / "folder.99999999.tmp").mkdir()
    sweep(str(tmp_path))


def test_stored_form_is_json_with_a_version(tmp_path: Path) -> None:
    """A person can read the file, and a later ec2kit can tell its version."""
    StateFile(str(tmp_path / "x.json")).write({"a": 1})
    assert json.loads((tmp_path / "x.json").read_text()) == {"version": 1, "a": 1}
