"""
`make soak`: many actions under mixed faults, and a judge; exit status 0 only if nothing was wrong, lost or leaked.

First the core in-process, on a clock that only the model turns; then the real action scripts as processes on a
sandbox. Argument: for how many seconds the processes go on; the walks are in proportion, 100,000 actions for 600 s.
With --tls the processes ask by HTTPS, and handshakes fail, too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from . import processes, walks

WALKED_IN_A_SECOND = 100_000 / 600


def main(seconds: float, *, tls: bool) -> int:
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ec2kit-soak-", dir=place) as folder:
        tally = walks.run(Path(folder), int(seconds * WALKED_IN_A_SECOND))
        tally += processes.run(Path(folder), seconds, tls=tls)
    tally.tell()
    return 1 if tally.complaints else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--tls", action="store_true")
    sys.exit(main(**vars(parser.parse_args())))
