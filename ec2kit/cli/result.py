"""Each command has one result, which is shown to a person or to a program."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import click

from ec2kit.frameworks import edge
from ec2kit.messages.masking import printable


@dataclass(frozen=True)
class Result:
    """
    The result of a command.

    Attributes:
        text: For a person; lines.
        data: For a program; JSON types only, snake_case names.
        status: Exit status of the process.
    """

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    status: int = 0

    def show(self, *, as_json: bool) -> int:
        """Print the result; return the exit status, which does not depend on whether the output could be written."""
        edge.decide(self.status)
        with suppress(OSError):
            if as_json:
                click.echo(json.dumps({"version": 1, **self.data}, indent=2, sort_keys=True))
            elif self.text:
                click.echo("\n".join(map(printable, self.text.split("\n"))))
        return self.status


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
