"""
`make situations`: write the expected half of every file anew, or of those that are named.

What was recorded stays, in its usual form. What then differs is to be looked at in `git diff`, line by line, before
it is believed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ec2kit.scenarios.situation import file
from ec2kit.scenarios.situation.replay import replay

from .files import FILES


def main(paths: Iterable[str | Path]) -> int:
    """Return exit status 1 if a file is no situation; the others are written all the same."""
    names = [os.path.relpath(path) for path in paths]
    changed, wrong = [], []
    for name in names:
        try:
            if rewrite(name):
                changed.append(name)
        except (ValueError, OSError) as error:
            wrong.append(name)
            print(error if name in str(error) else f"{name}: {error}", file=sys.stderr)
    print(f"{len(names)} situations: {len(changed)} changed, {len(wrong)} cannot be read or written")
    if changed:
        print(f"Look at each difference before you believe it: git diff {' '.join(changed)}")
    return 1 if wrong else 0


def rewrite(name: str) -> bool:
    """
    Write what comes of one situation; return False if it stands there already.

    Raises:
        ValueError: The recorded half cannot be read, or the file cannot hold what comes of it; it stays as it is.
    """
    before = Path(name).read_text(encoding="utf-8")
    situation = file.read_recorded(before, name)
    after = file.write(file.Record(situation, replay(situation)))
    Path(name).write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or FILES))
