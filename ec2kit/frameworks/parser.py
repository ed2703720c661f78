"""The parser of command lines has its own module, because argparse takes longer to load than some actions take."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NoReturn

from ec2kit.errors import UsageError


class Parser(argparse.ArgumentParser):
    """The parser raises UsageError instead of printing a long usage text, and ignores the width of the terminal."""

    def __init__(self, name: str, description: str | None = None) -> None:
        form = partial(argparse.HelpFormatter, width=100)
        super().__init__(prog=name, description=description, allow_abbrev=False, formatter_class=form)

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().split())
        raise UsageError(problem=f"{self.prog}: {message} ({usage})")
