"""The folders of locks, intentions and registry: what somebody else may have put there is not believed."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from ec2kit.actions import quick_check, remove, restore
from ec2kit.deadline import Deadline
from ec2kit.ec2.answers import Address
from ec2kit.errors import StateUnusable
from ec2kit.state.file import StateFile
from ec2kit.state.intention import Direction, Intentions
from ec2kit.state.lock import Lock
from ec2kit.status import Status

from ..builders import ALLOCATION, ENI_A, ENI_B, IP_A, PUBLIC_IP, Desk

SOMEBODY = 12345

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")

Use = Callable[[str], object]


def _take(path: str) -> object:
    return Lock(path).take()


USES: list[object] = [
    pytest.param(lambda path: StateFile(path).read(), id="read"),
    pytest.param(lambda path: StateFile(path).write({"a": 1}), id="write"),
    pytest.param(lambda path: StateFile(path).remove(), id="remove"),
    pytest.param(_take, id="lock"),
    pytest.param(lambda path: Lock(path).is_held, id="look at the lock"),
]

OPENING = [use for use in USES if use.id in ("read", "lock", "look at the lock")]  # type: ignore[attr-defined]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that ec2kit wrote, in a folder that it made."""
    path = tmp_path / "run" / "x.json"
    StateFile(str(path)).write({"a": 1})
    return path


# -- what stands in the file's place ---------------------------------------------------------------------------


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _hard_link(path: Path) -> None:
    (path.parent / "precious").write_text('{"version": 1}')
    (path.parent / "precious").chmod(0o600)
    path.hardlink_to(path.parent / "precious")


def _writable_by_all(path: Path) -> None:
    path.write_text('{"version": 1}')
    path.chmod(0o666)


def _somebodys(path: Path) -> None:
    path.write_text('{"version": 1}')
    os.chown(path, SOMEBODY, SOMEBODY)


@pytest.mark.parametrize("use", OPENING)
@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        pytest.param(_pipe, "no regular file", id="pipe"),
        pytest.param(Path.mkdir, "no regular file|Is a directory", id="folder"),
        pytest.param(_socket, "No such device", id="socket"),
        pytest.param(lambda path: path.symlink_to("/etc/hostname"), "symbolic links", id="link"),
        pytest.param(_hard_link, "second name", id="hard link"),
        pytest.param(_writable_by_all, "others can write it", id="writable by all"),
        pytest.param(_somebodys, "belongs to user 12345", id="somebody else's", marks=needs_root),
    ],
)
def test_a_planted_file_is_refused_at_once(
    file: Path, use: Use, plant: Callable[[Path], object], reason: str
) -> None:
    """What ec2kit did not make is neither read nor locked, and nothing that hangs is waited for."""
    file.unlink()
    plant(file)
    with pytest.raises(StateUnusable, match=reason):
        use(str(file))


def test_write_over_a_hard_link_leaves_what_it_leads_to(file: Path) -> None:
    """A file that is also known by another name loses this one, and keeps its content."""
    file.unlink()
    _hard_link(file)
    StateFile(str(file)).write({"a": 2})
    assert (file.parent / "precious").read_text() == '{"version": 1}'
    assert StateFile(str(file)).read() == {"version": 1, "a": 2}


def test_write_temporary_file_is_a_hard_link_leaves_what_it_leads_to(file: Path) -> None:
    """Not even through the temporary file is another one emptied."""
    _hard_link(file.parent / f"x.json.{os.getpid()}.tmp")
    StateFile(str(file)).write({"a": 2})
    assert (file.parent / "precious").read_text() == '{"version": 1}'


# -- the folder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702, 0o703])
def test_a_folder_that_all_can_write_is_refused(file: Path, use: Use, mode: int) -> None:
    """Where anybody can put a file, none is believed, and none is put, with or without a sticky bit."""
    file.parent.chmod(mode)
    with pytest.raises(StateUnusable, match="others can write the folder"):
        use(str(file))
    assert os.listdir(file.parent) == ["x.json"]


@needs_root
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("user", "group", "mode", "reason"),
    [
        pytest.param(SOMEBODY, SOMEBODY, 0o700, "belongs to user 12345", id="somebody else's"),
        pytest.param(0, SOMEBODY, 0o770, "others can write", id="writable by a group"),
    ],
)
def test_a_folder_of_somebody_else_is_refused(
    file: Path, use: Use, user: int, group: int, mode: int, reason: str
) -> None:
    """Only root, and the user that runs the actions, may say what is wanted and who has the lock."""
    os.chown(file.parent, user, group)
    file.parent.chmod(mode)
    with pytest.raises(StateUnusable, match=reason):
        use(str(file))


@pytest.mark.parametrize("use", USES)
def test_a_folder_that_our_own_group_can_write_is_used(file: Path, use: Use) -> None:
    """A umask of 002, with a group of one's own, gives nobody else a way in."""
    file.parent.chmod(0o775)
    use(str(file))


@needs_root
@pytest.mark.parametrize("use", USES)
def test_a_folder_that_is_somebody_elses_link_is_refused(file: Path, use: Use) -> None:
    """Nobody can lead us to another folder of our own."""
    link = file.parent.with_name("link")
    link.symlink_to(file.parent)
    use(str(link / "x.json"))
    os.chown(link, SOMEBODY, SOMEBODY, follow_symlinks=False)
    with pytest.raises(StateUnusable, match="a link of user 12345"):
        use(str(link / "x.json"))


def test_a_folder_that_is_exchanged_all_the_time_never_leads_elsewhere(file: Path) -> None:
    """Between the look at the folder and the write no other folder can come in: the folder stays open."""
    theirs = file.parent.with_name("theirs")
    theirs.mkdir()
    (theirs / "x.json").write_text('{"version": 1, "planted": true}')
    theirs.chmod(0o777)
    descriptor = os.open(theirs, os.O_RDONLY)
    with _exchanged(file.parent, theirs):
        for number in range(200):
            with suppress(StateUnusable):
                StateFile(str(file)).write({"number": number})
            with suppress(StateUnusable):
                assert "planted" not in (StateFile(str(file)).read() or {})
    assert os.listdir(descriptor) == ["x.json"]
    os.close(descriptor)


@contextmanager
def _exchanged(folder: Path, theirs: Path) -> Iterator[None]:
    """A folder that is another one at every second moment."""
    over = threading.Event()

    def exchange() -> None:
        for number in count():
            aside = folder.with_name(f"aside-{number}")
            for old, new in ((folder, aside), (theirs, folder), (folder, theirs), (aside, folder)):
                with suppress(OSError):
                    old.rename(new)
            if over.is_set():
                return

    attacker = threading.Thread(target=exchange)
    attacker.start()
    yield
    over.set()
    attacker.join()


# -- what that means for the actions ---------------------------------------------------------------------------


def _planted(desk: Desk) -> Path:
    """A run folder in which anybody could have written, and somebody did: remove is wanted."""
    run = Path(desk.settings.run_dir)
    Intentions(str(run), desk.resource.tag).declare(Direction.DOWN, Deadline(5))
    run.chmod(0o777)
    return run


def test_quick_check_with_an_unsafe_run_folder_is_unknown_with_the_reason(desk: Desk) -> None:
    """What strangers may have written is trouble and never a verdict."""
    _planted(desk)
    desk.ec2.routes = {"rtb-1": ENI_B}
    checked = quick_check.quick_check(desk.action("quickCheck"))
    assert checked.verdict.status is Status.UNKNOWN
    assert "others can write the folder" in str(checked.verdict.reason)


def test_restore_with_an_unsafe_run_folder_fails_and_writes_nothing(desk: Desk) -> None:
    """Who could be overtaken by anybody does not begin."""
    _planted(desk)
    desk.ec2.routes = {"rtb-1": ENI_B}
    with pytest.raises(StateUnusable, match="others can write the folder"):
        restore.restore(desk.action())
    assert desk.ec2.written == []


def test_remove_with_an_unsafe_run_folder_succeeds(eip_desk: Desk) -> None:
    """A failed remove would stop the server; the address is given back all the same."""
    _planted(eip_desk)
    eip_desk.ec2.held = {ALLOCATION: Address(PUBLIC_IP, ALLOCATION, "eipassoc-1", ENI_A, IP_A)}
    remove.remove(eip_desk.action("remove"))
    assert eip_desk.ec2.written == [("DisassociateAddress", ALLOCATION, None)]
