"""The edge of a process: signals, as Python itself delivers them."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

DROPPED = """
import os, signal, sys, time, weakref
from ec2kit import edge
from ec2kit.errors import Stopped

class Gone: pass

def callback(reference):
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(0)

edge.mind_signals()
try:
    gone = Gone()
    kept = weakref.ref(gone, callback)
    del gone
    time.sleep(20)
except Stopped as stopped:
    sys.exit(str(stopped))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_a_signal_that_python_drops_ends_the_action_all_the_same(number: signal.Signals) -> None:
    """What comes while an import tidies up is not lost, nor is its name; all later signals would be ignored."""
    done = subprocess.run(
        [sys.executable, "-c", DROPPED, str(int(number))], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr.strip()) == (1, f"stopped by signal {number.name}")
