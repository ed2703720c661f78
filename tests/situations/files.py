"""The files of all situations."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.rglob("*.txt"))
