"""Every situation comes to what its file says; no line of a file is skipped, and none counts twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.ec2.answers import Address
from ec2kit.resource import Resource, Server
from ec2kit.scenarios import elastic_ip, route_table
from ec2kit.scenarios.elastic_ip.situation import ElasticIpShown
from ec2kit.scenarios.route_table.situation import RouteTableShown
from ec2kit.scenarios.situation import file as record
from ec2kit.scenarios.situation.file import Record
from ec2kit.scenarios.situation.lines import Malformed
from ec2kit.scenarios.situation.replay import replay
from ec2kit.scenarios.situation.situation import CONDITIONAL, HERE, NOT_HERE, UNDO, Made, Situation
from ec2kit.status import Change

from .__main__ import main
from .files import FILES, FOLDER


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


# -- the situations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_situation_replayed_comes_to_what_its_file_says(path: Path) -> None:
    """Verdict, plan, owners, objects and notices are those of the file; `make situations` writes them anew."""
    found = record.read(path.read_text(encoding="utf-8"), str(path))
    assert replay(found.situation) == found.expected


def test_file_read_and_written_is_the_same_byte_for_byte() -> None:
    """All that stands in a file is read, and stands there in the one form in which it is written."""
    for path in FILES:
        text = path.read_bytes().decode("utf-8")
        assert record.write(record.read(text, str(path))) == text, path


def test_folder_holds_situations_and_modules_only() -> None:
    """A file under another suffix, which would never be replayed, is noticed."""
    files = {path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert len(FILES) > 70
    assert {path.suffix for path in files - {*FILES}} == {".py"}


# -- what is refused ---------------------------------------------------------------------------------------


def _fields() -> Iterator[tuple[list[str], int, int, str]]:
    """Yield each field of each file: the file's lines, where the field begins and ends, and its name."""
    for path in FILES:
        lines = path.read_text(encoding="utf-8").split("\n")
        for start in range(lines.index(""), len(lines)):
            if found := re.match(r"([^ ].*?):", lines[start]):
                end = next(place for place in range(start + 1, len(lines)) if not lines[place].startswith("  "))
                yield lines, start, end, found[1]


def _refused(lines: list[str]) -> str:
    with pytest.raises(Malformed) as raised:
        record.read("\n".join(lines), "a.txt")
    return str(raised.value)


def test_read_any_field_twice_is_refused() -> None:
    """A field that is given twice is an error that names file and line."""
    for lines, start, end, name in _fields():
        twice = [*lines[:end], lines[start], *lines[end:]]
        assert _refused(twice) == f"a.txt:{end + 1}: {name!r} is given twice"


def test_read_any_field_misspelt_is_refused() -> None:
    """A field of which one letter is wrong is an error that names file and line."""
    for lines, start, _, name in _fields():
        misspelt = [*lines[:start], f"x{lines[start][1:]}", *lines[start + 1 :]]
        assert _refused(misspelt).startswith(f"a.txt:{start + 1}: 'x{name[1:]}' is none of: ")


def test_read_any_field_missing_is_refused() -> None:
    """A field that is missing is an error, unless its absence says something."""
    for lines, start, end, name in _fields():
        if name not in {"route_table_ids", "tunables", "unknown", "made so far", "not observed"}:
            assert re.match(rf"a.txt:\d+: .* no '{name}'", _refused([*lines[:start], *lines[end:]]))


SENTENCE = "Another program took the route after our second change, too: it is given up, and the ENI is named."


@pytest.mark.parametrize(
    ("old", "new", "number", "reason"),
    [
        pytest.param(f"{SENTENCE}\n\n", "", 1, "a file begins with a sentence", id="no sentence"),
        pytest.param(
            "route-table",
            "dns",
            3,
            "'dns' is none of: route-table, elastic-ip, secondary-ip, dns-record",
            id="scenario",
        ),
        pytest.param("vpc_id:", "link: up\nvpc_id:", 6, "no such field", id="of another scenario"),
        pytest.param("vpc_id: vpc-1", "vpc_id:", 6, "a value on its own line", id="no value"),
        pytest.param("vpc_id: vpc-1", "vpc_id:vpc-1", 6, "not of the form 'name: value'", id="no space"),
        pytest.param("vpc_id: vpc-1", "vpc_id: vpc-1 ", 6, "a space at the end", id="space at the end"),
        pytest.param("vpc_id: vpc-1", "vpc_id:\tvpc-1", 6, "a tab", id="tab"),
        pytest.param("eth1 eni-a 10.0.1.11", "eni-a 10.0.1.11", 9, "'DEVICE ENI PRIVATE-IP'", id="server"),
        pytest.param("  server-b", "  server-a", 10, "'server-a' is given twice", id="server twice"),
        pytest.param("here: server-a", "here: server-d", 12, "'server-d' is none of: server-a", id="here"),
        pytest.param("\nEC2", "tunables:\n  EC2_X: 1\n\nEC2", 14, "'EC2_X' is no tunable", id="tunable"),
        pytest.param("\nEC2", "tunables:\n  EC2_NOLINKCHECK: y\n\nEC2", 14, "not 0 or 1", id="value of a tunable"),
        pytest.param("\nEC2 shows:", "\n  rtb-2: eni-a\n\nEC2 shows:", 14, "takes no entries", id="entry of no list"),
        pytest.param("  rtb-1: eni-c", "  rtb-1: eni-c\n  rtb-1: eni-b", 16, "given twice", id="table twice"),
        pytest.param("  rtb-1: eni-c", "  rtb-1 eni-c", 15, "not of the form 'name: value'", id="entry"),
        pytest.param("EC2 shows:\n  rtb-1: eni-c", "EC2 shows:", 14, "entries on lines below it", id="no entries"),
        pytest.param("EC2 shows:", "EC2 shows: none", 14, "entries on lines below it", id="none and entries"),
        pytest.param("wanted: here", "wanted: there", 17, "'there' is none of: here; here, cond", id="wanted"),
        pytest.param("wanted: here", "wanted: undo\nbefore: none", 19, "no such field", id="undo with changes made"),
        pytest.param("rtb-1: eni-b -> eni-a", "rtb-1: eni-a", 19, "OPERATION TARGET: OLD -> NEW", id="change"),
        pytest.param(
            "eni-b -> eni-a", "eni-b -> eni-a (answer lost)", 23, "takes its place", id="lost, and one more"
        ),
        pytest.param(
            "route_table_id: rtb-1\n", "network_interface_id: eni-b\n", 22, "given twice", id="argument twice"
        ),
        pytest.param(
            "far:\n  ReplaceRoute rtb-1: eni-b -> eni-a\n", "far:\n", 19, "to no change", id="only arguments"
        ),
        pytest.param("\n----\n", "\n---\n", 28, "'---' is none of", id="dashes"),
    ],
)
def test_read_what_is_wrong_is_refused_with_file_and_line(old: str, new: str, number: int, reason: str) -> None:
    """No mistake is read as something, and each is named where it stands."""
    text = text_of("route-table/contested-twice")
    assert old in text
    refusal = _refused(text.replace(old, new, 1).split("\n"))
    assert refusal.startswith(f"a.txt:{number}: ")
    assert reason in refusal


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("link: up", "link: half", "'half' is none of: up, down, cannot be read", id="link"),
        pytest.param("203.0.113.10 free", "203.0.113.10 is free", "neither 'IP free' nor", id="address"),
        pytest.param("link: up", "unknown: no answer\nlink: up", "that answer has no pages", id="a part is unknown"),
    ],
)
def test_read_elastic_ip_that_cannot_be_shown_so_is_refused(old: str, new: str, reason: str) -> None:
    """What EC2 shows is read by the scenario's own reader, as strictly."""
    assert reason in _refused(text_of("elastic-ip/free").replace(old, new).split("\n"))


@pytest.mark.parametrize("lines", [1, 5, 27, 28, 29, 30, 35])
def test_read_only_a_part_of_a_file_is_refused(lines: int) -> None:
    """A half that is missing, or ends early, is an error that names file and line."""
    assert re.match(r"a.txt:\d+: ", _refused(text_of("route-table/contested-twice").split("\n")[:lines]))


# -- any situation -----------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8).filter(lambda it: it != "none")
maybe = st.none() | words
texts = st.lists(words, min_size=2, max_size=3).map(" ".join)
servers = st.lists(st.tuples(words, words, words, words), min_size=1, max_size=3, unique_by=lambda each: each[0])
arguments = st.dictionaries(
    st.sampled_from(["public_ip", "allow_reassociation"]), st.booleans() | st.just("") | words
)
operations = st.sampled_from(["ReplaceRoute", "AssociateAddress"])
changes = st.builds(Change, operations, words, old=maybe, new=maybe | texts, arguments=arguments)
made = st.lists(st.builds(Made, changes, st.booleans()), max_size=3, unique_by=lambda each: each.change.target).map(
    tuple
)
before = st.dictionaries(words, st.just("") | words | texts, max_size=3)
wishes = st.tuples(st.sampled_from([HERE, CONDITIONAL, NOT_HERE]), made, st.none())
wishes |= st.tuples(st.just(UNDO), st.just(()), before)

states = st.sampled_from(["active", "blackhole", "filtered", "resting"])
origins = st.sampled_from(["CreateRoute", "EnableVgwRoutePropagation", "Advertisement"])
a_table = st.lists(st.tuples(maybe, states, origins), min_size=1, max_size=2).map(tuple)
targets = st.dictionaries(words, a_table, max_size=3)
routes = st.builds(RouteTableShown, targets, st.none() | texts)
free = st.builds(Address, words, words, st.none(), st.none(), st.none(), st.none(), st.none())
associated = st.builds(Address, words, words, words, maybe, maybe, st.none(), maybe)
an_address = free | associated
many = st.lists(an_address, max_size=3, unique_by=lambda each: each.allocation_id).map(tuple)
links = st.sampled_from(["up", "down", "cannot be read"])
elastic_ips = st.builds(ElasticIpShown, many, links) | st.builds(ElasticIpShown, st.just(()), links, texts)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    is_route = draw(st.booleans())
    resource = Resource(
        tag=draw(words),
        scenario="route-table" if is_route else "elastic-ip",
        region=draw(words),
        vpc_id=draw(st.just("") | words),
        address=draw(words),
        switchback="intelligent",
        servers=tuple(Server(name, place, *rest, "") for place, (name, *rest) in enumerate(draw(servers), 1)),
        own=route_table.Own(tuple(draw(st.lists(words, max_size=3)))) if is_route else elastic_ip.Own(draw(words)),
    )
    shown, here = draw(routes if is_route else elastic_ips), draw(st.sampled_from(resource.names))
    tunables = draw(st.dictionaries(st.sampled_from(["EC2_EIP_EXCLUSIVE", "EC2_NOLINKCHECK"]), st.just("1")))
    return Situation(f"{draw(texts)}.", resource, here, shown, *draw(wishes), tunables)


@given(situations())
def test_write_any_situation_is_read_as_the_same(situation: Situation) -> None:
    """Whatever tags, ids, regions and reasons an incident has, its file says them all, and nothing else."""
    lost = (record.IF_NOT_CARRIED_OUT,) if any(each.answer_lost for each in situation.made) else ()
    expected = tuple(f"{name}: none" for name in (*record.EXPECTED, *lost))
    written = record.write(Record(situation, expected))
    assert record.read(written, "a.txt") == Record(situation, expected)
    assert record.read_recorded(written.partition("\n----\n")[0], "a.txt") == situation


def _another(name: str, **resource: str) -> Record:
    found = record.read(text_of(name), "a.txt")
    other = found.situation.resource._replace(**resource)  # type: ignore[arg-type]
    return found._replace(situation=replace(found.situation, resource=other))


@pytest.mark.parametrize("address", ["", " ", "none\nnone", "ends in a space "])
def test_write_what_could_not_be_read_is_refused(address: str) -> None:
    """A value that a file cannot hold is refused."""
    with pytest.raises(ValueError, match="cannot be written"):
        record.write(_another("route-table/one-table", address=address))


def test_write_what_would_be_read_as_another_value_is_refused() -> None:
    """A value that looks like the word for none is refused, instead of read as none."""
    with pytest.raises(ValueError, match="read as another one"):
        record.write(_another("route-table/one-table", vpc_id="none"))


def test_write_a_resource_as_it_is_stored_keeps_what_decisions_rest_on() -> None:
    """What is not essential, as revision and switchback, is left out without a word."""
    text = text_of("route-table/one-table")
    assert record.write(_another("route-table/one-table", switchback="automatic", ip_resource="ip-vip1")) == text


# -- the command -------------------------------------------------------------------------------------------


def test_command_writes_the_expected_half_and_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An expected half that is wrong, of an older form, or not there yet is written; others stay as they are."""
    text = text_of("route-table/contested-twice")
    for name, content in {
        "wrong.txt": text.replace("impossible:\n", "impossible: none\n"),
        "older.txt": text.replace("owners:", "holders:"),
        "new.txt": text.partition("\n----\n")[0],
        "right.txt": text,
    }.items():
        (tmp_path / name).write_text(content)
    assert main(sorted(tmp_path.iterdir())) == 0
    assert {path.read_text() for path in tmp_path.iterdir()} == {text}
    said = capsys.readouterr().out
    assert "4 situations: 3 changed, 0 cannot" in said
    assert "right.txt" not in said


def test_command_leaves_alone_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose recorded half is wrong is named and stays; the others are written all the same."""
    text = text_of("route-table/contested-twice")
    wrong = text.replace("wanted: here", "wnated: here")
    (tmp_path / "a.txt").write_text(wrong)
    (tmp_path / "b.txt").write_text(text.replace("pending: none", "pending: all"))
    assert main([tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "missing.txt"]) == 1
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == [wrong, text]
    said = capsys.readouterr().err
    assert "a.txt:17: 'wnated' is none of: " in said
    assert "missing.txt" in said
