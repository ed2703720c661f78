"""The documents say what the code does: tunables, permissions, messages, modules, effects, tests, links."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from ec2kit.actions.table import ACTIONS, MEANINGS, PLAN_MEANINGS
from ec2kit.frameworks.lifekeeper.hooks import OWN
from ec2kit.messages.catalogue import CATALOGUE
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.rule import GENERAL
from ec2kit.settings import DEFAULTS_FILE, TUNABLES, Tunable
from ec2kit.state.claim import CLAIM
from ec2kit.state.note import KINDS

from .patience import HANGS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ec2kit"
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    ROOT.glob("docs/*.md")
)
REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")

BY_NAME = {tunable.name: tunable for tunable in TUNABLES.values()}
ATTRIBUTES = {tunable.name: attribute for attribute, tunable in TUNABLES.items()}
DECIDED_WHEN_READ = {"EC2KIT_SERVER": "uname -n"}
"""Defaults that only the machine knows."""


def _no_document_has(wrong: Callable[[Path, str], Iterable[object]]) -> None:
    """Fail with all that is wrong in any document, "docs/design.md: 620998", by a look at each place and text."""
    found = [
        f"{document.relative_to(ROOT)}: {each}"
        for document in DOCUMENTS
        for each in wrong(document, document.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def _tables(text: str) -> list[list[list[str]]]:
    """Every table of a document: rows of cells, the heading first, without its ruler."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    tables = [
        [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()] for block in blocks
    ]
    return [[row for row in table if not set("".join(row)) <= set("-|: ")] for table in tables]


def _rows(text: str, *heading: str) -> list[list[str]]:
    """The rows of the table with these headings."""
    (table,) = [table for table in _tables(text) if [cell.strip("| ") for cell in table[0]] == list(heading)]
    return [[cell.strip("| ") for cell in row] for row in table[1:]]


def _named(rows: list[list[str]]) -> dict[str, list[str]]:
    return {row[0].strip("`"): row for row in rows}


TUNABLE_ROWS = _named(_rows(REFERENCE, "Name", "Default", "Range", "Meaning"))
PLACE_ROWS = _named(_rows(REFERENCE, "Name", "Default", "What"))
SAMPLE = (ROOT / "etc/default/LifeKeeper").read_text(encoding="utf-8")


def _default(tunable: Tunable) -> str:
    """A default as people write it."""
    default = DECIDED_WHEN_READ.get(tunable.name, tunable.default)
    if isinstance(default, bool):
        return str(int(default))
    return f"{default:g}" if isinstance(default, float) else str(default or "")


def _range(tunable: Tunable) -> str | None:
    """A range as the reference writes it; None where the value is a text."""
    if isinstance(tunable.default, bool):
        return "0/1"
    return f"{tunable.low:g}-{tunable.high:g}" if tunable.high else None


def _anchor(heading: str) -> str:
    """The name that a heading can be linked by."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


# -- tunables ------------------------------------------------------------------------------------------------


def test_the_reference_lists_every_tunable_and_no_other() -> None:
    """What can be set stands in one of the two tables, and only that."""
    assert not set(TUNABLE_ROWS) & set(PLACE_ROWS)
    assert {*TUNABLE_ROWS, *PLACE_ROWS} == {*BY_NAME, "EC2KIT_DEFAULTS"}
    assert PLACE_ROWS["EC2KIT_DEFAULTS"][1].strip("`") == DEFAULTS_FILE


def test_the_reference_has_the_default_of_each_tunable() -> None:
    """The defaults in the reference are those in the code."""
    rows = {**TUNABLE_ROWS, **PLACE_ROWS}
    said = {name: rows[name][1].strip("`").replace("–", "").replace("unset", "") for name in BY_NAME}
    assert said == {name: _default(tunable) for name, tunable in BY_NAME.items()}


def test_the_reference_has_the_range_of_each_tunable() -> None:
    """The ranges in the reference are those in the code; texts have none."""
    said = {name: row[2] for name, row in TUNABLE_ROWS.items()}
    expected = {name: _range(BY_NAME[name]) for name in said}
    assert [name for name in said if said[name] != (expected[name] or re.sub(r"\d", "", said[name]))] == []


def test_the_reference_says_which_tunables_have_no_effect() -> None:
    """A tunable that nothing reads is said to have no effect yet, and no other one is."""
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "settings.py")
    words = set(re.findall(r"\w+", code))
    rows = {**TUNABLE_ROWS, **PLACE_ROWS}
    said = {name for name in BY_NAME if "no effect yet" in rows[name][-1]}
    assert said == {name for name in BY_NAME if ATTRIBUTES[name] not in words}


def test_the_sample_file_agrees_with_the_tunables() -> None:
    """Each line ready to be used has a name that is read, its default, and its range above it."""
    found = re.findall(r"^# (.*)\n#([A-Z][A-Z0-9_]*)=(.*)$", SAMPLE, re.MULTILINE)
    assert len(found) == len(re.findall(r"^#[A-Z]", SAMPLE, re.MULTILINE)) > 10
    for comment, name, value in found:
        tunable = BY_NAME[name]
        assert value.strip('"') == _default(tunable), name
        expected = _range(tunable)
        assert expected is None or f"({expected.replace('0/1', '0 or 1')})" in comment, name


def test_the_sample_file_has_every_tunable_of_ec2kit() -> None:
    """What is LifeKeeper's own, and the places, are not offered for change; all else is."""
    offered = set(re.findall(r"^#([A-Z][A-Z0-9_]*)=", SAMPLE, re.MULTILINE))
    assert offered == {name for name in TUNABLE_ROWS if name.startswith(("EC2_", "AWS"))}


# -- permissions, messages, modules ----------------------------------------------------------------------------


def test_the_permissions_in_the_reference_are_those_of_the_policy() -> None:
    """The table and etc/iam-policy.json name the same; what one kind needs may be optional for the others."""
    statements = json.loads((ROOT / "etc/iam-policy.json").read_text(encoding="utf-8"))["Statement"]
    optional = {action for each in statements if "Optional" in each["Sid"] for action in each["Action"]}
    needed = {action for each in statements if "Optional" not in each["Sid"] for action in each["Action"]}
    rows = _named(_rows(REFERENCE, "Permission", "Needed by", "Without it"))
    assert {name for name, row in rows.items() if "optional" in row[1]} == optional
    assert {name for name, row in rows.items() if row[1] != "optional"} == needed


@pytest.mark.parametrize(
    ("page", "locale"),
    [
        pytest.param("docs/messages.md", "C.UTF-8", id="English"),
        pytest.param("docs/messages.ja.md", "ja_JP.UTF-8", id="Japanese"),
    ],
)
def test_the_page_of_messages_is_what_the_catalogue_makes_of_it_now(page: str, locale: str) -> None:
    """Every message with cause and what to do, in both languages, is generated and not written by hand."""
    generated = subprocess.run(
        [Path(sys.executable).with_name("ec2kit"), "messages", "--markdown"],
        env={**os.environ, "LC_ALL": locale},
        check=True,
        capture_output=True,
        timeout=HANGS,
    )
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == generated.stdout.decode("utf-8"), f"{page} is out of date: run `make docs`"
    assert re.findall(r"^### (\d+)$", text, re.MULTILINE) == [str(code) for code in sorted(CATALOGUE)]


def test_a_code_in_a_document_is_in_the_catalogue() -> None:
    """No document names a message that does not exist."""

    def unknown(_: Path, text: str) -> set[int]:
        return {int(code) for code in re.findall(r"\b620\d{3}\b", text)} - {620999} - set(CATALOGUE)

    _no_document_has(unknown)


def test_the_design_names_every_room_with_its_own_sentence() -> None:
    """The list of rooms is the folder's, and says of each what its `__init__.py` says."""
    rows = dict(_rows(DESIGN, "Room", "What lives there"))
    words = {name for row in rows for name in re.findall(r"`(\w+\.py)`", row)}
    assert words == {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    rooms = {
        path.parent.name: ast.get_docstring(ast.parse(path.read_text())) or ""
        for path in PACKAGE.glob("*/__init__.py")
    }
    said = {room: rows[f"`{room}/`"] for room in rooms}
    assert said == {room: text.split("\n\n")[0].replace("\n", " ") for room, text in rooms.items()}
    assert len(rows) == len(rooms) + 1


# -- actions -----------------------------------------------------------------------------------------------------


def test_the_reference_lists_every_script_with_its_options() -> None:
    """Each row names what the action can be told, and nothing else; a tag is told by -t or as a word."""
    rows = _named(_rows(REFERENCE, "Action", "Arguments", "What the action does"))
    scripts = {name: spec for name, spec in {**ACTIONS, **OWN}.items() if spec.script}
    assert set(rows) == set(scripts)
    for name, spec in scripts.items():
        said = set(re.findall(r"(?<![\w-])-{1,2}[a-z][a-z-]*", rows[name][1]))
        words = set(re.findall(r"\b[A-Z]+\b", rows[name][1]))
        for option in spec.options():
            assert said & {*option.flags} or option.metavar in words, (name, option.name)
            said -= {*option.flags}
        assert not said, name


def test_the_reference_has_the_exit_statuses_of_the_table_of_actions() -> None:
    """Word for word: each guarded action has its column, all others share one."""
    guarded = [name for name, spec in ACTIONS.items() if spec.guarded]
    columns = {**{name: ACTIONS[name].meanings for name in guarded}, "other actions": MEANINGS}
    heading = ["quickCheck", "remove", "other actions"]
    rows = _rows(REFERENCE, "Exit status", *heading)
    assert set(columns) == set(heading)
    assert [int(row[0]) for row in rows] == sorted(MEANINGS)
    for status, *cells in rows:
        for name, cell in zip(heading, cells, strict=True):
            assert cell == columns[name].get(int(status), "–"), (name, status)
    assert all(spec.meanings is MEANINGS for spec in {**ACTIONS, **OWN}.values() if not spec.guarded)


def test_the_reference_has_the_exit_statuses_of_a_plan() -> None:
    """Word for word those of the table of actions."""
    rows = _rows(REFERENCE, "Exit status", "plan")
    assert {int(status): meaning for status, meaning in rows} == PLAN_MEANINGS


def test_the_design_lists_every_kind_of_note_with_its_locks() -> None:
    """An operator finds each file of RUN in the list of files."""
    listed = {name for row in _rows(DESIGN, "File", "Content") for name in re.findall(r"`RUN/TAG\.([\w.]+)`", row[0])}
    kinds = (*KINDS, CLAIM)
    notes = {f"{kind.name}.json" for kind in kinds} | {f"{lock}.lock" for kind in kinds for lock in kind.locks}
    assert listed == notes


# -- promises and their tests ------------------------------------------------------------------------------------


@cache
def _names(module: Path) -> set[str]:
    """What a module defines: functions, classes, and what is assigned."""
    statements = ast.parse(module.read_text(encoding="utf-8")).body
    defined = {each.name for each in statements if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    targets = [target for each in statements if isinstance(each, ast.Assign) for target in each.targets]
    return defined | {target.id for target in targets if isinstance(target, ast.Name)}


def test_a_test_that_a_document_names_exists() -> None:
    """Whoever wants to see the proof finds it under its name, and pytest runs it."""

    def missing(_: Path, text: str) -> Iterator[str]:
        for module, name in re.findall(r"\b(tests/[\w/]+\.py)::(\w+)", text):
            if not (name.lower().startswith("test") and (ROOT / module).exists() and name in _names(ROOT / module)):
                yield f"{module}::{name}"
        yield from (place for place in re.findall(r"`(tests/[\w/.-]+)", text) if not (ROOT / place).exists())

    _no_document_has(missing)


def test_each_promise_has_a_test() -> None:
    """Nothing is promised that no test proves."""
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Promises\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    promises = re.findall(r"^- .*\n(?:  .*\n)*", section, re.MULTILINE)
    assert len(promises) > 20
    for promise in promises:
        assert re.search(r"^  `tests/[\w/]+\.py::\w+`$", promise, re.MULTILINE), promise


# -- effects of the sandbox --------------------------------------------------------------------------------------


def test_the_sandboxs_page_has_every_effect_with_its_options() -> None:
    """Whoever wants to try a failure finds it there, with what it may be told and the services that can have it."""
    page = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| Effect \|.*\n(?:\|.*\n)+", page, re.MULTILINE)
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]+\|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    said = {name: (options.strip(" `"), services.split()) for name, options, services in rows}
    assert said == {
        name: (" ".join(f"--{each.name}" for each in effect.arguments), [*effect.services])
        for name, effect in EFFECTS.items()
    }
    assert [each.name for each in GENERAL if f"`--{each.name}`" not in page] == []


# -- links, targets, words ---------------------------------------------------------------------------------------


def test_a_relative_link_leads_somewhere() -> None:
    """Every file that is linked exists, every heading too."""

    def broken(document: Path, text: str) -> Iterator[str]:
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            place, _, anchor = link.partition("#")
            target = (document.parent / place).resolve() if place else document
            elsewhere = re.match(r"[a-z]+:", link)
            if not elsewhere and not (target.is_relative_to(ROOT) and target.exists() and _has(target, anchor)):
                yield link

    _no_document_has(broken)


def _has(document: Path, anchor: str) -> bool:
    """Tell whether a document has a heading that a link leads to; without an anchor it leads to the whole."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    return not anchor or anchor in map(_anchor, headings)


def test_a_make_target_in_a_document_is_in_the_makefile() -> None:
    """What people are told to type exists."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    def missing(_: Path, text: str) -> set[str]:
        return {*re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)} - targets

    _no_document_has(missing)


def test_a_document_names_no_place_of_the_machine_that_it_was_written_on() -> None:
    """Examples work in anybody's folder."""
    places = rf"{re.escape(str(ROOT))}/|(?<![\w.])/(?:tmp|root|home|Users)/"
    _no_document_has(lambda _, text: re.findall(places, text))


def test_the_changelog_begins_with_what_is_not_released() -> None:
    """Keep a Changelog: unreleased first, then versions, the newest first."""
    headings = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions = [tuple(map(int, each.split("."))) for each in headings[1:]]
    assert headings[0] == "Unreleased"
    assert versions == sorted(versions, reverse=True)
