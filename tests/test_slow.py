"""The table of slow tests names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from .slow import SLOW

ROOT = Path(__file__).parents[1]

_DEFINED = re.compile(r"^(?:def )?((?:test_|Test)\w+)", re.MULTILINE)


def test_slow_tests_exist_and_so_do_the_quicker_ones_beside_them() -> None:
    """A test that is renamed does not become quick unseen; each comment names a test that stays in `make test`."""
    table = (ROOT / "tests" / "slow.py").read_text()
    there = {module: set(_DEFINED.findall((ROOT / module).read_text())) for module in SLOW}
    for module, names in SLOW.items():
        assert {re.split(r"\[|::", name)[0] for name in names} <= there[module]
    beside = set(re.findall(r"# (test_\w+)$", table, re.MULTILINE))
    assert beside <= set.union(*there.values())
    assert not beside & set.union(*map(set, SLOW.values()))
