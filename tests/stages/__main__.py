"""Play the runs of some seeds and say what happened: python -m tests.stages 17 18 19."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .run import played


def main(seeds: list[int]) -> int:
    """Return the number of writes that arrived too late."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for story in played(seeds, 8, Path(folder)):
            print(f"{story.script.words}\n    status {story.status} after {story.ended - story.began:.2f} s")
            print(f"    {dict(story.counts)}")
            print(f"    notes {[(w, round(t - story.began, 3), m) for w, _, t, m in story.notes]}")
            for line in story.log.splitlines():
                print("    " + line)
            for why in story.wrong():
                wrong += 1
                print(f"    WRONG {why}")
    return wrong


if __name__ == "__main__":
    first, _, last = sys.argv[1].partition("-")
    sys.exit(main(list(range(int(first), int(last) + 1)) if last else list(map(int, sys.argv[1:]))) > 0)
