"""The tree of errors."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

import pytest

from ec2kit import errors
from ec2kit.errors import AwsUnknown, Ec2KitError, OwnTrouble, Unknown


def _leaves(kind: type[Ec2KitError] = Ec2KitError) -> Iterator[type[Ec2KitError]]:
    for each in kind.__subclasses__():
        if each.__module__ == "ec2kit.errors":
            if hasattr(each, "message"):
                yield each
            yield from _leaves(each)


EVERY = sorted(set(_leaves()), key=lambda each: each.__name__)


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


@pytest.mark.parametrize("kind", EVERY, ids=lambda each: each.__name__)
def test_tree_in_the_docstring_names_the_error(kind: type[Ec2KitError]) -> None:
    """The drawn tree leads a reader to every class that says something of its own about AWS or this server."""
    if issubclass(kind, Unknown):
        assert kind.__name__ in DRAWN


def test_tree_in_the_docstring_names_only_errors_that_exist() -> None:
    """Whoever looks for an error that the tree names finds it."""
    assert [name for name in DRAWN if not hasattr(errors, name)] == []
