"""The language of a person, as the locale has it."""

from __future__ import annotations

import pytest

from ec2kit.messages.catalogue import CATALOGUE
from ec2kit.messages.language import Language, catalogue_in, language_of


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        pytest.param({}, "en", id="none, as under LifeKeeper and cron"),
        pytest.param({"LANG": "ja_JP.UTF-8"}, "ja", id="LANG"),
        pytest.param({"LC_MESSAGES": "ja_JP.UTF-8"}, "ja", id="LC_MESSAGES"),
        pytest.param({"LC_ALL": "ja_JP.UTF-8"}, "ja", id="LC_ALL"),
        pytest.param({"LC_ALL": "C", "LC_MESSAGES": "ja_JP.UTF-8", "LANG": "ja_JP.UTF-8"}, "en", id="LC_ALL first"),
        pytest.param({"LC_MESSAGES": "C", "LANG": "ja_JP.UTF-8"}, "en", id="LC_MESSAGES before LANG"),
        pytest.param({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ja_JP.UTF-8"}, "ja", id="empty is not set"),
        pytest.param({"LC_CTYPE": "ja_JP.UTF-8"}, "en", id="another category"),
        pytest.param({"LANG": "ja"}, "ja", id="language alone"),
        pytest.param({"LANG": "ja_JP"}, "ja", id="without charset"),
        pytest.param({"LANG": "ja_JP.utf8"}, "ja", id="as locale -a has it"),
        pytest.param({"LANG": "ja_JP.UTF-8@cjknarrow"}, "ja", id="modifier"),
        pytest.param({"LANG": "ja_JP.eucJP"}, "en", id="another charset"),
        pytest.param({"LANG": "ja_JP.SJIS"}, "en", id="yet another charset"),
        pytest.param({"LANG": "en_US.UTF-8"}, "en", id="English"),
        pytest.param({"LANG": "de_DE.UTF-8"}, "en", id="a language without a catalogue"),
        pytest.param({"LANG": "jam_JM.UTF-8"}, "en", id="a language that begins alike"),
        pytest.param({"LANG": "ja_JP.UTF-8\n../x"}, "en", id="no locale at all"),
    ],
)
def test_language_of_an_environment(environment: dict[str, str], language: str) -> None:
    """LC_ALL, then LC_MESSAGES, then LANG; Japanese where it can be shown, else English."""
    assert language_of(environment) is Language(language)


def test_catalogue_in_english_is_the_catalogue() -> None:
    """English is what the code itself has."""
    assert catalogue_in(Language.ENGLISH) is CATALOGUE
