"""Whatever LifeKeeper's commands print: a definition that was stored, or trouble; no tag is unknown by mistake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.errors import ArgumentInvalid, LifeKeeperFailed, TagUnknown, Unknown
from ec2kit.frameworks.lifekeeper.commands import LifeKeeper
from ec2kit.frameworks.lifekeeper.registry import from_info, to_info

from ..builders import a_resource
from ..fake_lifekeeper import SEPARATOR, FakeLifeKeeper, row
from .hostile import arguments, mutilated, times, words

TAG = "ec2-vip1"
INFO = to_info(a_resource())
OURS = row(TAG, INFO)
OTHERS = row("ec2-vip2", to_info(a_resource(tag="ec2-vip2", address="10.1.0.20")))
IP = row("ip-10.1.0.10", "10.1.0.10 eth1 255.255.255.0", type="ip")


def _listing(rows: list[list[str]]) -> bytes:
    return b"".join(SEPARATOR.join(each.encode(errors="replace") for each in fields) + b"\n" for fields in rows)


fields = words | st.sampled_from([TAG, "ec2", "comm", "ip", "ISP", INFO])
listings = (
    st.sampled_from([OURS, OTHERS, OTHERS, IP, b"", b"", b"\n", OURS + OTHERS, OURS.replace(SEPARATOR, b"\x01")])
    | mutilated(OURS)
    | mutilated(OTHERS + IP)
    | st.lists(st.lists(fields, min_size=5, max_size=9), max_size=3).map(_listing)
    | st.binary()
)
statuses = st.sampled_from([0, 0, 0, 7, 7, 1, 9, 137])


@pytest.fixture(scope="module")
def lifekeeper(tmp_path_factory: pytest.TempPathFactory) -> FakeLifeKeeper:
    return FakeLifeKeeper(tmp_path_factory.mktemp("lifekeeper"))


@times(2)
@given(listings, statuses, listings, statuses)
def test_load_from_any_lists_is_a_resource_or_trouble(
    lifekeeper: FakeLifeKeeper, by_tag: bytes, status: int, by_type: bytes, type_status: int
) -> None:
    """That a tag is unknown fails a quickCheck: only lists that are in order and agree can say so."""
    lifekeeper.says(by_tag, by_type, status=status, type_status=type_status)
    try:
        found = lifekeeper.registry.load(TAG)
    except TagUnknown:
        assert _says_that_there_is_none(by_tag, by_type) or _is_another_kits(by_tag)
        assert status in (0, 7)
    except Unknown:
        assert by_tag != OURS or status not in (0, 7)
    else:
        assert found == a_resource() or by_tag != OURS


def _rows(listing: bytes) -> list[list[bytes]]:
    return [line.split(SEPARATOR) for line in listing.split(b"\n") if line]


def _says_that_there_is_none(by_tag: bytes, by_type: bytes) -> bool:
    others = [(fields[2], fields[3]) for fields in _rows(by_type) if len(fields) > 6]
    return (
        not _rows(by_tag) and {kind for kind, _ in others} == {b"ec2"} and TAG.encode() not in dict(others).values()
    )


def _is_another_kits(by_tag: bytes) -> bool:
    return all(len(fields) > 6 and fields[3] == TAG.encode() for fields in _rows(by_tag))


@times(5)
@given(st.text() | mutilated(INFO.encode()).map(lambda info: info.decode(errors="replace")))
def test_from_info_any_text_is_a_definition_or_none(info: str) -> None:
    """An info that was cut or edited is read as it would be written, or not at all."""
    with suppress(ValueError):
        assert from_info(TAG, to_info(from_info(TAG, info))) == from_info(TAG, info)


ASKED: list[tuple[str, Callable[[LifeKeeper], object]]] = [
    ("ins_list", lambda commands: commands.instances()),
    ("ins_list", lambda commands: commands.usable_ip_resources()),
    ("ins_list", lambda commands: commands.ip_resource("ip-10.1.0.10")),
    ("dep_list", lambda commands: commands.parents(TAG)),
    ("eqv_list", lambda commands: commands.equivalents(TAG)),
    ("sys_list", lambda commands: commands.systems()),
    ("ins_setinfo", lambda commands: commands.set_info(TAG, INFO)),
    ("sendevent", lambda commands: commands.send_event(TAG)),
]


@times(2)
@given(st.sampled_from(ASKED), listings, statuses)
def test_any_output_of_any_command_is_an_answer_or_its_error(
    lifekeeper: FakeLifeKeeper, asked: tuple[str, Callable[[LifeKeeper], object]], text: bytes, status: int
) -> None:
    """A command that prints rubbish has failed, or its rubbish is left out; its error is one line."""
    name, ask = asked
    lifekeeper.prints(name, text, status)
    said = ""
    try:
        ask(lifekeeper.commands)
    except (LifeKeeperFailed, ArgumentInvalid) as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


@times(1)
@given(arguments)
def test_any_info_is_one_word_for_the_command(lifekeeper: FakeLifeKeeper, text: str) -> None:
    """What is written into the database is a word of its own, whatever it has in it."""
    place = lifekeeper.root / "bin" / "ins_setinfo"
    place.write_text('#!/bin/sh\nprintf "%s" "$#" >"$0.count"\nprintf "%s" "$4" >"$0.word"\n')
    place.chmod(0o755)
    lifekeeper.commands.set_info(TAG, text)
    assert (place.parent / "ins_setinfo.count").read_text() == "4"
    assert (place.parent / "ins_setinfo.word").read_bytes() == text.encode(errors="surrogateescape")
