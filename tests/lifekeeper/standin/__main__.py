"""One command of one server: `__main__.py LKROOT COMMAND WORDS…`."""

from __future__ import annotations

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from standin.commands import main  # type: ignore[import-not-found]

sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
