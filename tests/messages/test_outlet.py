"""A destination that hangs holds up nobody, and says later how much it has missed."""

from __future__ import annotations

import threading
import time
from functools import partial

from ec2kit.messages.catalogue import Level
from ec2kit.messages.outlet import Outlet

from ..patience import HANGS


def test_an_outlet_that_hangs_keeps_some_lines_and_counts_the_others() -> None:
    """Lines that find no room are left out, in memory too; their number stands where they are missing."""
    written: list[str] = []
    goes_on = threading.Event()

    def write(level: Level, text: str) -> None:
        goes_on.wait()
        written.append(text)

    outlet = Outlet(write)
    for number in range(1200):
        outlet(Level.INFO, f"line {number}")
    goes_on.set()
    outlet.finish(time.monotonic() + HANGS)
    kept = len(written)
    outlet(Level.INFO, "the last line")
    outlet.finish(time.monotonic() + HANGS)
    assert written[:kept] == [f"line {number}" for number in range(kept)]
    missing = f"{1200 - kept} lines are missing here: they could not be written in time"
    assert written[kept:] == [missing, "the last line"]


def test_an_outlet_writes_in_order_and_before_it_returns() -> None:
    """Who reads what was just logged finds it; what the destination raises stops nobody."""
    written: list[str] = []

    def write(level: Level, text: str) -> None:
        written.append(text)
        raise OSError

    outlet = Outlet(write)
    for number in range(3):
        outlet(Level.INFO, str(number))
        outlet.finish(time.monotonic() + HANGS)
        assert written == [str(each) for each in range(number + 1)]


def test_an_outlet_leaves_out_what_is_offered_while_it_hangs() -> None:
    """What is of use only now does not fill the room of lines, and is not counted as one of them."""
    written: list[str] = []
    goes_on = threading.Event()

    def write(level: Level, text: str) -> None:
        goes_on.wait()
        written.append(text)

    outlet = Outlet(write)
    outlet(Level.INFO, "a line")
    for number in range(1200):
        outlet.offer(partial(written.append, str(number)))
    outlet(Level.INFO, "another line")
    goes_on.set()
    outlet.finish(time.monotonic() + HANGS)
    outlet.offer(partial(written.append, "taken"))
    outlet.finish(time.monotonic() + HANGS)
    assert written == ["a line", "another line", "taken"]


def test_an_outlet_takes_lines_from_many_threads_at_once() -> None:
    """Each line is written once, and no thread waits for ever; there is room for all, whoever writes how slowly."""
    written: list[str] = []
    outlet = Outlet(lambda level, text: written.append(text))

    def lines(name: int) -> None:
        for number in range(100):
            outlet(Level.INFO, f"{name}-{number}")

    threads = [threading.Thread(target=lines, args=(each,), daemon=True) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=HANGS)
    outlet.finish(time.monotonic() + HANGS)
    assert sorted(written) == sorted(f"{name}-{number}" for name in range(8) for number in range(100))
