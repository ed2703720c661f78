"""
Metrics for Prometheus lie in files of node_exporter's textfile collector, one file for each subject and resource.

Each file is replaced as a whole by the process that measures, so that no two of them wait for one another. Names have
the form ec2kit_SUBJECT_WHAT_UNIT, in seconds, bytes and ratios; the label "tag" is the resource.

Source: Prometheus, "Exposition formats", text-based format 0.0.4; "Metric and label naming"; node_exporter, textfile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ec2kit.errors import StateUnusable
from ec2kit.state.file import write_text

_MODE = 0o644
"""node_exporter runs as a user of its own."""

Sample = tuple[Mapping[str, str], float]
"""Label → value, and the value of the sample."""


class Gauge(NamedTuple):
    """
    One metric: a value that goes up and down.

    Attributes:
        name: "ec2kit_probe_duration_seconds".
        meaning: One sentence; the same for all resources.
        samples: A metric without samples is left out.
    """

    name: str
    meaning: str
    samples: Sequence[Sample]


def exposition(tag: str, gauges: Sequence[Gauge]) -> str:
    """Return the text of a file; a pure function."""
    return "".join(f"{line}\n" for each in gauges for line in _lines(tag, each))


def _lines(tag: str, gauge: Gauge) -> Iterator[str]:
    if not gauge.samples:
        return
    yield f"# HELP {gauge.name} {_escaped(gauge.meaning)}"
    yield f"# TYPE {gauge.name} gauge"
    for labels, value in gauge.samples:
        named = ",".join(f'{name}="{_quoted(text)}"' for name, text in {"tag": tag, **labels}.items())
        yield f"{gauge.name}{{{named}}} {value:.12g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def write(folder: str, subject: str, tag: str, gauges: Sequence[Gauge]) -> None:
    """
    Replace the file of a subject and a resource; a reader finds the old one or the new one.

    Args:
        folder: EC2_METRICS_DIR; it is not made, because the user of node_exporter has to be let in.

    Raises:
        StateUnusable: The file cannot be written.
    """
    if not os.path.isdir(folder):
        raise StateUnusable(path=folder, reason="there is no such folder")
    write_text(_path(folder, subject, tag), exposition(tag, gauges), durable=False, mode=_MODE)


def forget(folder: str, tag: str) -> None:
    """Remove the files of a resource, as far as that is possible."""
    for each in SUBJECTS:
        with suppress(OSError):
            os.unlink(_path(folder, each, tag))


def _path(folder: str, subject: str, tag: str) -> str:
    return os.path.join(folder, f"ec2kit-{subject}-{tag}.prom")


PROBE = "probe"
SUBJECTS = (PROBE,)
"""All subjects that are measured."""
