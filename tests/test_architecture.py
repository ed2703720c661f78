"""The direction of the house, held by the imports themselves."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ec2kit
from ec2kit import messages
from ec2kit.messages import CATALOGUE, Message

PACKAGE = Path(ec2kit.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

LAYERS = [
    {"messages", "messages_ja", "language", "status", "answers", "errors", "resource"},
    {"log", "deadline", "settings", "state", "command", "pace", "error_codes", "tree", "model"},
    {
        "lifekeeper",
        "ip_resource",
        "pacemaker",
        "intention",
        "following",
        "memory",
        "nic",
        "ping",
        "node",
        "place",
        "remote",
        "errand",
        "aws",
        "snapshot",
        "scenario",
        "route_table",
        "elastic_ip",
        "script",
    },
    {"registry", "action"},
    {"recovery"},
    {"convergence"},
    {"checks", "service", "judgement", "peers", "reassertion"},
    {"hierarchy", "properties", "migration", "verification"},
    {"creation", "dialogue", "installation"},
    {"edge"},
    {"frontends", "cli"},
]
"""From the bottom up: a module imports from its own layer or from below, never from above."""


def _name(path: Path) -> str:
    """The module's room: "aws", "registry", "cli"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def _imports(path: Path, *, typing_too: bool = False) -> Iterator[str]:
    """Every module that a file imports, in functions too; imports for annotations only where asked."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_too
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "ec2kit":
            yield from (f"ec2kit.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _layer(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_layer_or_below(path: Path) -> None:
    """Data and dependencies flow one way; the sandbox stands beside the house and knows nothing of it."""
    room = _name(path)
    if room in ("__init__", "sandbox"):
        return
    for imported in _imports(path):
        if not imported.startswith("ec2kit.") or imported == "ec2kit.__version__":
            continue
        target = imported.split(".")[1]
        if room == "cli" and target == "sandbox":
            continue
        assert _layer(target) <= _layer(room), f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_has_one_place_is_used_there_only(path: Path) -> None:
    """boto3 has one door, click one room, commands are run in one place, and the environment is read at the edge."""
    room, text = _name(path), path.read_text()
    imported = set(_imports(path))
    if room == "sandbox":
        assert {each for each in imported if each.startswith("ec2kit.")} <= {
            each for each in imported if each.startswith("ec2kit.sandbox") or each == "ec2kit.__version__"
        }
        return
    roots = {each.split(".")[0] for each in imported}
    assert not roots & {"boto3", "botocore"} or room == "aws"
    assert "click" not in roots or room == "cli"
    assert "subprocess" not in roots or room == "command" or path.name == "sandbox.py"
    assert "os.environ" not in text or room in ("edge", "frontends", "cli")
    assert not any(word in text for word in ("sys.exit", "os._exit", "print(")) or room in (
        "edge",
        "frontends",
        "cli",
    )
    assert not roots & {"moto", "werkzeug", "flask"}


def test_a_front_end_is_imported_by_no_other() -> None:
    """Front ends translate, each for its own framework; what they share lies below them."""
    for path in MODULES:
        room = _name(path)
        if room in ("frontends", "cli"):
            targets = {each.split(".")[1] for each in _imports(path) if each.startswith("ec2kit.")}
            assert not targets & ({"frontends", "cli"} - {room}), path


def _modules_loaded_by(code: str, *words: str, **environment: str) -> set[str]:
    report = "import sys, atexit; import os; from ec2kit import edge; edge.leave = lambda status: print(*sys.modules)"
    script = f"{report}\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return set(done.stdout.split())


def _loaded_by(code: str, *words: str) -> set[str]:
    return {each.split(".")[0] for each in _modules_loaded_by(code, *words)}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["restore", "-t", "../x"], id="hostile tag"),
        pytest.param(["quickCheck"], id="usage"),
        pytest.param(["remove", "-t", "x", "--nonsense"], id="unknown option"),
        pytest.param(["recover", "-t", "ec2-unknown"], id="unknown tag"),
        pytest.param(["create", "-t", "x y", "--type", "route-table"], id="create"),
    ],
)
def test_a_hook_that_is_refused_for_its_arguments_loads_neither_boto3_nor_click(words: list[str]) -> None:
    """What cannot be done costs next to nothing."""
    loaded = _loaded_by("from ec2kit.frontends import actions; actions.main(sys.argv[1:])", *words)
    assert "ec2kit" in loaded
    assert not loaded & {"boto3", "botocore", "urllib3", "click", "moto"}


@pytest.mark.parametrize(
    ("locale", "loaded"),
    [pytest.param("C.UTF-8", False, id="English"), pytest.param("ja_JP.UTF-8", True, id="Japanese")],
)
def test_a_hook_loads_japanese_only_for_a_japanese_watcher(locale: str, loaded: bool) -> None:
    """Who reads English does not pay for another language."""
    hook = "from ec2kit.frontends import actions; actions.main(sys.argv[1:])"
    modules = _modules_loaded_by(hook, "restore", "-t", "../x", LC_ALL=locale)
    assert "ec2kit.messages" in modules
    assert ("ec2kit.messages_ja" in modules) is loaded


def test_the_library_loads_neither_boto3_nor_click_until_it_needs_them() -> None:
    """Importing all of the core costs no SDK."""
    modules = ", ".join(f"ec2kit.{path.stem}" for path in PACKAGE.glob("[a-z]*.py"))
    loaded = _loaded_by(f"import {modules}; edge.leave(0)")
    assert not loaded & {"boto3", "botocore", "urllib3", "click", "moto"}


def test_the_admin_cli_loads_no_command_but_the_one_called() -> None:
    """The group is lazy."""
    code = "from ec2kit import cli; cli.main()"
    loaded = _loaded_by(code, "--version")
    assert "click" in loaded
    assert not loaded & {"boto3", "botocore", "moto"}


def _messages_used() -> set[str]:
    """The names of all that the code takes from the catalogue, `messages.NAME`."""
    return {
        node.attr
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "messages"
    }


def test_every_message_is_used_and_every_message_that_is_used_exists() -> None:
    """No code is dead, and none is made up; what each says is held in both languages by test_messages.py."""
    names = {name: each for name, each in vars(messages).items() if isinstance(each, Message)}
    assert set(CATALOGUE) == {each.code for each in names.values()}
    assert _messages_used() == set(names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_code_stands_in_the_catalogue_only(path: Path) -> None:
    """A message is named by its name; numbers elsewhere could not be found."""
    if path.parent == PACKAGE and path.name in ("messages.py", "messages_ja.py"):
        return
    constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert not [each for each in constants if isinstance(each, int) and 620001 <= each <= 620999]


def test_every_operation_that_is_called_stands_in_the_iam_policy_and_nothing_else() -> None:
    """The policy in etc/ is the least that is needed."""
    import json
    import re

    policy = json.loads((PACKAGE.parent / "etc" / "iam-policy.json").read_text())
    granted = {action.removeprefix("ec2:") for each in policy["Statement"] for action in each["Action"]}
    source = (PACKAGE / "aws.py").read_text()
    called = set(re.findall(r'_(?:look|change)\(\s*"([A-Z][A-Za-z]+)"', source))
    assert called == granted
