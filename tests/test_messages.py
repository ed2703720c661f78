"""The catalogue of messages."""

from __future__ import annotations

import pytest

from ec2kit.messages import CATALOGUE, Level, Message


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: str(message.code))
def test_message_entry_is_in_our_range_and_one_line(message: Message) -> None:
    """Each message has a six-digit code of our own range, and a text of one line."""
    assert 620001 <= message.code <= 620999
    assert message.text
    assert "\n" not in message.text


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=lambda message: str(message.code))
def test_message_that_asks_for_attention_says_cause_and_what_to_do(message: Message) -> None:
    """WARN and worse tell the operator at 3 a.m. how it comes to that, and what to do; the others tell neither."""
    asks = message.level in (Level.WARN, Level.ERROR, Level.FATAL)
    assert [bool(message.cause), bool(message.action)] == [asks, asks]


def test_render_fields_with_braces_and_line_breaks_stays_one_line() -> None:
    """What a field holds is text, never a format, and never breaks the line."""
    assert (
        CATALOGUE[620307].render(target="rtb-1", reason="a {brace}\n  and a break") == "rtb-1: a {brace} and a break"
    )
