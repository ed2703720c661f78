"""The tree of errors."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ec2kit import errors
from ec2kit.errors import AwsUnknown, Ec2KitError, OwnTrouble, Unknown
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message


def _leaves(kind: type[Ec2KitError] = Ec2KitError) -> Iterator[type[Ec2KitError]]:
    for each in kind.__subclasses__():
        if each.__module__ == "ec2kit.errors":
            if hasattr(each, "message"):
                yield each
            yield from _leaves(each)


EVERY = sorted(set(_leaves()), key=lambda each: each.__name__)


CLASSES = {
    name: each for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Ec2KitError)
}

DRAWN = re.findall(r"\b[A-Z][a-z]\w*[A-Z]\w*|\bUnknown\b|\bOvertaken\b", errors.__doc__ or "")


def _fields(kind: type[Ec2KitError]) -> dict[str, str]:
    names = [name for _, name, _, _ in string.Formatter().parse(kind.message.text) if name]
    return {name: f"<{name}>" for name in names}


@pytest.mark.parametrize("kind", EVERY, ids=lambda each: each.__name__)
def test_error_text_is_its_message_with_fields(kind: type[Ec2KitError]) -> None:
    """Each error renders its entry of the catalogue and keeps the fields."""
    fields = _fields(kind)
    error = kind(**fields)
    assert error.fields == fields
    assert all(value in str(error) for value in fields.values())


@pytest.mark.parametrize(
    ("kind", "retryable", "trouble"),
    [
        pytest.param(errors.AwsUnreachable, True, False, id="unreachable"),
        pytest.param(errors.AwsThrottled, True, False, id="throttled"),
        pytest.param(errors.AwsServerError, True, False, id="server-error"),
        pytest.param(errors.AwsGarbled, True, False, id="garbled"),
        pytest.param(errors.CredentialsMissing, True, False, id="credentials-missing"),
        pytest.param(errors.CredentialsExpired, True, False, id="credentials-expired"),
        pytest.param(errors.CredentialsRejected, False, True, id="credentials-rejected"),
        pytest.param(errors.PermissionMissing, False, True, id="permission-missing"),
    ],
)
def test_aws_unknown_kind_says_whether_retrying_and_mending_help(
    kind: type[AwsUnknown], retryable: bool, trouble: bool
) -> None:
    """Retries are only for what time can heal; what a person must mend is trouble."""
    assert (kind.retryable, kind.trouble) == (retryable, trouble)


@pytest.mark.parametrize(
    "kind", [each for each in EVERY if issubclass(each, OwnTrouble)], ids=lambda each: each.__name__
)
def test_own_trouble_is_unknown_and_has_to_be_mended(kind: type[OwnTrouble]) -> None:
    """Trouble of this server says nothing about the address, and a person has to mend it."""
    assert issubclass(kind, Unknown)
    assert kind.trouble


def test_tree_in_the_docstring_names_every_error_and_no_other() -> None:
    """Whoever looks for an error that the tree names finds it, and every error stands in the tree."""
    assert sorted(DRAWN) == sorted(CLASSES)


# -- a class only where it is told from others, otherwise a message --------------------------------------------


@cache
def _sources() -> list[ast.Module]:
    return [ast.parse(path.read_text()) for path in Path(errors.__file__).parent.rglob("*.py")]


def _name(node: ast.AST) -> str:
    """The last part of a dotted name, "NOT_FREE" of `catalogue.NOT_FREE`; "" where it is none."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _questions(node: ast.AST) -> Iterator[ast.AST]:
    """Where it is asked of which class an error is."""
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield node.type
    elif isinstance(node, ast.Call) and _name(node.func) in ("isinstance", "suppress"):
        yield from node.args[-1:] if _name(node.func) == "isinstance" else node.args
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        yield node.value


def test_each_class_is_told_from_others_somewhere() -> None:
    """A class that no `except`, isinstance, suppress or tuple of classes names is a message, and needs no class."""
    nodes = (node for tree in _sources() for node in ast.walk(tree))
    asked = {_name(each) for node in nodes for question in _questions(node) for each in ast.walk(question)}
    assert sorted(CLASSES.keys() - asked) == []


def _made() -> Iterator[tuple[str, Message, set[str | None]]]:
    """Every error that the sources make: its class, its message, its fields."""
    for call in (node for tree in _sources() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        kind = CLASSES.get(ast.unparse(call.func).removeprefix("errors."))
        if kind is not None:
            message = getattr(catalogue, _name(call.args[0])) if call.args else kind.message
            assert not (call.args and hasattr(kind, "message")), ast.unparse(call)
            yield kind.__name__, message, {each.arg for each in call.keywords}


def test_a_message_is_the_same_kind_of_error_wherever_it_is_raised() -> None:
    """Which errors end an action how depends on their class: a message has one, its own where it has one."""
    kinds: dict[Message, set[str]] = {}
    for name, message, _ in _made():
        kinds.setdefault(message, set()).add(name)
    twice = {message: each for message, each in kinds.items() if len(each) > 1}
    assert twice.keys() == {catalogue.CREDENTIALS_REJECTED}, "those that may be renewed, and those that may not"
    assert len(kinds) > 50


def test_an_error_is_given_the_fields_of_its_message() -> None:
    """Each message can be rendered where it is raised."""
    for name, message, given in _made():
        needed = {field for _, field, _, _ in string.Formatter().parse(message.text) if field}
        assert None in given or needed <= given, f"{name}: {message.text}"
