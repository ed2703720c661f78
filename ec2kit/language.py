"""The language in which a person is spoken to; the log is always in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from ec2kit.messages import CATALOGUE, GROUPS, Message

_JAPANESE = re.compile(r"ja(_JP)?(\.UTF-?8)?(@.*)?", re.IGNORECASE)
"""Names of locales; another charset than UTF-8 is not written."""


class Language(Enum):
    """The languages that the catalogue is kept in."""

    ENGLISH = "en"
    JAPANESE = "ja"


def language_of(environment: Mapping[str, str]) -> Language:
    """
    The language that the locale asks for; English for all that the catalogue is not kept in.

    Source: POSIX, Base Definitions, 8.2 Internationalization Variables.
    """
    names = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    return Language.JAPANESE if _JAPANESE.fullmatch(locale) else Language.ENGLISH


def catalogue_in(language: Language) -> Mapping[int, Message]:
    """Code → message; Japanese is loaded when it is asked for, and what it should lack stays English."""
    if language is Language.ENGLISH:
        return CATALOGUE
    from ec2kit.messages_ja import WORDS

    return {
        code: each._replace(**WORDS[code]._asdict()) if code in WORDS else each for code, each in CATALOGUE.items()
    }


def groups_in(language: Language) -> Mapping[int, str]:
    """The fourth digit of a code → what such messages are about."""
    if language is Language.ENGLISH:
        return GROUPS
    from ec2kit.messages_ja import GROUPS as JAPANESE

    return JAPANESE
