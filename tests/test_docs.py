"""The documents say what the code does: tunables, permissions, messages, modules, effects, tests, links."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ec2kit.messages import CATALOGUE
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.settings import DEFAULTS_FILE, TUNABLES, Tunable

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ec2kit"
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    ROOT.glob("docs/*.md")
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")

BY_NAME = {tunable.name: tunable for tunable in TUNABLES.values()}
ATTRIBUTES = {tunable.name: attribute for attribute, tunable in TUNABLES.items()}
DECIDED_WHEN_READ = {"EC2KIT_SERVER": "uname -n"}
"""Defaults that only the machine knows."""

by_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
by_tunable = pytest.mark.parametrize("tunable", BY_NAME.values(), ids=lambda each: each.name)


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


TUNABLE_ROWS = _named(_rows(README, "Name", "Default", "Range", "Meaning"))
PLACE_ROWS = _named(_rows(README, "Name", "Default", "What"))
SAMPLE = (ROOT / "etc/default/LifeKeeper").read_text(encoding="utf-8")


def _default(tunable: Tunable) -> str:
    """A default as people write it."""
    default = DECIDED_WHEN_READ.get(tunable.name, tunable.default)
    if isinstance(default, bool):
        return str(int(default))
    return f"{default:g}" if isinstance(default, float) else str(default or "")


def _range(tunable: Tunable) -> str | None:
    """A range as the README writes it; None where the value is a text."""
    if isinstance(tunable.default, bool):
        return "0/1"
    return f"{tunable.low:g}-{tunable.high:g}" if tunable.high else None


def _anchor(heading: str) -> str:
    """The name that a heading can be linked by."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


# -- tunables ------------------------------------------------------------------------------------------------


def test_the_readme_lists_every_tunable_and_no_other() -> None:
    """What can be set stands in one of the two tables, and only that."""
    assert not set(TUNABLE_ROWS) & set(PLACE_ROWS)
    assert {*TUNABLE_ROWS, *PLACE_ROWS} == {*BY_NAME, "EC2KIT_DEFAULTS"}
    assert PLACE_ROWS["EC2KIT_DEFAULTS"][1].strip("`") == DEFAULTS_FILE


@by_tunable
def test_the_readme_has_the_default_of_a_tunable(tunable: Tunable) -> None:
    """The default in the README is the one in the code."""
    said = {**TUNABLE_ROWS, **PLACE_ROWS}[tunable.name][1].strip("`").replace("–", "").replace("unset", "")
    assert said == _default(tunable)


@by_tunable
def test_the_readme_has_the_range_of_a_tunable(tunable: Tunable) -> None:
    """The range in the README is the one in the code; texts have none."""
    if tunable.name in TUNABLE_ROWS:
        said, expected = TUNABLE_ROWS[tunable.name][2], _range(tunable)
        assert said == expected or (expected is None and not re.search(r"\d", said))


@by_tunable
def test_the_readme_says_which_tunables_have_no_effect(tunable: Tunable) -> None:
    """A tunable that nothing reads is said to have no effect yet, and no other one is."""
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "settings.py")
    is_read = re.search(rf"\b{ATTRIBUTES[tunable.name]}\b", code) is not None
    row = {**TUNABLE_ROWS, **PLACE_ROWS}[tunable.name]
    assert ("no effect yet" in row[-1]) is not is_read


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


def test_the_permissions_in_the_readme_are_those_of_the_policy() -> None:
    """The table and etc/iam-policy.json name the same, the optional ones as optional."""
    statements = json.loads((ROOT / "etc/iam-policy.json").read_text(encoding="utf-8"))["Statement"]
    needed, optional = ({*each["Action"]} for each in statements)
    rows = _named(_rows(README, "Permission", "Needed by", "Without it"))
    assert {name for name, row in rows.items() if row[1] == "optional"} == optional
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
        timeout=30,
    )
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == generated.stdout.decode("utf-8"), f"{page} is out of date: run `make docs`"
    assert re.findall(r"^### (\d+)$", text, re.MULTILINE) == [str(code) for code in sorted(CATALOGUE)]


@by_document
def test_a_code_in_a_document_is_in_the_catalogue(document: Path) -> None:
    """No document names a message that does not exist."""
    codes = {int(code) for code in re.findall(r"\b620\d{3}\b", document.read_text(encoding="utf-8"))}
    assert codes - {620999} <= set(CATALOGUE)


def test_the_design_names_every_module_and_no_other() -> None:
    """The list of modules is the folder's; packages are named by their folder."""
    listed = set(
        re.findall(r"`([a-z_/]+\.py|[a-z_]+/)`", "\n".join(" | ".join(row) for row in _rows(DESIGN, *_MODULES)))
    )
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert modules == {name for name in listed if "/" not in name}
    assert packages == {name.partition("/")[0] for name in listed if "/" in name}
    assert all((PACKAGE / name).exists() for name in listed)


_MODULES = ("From the top", "Modules")


# -- promises and their tests ------------------------------------------------------------------------------------


def _names(module: Path) -> set[str]:
    """What a module defines: functions, classes, and what is assigned."""
    statements = ast.parse(module.read_text(encoding="utf-8")).body
    defined = {each.name for each in statements if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    targets = [target for each in statements if isinstance(each, ast.Assign) for target in each.targets]
    return defined | {target.id for target in targets if isinstance(target, ast.Name)}


@by_document
def test_a_test_that_a_document_names_exists(document: Path) -> None:
    """Whoever wants to see the proof finds it under its name, and pytest runs it."""
    text = document.read_text(encoding="utf-8")
    for module, name in re.findall(r"\b(tests/[\w/]+\.py)::(\w+)", text):
        assert name.lower().startswith("test")
        assert name in _names(ROOT / module), f"{module}::{name}"
    for place in re.findall(r"`(tests/[\w/.-]+)", text):
        assert (ROOT / place).exists(), place


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
    """Whoever wants to try a failure finds it there, with what it may be told and whether IMDS can have it."""
    page = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| Effect \|.*\n(?:\|.*\n)+", page, re.MULTILINE)
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]+\|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    said = {name: (options.strip(" `"), services.strip()) for name, options, services in rows}
    imds = {("ec2",): "", ("ec2", "imds"): "yes", ("imds",): "only"}
    assert said == {
        name: (" ".join(f"--{each.name}" for each in effect.arguments), imds[effect.services])
        for name, effect in EFFECTS.items()
    }


# -- links, targets, words ---------------------------------------------------------------------------------------


@by_document
def test_a_relative_link_leads_somewhere(document: Path) -> None:
    """Every file that is linked exists, every heading too."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(_anchor, headings), link


@by_document
def test_a_make_target_in_a_document_is_in_the_makefile(document: Path) -> None:
    """What people are told to type exists."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    mentioned = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(mentioned) <= targets


@by_document
def test_a_document_names_no_place_of_the_machine_that_it_was_written_on(document: Path) -> None:
    """Examples work in anybody's folder."""
    text = document.read_text(encoding="utf-8")
    assert f"{ROOT}/" not in text
    assert not re.search(r"(?<![\w.])/(?:tmp|root|home|Users)/", text)


def test_the_changelog_begins_with_what_is_not_released() -> None:
    """Keep a Changelog: unreleased first, then versions, the newest first."""
    headings = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions = [tuple(map(int, each.split("."))) for each in headings[1:]]
    assert headings[0] == "Unreleased"
    assert versions == sorted(versions, reverse=True)
