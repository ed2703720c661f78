"""`ec2kit messages` as a process: the catalogue for a person, in either language, and for a program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import unicodedata

import pytest

from ec2kit.messages.catalogue import CATALOGUE, Level

from ..patience import HANGS
from .test_cli import EC2KIT

ENGLISH, JAPANESE = "C.UTF-8", "ja_JP.UTF-8"
ATTENTION = [code for code, each in CATALOGUE.items() if each.level in (Level.WARN, Level.ERROR)]


def messages(*words: str, locale: str = ENGLISH, **environment: str) -> subprocess.CompletedProcess[str]:
    return ec2kit("messages", *words, locale=locale, **environment)


def ec2kit(*words: str, locale: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "LC_ALL": locale, "COLUMNS": "80", **environment}
    command = [EC2KIT, *words]
    return subprocess.run(command, env=given, capture_output=True, encoding="utf-8", check=False, timeout=HANGS)


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)


def test_messages_alone_lists_every_message_one_a_line() -> None:
    """Code, level and text in order: made for grep."""
    lines = messages().stdout.splitlines()
    assert [line.split(None, 2) for line in lines] == [
        [str(code), each.level.value, each.text] for code, each in sorted(CATALOGUE.items())
    ]


def test_messages_of_a_level_are_those_only() -> None:
    """Who wants to know what can go wrong is not shown what goes right."""
    lines = messages("--level", "error").stdout.splitlines()
    assert {int(line[:6]) for line in lines} == {c for c, each in CATALOGUE.items() if each.level is Level.ERROR}


def test_messages_code_shows_text_cause_and_what_to_do() -> None:
    """What stands at the end of a line on the screen leads to the whole entry."""
    assert messages("620309").stdout == (
        "620309  ERROR  no route table of {vpc_id} has a route {cidr}\n"
        "\n"
        "  Cause       The kit moves routes that exist; it creates none.\n"
        "  What to do  Create the route in every table whose subnets use the address.\n"
    )


def test_messages_code_in_a_japanese_locale_is_japanese() -> None:
    """The same entry, chosen by the locale."""
    assert messages("620309", locale=JAPANESE).stdout == (
        "620309  ERROR  {vpc_id} のどのルートテーブルにもルート {cidr} がありません\n"
        "\n"
        "  原因  ec2kit は既存のルートを切り替えるだけで、ルートを作成しません。\n"
        "  対処  このアドレスを使用するサブネットのすべてのルートテーブルに、ルートを作成\n"
        "        してください。\n"
    )


def test_messages_several_codes_are_shown_in_the_order_asked_for() -> None:
    """One call for all codes of a failed action."""
    shown = messages("620309", "620001").stdout
    assert re.findall(r"^(\d{6}) ", shown, re.MULTILINE) == ["620309", "620001"]
    assert shown.endswith("\n\n  What to do  Nothing.\n")


@pytest.mark.parametrize("locale", [ENGLISH, JAPANESE])
@pytest.mark.parametrize("width", [60, 80])
def test_messages_explained_fit_into_the_terminal(locale: str, width: int) -> None:
    """Nothing is cut or broken by the terminal, in neither language, and no word is lost or torn."""
    shown = messages(*map(str, ATTENTION), locale=locale, COLUMNS=str(width)).stdout
    assert max(map(_columns, shown.splitlines())) <= width
    told = json.loads(messages(*map(str, ATTENTION), "--json", locale=locale).stdout)["messages"]
    texts = [each[part] for each in told for part in ("text", "cause", "action")]
    without_blanks = re.sub(r"\s", "", shown)
    assert all(re.sub(r"\s", "", text) in without_blanks for text in texts)
    words = {word for text in texts for word in re.findall(r"[\w{}/.:<>-]{2,}", text, re.ASCII)}
    assert words <= set(re.findall(r"[\w{}/.:<>-]{2,}", shown, re.ASCII))


def test_messages_as_json_has_all_of_an_entry() -> None:
    """A program reads code, level, text, cause and action."""
    told = json.loads(messages("620309", "--json").stdout)
    each = CATALOGUE[620309]
    entry = {"code": 620309, "level": "ERROR", "text": each.text, "cause": each.cause, "action": each.action}
    assert told == {"version": 1, "language": "en", "messages": [entry]}


def test_messages_as_json_in_a_japanese_locale_says_so() -> None:
    """A program can tell in which language it was answered."""
    told = json.loads(messages("--json", locale=JAPANESE).stdout)
    assert told["language"] == "ja"
    assert len(told["messages"]) == len(CATALOGUE)


def test_messages_unknown_code_is_a_failure_of_one_line() -> None:
    """The command line is understood, but there is no such message; the others are shown all the same."""
    done = messages("620309", "620999", "1")
    assert done.returncode == 1
    assert done.stdout.startswith("620309  ERROR")
    assert done.stderr == "ec2kit: CODE: there is no message 620999, 1; `ec2kit messages` lists all\n"


@pytest.mark.parametrize("words", [["high"], ["--level", "high"]], ids=["code", "level"])
def test_messages_of_what_cannot_be_is_usage(words: list[str]) -> None:
    """What is no number and no level is a slip of the fingers."""
    assert messages(*words).returncode == 2


def test_an_error_of_the_admin_cli_is_in_the_language_of_the_locale() -> None:
    """Whoever types a command reads in their own language why it cannot be."""
    assert "'../x' is not a tag" in ec2kit("status", "../x", locale=ENGLISH).stderr
    assert "ec2kit: '../x' はタグとして使用できません" in ec2kit("status", "../x", locale=JAPANESE).stderr
