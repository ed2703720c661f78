"""The line that is drawn anew at a terminal: its width, its place below other lines, and what it says."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import pytest

from ec2kit.messages import catalogue, progress
from ec2kit.messages.statement import Reason
from ec2kit.messages.ticker import cut, width

from ..terminal import at_a_terminal


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("3 s left", 8, id="English"),
        pytest.param("残り 3 秒", 4 + 1 + 1 + 1 + 2, id="Japanese"),
        pytest.param("（ＥＣ２）", 10, id="fullwidth"),
        pytest.param("ｶﾅ", 2, id="halfwidth"),
        pytest.param("e\u0301", 1, id="combining"),
    ],
)
def test_width_of_a_text_is_the_columns_that_it_takes(text: str, columns: int) -> None:
    """A terminal shows characters of East Asian scripts twice as wide."""
    assert width(text) == columns


def test_cut_text_never_takes_more_columns_than_there_are() -> None:
    """What fits stays whole; of what does not, the beginning is left, and three dots, on any terminal."""
    for text in ("3 s left: waiting", "残り 3 秒: 待っています", "待" * 40):
        for most in range(width(text) + 3):
            found = cut(text, most)
            assert width(found) <= most
            assert (found == text) is (width(text) <= most)
            assert width(text) <= most or most < 4 or (found.endswith("...") and width(found) >= most - 1)


_WRITING = """
import os
from ec2kit.messages import outlet, stderr
from ec2kit.messages.catalogue import Level
stderr.redraw("a line that is drawn", 20)
stderr.erase()
stderr.say(Level.INFO, "first")
outlet.finish(300)
stderr.redraw("drawn again, and longer than before", 35)
stderr.say(Level.INFO, "second")
stderr.above(lambda: os.write(1, b"third, on standard output\\n"))
outlet.finish(300)
stderr.redraw("short", 5)
stderr.erase()
outlet.finish(300)
"""


def test_a_drawn_line_stays_below_the_others_and_leaves_nothing_behind() -> None:
    """Lines that stay are whole, also those that another descriptor takes to the same terminal."""
    with at_a_terminal([sys.executable, "-c", _WRITING], dict(os.environ)) as terminal:
        assert terminal.end() == 0
    assert terminal.rows == ["first", "second", "third, on standard output", ""]
    assert terminal.drawn[-2:] == ["drawn again, and longer than before", "short"]


def test_now_has_what_is_done_the_oldest_first_and_nothing_that_has_ended() -> None:
    """What has nothing to say is left out; an exception ends it, too."""
    first, second = (Reason.of(catalogue.AWAITS_PEER, server=each) for each in ("node1", "node2"))
    with progress.doing(lambda: first):
        with suppress(KeyError), progress.doing(lambda: None), progress.doing(lambda: second):
            assert progress.now() == [first, second]
            raise KeyError
        assert progress.now() == [first]
    assert progress.now() == []


_TICKING = """
import itertools
import threading
from ec2kit.messages.ticker import Ticker
numbers, said = itertools.count(), threading.Event()
def text():
    if next(numbers) % 2:
        raise RuntimeError("dictionary changed size during iteration")
    if next(numbers) > 6:
        said.set()
    return "what is done"
with Ticker(text, seconds=0.02):
    said.wait(300)
"""


def test_a_text_that_cannot_be_said_is_said_the_next_time() -> None:
    """What is read while another thread changes it is no reason to show a traceback, or to show nothing more."""
    with at_a_terminal([sys.executable, "-c", _TICKING], dict(os.environ)) as terminal:
        assert terminal.end() == 0
    assert set(terminal.drawn) == {"what is done"}
    assert terminal.rows == [""]
