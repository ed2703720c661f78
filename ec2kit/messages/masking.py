"""Secrets, control characters and more than one line must not stand in a message."""

from __future__ import annotations

import re
from functools import cache

_CONTROL = (
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they reverse the order of what follows
    r"\ud800-\udfff]+"  # bytes that are no text; syslog does not take them
)
_WORD = r"\S+"
_PLAIN = r"(?-i:[a-z]{1,15}(?:'[a-z]{1,2})?)[,;:.)'\"]{0,2}(?:\s|$)"
_SENTENCE = r"(?-i:[A-Z][a-z]{0,14}|[A-Z]{2,5})\s(?-i:[A-Za-z]{2,20})(?:[^\w/+=]|$)"
"""A word of plain letters that goes on, "the token bucket is empty", and a sentence that begins behind a code or a
colon, "InvalidClientTokenId, The security token". A single word with a capital may be a secret."""

_NAMED = (
    r"(?i)(\b(?=(\w+))(?=\w*?(?:secret|token|authorization|signature))\2"  # a word is tried once, as a whole
    r"(?!\W{1,6}?\*{3}(?:\W|$))"  # what follows is masked already
    rf"(?!['\")\]]{{0,2}}[,;.]?\s{{1,6}}\(?{_PLAIN})"
    rf"(?!(?:[,;.)]|(?<=token|error):)\s{{1,6}}{_SENTENCE})"
    r"\W{1,6})(?:(?:bearer|basic|token|secret)\s{1,6})?[^\s,;&'\"]+"
)
_KEY = r"([A-Za-z0-9/+=]{40} +)?A[KS]IA[A-Z0-9]{16}( +[A-Za-z0-9/+=]{40})?"
_HEADER = r"(?i)(header value\W{1,3})b?['\"].*"
"""Python's HTTP names in this way a header that it does not send; those that the kit sets are keys and tokens."""

_SIGNS = ("//", "secret", "token", "authorization", "signature", "header value", "akia", "asia")
"""Without one of these in it, case folded, no text matches a pattern; most lines have none, and compile none."""

_LONGEST = 4000


def clean(text: str) -> str:
    """Return one line without control characters, without passwords in URLs, without tokens and access keys."""
    line = printable(text[: 2 * _LONGEST])
    folded = line.casefold()
    if any(sign in folded for sign in _SIGNS):
        line = masked(line)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


def printable(text: str) -> str:
    """Return one line without characters that a terminal would obey or that syslog would not take."""
    return text if text.isprintable() else _compiled(_CONTROL).sub(" ", text)


def masked(line: str) -> str:
    """Return the line without passwords in URLs, without tokens and access keys."""
    line = _compiled(_WORD).sub(_without_password, line)
    line = _compiled(_HEADER).sub(r"\1***", _compiled(_NAMED).sub(r"\1***", line))
    return _compiled(_KEY).sub("***", line)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _without_password(word: re.Match[str]) -> str:
    """
    Return a URL without the part that identifies its user, "http://***@proxy:3128", and any other word as it is.
    """
    scheme, _, rest = word[0].partition("//")
    host = rest.rpartition("@")[2]
    return word[0] if host == rest else f"{scheme}//***@{host}"
