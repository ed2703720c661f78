"""Masking: a line without a sign of a secret is left alone, and none that has one is."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from ec2kit.messages import masking
from ec2kit.messages.masking import clean, masked, printable

KEYS = ("AKIA", "aSIA")
SIGNS = ("secret", "SECRET=", "Token: ", "ſecret=", "authoriKation=", "X-Amz-Signature=", "header value b'", *KEYS)
OTHERS = (
    "aSIA",
    "http://",
    "u:p@host",
    "A" * 20,
    "0" * 40,
    " ",
    "=",
    "'",
    "the token bucket is empty",
    "\u202e",
    "\n",
)
words = st.sampled_from((*SIGNS, *OTHERS))
texts = st.lists(words | st.text(max_size=8), max_size=12).map("".join)


@given(texts)
@example("ſecret=abcdef")  # the long s is an s where case does not matter
@example("AKIAIOSFODNN7EXAMPLE " + "a" * 40)
def test_clean_of_any_text_is_what_all_patterns_make_of_it(text: str) -> None:
    """The look for signs saves time, and lets nothing through that a pattern would have masked."""
    assert clean(text) == masked(printable(text))


@given(texts)
@example("last token abc.DEF; attempt 2 of DescribeRouteTables follows")
def test_masked_text_is_left_as_it_is(text: str) -> None:
    """A reason that was masked is masked again within its message, and loses nothing more."""
    once = masked(printable(text))
    assert masked(once) == once


@given(st.text())
def test_printable_of_any_text_is_what_the_pattern_makes_of_it(text: str) -> None:
    """What Python calls printable has no character that a terminal would obey."""
    assert printable(text) == re.sub(masking._CONTROL, " ", text)
