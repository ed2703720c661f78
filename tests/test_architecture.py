"""The direction of the house, held by the imports themselves."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import ec2kit
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import CATALOGUE, Message
from ec2kit.scenarios import table

from .patience import HANGS

PACKAGE = Path(ec2kit.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

FLOORS = (
    ("messages", "words"),
    ("state", "host"),
    ("ec2",),
    ("scenarios", "registry"),
    ("engine",),
    ("peers", "checks"),
    ("actions",),
    ("frameworks", "cli", "__main__"),
)
"""From the bottom up: a room imports from floors below, and on its own floor from rooms that stand before it."""

WORDS = {
    "resource",
    "role",
    "status",
    "finding",
    "holding",
    "errors",
    "settings",
    "assignments",
    "sdk_settings",
    "sdk_profile",
    "deadline",
    "endpoints",
}
"""The modules that lie in no room: the words that all rooms use."""


def _room(module: str) -> str:
    """The room of a dotted name below ec2kit, "ec2.client" is in "ec2"."""
    first = module.split(".", maxsplit=1)[0]
    return "words" if first in WORDS else first


def _place(room: str) -> tuple[int, int]:
    return next((floor, rooms.index(room)) for floor, rooms in enumerate(FLOORS) if room in rooms)


def _name(path: Path) -> str:
    """The module's room: "words", "registry", "cli"."""
    return _room(".".join(path.relative_to(PACKAGE).with_suffix("").parts))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(path: Path, *, typing_too: bool = False) -> Iterator[str]:
    """Every module that a file imports, in functions too; imports for annotations only where asked."""
    tree = _tree(path)
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


def _no_module_has(complaints: Callable[[Path], Iterator[str]]) -> None:
    """Fail with all that is said against any module, "ec2kit/cli/set.py: boto3"."""
    found = [f"{path.relative_to(PACKAGE.parent)}: {each}" for path in MODULES for each in complaints(path)]
    assert not found, "\n".join(found)


def test_a_room_imports_only_from_rooms_before_it() -> None:
    """Dependencies flow one way, those of types too: no two rooms need each other. The sandbox stands beside."""

    def from_above(path: Path) -> Iterator[str]:
        room = _name(path)
        if room in ("__init__", "sandbox"):
            return
        for imported in _imports(path, typing_too=True):
            if not imported.startswith("ec2kit.") or imported == "ec2kit.__version__":
                continue
            target = _room(imported.removeprefix("ec2kit."))
            if (room, target) != ("cli", "sandbox") and _place(target) > _place(room):
                yield imported

    _no_module_has(from_above)


def test_what_has_one_place_is_used_there_only() -> None:
    """boto3 has one door, click one room, commands are run in one place, and the environment is read at the edge."""

    def out_of_place(path: Path) -> Iterator[str]:
        room, imported = _name(path), set(_imports(path))
        if room == "sandbox":
            ours = {each for each in imported if each.startswith("ec2kit.") and each != "ec2kit.__version__"}
            yield from (each for each in ours if not each.startswith("ec2kit.sandbox"))
            return
        places = {
            **dict.fromkeys(("boto3", "botocore"), room == "ec2"),
            "click": room == "cli",
            "subprocess": room == "host" or path.name == "sandbox.py",
            **dict.fromkeys(("moto", "werkzeug", "flask"), False),
        }
        roots = {each.split(".")[0] for each in imported}
        yield from (name for name, is_there in places.items() if name in roots and not is_there)
        if room not in ("frameworks", "cli"):
            words = ("os.environ", "sys.exit", "os._exit", "print(")
            yield from (word for word in words if word in path.read_text())

    _no_module_has(out_of_place)


def test_a_scenario_is_named_in_its_own_room_only() -> None:
    """What differs between kinds of address is theirs; the sandbox knows nothing of the kit and may use the words."""
    names = {word for name in table.names() for word in (name, _as_a_name(name), _as_a_name(name).upper())}
    named = re.compile(rf"\b({'|'.join(sorted(names))})\b")
    found = {
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in MODULES
        if _name(path) not in ("scenarios", "sandbox")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if named.search(line)
    }
    assert found == set()


def _as_a_name(scenario: str) -> str:
    return scenario.replace("-", "_")


_OPENS_FILES = {
    "ec2/snapshot.py": "the shared answers, and what tells them of writes",
    "ec2/ways.py": "the way to EC2 that answered last",
    "host/instance.py": "which instance this is",
    "peers/errand.py": "errands, which are about whoever asked",
    "registry/local.py": "definitions, in STATE",
    "registry/states.py": "states, in STATE",
    "actions/create.py": "the lock of all creates, in STATE",
    "engine/trace.py": "what a create has to undo, in STATE",
    "frameworks/install/manifest.py": "the manifest, in a framework's tree",
}
"""Modules outside of state/ that open durable files or locks, and which: none is a note about a resource."""


_NAMES_FILES_OF_RUN = {"ec2/snapshot.py", "engine/action.py", "host/instance.py"}
"""Modules that name files in RUN; errands are given the folder."""


def test_what_is_noted_about_a_resource_is_opened_by_its_note_only() -> None:
    """One class knows names, boot and damage of all files RUN/TAG.*, so that one call forgets them."""
    opens, names = set(), set()
    for path in MODULES:
        name, nodes = str(path.relative_to(PACKAGE)), list(ast.walk(ast.parse(path.read_text())))
        calls = [(ast.unparse(node.func), node) for node in nodes if isinstance(node, ast.Call)]
        if {"StateFile", "Lock"} & {function for function, _ in calls} and not name.startswith("state/"):
            opens.add(name)
        paths: list[ast.AST] = [node for node in nodes if isinstance(node, ast.JoinedStr)]
        paths += [node for function, node in calls if function == "os.path.join"]
        if any("run_dir" in ast.unparse(each) for each in paths):
            names.add(name)
    assert opens == set(_OPENS_FILES)
    assert names == _NAMES_FILES_OF_RUN


def test_time_that_passes_is_not_taken_from_the_wall_clock() -> None:
    """
    The wall clock may be set at any moment; time counts since boot. The sandbox plays a machine of its own.

    The doctor compares the wall clocks of the servers, as EC2 does with the time of a request.
    """

    def by_the_wall(path: Path) -> Iterator[str]:
        if _name(path) != "sandbox" and path != PACKAGE / "actions" / "doctor.py":
            words = ("time.time(", "time.time_ns(", "CLOCK_REALTIME", "datetime.now(", "st_mtime", "getmtime(")
            yield from (word for word in words if word in path.read_text())

    _no_module_has(by_the_wall)


def test_a_front_end_is_imported_by_no_other() -> None:
    """Front ends translate, each for its own framework; what they share lies below them."""
    for path in MODULES:
        room = _name(path)
        if room == "frameworks":
            own = _framework(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
            others = {_framework(each.removeprefix("ec2kit.")) for each in _imports(path)} - {own, "install"}
            assert not others & {"lifekeeper", "pacemaker", "keepalived", "patroni"} or own == "edge", path


def _framework(module: str) -> str:
    """The part of the room of frameworks that a module lies in."""
    parts = module.split(".")
    return parts[1] if parts[0] == "frameworks" and len(parts) > 1 else ""


def _modules_loaded_by(code: str, *words: str, **environment: str) -> set[str]:
    report = "from ec2kit.frameworks import edge; edge.leave = lambda status: print(*sys.modules)"
    script = f"import sys\n{report}\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGS,
    )
    return set(done.stdout.split())


_HOOK = "from ec2kit.frameworks.lifekeeper import scripts; scripts.main(sys.argv[1:])"


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
    loaded = _loaded_by(_HOOK, *words)
    assert "ec2kit" in loaded
    assert not loaded & {"boto3", "botocore", "urllib3", "click", "moto"}


def test_the_table_of_actions_loads_neither_parser_nor_sdk_nor_what_it_runs() -> None:
    """Whoever looks an action up pays for the table only; what makes commands of it needs click and the table."""
    lookup = "from ec2kit.actions.table import ACTIONS"
    for more, own in (("", {"table"}), ("; [each.options() for each in ACTIONS.values()]", {"table", "option"})):
        loaded = _modules_loaded_by(f"{lookup}{more}; edge.leave(0)")
        assert not loaded & {"argparse", "click", "boto3", "botocore"}
        assert {each for each in loaded if each.startswith("ec2kit.actions.")} == {
            f"ec2kit.actions.{it}" for it in own
        }
    imported = {each for each in _imports(PACKAGE / "cli" / "commands.py") if each.startswith(("click", "ec2kit"))}
    when_called = {"ec2kit.cli", "ec2kit.frameworks"}
    assert imported - when_called == {"click", "ec2kit.actions.option", "ec2kit.actions.table"}


def test_a_plain_hook_loads_no_parser() -> None:
    """argparse takes longer to load than some actions take."""
    for words in (["quickCheck", "-t", "../x"], ["remove", "-i", "x", "-t", "../x", "--hook"]):
        loaded = _loaded_by(_HOOK, *words)
        assert not loaded & {"argparse", "click"}, words
    assert "argparse" in _loaded_by(_HOOK, "quickCheck", "../x")


@pytest.mark.parametrize(
    ("locale", "loaded"),
    [pytest.param("C.UTF-8", False, id="English"), pytest.param("ja_JP.UTF-8", True, id="Japanese")],
)
def test_a_hook_loads_japanese_only_for_a_japanese_watcher(locale: str, loaded: bool) -> None:
    """Who reads English does not pay for another language."""
    modules = _modules_loaded_by(_HOOK, "restore", "-t", "../x", LC_ALL=locale)
    assert "ec2kit.messages.catalogue" in modules
    assert ("ec2kit.messages.japanese" in modules) is loaded


_AT_THE_TOP = ("cli", "sandbox")


def test_the_library_loads_neither_boto3_nor_click_until_it_needs_them() -> None:
    """Importing all of the core costs no SDK."""
    names = [path.relative_to(PACKAGE.parent).with_suffix("") for path in MODULES if _name(path) not in _AT_THE_TOP]
    modules = ", ".join(".".join(each.parts).removesuffix(".__init__") for each in names)
    loaded = _loaded_by(f"import {modules}; edge.leave(0)")
    assert not loaded & {"boto3", "botocore", "urllib3", "click", "moto"}


def test_the_admin_cli_loads_no_command_but_the_one_called() -> None:
    """The group is lazy."""
    code = "from ec2kit import cli; cli.main()"
    loaded = _loaded_by(code, "--version")
    assert "click" in loaded
    assert not loaded & {"boto3", "botocore", "moto"}


def _messages_used() -> set[str]:
    """The names of all that the code takes from the catalogue, `catalogue.NAME`."""
    return {
        node.attr
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "catalogue" and node.attr.isupper()
    }


def test_every_message_is_used_and_every_message_that_is_used_exists() -> None:
    """No code is dead, and none is made up; what each says is held in both languages by test_messages.py."""
    names = {name: each for name, each in vars(catalogue).items() if isinstance(each, Message)}
    assert set(CATALOGUE) == {each.code for each in names.values()}
    assert _messages_used() == set(names)


def test_a_code_stands_in_the_catalogue_only() -> None:
    """A message is named by its name; numbers elsewhere could not be found."""

    def codes(path: Path) -> Iterator[str]:
        if _name(path) == "messages" and path.name in ("catalogue.py", "japanese.py"):
            return
        constants = [node.value for node in ast.walk(_tree(path)) if isinstance(node, ast.Constant)]
        yield from (str(each) for each in constants if isinstance(each, int) and 620001 <= each <= 620999)

    _no_module_has(codes)


def test_every_operation_that_is_called_stands_in_the_iam_policy_and_nothing_else() -> None:
    """The policy in etc/ is the least that is needed."""
    import json
    import re

    policy = json.loads((PACKAGE.parent / "etc" / "iam-policy.json").read_text())
    granted = {action for each in policy["Statement"] for action in each["Action"]}
    called = {
        f"{service}:{operation}"
        for service, module in (("ec2", "operations.py"), ("route53", "route53.py"))
        for operation in re.findall(
            r'\.(?:look|change)\(\s*"([A-Z][A-Za-z0-9]+)"', (PACKAGE / "ec2" / module).read_text()
        )
    }
    assert called == granted
