"""The catalogue of messages, in both languages."""

from __future__ import annotations

import re
import string

import pytest

from ec2kit import messages_ja
from ec2kit.language import Language, catalogue_in, groups_in
from ec2kit.messages import CATALOGUE, GROUPS, Level, Message

JAPANESE = catalogue_in(Language.JAPANESE)

in_both_languages = pytest.mark.parametrize(
    "message",
    [each for language in Language for each in catalogue_in(language).values()],
    ids=[f"{code}-{language.value}" for language in Language for code in catalogue_in(language)],
)
by_message = pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: str(message.code))


def _fields(message: Message) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message.text) if name is not None}


@in_both_languages
def test_message_entry_is_in_our_range_and_one_line(message: Message) -> None:
    """Each message has a six-digit code of our own range, and a text of one line."""
    assert 620001 <= message.code <= 620999
    assert message.text
    assert "\n" not in message.text


@in_both_languages
def test_message_that_asks_for_attention_says_cause_and_what_to_do(message: Message) -> None:
    """WARN and worse tell the operator at 3 a.m. how it comes to that, and what to do; the others tell neither."""
    asks = message.level in (Level.WARN, Level.ERROR, Level.FATAL)
    assert [bool(message.cause), bool(message.action)] == [asks, asks]


@in_both_languages
def test_message_cause_and_action_are_sentences_of_one_line(message: Message) -> None:
    """Whoever reads them finds whole sentences, without a blank too many where lines were put together."""
    for text in (message.cause, message.action):
        assert not text or text.endswith((".", "?", "。"))
        assert " ".join(text.split()) == text


def test_japanese_has_every_code_and_no_other() -> None:
    """Nobody meets a message that is missing in one of the languages."""
    assert list(messages_ja.WORDS) == sorted(CATALOGUE)


def test_groups_have_a_name_in_both_languages() -> None:
    """Each group of codes is named, and no other."""
    used = {code % 1000 // 100 for code in CATALOGUE}
    assert used == set(GROUPS) == set(groups_in(Language.JAPANESE))


@by_message
def test_japanese_message_has_the_same_fields_and_level(message: Message) -> None:
    """What a line names in English it names in Japanese."""
    japanese = JAPANESE[message.code]
    assert _fields(japanese) == _fields(message)
    assert (japanese.code, japanese.level) == (message.code, message.level)


@by_message
def test_japanese_message_shows_its_fields(message: Message) -> None:
    """Every entry can be rendered with what the code gives to the English one."""
    shown = JAPANESE[message.code].render(**{name: f"<{name}>" for name in _fields(message)})
    assert all(f"<{name}>" in shown for name in _fields(message))


@by_message
def test_japanese_words_are_japanese(message: Message) -> None:
    """No entry was left in English; texts that are all fields have no words of their own."""
    japanese = JAPANESE[message.code]
    own_words = re.sub(r"\{\w+\}", "", japanese.text)
    for text in filter(re.compile(r"\w").search, (own_words, japanese.cause, japanese.action)):
        assert re.search("[ぁ-ヿ]", text), text


def test_render_fields_with_braces_and_line_breaks_stays_one_line() -> None:
    """What a field holds is text, never a format, and never breaks the line."""
    assert (
        CATALOGUE[620307].render(target="rtb-1", reason="a {brace}\n  and a break") == "rtb-1: a {brace} and a break"
    )


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: str(message.code))
def test_render_takes_nothing_of_a_message_for_a_secret(message: Message) -> None:
    """What is masked comes from a field, never from our own words."""
    fields = {name: "x" for _, name, _, _ in string.Formatter().parse(message.text) if name}
    assert "***" not in message.render(**fields)
