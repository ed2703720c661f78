"""A person is addressed in one of the catalogue's languages; the log is always in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from ec2kit.messages.catalogue import CATALOGUE, GROUPS, Message

_JAPANESE = re.compile(r"ja(_JP)?(\.UTF-?8)?(@.*)?", re.IGNORECASE)
"""Names of Japanese locales; no charset other than UTF-8 is written."""


class Language(Enum):
    """The catalogue is kept in these languages."""

    ENGLISH = "en"
    JAPANESE = "ja"


def language_of(environment: Mapping[str, str]) -> Language:
    """
    Return the language that the locale asks for, English if the catalogue does not have that language.

    Source: POSIX, Base Definitions, 8.2 Internationalization Variables.
    """
    names = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    return Language.JAPANESE if _JAPANESE.fullmatch(locale) else Language.ENGLISH


def catalogue_in(language: Language) -> Mapping[int, Message]:
    """Return code → message in one language; Japanese is loaded only when asked for, and falls back on English."""
    if language is Language.ENGLISH:
        return CATALOGUE
    from ec2kit.messages.japanese import WORDS

    return {
        code: each._replace(**WORDS[code]._asdict()) if code in WORDS else each for code, each in CATALOGUE.items()
    }


def groups_in(language: Language) -> Mapping[int, str]:
    """Return the fourth digit of a code → the subject of such messages, in one language."""
    if language is Language.ENGLISH:
        return GROUPS
    from ec2kit.messages.japanese import GROUPS as JAPANESE

    return JAPANESE
