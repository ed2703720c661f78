"""The core in-process, on a clock that only the model turns: many walks on all processors."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import time
from pathlib import Path

from ..model.cluster import SERVERS
from ..model.walk import SCENARIOS, Walk
from .judge import LEAKED
from .tally import Tally

A_WALK = 500
"""Actions of one walk, until all comes to rest."""


def run(folder: Path, actions: int) -> Tally:
    """Walks on all processors, together so many actions."""
    began, share, workers = time.monotonic(), A_WALK + len(SERVERS), os.cpu_count() or 1
    tally = Tally()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for each in pool.imap_unordered(walk, [(str(folder), seed) for seed in range(-(-actions // share))]):
            tally += each
    print(
        f"in-process: {tally.actions} actions in {time.monotonic() - began:.0f} s, faults {dict(tally.faults)}",
        flush=True,
    )
    return tally


def walk(told: tuple[str, int]) -> Tally:
    """One walk, and what it left behind in this process."""
    folder, seed = told
    before = _open_here()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        walked = Walk(Path(place), seed, SCENARIOS[seed % len(SCENARIOS)]).go(A_WALK)
        left = _open_here() - before
    if left > 0:
        walked.complaints.append((LEAKED, f"{left} threads and files by walk {seed}"))
    return Tally(walked.actions, walked.faults, [(kind, f"walk {seed}: {what}") for kind, what in walked.complaints])


def _open_here() -> int:
    return threading.active_count() + len(os.listdir("/proc/self/fd"))
