"""What a command has to say: one result, shown to a person or to a program."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import click

from ec2kit.messages import printable


@dataclass(frozen=True)
class Result:
    """
    Attributes:
        text: For a person; lines.
        data: For a program; JSON types only, snake_case names.
        status: Exit status of the process.
    """

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    status: int = 0

    def show(self, *, as_json: bool) -> int:
        """Print it; gives the exit status, which says what was done and not whether somebody could read it."""
        with suppress(OSError):
            if as_json:
                click.echo(json.dumps({"version": 1, **self.data}, indent=2, sort_keys=True))
            elif self.text:
                click.echo("\n".join(map(printable, self.text.split("\n"))))
        return self.status


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
