"""The parser of command lines; a module of its own, since argparse takes longer to load than some actions take."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NoReturn

from ec2kit.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of printing a usage text of many lines; does not ask how wide a terminal is."""

    def __init__(self, name: str) -> None:
        super().__init__(prog=name, allow_abbrev=False, formatter_class=partial(argparse.HelpFormatter, width=100))

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().split())
        raise UsageError(problem=f"{self.prog}: {message} ({usage})")
