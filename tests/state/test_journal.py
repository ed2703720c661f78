"""The journal of decisions: appended to, rotated, and whole beside what was cut."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ec2kit.state.journal import Journal

LARGEST = 40_000


def texts(journal: Journal) -> list[str]:
    return [each["text"] for each in journal.records()]


def test_a_record_that_was_cut_hides_no_other(tmp_path: Path) -> None:
    """A crash or a full disk leaves a part of a line, at any point; the records before it and behind it are there."""
    journal = Journal(str(tmp_path), LARGEST)
    journal.append({"text": "before"})
    whole = Path(journal.path).read_bytes()
    for length in range(1, len(whole)):
        Path(journal.path).write_bytes(whole + whole[:length])
        journal.append({"text": "behind"})
        assert [each for each in texts(journal) if each == "behind"] == ["behind"]
        assert texts(journal)[0] == "before"


def test_a_file_that_may_not_grow_loses_only_what_it_has_no_room_for(tmp_path: Path) -> None:
    """The record is cut by the kernel itself, and the next one that fits is whole."""
    program = (
        "import resource, signal, sys; from ec2kit.state.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal = Journal(sys.argv[1], 10 ** 9)\n"
        "journal.append({'text': 'first'})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "journal.append({'text': 'x' * 1000})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    journal = Journal(str(tmp_path), 10**9)
    assert os.path.getsize(journal.path) == 400
    journal.append({"text": "last"})
    assert texts(journal) == ["first", "last"]


def test_its_size_is_bounded_and_the_newest_records_stay(tmp_path: Path) -> None:
    """Two files, each of half the size; a record that is larger than a share of it goes without its situation."""
    journal = Journal(str(tmp_path), LARGEST)
    for number in range(600):
        journal.append({"text": f"{number}", "situation": "x" * 100})
    sizes = [path.stat().st_size for path in Path(journal.path).parent.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= LARGEST
    kept = texts(journal)
    assert kept == [str(number) for number in range(600 - len(kept), 600)]
    assert len(kept) > 60
    journal.append({"text": "huge", "situation": "x" * LARGEST})
    assert [each["situation"] for each in journal.records() if each["text"] == "huge"] == [None]
    journal.append({"text": "x" * LARGEST})
    assert texts(journal)[-1] == "huge"
    assert sum(path.stat().st_size for path in Path(journal.path).parent.iterdir()) <= LARGEST


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """No record is written into another one, also where several would rotate at the same time."""
    largest, writers, each_one = 10_000_000, 8, 50

    def write(name: int) -> None:
        journal = Journal(str(tmp_path), largest)
        for number in range(each_one):
            journal.append({"text": f"{name} {number}"})

    threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(Journal(str(tmp_path), largest))) == sorted(
        f"{name} {number}" for name in range(writers) for number in range(each_one)
    )


def test_no_secret_and_no_other_reader(tmp_path: Path) -> None:
    """Keys, tokens and passwords are masked in each line of each field; the file is the user's own."""
    journal = Journal(str(tmp_path), LARGEST)
    key, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    told = f"first line\nkey {key}\nsecret_access_key={secret}\nby http://user:word@proxy:3128\n"
    journal.append({"text": "x", "situation": told, "calls": [{"told": told}]})
    written = Path(journal.path).read_text()
    assert not [each for each in (key, secret, "user:word") if each in written]
    (record,) = journal.records()
    assert record["situation"].count("\n") == told.count("\n")
    assert stat.S_IMODE(os.stat(journal.path).st_mode) == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """No other file grows by it."""
    journal, other = Journal(str(tmp_path), LARGEST), tmp_path / "other"
    other.write_text("")
    Path(journal.path).parent.mkdir()
    Path(journal.path).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        journal.append({"text": "x"})
    assert other.read_text() == ""
