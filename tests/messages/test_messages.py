"""The catalogue of messages, in both languages."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Any

from ec2kit.messages import japanese as messages_ja
from ec2kit.messages.catalogue import CATALOGUE, GROUPS, Level, Message
from ec2kit.messages.language import Language, catalogue_in, groups_in

JAPANESE = catalogue_in(Language.JAPANESE)

IN_BOTH_LANGUAGES = {
    f"{code}-{language.value}": message for language in Language for code, message in catalogue_in(language).items()
}


def _fields(message: Message) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message.text) if name is not None}


def _all(holds: Callable[[Message], bool], messages: Mapping[Any, Message] = IN_BOTH_LANGUAGES) -> None:
    """Fail with all messages for which something does not hold, "620011-ja"."""
    found = [name for name, message in messages.items() if not holds(message)]
    assert not found, found


def test_message_entry_is_in_our_range_and_one_line() -> None:
    """Each message has a six-digit code of our own range, and a text of one line."""
    _all(lambda each: 620001 <= each.code <= 620999 and bool(each.text) and "\n" not in each.text)


def test_message_that_asks_for_attention_says_cause_and_what_to_do() -> None:
    """WARN and worse tell the operator at 3 a.m. how it comes to that, and what to do; the others tell neither."""
    asking = (Level.WARN, Level.ERROR, Level.FATAL)
    _all(lambda each: {bool(each.cause), bool(each.action)} == {each.level in asking})


def test_message_cause_and_action_are_sentences_of_one_line() -> None:
    """Whoever reads them finds whole sentences, without a blank too many where lines were put together."""

    def is_a_sentence(text: str) -> bool:
        return not text or (text.endswith((".", "?", "。")) and " ".join(text.split()) == text)

    _all(lambda each: is_a_sentence(each.cause) and is_a_sentence(each.action))


def test_japanese_has_every_code_and_no_other() -> None:
    """Nobody meets a message that is missing in one of the languages."""
    assert list(messages_ja.WORDS) == sorted(CATALOGUE)


def test_groups_have_a_name_in_both_languages() -> None:
    """Each group of codes is named, and no other."""
    used = {code % 1000 // 100 for code in CATALOGUE}
    assert used == set(GROUPS) == set(groups_in(Language.JAPANESE))


def test_japanese_message_has_the_same_fields_and_level() -> None:
    """What a line names in English it names in Japanese."""
    said = {code: (each.code, each.level, _fields(each)) for code, each in JAPANESE.items()}
    assert said == {code: (each.code, each.level, _fields(each)) for code, each in CATALOGUE.items()}


def test_japanese_message_shows_its_fields() -> None:
    """Every entry can be rendered with what the code gives to the English one."""

    def shows_all(message: Message) -> bool:
        fields = {name: f"<{name}>" for name in _fields(message)}
        shown = JAPANESE[message.code].render(**fields)
        return all(each in shown for each in fields.values())

    _all(shows_all, CATALOGUE)


def test_japanese_words_are_japanese() -> None:
    """No entry was left in English; texts that are all fields have no words of their own."""

    def is_japanese(message: Message) -> bool:
        texts = (re.sub(r"\{\w+\}", "", message.text), message.cause, message.action)
        return all(re.search("[ぁ-ヿ]", text) for text in texts if re.search(r"\w", text))

    _all(is_japanese, JAPANESE)


def test_render_fields_with_braces_and_line_breaks_stays_one_line() -> None:
    """What a field holds is text, never a format, and never breaks the line."""
    assert (
        CATALOGUE[620307].render(target="rtb-1", reason="a {brace}\n  and a break") == "rtb-1: a {brace} and a break"
    )


def test_render_takes_nothing_of_a_message_for_a_secret() -> None:
    """What is masked comes from a field, never from our own words."""
    _all(lambda each: "***" not in each.render(**dict.fromkeys(_fields(each), "x")), CATALOGUE)
