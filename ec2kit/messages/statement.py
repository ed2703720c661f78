"""A statement can be said in each language: a message of the catalogue with its fields, or several of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import CATALOGUE, Message

if TYPE_CHECKING:
    from typing import Protocol, TypeGuard

    class Statement(Protocol):
        """Anything that has a message and its fields, as an error has."""

        @property
        def message(self) -> Message: ...

        @property
        def fields(self) -> Mapping[str, object]: ...


_SHOWN = 3
"""The number of objects that are listed by name."""


class Reason(NamedTuple):
    """
    A clause that gives a reason.

    Attributes:
        objects: The objects for which it holds, ("rtb-1", "rtb-2"); shown after the text.
    """

    message: Message
    fields: Mapping[str, object]
    objects: tuple[str, ...] = ()

    def __str__(self) -> str:
        return said(self)

    @staticmethod
    def of(message: Message, **fields: object) -> Reason:
        """Make a reason from a message of the catalogue."""
        return Reason(message, fields)


class Reasons(tuple["Statement", ...]):
    """Several statements, which are shown one after the other."""

    __slots__ = ()

    def __str__(self) -> str:
        return said(self)

    def __format__(self, specification: str) -> str:
        return str(self)


def is_statement(value: object) -> TypeGuard[Statement]:
    """Tell whether a value has a message and its fields; every log line asks this of each of its fields."""
    return isinstance(value, Reason) or (isinstance(value, BaseException) and hasattr(value, "message"))


def said(value: object, words: Mapping[int, Message] = CATALOGUE) -> str:
    """
    Return the text of a statement or of several statements, and of any other value its own text.

    Args:
        words: Code → message, in the language wanted.
    """
    if isinstance(value, Reasons):
        return "; ".join(said(each, words) for each in value)
    if not is_statement(value):
        return str(value)
    own = {
        name: said(each, words) if isinstance(each, Reasons) or is_statement(each) else each
        for name, each in value.fields.items()
    }
    text = words.get(value.message.code, value.message).render(**own)
    return f"{text}: {_listed(value.objects, words)}" if isinstance(value, Reason) and value.objects else text


def _listed(objects: tuple[str, ...], words: Mapping[int, Message]) -> str:
    shown = ", ".join(objects[:_SHOWN])
    if len(objects) <= _SHOWN:
        return shown
    return words[catalogue.AND_MORE.code].render(shown=shown, count=len(objects) - _SHOWN)


def codes(value: object) -> Iterator[int]:
    """Yield the codes of a statement and of the statements among its fields, the outermost first."""
    if isinstance(value, Reasons):
        for each in value:
            yield from codes(each)
    elif is_statement(value):
        yield value.message.code
        for field in value.fields.values():
            yield from codes(field)
