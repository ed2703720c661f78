"""
`make soak`: many actions under mixed faults, and a judge; exit status 0 only if nothing was wrong, lost or leaked.

First the core in-process, on a clock that only the model turns; then the real action scripts as processes on a
sandbox. Argument: for how many seconds the processes go on; the walks are in proportion, 100,000 actions for 600 s.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from . import processes, walks

WALKED_IN_A_SECOND = 100_000 / 600


def main(seconds: float) -> int:
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ec2kit-soak-", dir=place) as folder:
        tally = walks.run(Path(folder), int(seconds * WALKED_IN_A_SECOND))
        tally += processes.run(Path(folder), seconds)
    tally.tell()
    return 1 if tally.complaints else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0))
