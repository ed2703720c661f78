"""The command `ec2kit messages` explains the codes in the log: their text, their cause, and what to do."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import click

from ec2kit.cli.result import Result
from ec2kit.errors import ArgumentInvalid
from ec2kit.frameworks import edge
from ec2kit.messages.catalogue import Level, Message
from ec2kit.messages.language import Language, catalogue_in, groups_in

_WIDEST = 100
"""Maximum columns of a line; longer lines are hard to read on any terminal."""


class _Frame(NamedTuple):
    """The words around the texts of the catalogue."""

    cause: str
    action: str
    nothing: str
    title: str
    introduction: str


_FRAMES = {
    Language.ENGLISH: _Frame(
        cause="Cause",
        action="What to do",
        nothing="Nothing.",
        title="Messages",
        introduction="""\
Every line of the log has one of these codes; `ec2kit messages CODE` shows the same in a terminal. Braces stand for
what a line names. INFO and NOTIFY ask for nothing. What goes wrong on the first day, and a server that is lost or
cloned: [troubleshooting](troubleshooting.md). The log is always in English; this page is there in Japanese, too:
[日本語](messages.ja.md).

This page is made from the catalogue by `make docs`.""",
    ),
    Language.JAPANESE: _Frame(
        cause="原因",
        action="対処",
        nothing="不要です。",
        title="メッセージ",
        introduction="""\
ログの各行には、次のいずれかのコードが付いています。同じ内容は `ec2kit messages CODE` で端末に表示できます。波括弧の
部分には、その行の対象が入ります。INFO と NOTIFY への対処は不要です。導入時によくある問題や、失われたサーバー、
複製されたサーバーの扱いについては [troubleshooting](troubleshooting.md)（英語）を参照してください。

ロケール（`LC_ALL`、`LC_MESSAGES`、`LANG`）が日本語の場合、標準エラー出力と `ec2kit messages` は日本語で表示されます。
ログは常に英語です。英語版: [English](messages.md)

このページは `make docs` によってカタログから生成されます。""",
    ),
}


@click.command("messages")
@click.argument("codes", nargs=-1, type=int, metavar="[CODE]...")
@click.option(
    "--level",
    type=click.Choice([each.value for each in Level], case_sensitive=False),
    help="Show only the messages of this level.",
)
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option("--markdown", "form", flag_value="markdown", help="Print the page of docs/.")
def command(codes: tuple[int, ...], level: str | None, form: str | None) -> int:
    """
    Explain the given codes of the log: cause, and what to do. Without codes, list all messages.

    The text is Japanese if the locale (LC_ALL, LC_MESSAGES, LANG) is Japanese.
    """
    language = edge.spoken_language()
    catalogue = catalogue_in(language)
    found = [catalogue[code] for code in codes or sorted(catalogue) if code in catalogue]
    found = [each for each in found if level in (None, each.level.value)]
    if form == "markdown":
        text = _page(found, language)
    else:
        text = _explanations(found, _FRAMES[language]) if codes else _list(found)
    Result(text, {"language": language.value, "messages": [_as_dict(each) for each in found]}).show(
        as_json=form == "json"
    )
    missing = [str(code) for code in codes if code not in catalogue]
    if missing:
        raise ArgumentInvalid(
            name="CODE", reason=f"there is no message {', '.join(missing)}; `ec2kit messages` lists all"
        )
    return 0


def _as_dict(message: Message) -> dict[str, object]:
    return {
        "code": message.code,
        "level": message.level.value,
        "text": message.text,
        "cause": message.cause,
        "action": message.action,
    }


# -- for a terminal --------------------------------------------------------------------------------------------


def _list(messages: Iterable[Message]) -> str:
    """Return one line for each message, of any length, for grep."""
    return "\n".join(f"{each.code}  {each.level.value:<6}  {each.text}" for each in messages)


def _explanations(messages: Iterable[Message], frame: _Frame) -> str:
    return "\n\n".join("\n".join(_explanation(each, frame)) for each in messages)


def _explanation(message: Message, frame: _Frame) -> Iterator[str]:
    yield _beside(f"{message.code}  {message.level.value}  ", message.text)
    yield ""
    column = max(map(_columns, (frame.cause, frame.action))) + 2
    for label, text in ((frame.cause, message.cause), (frame.action, message.action or frame.nothing)):
        if text:
            yield _beside("  " + label + " " * (column - _columns(label)), text)


def _beside(label: str, text: str) -> str:
    """Set the text at the right of its label, in as many lines as it needs."""
    indent = _columns(label)
    width = min(shutil.get_terminal_size().columns, _WIDEST) - indent
    return label + ("\n" + " " * indent).join(_wrapped(text, width))


_PIECE = re.compile(r"\s*[（「]*(?:[!-~]+|\S)[、。）」]*")
"""A piece that stays on one line: a word of ASCII, or a character of Japanese with its punctuation."""


def _wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of so many columns; only a longer word makes a longer line."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and _columns(lines[-1] + piece) > width:
            lines.append(piece.lstrip())
        else:
            lines[-1] += piece
    return lines


def _columns(text: str) -> int:
    """Return the number of columns of a text in a terminal; a character of Japanese takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


# -- for docs/ -------------------------------------------------------------------------------------------------


def _page(messages: Iterable[Message], language: Language) -> str:
    frame, groups = _FRAMES[language], groups_in(language)
    parts = [f"# {frame.title}", frame.introduction]
    for group, members in groupby(messages, key=lambda each: each.code % 1000 // 100):
        parts.append(f"## 620{group}xx: {groups[group]}")
        parts += [part for each in members for part in _section(each, frame)]
    return "\n\n".join(parts)


def _section(message: Message, frame: _Frame) -> Iterator[str]:
    yield f"### {message.code}"
    yield f"> {message.level.value}: {_escaped(message.text)}"
    told = [(frame.cause, message.cause), (frame.action, message.action)]
    if any(text for _, text in told):
        yield "\n".join(f"- **{label}**: {_escaped(text)}" for label, text in told if text)


def _escaped(text: str) -> str:
    """Return the text for Markdown, with the characters of tags and emphasis escaped outside of code."""
    return re.sub(r"(`[^`]*`)|([<*])", lambda found: found[1] or f"\\{found[2]}", text)
